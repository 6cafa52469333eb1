package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v57/github"
)

// errResponseTooLarge is an API answer above Limits.Response.
var errResponseTooLarge = errors.New("GitHub's answer is larger than what is read")

// classify turns an error of the API client into one that callers can tell
// apart, and keeps the original in the chain.
func classify(err error) error {
	if err == nil {
		return nil
	}
	var rate *github.RateLimitError
	if errors.As(err, &rate) {
		return &RateLimitError{Until: rate.Rate.Reset.Add(time.Second)}
	}
	var abuse *github.AbuseRateLimitError
	if errors.As(err, &abuse) {
		return &RateLimitError{Until: time.Now().Add(orDuration(abuse.RetryAfter, time.Minute)), Secondary: true}
	}
	resp := responseOf(err)
	if resp == nil {
		return err
	}
	if limited := rateLimited(resp); limited != nil {
		return limited
	}
	var token *ghinstallation.HTTPError
	if errors.As(err, &token) && resp.StatusCode < 500 {
		// The installation is gone or suspended, or the key was replaced. Never
		// "not found": that would say something about what was asked for.
		return fmt.Errorf("%w: %w", ErrUnauthorized, err)
	}
	switch resp.StatusCode {
	case http.StatusNotFound, http.StatusGone, http.StatusUnavailableForLegalReasons:
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case http.StatusUnauthorized:
		return fmt.Errorf("%w: %w", ErrUnauthorized, err)
	case http.StatusForbidden:
		// What GitHub says of a repository that its staff took down.
		if strings.Contains(err.Error(), "access blocked") {
			return fmt.Errorf("%w: %w", ErrNotFound, err)
		}
		return fmt.Errorf("%w: %w", ErrUnauthorized, err)
	}
	return err
}

// rateLimited recognises the limits that go-github v57 does not: status 429, and
// a 403 that names a time to come back.
func rateLimited(resp *http.Response) *RateLimitError {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusForbidden {
		return nil
	}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s >= 0 {
		return &RateLimitError{Until: time.Now().Add(time.Duration(min(s, 86400)) * time.Second), Secondary: true}
	}
	if resp.Header.Get("X-RateLimit-Remaining") == "0" {
		if s, err := strconv.ParseInt(resp.Header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			return &RateLimitError{Until: time.Unix(s+1, 0)}
		}
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		return &RateLimitError{Until: time.Now().Add(time.Minute), Secondary: true}
	}
	return nil
}

// responseOf is the answer behind an error of the API or of the App's token;
// nil where there was none.
func responseOf(err error) *http.Response {
	var api *github.ErrorResponse
	if errors.As(err, &api) {
		return api.Response
	}
	var token *ghinstallation.HTTPError
	if errors.As(err, &token) {
		return token.Response
	}
	return nil
}

// statusOf is the status of the answer behind an error; 0 where none came.
func statusOf(err error) int {
	if resp := responseOf(err); resp != nil {
		return resp.StatusCode
	}
	return 0
}

// doubtful tells whether a write may have happened although it failed: GitHub
// answered 5xx, or did not answer.
func doubtful(ctx context.Context, err error) bool {
	if err == nil || ctx.Err() != nil {
		return false
	}
	var limited *RateLimitError
	if errors.As(err, &limited) {
		return false
	}
	s := statusOf(err)
	return s == 0 || s >= 500
}

func orDuration(d *time.Duration, def time.Duration) time.Duration {
	if d == nil {
		return def
	}
	return *d
}
