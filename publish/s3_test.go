package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestOpenS3(t *testing.T) {
	whole := S3Config{Endpoint: R2Endpoint("0123"), Bucket: "b", AccessKeyID: "k", SecretAccessKey: "s"}
	if whole.Endpoint != "https://0123.r2.cloudflarestorage.com" {
		t.Errorf("R2's endpoint is %s", whole.Endpoint)
	}
	if s, err := OpenS3(whole); err != nil || s.pace.every != R2WriteEvery {
		t.Errorf("writes to R2 are not paced: %v", err)
	}
	for _, spoil := range []func(*S3Config){
		func(c *S3Config) { c.Endpoint = "" }, func(c *S3Config) { c.Bucket = "" },
		func(c *S3Config) { c.AccessKeyID = "" }, func(c *S3Config) { c.SecretAccessKey = "" },
	} {
		c := whole
		spoil(&c)
		if _, err := OpenS3(c); err == nil {
			t.Errorf("OpenS3(%+v) is no error", c)
		}
	}
}

// Both ways of naming a bucket; the fake hears the second as a bucket in the
// host's name.
func TestS3Addressing(t *testing.T) {
	for _, pathStyle := range []bool{true, false} {
		var got string
		s, err := OpenS3(S3Config{
			Endpoint: "https://s3.example.org", Bucket: "registry", AccessKeyID: "k", SecretAccessKey: "s", PathStyle: pathStyle,
			Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
				got = r.URL.Host + r.URL.Path
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(context.Background(), "v1/x"); err != nil {
			t.Fatal(err)
		}
		want := map[bool]string{true: "s3.example.org/registry/v1/x", false: "registry.s3.example.org/v1/x"}[pathStyle]
		if got != want {
			t.Errorf("asked %s, want %s", got, want)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What an operator must mend comes as one sentence that says what and how, and
// is not tried again.
func TestS3Troubles(t *testing.T) {
	tests := []struct {
		name   string
		config func(*S3Config)
		server func(*fakeS3)
		kind   error
		says   string
	}{
		{"unknown key", func(c *S3Config) { c.AccessKeyID = "AKIDOTHER" }, nil, ErrCredentials, "check access_key_id and secret_access_key"},
		{"wrong secret", func(c *S3Config) { c.SecretAccessKey = "other" }, nil, ErrCredentials, "SignatureDoesNotMatch"},
		{"no bucket", func(c *S3Config) { c.Bucket = "nowhere" }, nil, ErrNoBucket, `there is no bucket "nowhere" at http`},
		{"wrong region", func(c *S3Config) { c.Region = "eu-central-1" }, nil, ErrRegion, `not in region "eu-central-1"`},
		{"clock behind", nil, func(f *fakeS3) { f.clock = time.Hour }, ErrClock, "behind the bucket's"},
		{"clock ahead", nil, func(f *fakeS3) { f.clock = -time.Hour }, ErrClock, "1h0m"},
		{"read-only key", nil, func(f *fakeS3) {
			f.failWith(func(int, *http.Request) *fault { return &fault{status: 403, code: "AccessDenied"} })
		}, ErrDenied, "give the key these rights"},
		{"R2's 401", nil, func(f *fakeS3) {
			f.failWith(func(int, *http.Request) *fault { return &fault{status: 401, code: "Unauthorized"} })
		}, ErrCredentials, "does not accept the access key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fake := startFakeS3(t)
			if tt.server != nil {
				tt.server(fake)
			}
			var s *S3
			if tt.config != nil {
				s = fake.open(t, tt.config)
			} else {
				s = fake.open(t)
			}
			s.retries.first = time.Hour // a retry would not come to its end
			ctx := context.Background()
			_, getErr := s.Get(ctx, "v1/x")
			_, ifErr := s.PutIf(ctx, "v1/x", File{}, "")
			_, listErr := s.List(ctx, "v1/")
			for call, err := range map[string]error{
				"Get": getErr, "PutIf": ifErr, "List": listErr,
				"Put": s.Put(ctx, "v1/x", File{}), "Delete": s.Delete(ctx, "v1/x"),
				"Publish": New(s).Publish(ctx, rendered("a", "1.0.0")),
			} {
				var trouble *TroubleError
				if !errors.Is(err, tt.kind) || !errors.As(err, &trouble) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("%s = %v; want one that says %q", call, err, tt.says)
				} else if strings.Contains(err.Error(), "\n") || strings.Contains(err.Error(), fakeSecret) {
					t.Errorf("%s: the error is not fit for a log: %q", call, err)
				}
			}
		})
	}
}

func TestS3RealTroubles(t *testing.T) {
	open := newVersityBucket(t)
	for _, tt := range []struct {
		change func(*S3Config)
		kind   error
	}{
		{func(c *S3Config) { c.SecretAccessKey = "other" }, ErrCredentials},
		{func(c *S3Config) { c.AccessKeyID = "other" }, ErrCredentials},
		{func(c *S3Config) { c.Bucket = "nowhere" }, ErrNoBucket},
	} {
		config := open().(*S3).config
		tt.change(&config)
		s, err := OpenS3(config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get(context.Background(), "v1/x"); !errors.Is(err, tt.kind) {
			t.Errorf("Get = %v, want %v", err, tt.kind)
		}
		if err := s.Put(context.Background(), "v1/x", File{}); !errors.Is(err, tt.kind) {
			t.Errorf("Put = %v, want %v", err, tt.kind)
		}
	}
}

// Retry-After is waited for where that is short, and handed on where it is long.
func TestS3RetryAfter(t *testing.T) {
	t.Parallel()
	fake := startFakeS3(t)
	s := fake.open(t)
	answers := 0
	fake.failWith(func(int, *http.Request) *fault {
		if answers++; answers == 1 {
			return &fault{status: 503, code: "SlowDown", header: map[string]string{"Retry-After": "1"}}
		}
		return nil
	})
	began := time.Now()
	if err := s.Put(context.Background(), "a", File{}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("came back after %s, was asked for 1 s", took)
	}
	fake.failWith(func(int, *http.Request) *fault {
		return &fault{status: 429, code: "TooManyRequests", header: map[string]string{"Retry-After": "600"}}
	})
	var limit *RateLimitError
	if err := s.Put(context.Background(), "a", File{}); !errors.As(err, &limit) || limit.RetryAfter != 10*time.Minute {
		t.Errorf("Put = %v, want to come back in 10 minutes", err)
	}
	fake.failWith(func(int, *http.Request) *fault { return &fault{status: 429, code: "TooManyRequests"} })
	before := len(fake.log)
	if err := s.Put(context.Background(), "a", File{}); !errors.As(err, &limit) || limit.RetryAfter <= 0 {
		t.Errorf("Put = %v, want a rate limit", err)
	}
	if tries := len(fake.log) - before; tries != defaultRetries.attempts {
		t.Errorf("tried %d times", tries)
	}
}

// A server that does not answer is left after the timeout, and asked again.
func TestS3Hangs(t *testing.T) {
	fake := startFakeS3(t)
	s := fake.open(t)
	s.retries.timeout = 30 * time.Millisecond
	var mu sync.Mutex
	hung := 0
	fake.failWith(func(int, *http.Request) *fault {
		mu.Lock()
		defer mu.Unlock()
		if hung++; hung <= 2 {
			return &fault{hang: true}
		}
		return nil
	})
	if err := s.Put(context.Background(), "a", File{Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	fake.failWith(func(int, *http.Request) *fault { return &fault{hang: true} })
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.Get(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Get = %v", err)
	}
}

// A conditional write whose answer is lost is not taken for someone else's.
func TestS3PutIfAnswerLost(t *testing.T) {
	for _, x := range []fault{{drop: true, after: true}, {status: 500, code: "InternalError", after: true}} {
		fake := startFakeS3(t)
		s := fake.open(t)
		fake.failWith(func(n int, _ *http.Request) *fault {
			if n == 1 {
				return &x
			}
			return nil
		})
		etag, err := s.PutIf(context.Background(), "a", File{Body: []byte("mine")}, "")
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := s.Get(context.Background(), "a"); got.ETag != etag {
			t.Errorf("ETag %s, want %s", etag, got.ETag)
		}
		// The same, but someone else was quicker than our second attempt.
		fake.failWith(func(n int, _ *http.Request) *fault {
			if n == 3 {
				fake.mu.Lock()
				fake.objects["a"] = File{Body: []byte("theirs"), ETag: `"theirs"`}
				fake.mu.Unlock()
				return &fault{drop: true}
			}
			return nil
		})
		if _, err := s.PutIf(context.Background(), "a", File{Body: []byte("mine too")}, etag); !errors.Is(err, ErrChanged) {
			t.Errorf("PutIf = %v, want ErrChanged", err)
		}
	}
}

// The writes of one key are kept apart, those of different keys are not.
func TestS3Pace(t *testing.T) {
	fake := startFakeS3(t)
	// The fake's limit is far from the pace: on a busy machine requests arrive late.
	fake.gap = 40 * time.Millisecond
	s := fake.open(t, func(c *S3Config) { c.WriteEvery = 250 * time.Millisecond })
	s.retries.first = time.Hour
	began := time.Now()
	var group sync.WaitGroup
	for i := range 24 {
		group.Go(func() {
			if err := s.Put(context.Background(), fmt.Sprint("key", i%8), File{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	took := time.Since(began)
	if fake.tooFast > 0 {
		t.Errorf("%d writes came too early", fake.tooFast)
	}
	if took < 500*time.Millisecond {
		t.Errorf("3 writes of each of 8 keys took %s", took)
	}
}

func TestPacer(t *testing.T) {
	p := newPacer(time.Second)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, want := range []time.Duration{0, time.Second, 2 * time.Second} {
		if got := p.reserve("a", now).Sub(now); got != want {
			t.Errorf("write %d of a: %s, want %s", i, got, want)
		}
	}
	if got := p.reserve("b", now).Sub(now); got != 0 {
		t.Errorf("the first write of b: %s", got)
	}
	if got := p.reserve("a", now.Add(2500*time.Millisecond)).Sub(now); got != 3*time.Second {
		t.Errorf("a half a second after its last write: %s", got)
	}
	for i := range 1000 {
		p.reserve(fmt.Sprint(i), now.Add(10*time.Second))
	}
	p.reserve("a", now.Add(20*time.Second))
	if len(p.last) != 1 {
		t.Errorf("%d keys are remembered", len(p.last))
	}
}

// Many requests run at the same time, and no more than are allowed.
func TestS3Parallel(t *testing.T) {
	fake := startFakeS3(t)
	fake.failWith(func(int, *http.Request) *fault { time.Sleep(5 * time.Millisecond); return nil })
	s := fake.open(t, func(c *S3Config) { c.Parallel = 6 })
	var versions []string
	for i := range 20 {
		versions = append(versions, fmt.Sprintf("1.%d.0", i))
	}
	publish(t, s, rendered("a", versions...))
	if fake.top > 6 || fake.top < 3 {
		t.Errorf("%d requests at the same time, want up to 6", fake.top)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "3": 3 * time.Second, "-1": 0, "1.5": 0, "soon": 0, "4000000000": 24 * time.Hour, "99999999999999": 0,
		"Sat, 21 Nov 2026 10:00:30 GMT": 30 * time.Second, "Sat, 21 Nov 2026 09:00:00 GMT": 0, "Sat, 21 Nov 2099 09:00:00 GMT": 24 * time.Hour,
	} {
		if got := retryAfter(http.Header{"Retry-After": {text}}, now); got != want {
			t.Errorf("Retry-After %q = %s, want %s", text, got, want)
		}
	}
}

func TestRetryPause(t *testing.T) {
	for n := 1; n < 70; n++ {
		whole := min(defaultRetries.first<<min(n-1, 16), defaultRetries.longest)
		if d := defaultRetries.pause(n, nil); d < whole/2 || d > whole {
			t.Errorf("pause %d is %s, want %s to %s", n, d, whole/2, whole)
		}
	}
}

// A body that is too large, or breaks off, is no file.
func TestS3HalfAnswer(t *testing.T) {
	s, err := OpenS3(S3Config{
		Endpoint: "https://s3.example.org", Bucket: "b", AccessKeyID: "k", SecretAccessKey: "s",
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: 200, Header: http.Header{}, Request: r, ContentLength: 10,
				Body: http.MaxBytesReader(nil, endless{}, 5),
			}, nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	s.retries.first = time.Millisecond
	if f, err := s.Get(context.Background(), "v1/x"); err == nil {
		t.Errorf("Get = %q", f.Body)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }
func (endless) Close() error               { return nil }
