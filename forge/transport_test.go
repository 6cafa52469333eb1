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
)

func TestConfigNamesEveryFault(t *testing.T) {
	_, err := New(context.Background(), Config{
		APIURL: "ftp://x", Metadata: metadataRepo, Branch: "a..b", PrivateKey: []byte("no key"), MergeMethod: "octopus",
	})
	for _, want := range []string{"id is missing", "private key", "ftp://x", "a..b", "octopus"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %q", err, want)
		}
	}
	if _, err := New(context.Background(), Config{AppID: 1, PrivateKey: testKey(), Metadata: metadataRepo}); err != nil {
		t.Errorf("a right configuration: %v", err)
	}
}

func TestIdentity(t *testing.T) {
	h := newFakeHub(t)
	f, err := New(context.Background(), h.config())
	if err != nil {
		t.Fatal(err)
	}
	want := Identity{Slug: "registrar", Login: "registrar[bot]", Email: "99+registrar[bot]@users.noreply.github.com", Installation: 1}
	for range 2 {
		if got, err := f.Identity(context.Background()); err != nil || got != want {
			t.Errorf("Identity = %+v, %v; want %+v", got, err, want)
		}
	}
	if n := h.count(""); n != 4 {
		t.Errorf("%d calls for it, want 4: %q", n, h.calls)
	}
}

// What is wrong with the App must never look like a file that is not there.
func TestAppTroubleIsNotAbsence(t *testing.T) {
	tests := map[string]func(*fakeHub){
		"not installed": func(h *fakeHub) { h.json("GET /repos/acme/registry/installation", 404, `{"message":"Not Found"}`) },
		"wrong key":     func(h *fakeHub) { h.json("GET /app", 401, `{"message":"A JSON web token could not be decoded"}`) },
		"uninstalled":   func(h *fakeHub) { h.json("POST /app/installations/1/access_tokens", 404, `{"message":"Not Found"}`) },
		"suspended":     func(h *fakeHub) { h.json("POST /app/installations/1/access_tokens", 403, `{"message":"suspended"}`) },
		"permission missing": func(h *fakeHub) {
			h.json("GET /repos/acme/registry/contents/x", 403, `{"message":"Resource not accessible by integration"}`)
		},
	}
	for name, prepare := range tests {
		h := newFakeHub(t)
		prepare(h)
		f, err := New(context.Background(), h.config())
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = f.Metadata().File(context.Background(), sha("a"), "x")
		if !errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrNotFound) {
			t.Errorf("%s: File: %v, want ErrUnauthorized", name, err)
		}
	}
}

// After a refusal the App looks for its installation again.
func TestReinstalledApp(t *testing.T) {
	h := newFakeHub(t)
	f := h.forge()
	f.lasting = 0
	h.json("GET /repos/acme/registry/issues/1", 401, `{"message":"Bad credentials"}`)
	if _, err := f.Metadata().Issue(context.Background(), 1); !errors.Is(err, ErrUnauthorized) {
		t.Fatalf("Issue: %v", err)
	}
	h.json("GET /repos/acme/registry/installation", 200, `{"id":2}`)
	h.json("POST /app/installations/2/access_tokens", 201, `{"token":"t2","expires_at":"2999-01-01T00:00:00Z"}`)
	h.handle("GET /repos/acme/registry/issues/1", func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "token t2" {
			t.Errorf("Authorization %q", got)
		}
		writeJSON(w, 200, `{"number":1,"state":"open","repository_url":"https://api/repos/Acme/Registry"}`)
	})
	if i, err := f.Metadata().Issue(context.Background(), 1); err != nil || !i.Open {
		t.Errorf("Issue = %+v, %v", i, err)
	}
}

func TestRetries(t *testing.T) {
	const issue = "GET /repos/acme/registry/issues/1"
	ok := `{"number":1,"state":"open","repository_url":"https://api/repos/acme/registry"}`
	h := newFakeHub(t)
	m := h.forge().Metadata()
	ctx := context.Background()

	h.inTurn(issue, 502, "bad gateway", 500, "{}", 200, ok)
	if _, err := m.Issue(ctx, 1); err != nil || h.count(issue) != 3 {
		t.Errorf("after two 5xx: %v, %d calls", err, h.count(issue))
	}
	h.reset()
	h.json(issue, 503, "{}")
	if _, err := m.Issue(ctx, 1); err == nil || errors.Is(err, ErrNotFound) || h.count(issue) != 3 {
		t.Errorf("5xx for good: %v, %d calls", err, h.count(issue))
	}
	h.reset()
	h.inTurn("PATCH /repos/acme/registry/issues/comments/5", 502, "{}", 500, "{}", 200, "{}")
	if err := m.EditComment(ctx, 5, "x"); err != nil || h.count("PATCH") != 3 {
		t.Errorf("what sets a value: %v, %d calls", err, h.count("PATCH"))
	}
	h.reset()
	// What adds to what is there is not sent again.
	h.json("POST /repos/acme/registry/issues/5/comments", 502, "{}")
	h.json("GET /repos/acme/registry/issues/5/comments", 200, "[]")
	if err := m.CreateComment(ctx, 5, "x"); err == nil || h.count("POST /repos") != 1 {
		t.Errorf("a comment: %v, %d calls", err, h.count("POST /repos"))
	}
	h.reset()
	h.json("GET /repos/acme/registry/check-runs/4", 200, "{}")
	h.json("PATCH /repos/acme/registry/check-runs/4", 502, "{}")
	annotated := CheckRun{ID: 4, SHA: sha("f"), Name: "n", Annotations: make([]Annotation, 1)}
	if err := m.PutCheck(ctx, annotated); err == nil || h.count("PATCH") != 1 {
		t.Errorf("annotations: %v, %d calls", err, h.count("PATCH"))
	}
	h.reset()
	canceled, cancel := context.WithCancel(ctx)
	h.handle(issue, func(w http.ResponseWriter, _ *http.Request) { cancel(); writeJSON(w, 502, "{}") })
	// Whether the answer or the cancellation comes first is open.
	if _, err := m.Issue(canceled, 1); err == nil || h.count(issue) != 1 {
		t.Errorf("cancelled: %v, %d calls", err, h.count(issue))
	}
}

func TestTokenIsRetriedBeforeAWrite(t *testing.T) {
	h := newFakeHub(t)
	h.inTurn("POST /app/installations/1/access_tokens", 500, "{}", 201, `{"token":"t","expires_at":"2999-01-01T00:00:00Z"}`)
	h.json("PATCH /repos/acme/registry/issues/comments/5", 200, "{}")
	f, err := New(context.Background(), h.config())
	if err != nil {
		t.Fatal(err)
	}
	// The identity's own GET would be repeated anyway.
	h.json("GET /users/registrar[bot]", 404, "{}")
	if err := f.Metadata().EditComment(context.Background(), 5, "x"); err != nil {
		t.Errorf("EditComment: %v", err)
	}
	if h.count("PATCH") != 1 {
		t.Errorf("%d writes", h.count("PATCH"))
	}
}

func TestConditionalRequests(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	fresh, saved, title := 0, 0, "one"
	h.handle("GET /repos/acme/registry/issues/1", func(w http.ResponseWriter, r *http.Request) {
		etag := fmt.Sprintf("W/%q", title)
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			saved++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fresh++
		writeJSON(w, 200, fmt.Sprintf(`{"number":1,"title":%q,"repository_url":"x/repos/acme/registry"}`, title))
	})
	for i, want := range []string{"one", "one", "two", "two"} {
		if title = want; i == 2 {
			title = "two"
		}
		got, err := m.Issue(context.Background(), 1)
		if err != nil || got.Title != want {
			t.Errorf("call %d: %q, %v", i, got.Title, err)
		}
	}
	if fresh != 2 || saved != 2 {
		t.Errorf("%d full answers and %d times 304, want 2 and 2", fresh, saved)
	}
}

func TestAPIRedirectElsewhere(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("the token went elsewhere: %q", r.Header.Get("Authorization"))
	}))
	defer other.Close()
	h := newFakeHub(t)
	m := h.forge().Metadata()
	h.handle("GET /repos/acme/registry/issues/1", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/x", http.StatusMovedPermanently)
	})
	if _, err := m.Issue(context.Background(), 1); err == nil {
		t.Error("followed a redirect to another host")
	}
}

func TestTransferredIssue(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	h.handle("GET /repos/acme/registry/issues/1", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, h.URL+"/repos/acme/other/issues/1", http.StatusMovedPermanently)
	})
	h.json("GET /repos/acme/other/issues/1", 200, `{"number":1,"repository_url":"x/repos/acme/other"}`)
	if _, err := m.Issue(context.Background(), 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("Issue: %v, want ErrNotFound", err)
	}
}

func TestAnswerTooLarge(t *testing.T) {
	h := newFakeHub(t)
	cfg := h.config()
	cfg.Limits.Response = 4096
	f, err := New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for name, announce := range map[string]bool{"announced": true, "endless": false} {
		h.handle("GET /repos/acme/registry/issues/1", func(w http.ResponseWriter, _ *http.Request) {
			if announce {
				w.Header().Set("Content-Length", "10000")
			}
			for range 10 {
				if _, err := w.Write([]byte(strings.Repeat(" ", 1000))); err != nil {
					return
				}
			}
		})
		if _, err := f.Metadata().Issue(context.Background(), 1); !errors.Is(err, errResponseTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRateLimits(t *testing.T) {
	reset := time.Now().Add(20 * time.Minute).Truncate(time.Second)
	tests := map[string]struct {
		status    int
		header    map[string]string
		body      string
		until     time.Time
		secondary bool
	}{
		"primary": {403, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(reset.Unix())}, `{"message":"API rate limit exceeded"}`, reset, false},
		"primary as 429": {429, map[string]string{"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": fmt.Sprint(reset.Unix())},
			`{"message":"API rate limit exceeded"}`, reset, false},
		"secondary": {403, map[string]string{"Retry-After": "60"},
			`{"message":"slow down","documentation_url":"https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`, time.Now().Add(time.Minute), true},
		"secondary as 429":    {429, map[string]string{"Retry-After": "60"}, `{"message":"slow down"}`, time.Now().Add(time.Minute), true},
		"403 with a time":     {403, map[string]string{"Retry-After": "60"}, `{"message":"slow down"}`, time.Now().Add(time.Minute), true},
		"429 without a word":  {429, nil, `{}`, time.Now().Add(time.Minute), true},
		"429 with a bad word": {429, map[string]string{"Retry-After": "soon"}, `{}`, time.Now().Add(time.Minute), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newFakeHub(t)
			m := h.forge().Metadata()
			h.handle("GET /repos/acme/registry/issues/1", func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				writeJSON(w, tt.status, tt.body)
			})
			_, err := m.Issue(context.Background(), 1)
			var limited *RateLimitError
			if !errors.As(err, &limited) || limited.Secondary != tt.secondary || errors.Is(err, ErrUnauthorized) {
				t.Fatalf("Issue: %v, want a rate limit", err)
			}
			if d := limited.Until.Sub(tt.until); d < 0 || d > 5*time.Second {
				t.Errorf("until %s, want just after %s", limited.Until, tt.until)
			}
			if h.count("GET /repos") != 1 {
				t.Errorf("%d calls", h.count("GET /repos"))
			}
		})
	}
}

// A limit that is over at once is waited for, by writes too: what is refused is
// not done. One that comes again and again is not waited for for ever.
func TestShortRateLimitsAreWaitedFor(t *testing.T) {
	for name, tt := range map[string]struct{ refusals, calls int }{
		"twice": {2, 3}, "always": {100, limitTries},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newFakeHub(t)
			m := h.forge().Metadata()
			refused := 0
			h.handle("POST /repos/acme/registry/issues/1/comments", func(w http.ResponseWriter, _ *http.Request) {
				if refused++; refused <= tt.refusals {
					w.Header().Set("Retry-After", "0")
					writeJSON(w, 403, `{"message":"slow down"}`)
					return
				}
				writeJSON(w, 201, `{"id":1}`)
			})
			err := m.CreateComment(context.Background(), 1, "Hello.")
			var limited *RateLimitError
			if want := tt.refusals >= limitTries; errors.As(err, &limited) != want || !want && err != nil {
				t.Errorf("CreateComment: %v, want a rate limit: %v", err, want)
			}
			if n := h.count("POST /repos"); n != tt.calls {
				t.Errorf("%d calls, want %d", n, tt.calls)
			}
		})
	}
}
