package publish

import (
	"bytes"
	"context"
	"crypto/md5" // #nosec G501 -- S3's own check of what arrived, no protection
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// S3Config says which bucket. Zero fields have the stated defaults.
type S3Config struct {
	// Endpoint is the server's address: "https://s3.example.org". R2Endpoint makes
	// R2's.
	Endpoint string
	// Region is "auto" if empty, as R2 has it; AWS wants the bucket's own.
	Region string
	// Bucket is the bucket's name. It must be there.
	Bucket string
	// AccessKeyID and SecretAccessKey sign the requests.
	AccessKeyID, SecretAccessKey string
	// PathStyle asks for https://endpoint/bucket/key, which servers need that do
	// not answer at https://bucket.endpoint/key.
	PathStyle bool
	// WriteEvery keeps writes of one key apart. If 0 it is R2WriteEvery where the
	// endpoint is R2's; other servers know no such limit.
	WriteEvery time.Duration
	// Parallel is how many requests run at the same time, 32 if 0.
	Parallel int
	// Transport carries the requests, http.DefaultTransport's settings if nil.
	Transport http.RoundTripper
}

// R2WriteEvery is what R2 demands between two writes of one key, a second, and
// a little for the way.
const R2WriteEvery = 1100 * time.Millisecond

// R2Endpoint is the S3 address of an account at Cloudflare R2
// (developers.cloudflare.com/r2/api/s3/api).
func R2Endpoint(accountID string) string { return "https://" + accountID + r2Domain }

const r2Domain = ".r2.cloudflarestorage.com"

// S3 is a Target in a bucket of R2, or of any server that speaks S3 and knows
// conditional writes (PutObject with If-Match and If-None-Match).
type S3 struct {
	client  *s3.Client
	config  S3Config
	pace    *pacer
	slots   chan struct{}
	retries retries
}

// OpenS3 prepares a bucket for use; nothing is sent yet.
func OpenS3(config S3Config) (*S3, error) {
	if config.Endpoint == "" || config.Bucket == "" || config.AccessKeyID == "" || config.SecretAccessKey == "" {
		return nil, errors.New("publish to a bucket: the endpoint, the bucket or its keys are missing")
	}
	if config.Parallel <= 0 {
		config.Parallel = 32
	}
	if config.Region == "" {
		config.Region = "auto"
	}
	if u, err := url.Parse(config.Endpoint); err == nil && config.WriteEvery == 0 && strings.HasSuffix(u.Hostname(), r2Domain) {
		config.WriteEvery = R2WriteEvery
	}
	if config.Transport == nil {
		config.Transport = s3Transport(config.Parallel)
	}
	credentials := aws.Credentials{AccessKeyID: config.AccessKeyID, SecretAccessKey: config.SecretAccessKey}
	client := s3.New(s3.Options{
		Region:       config.Region,
		BaseEndpoint: aws.String(config.Endpoint),
		UsePathStyle: config.PathStyle,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return credentials, nil
		}),
		HTTPClient: &http.Client{
			Transport:     config.Transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		// One place decides what is tried again: retries. A clock that is off is
		// the operator's to mend, because GitHub refuses it too.
		Retryer:                    aws.NopRetryer{},
		DisableClockSkewCorrection: true,
		// Content-MD5 does it on every server; the newer checksums do not.
		RequestChecksumCalculation:  aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation:  aws.ResponseChecksumValidationWhenRequired,
		DisableS3ExpressSessionAuth: aws.Bool(true),
		APIOptions:                  []func(*middleware.Stack) error{leaveEncodingUnsigned},
	})
	return &S3{
		client: client, config: config, retries: defaultRetries,
		pace: newPacer(config.WriteEvery), slots: make(chan struct{}, config.Parallel),
	}, nil
}

// s3Transport keeps as many connections open as are used at a time.
func s3Transport(parallel int) http.RoundTripper {
	t := &http.Transport{}
	if def, ok := http.DefaultTransport.(*http.Transport); ok {
		t = def.Clone()
	}
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 2*parallel, parallel
	t.DisableCompression = true // bytes as they are stored, and no header that was not signed
	return t
}

// leaveEncodingUnsigned drops Accept-Encoding before the SDK signs it: servers
// behind a proxy see another one (workerd, Google Cloud Storage), and take the
// signature for wrong.
func leaveEncodingUnsigned(stack *middleware.Stack) error {
	drop := middleware.FinalizeMiddlewareFunc("LeaveEncodingUnsigned",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			if r, ok := in.Request.(*smithyhttp.Request); ok {
				r.Header.Del("Accept-Encoding")
			}
			return next.HandleFinalize(ctx, in)
		})
	return stack.Finalize.Insert(drop, "Signing", middleware.Before)
}

// Get reads an object.
func (s *S3) Get(ctx context.Context, path string) (File, error) {
	if err := CheckPath(path); err != nil {
		return File{}, err
	}
	var f File
	err := s.do(ctx, "read "+path, "", func(ctx context.Context) error {
		out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &s.config.Bucket, Key: &path})
		if err != nil {
			return err
		}
		defer out.Body.Close()
		body, err := io.ReadAll(io.LimitReader(out.Body, maxFile+1))
		if err != nil {
			return err
		}
		if len(body) > maxFile {
			return errTooLarge
		}
		f = File{
			Body: body, ETag: aws.ToString(out.ETag),
			ContentType: aws.ToString(out.ContentType), CacheControl: aws.ToString(out.CacheControl),
		}
		return nil
	})
	return f, err
}

// Put writes an object.
func (s *S3) Put(ctx context.Context, path string, f File) error {
	if err := CheckPath(path); err != nil {
		return err
	}
	return s.do(ctx, "write "+path, path, func(ctx context.Context) error {
		_, err := s.client.PutObject(ctx, s.putInput(path, f))
		return err
	})
}

func (s *S3) putInput(path string, f File) *s3.PutObjectInput {
	sum := md5.Sum(f.Body) // #nosec G401 -- see the import
	in := &s3.PutObjectInput{
		Bucket: &s.config.Bucket, Key: &path, Body: bytes.NewReader(f.Body),
		ContentLength: aws.Int64(int64(len(f.Body))),
		ContentMD5:    aws.String(base64.StdEncoding.EncodeToString(sum[:])),
	}
	if f.ContentType != "" {
		in.ContentType = &f.ContentType
	}
	if f.CacheControl != "" {
		in.CacheControl = &f.CacheControl
	}
	return in
}

// PutIf writes an object if it still is what it was.
func (s *S3) PutIf(ctx context.Context, path string, f File, etag string) (string, error) {
	if err := CheckPath(path); err != nil {
		return "", err
	}
	var newETag string
	var unsure bool // an earlier attempt may have been carried out
	err := s.do(ctx, "write "+path, path, func(ctx context.Context) error {
		in := s.putInput(path, f)
		if etag == "" {
			in.IfNoneMatch = aws.String("*")
		} else {
			in.IfMatch = &etag
		}
		out, err := s.client.PutObject(ctx, in)
		if err == nil {
			newETag = aws.ToString(out.ETag)
			return nil
		}
		err = conditionError(err)
		unsure = unsure || uncertain(err)
		return err
	})
	if unsure && errors.Is(err, ErrChanged) {
		// It was an earlier attempt of this very call that changed the object, if
		// the object is what that attempt wrote.
		live, getErr := s.Get(ctx, path)
		if getErr == nil && bytes.Equal(live.Body, f.Body) {
			return live.ETag, nil
		}
	}
	return newETag, err
}

// Delete removes an object.
func (s *S3) Delete(ctx context.Context, path string) error {
	if err := CheckPath(path); err != nil {
		return err
	}
	err := s.do(ctx, "delete "+path, path, func(ctx context.Context) error {
		_, err := s.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.config.Bucket, Key: &path})
		return err
	})
	if errors.Is(err, ErrNotExist) { // some servers answer 404 here
		return nil
	}
	return err
}

// List names the objects below a prefix, a thousand a request.
func (s *S3) List(ctx context.Context, prefix string) ([]string, error) {
	if err := CheckPath(trimSlash(prefix)); err != nil {
		return nil, err
	}
	var names []string
	var token *string
	for {
		var out *s3.ListObjectsV2Output
		err := s.do(ctx, "list "+prefix, "", func(ctx context.Context) (err error) {
			out, err = s.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
				Bucket: &s.config.Bucket, Prefix: &prefix, ContinuationToken: token,
			})
			return err
		})
		if err != nil {
			return nil, err
		}
		for _, o := range out.Contents {
			names = append(names, aws.ToString(o.Key))
		}
		if !aws.ToBool(out.IsTruncated) {
			break
		}
		if token = out.NextContinuationToken; aws.ToString(token) == "" {
			return nil, fmt.Errorf("list %s: the bucket's answer has no end", prefix)
		}
	}
	slices.Sort(names)
	return names, nil
}
