package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
)

var errTooLarge = errors.New("the file is too large")

// answer is what a server said to a request that failed.
type answer struct {
	status int    // 0 where no answer came
	code   string // S3's name of the error
	header http.Header
}

func answerOf(err error) answer {
	var a answer
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.Response != nil && response.Response.Response != nil {
		a.status, a.header = response.Response.StatusCode, response.Response.Header
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		a.code = api.ErrorCode()
	}
	return a
}

// conditionError gives a condition that did not hold its name. With If-Match an
// object that is gone is a 404, and two conditional writes at the same moment
// are a 409 (AWS).
func conditionError(err error) error {
	a := answerOf(err)
	gone := a.status == http.StatusNotFound && a.code == "NoSuchKey"
	if a.status == http.StatusPreconditionFailed || a.code == "ConditionalRequestConflict" || gone {
		return fmt.Errorf("%w: %s", ErrChanged, orStatus(a))
	}
	return err
}

// uncertain tells whether a failed write may have been carried out all the same.
func uncertain(err error) bool {
	if errors.Is(err, ErrChanged) {
		return false
	}
	status := answerOf(err).status
	return status == 0 || status >= 500
}

// passing tells whether the same request may succeed in a moment.
func passing(err error) bool {
	a := answerOf(err)
	switch {
	case errors.Is(err, ErrChanged), errors.Is(err, errTooLarge), errors.Is(err, context.Canceled):
		return false
	case a.status == 0, a.status == http.StatusTooManyRequests, a.status == http.StatusRequestTimeout:
		return true
	case a.status == http.StatusNotImplemented:
		return false
	}
	// S3 says 400 RequestTimeout where the body arrived too slowly, and BadDigest
	// where it was damaged on its way.
	return a.status >= 500 || a.code == "RequestTimeout" || a.code == "BadDigest"
}

// throttled tells whether the server wants fewer requests.
func throttled(a answer) bool {
	return a.status == http.StatusTooManyRequests || a.status == http.StatusServiceUnavailable
}

// explain turns the last failure of a request into what the caller, or the
// operator, can use. what is the request: "read v1/…".
func (s *S3) explain(what string, err error) error {
	a := answerOf(err)
	if trouble := s.trouble(a, err); trouble != nil {
		return fmt.Errorf("%s: %w", what, trouble)
	}
	if a.code == "NoSuchKey" {
		return fmt.Errorf("%s: %w", what, ErrNotExist)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// badKeyCodes are the names of a key that is not accepted: S3's, R2's (the last
// but one) and versitygw's (the last).
var badKeyCodes = []string{"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "Unauthorized", "XAdminUserNotFound"}

// trouble names what an operator must mend; nil for anything else.
func (s *S3) trouble(a answer, err error) error {
	place := fmt.Sprintf("bucket %q at %s", s.config.Bucket, s.config.Endpoint)
	t := &TroubleError{Err: errors.New(orStatus(a))}
	switch {
	case slices.Contains(badKeyCodes, a.code):
		t.Kind, t.Problem = ErrCredentials, place+" does not accept the access key"
		t.Remedy = "check access_key_id and secret_access_key"
	case a.code == "NoSuchBucket":
		t.Kind, t.Problem = ErrNoBucket, "there is no "+place
		t.Remedy = "create it, or correct the bucket or the endpoint"
	case a.code == "RequestTimeTooSkewed" || a.code == "RequestExpired":
		t.Kind, t.Problem = ErrClock, "the clock of this machine is "+offBy(a.header)
		t.Remedy = "set it (systemd-timesyncd, chrony)"
	case a.code == "AuthorizationHeaderMalformed" || a.code == "PermanentRedirect" || a.code == "InvalidRegionName":
		t.Kind, t.Problem = ErrRegion, place+" is not in region "+strconv.Quote(s.config.Region)
		t.Remedy, t.Err = "correct the region or the endpoint", err
	case a.status == http.StatusForbidden || a.status == http.StatusUnauthorized:
		t.Kind, t.Problem = ErrDenied, place+" does not let this access key read, write, delete and list objects"
		t.Remedy = "give the key these rights, for this bucket"
	default:
		return nil
	}
	return t
}

// offBy says how far this machine's clock is from the server's.
func offBy(header http.Header) string {
	server, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return "off by more than 15 minutes"
	}
	ahead := time.Since(server).Round(time.Second)
	if ahead < 0 {
		return fmt.Sprintf("%s behind the bucket's", -ahead)
	}
	return fmt.Sprintf("%s ahead of the bucket's", ahead)
}

func orStatus(a answer) string {
	if a.code == "" {
		return "HTTP " + strconv.Itoa(a.status)
	}
	return a.code + ", HTTP " + strconv.Itoa(a.status)
}
