package publish

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// retries bounds how a request is repeated after a passing fault.
type retries struct {
	attempts int           // in all
	timeout  time.Duration // of each attempt
	first    time.Duration // pause after the first failure, doubled after each
	longest  time.Duration // pause that is waited for at all
}

// defaultRetries mend a hiccup of seconds. An outage is the job queue's, which
// waits longer.
var defaultRetries = retries{attempts: 6, timeout: 30 * time.Second, first: 250 * time.Millisecond, longest: 20 * time.Second}

// pause is how long to wait after the n-th failure, counted from 1: between half
// and the whole of a doubling time, so that requests that failed together do not
// come back together, but at least what the server asks for.
func (r retries) pause(n int, header http.Header) time.Duration {
	d := min(r.first<<min(n-1, 16), r.longest)
	d = d/2 + rand.N(d/2+1) // #nosec G404 -- spreads load, hides nothing
	return max(d, retryAfter(header, time.Now()))
}

// retryAfter reads the header of that name: seconds, or a date (RFC 9110,
// 10.2.3). It is 0 where there is none that makes sense, and at most a day.
func retryAfter(header http.Header, now time.Time) time.Duration {
	const most = 24 * time.Hour
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(seconds)*time.Second, most)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), most)
	}
	return 0
}

// do sends a request until it succeeds, or fails for good. A write names its
// key, which is then not written more often than the server takes.
func (s *S3) do(ctx context.Context, what, key string, request func(context.Context) error) error {
	for n := 1; ; n++ {
		err := s.attempt(ctx, key, request)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		case !passing(err):
			return s.explain(what, err)
		}
		a := answerOf(err)
		pause := s.retries.pause(n, a.header)
		if n >= s.retries.attempts || pause > s.retries.longest {
			if throttled(a) {
				err = &RateLimitError{Service: "the bucket", RetryAfter: pause, Err: errors.New(orStatus(a))}
			}
			return s.explain(what, err)
		}
		if err := sleep(ctx, pause); err != nil {
			return fmt.Errorf("%s: %w", what, context.Cause(ctx))
		}
	}
}

// attempt sends a request once, when its turn has come.
func (s *S3) attempt(ctx context.Context, key string, request func(context.Context) error) error {
	if key != "" {
		if err := s.pace.wait(ctx, key); err != nil {
			return err
		}
	}
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.slots }()
	ctx, cancel := context.WithTimeout(ctx, s.retries.timeout)
	defer cancel()
	return request(ctx)
}
