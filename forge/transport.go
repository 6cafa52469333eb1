package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
)

// ctxKey marks API requests for the transports below.
type ctxKey int

const (
	// keyRepeatable: a POST may be sent again, because what it makes is named by
	// its content.
	keyRepeatable ctxKey = iota
	// keyOnce: a PATCH may not be sent again, because it adds to what is there.
	keyOnce
	// keyImmutable: the answer never changes and is kept elsewhere.
	keyImmutable
)

func marked(ctx context.Context, key ctxKey) bool { return ctx.Value(key) != nil }

func mark(ctx context.Context, key ctxKey) context.Context {
	return context.WithValue(ctx, key, true)
}

// baseTransport carries the API requests: to the API's host only, whatever a
// redirect says, because the layers above add the App's token to every request.
type baseTransport struct {
	next  http.RoundTripper
	host  string
	limit int64
}

var errElsewhere = errors.New("the API redirects to another host")

func newBaseTransport(cfg Config) (*baseTransport, error) {
	u, err := url.Parse(cfg.APIURL)
	if err != nil {
		return nil, fmt.Errorf("API address: %w", err)
	}
	next := cfg.Transport
	if next == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = 16
		t.ResponseHeaderTimeout = cfg.Timeout
		next = t
	}
	return &baseTransport{next: next, host: u.Host, limit: cfg.Limits.Response}, nil
}

func (t *baseTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != t.host {
		if req.Body != nil {
			_ = req.Body.Close()
		}
		return nil, fmt.Errorf("%w: %s", errElsewhere, req.URL.Host)
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.ContentLength > t.limit {
		_ = resp.Body.Close()
		return nil, errResponseTooLarge
	}
	resp.Body = &limitedBody{ReadCloser: resp.Body, left: t.limit, err: errResponseTooLarge}
	return resp, nil
}

// limitedBody fails with err where more than left bytes come.
type limitedBody struct {
	io.ReadCloser
	left int64
	err  error
}

func (b *limitedBody) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, b.err
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		return n - 1, b.err
	}
	return n, err
}

// retryTransport sends a request again, twice at most and soon, where GitHub
// did not answer or answered 5xx and where a repetition can do no harm.
type retryTransport struct {
	next  http.RoundTripper
	pause time.Duration
}

const maxRetries = 2

func (t *retryTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	for try := 0; ; try++ {
		resp, err := t.next.RoundTrip(req)
		if try == maxRetries || !repeatable(req, resp, err) {
			return resp, err
		}
		again, ok := rewound(req)
		if !ok {
			return resp, err
		}
		if resp != nil {
			_, _ = io.CopyN(io.Discard, resp.Body, 4096)
			_ = resp.Body.Close()
		}
		if err := sleep(req.Context(), t.pause<<(2*try)); err != nil {
			return nil, err
		}
		req = again
	}
}

// repeatable tells whether the outcome is a passing failure and the request one
// that may be repeated.
func repeatable(req *http.Request, resp *http.Response, err error) bool {
	if req.Context().Err() != nil {
		return false
	}
	if err != nil {
		// Without a token the request itself was never sent.
		var token *ghinstallation.HTTPError
		if errors.As(err, &token) {
			failed := token.Response == nil || token.Response.StatusCode >= 500
			if token.Response != nil {
				_ = token.Response.Body.Close()
			}
			return failed
		}
	}
	var safe bool
	switch req.Method {
	case http.MethodGet, http.MethodHead, http.MethodDelete:
		safe = true
	case http.MethodPatch: // sets what it names to what it says
		safe = !marked(req.Context(), keyOnce)
	default:
		safe = marked(req.Context(), keyRepeatable)
	}
	if err != nil {
		return safe && !errors.Is(err, errResponseTooLarge) && !errors.Is(err, errElsewhere)
	}
	return safe && resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented
}

// rewound is the request with its body at the start again.
func rewound(req *http.Request) (*http.Request, bool) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, true
	}
	if req.GetBody == nil {
		return nil, false
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, false
	}
	again := req.Clone(req.Context())
	again.Body = body
	return again, true
}

// sleep waits between half and all of d, unless the context ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d/2 + rand.N(d/2+1)) //nolint:gosec // spreads load, hides nothing
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// logTransport writes each request that really goes out at level debug.
type logTransport struct {
	next http.RoundTripper
	log  *slog.Logger
}

func (t *logTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := t.next.RoundTrip(req)
	status := 0
	if resp != nil {
		status = resp.StatusCode
	}
	t.log.DebugContext(req.Context(), "GitHub call", "method", req.Method, "path", req.URL.Path,
		"status", status, "ms", time.Since(start).Milliseconds(), "error", err)
	return resp, err
}
