package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/validation"
)

func TestFileLimits(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		chunk := []byte(strings.Repeat("x", 1000))
		switch r.URL.Path {
		case "/exact":
			_, _ = w.Write(chunk)
		case "/announced": // 50 MB of SHA256SUMS
			w.Header().Set("Content-Length", "50000000")
			_, _ = w.Write(chunk)
		case "/endless":
			for {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		case "/cut":
			w.Header().Set("Content-Length", "900")
			_, _ = w.Write(chunk[:100])
		case "/silent":
			_, _ = w.Write(chunk[:100])
			w.(http.Flusher).Flush()
			select {
			case <-release:
			case <-r.Context().Done():
			}
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(chunk[:100])
		case "/429":
			w.Header().Set("Retry-After", "30")
			http.Error(w, "slow down", http.StatusTooManyRequests)
		default:
			var status int
			_, _ = fmt.Sscanf(r.URL.Path, "/%d", &status)
			http.Error(w, "no", status)
		}
	}))
	defer srv.Close()
	defer close(release)
	a := authorsOf(t, srv, Limits{Idle: 50 * time.Millisecond})
	tests := map[string]struct{ fault, text string }{
		"/exact":     {},
		"/gzip":      {},
		"/announced": {"fault", "47.7 MiB"},
		"/endless":   {"fault", "larger than 1000 B"},
		"/404":       {"fault", "not there"},
		"/410":       {"fault", "not there"},
		"/451":       {"fault", "legal"},
		"/cut":       {"error", "unexpected EOF"},
		"/silent":    {"error", "nothing came for 50ms"},
		"/500":       {"error", "500"},
		"/403":       {"error", "403"},
		"/429":       {"error", "rate limit"},
	}
	for path, tt := range tests {
		start := time.Now()
		_, err := a.File(context.Background(), asset(srv, path), 1000)
		got := ""
		var fault *Fault
		if errors.As(err, &fault) {
			got = "fault"
		} else if err != nil {
			got = "error"
		}
		if got != tt.fault || (err != nil && !strings.Contains(err.Error(), tt.text)) {
			t.Errorf("%s: %q %v, want %q %q", path, got, err, tt.fault, tt.text)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("%s took %s", path, d)
		}
	}
	var limited *RateLimitError
	if _, err := a.File(context.Background(), asset(srv, "/429"), 1000); !errors.As(err, &limited) {
		t.Errorf("429: %v", err)
	}
}

// A file that GitHub says is too large is not even asked for, nor is one that
// was read before.
func TestFileIsNotAskedFor(t *testing.T) {
	calls := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		_, _ = w.Write([]byte("content"))
	}))
	defer srv.Close()
	a := authorsOf(t, srv, Limits{})
	ctx := context.Background()
	var fault *Fault
	large := validation.Asset{ID: 1, Size: 2 << 30, URL: srv.URL + "/x"}
	if _, err := a.File(ctx, large, 1<<20); !errors.As(err, &fault) || !strings.Contains(err.Error(), "2.0 GiB") {
		t.Errorf("File: %v", err)
	}
	if facts, err := a.Zip(ctx, large); err != nil || !strings.Contains(facts.Fault, "2.0 GiB") {
		t.Errorf("Zip: %+v, %v", facts, err)
	}
	if calls != 0 {
		t.Errorf("%d calls for what is too large", calls)
	}
	small := validation.Asset{ID: 2, Size: 7, URL: srv.URL + "/x"}
	for range 2 {
		got, err := a.File(ctx, small, 100)
		if string(got) != "content" || err != nil {
			t.Errorf("File = %q, %v", got, err)
		}
		got[0] = 'X'
	}
	if calls != 1 {
		t.Errorf("%d calls, want 1", calls)
	}
	// An upload in its place has another id.
	small.ID = 3
	if _, err := a.File(ctx, small, 100); err != nil || calls != 2 {
		t.Errorf("another asset: %v, %d calls", err, calls)
	}
	if _, err := a.File(ctx, validation.Asset{URL: "http://[::1"}, 100); !errors.As(err, &fault) {
		t.Errorf("a broken address: %v", err)
	}
}

// The signature in the query of a redirect is not for the logs.
func TestDownloadErrorsHideQueries(t *testing.T) {
	err := downloadError("https://github.com/a/b?token=SECRET", &Fault{"x"})
	for _, err := range []error{err, downloadError("https://x.githubusercontent.com/f?sig=SECRET", errors.New("reset"))} {
		if strings.Contains(err.Error(), "SECRET") {
			t.Errorf("error %v", err)
		}
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1 << 20: "1.0 MiB", 3 << 29: "1.5 GiB", 1 << 42: "4.0 TiB"} {
		if got := bytesText(n); got != want {
			t.Errorf("bytesText(%d) = %q, want %q", n, got, want)
		}
	}
}
