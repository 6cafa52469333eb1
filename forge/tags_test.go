package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

var demoRepo = registrydata.Repository{Owner: "acme", Name: "terraform-provider-demo"}

const infoRefs = "/acme/terraform-provider-demo.git/info/refs"

func pkt(line string) string { return fmt.Sprintf("%04x%s", len(line)+4, line) }

// advertisement is what git's smart HTTP answers for these references.
func advertisement(refs ...string) string {
	var out strings.Builder
	out.WriteString(pkt("# service=git-upload-pack\n") + "0000")
	for i, r := range refs {
		if i == 0 {
			r += "\x00multi_ack symref=HEAD:refs/heads/main agent=git/2"
		}
		out.WriteString(pkt(r + "\n"))
	}
	return out.String() + "0000"
}

func serveRefs(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != infoRefs || r.URL.Query().Get("service") != "git-upload-pack" || r.Header.Get("Authorization") != "" {
			t.Errorf("asked for %s with %q", r.URL, r.Header.Get("Authorization"))
		}
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		answer(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestTags(t *testing.T) {
	srv := serveRefs(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, advertisement(
			sha("a")+" HEAD", sha("a")+" refs/heads/main", sha("1")+" refs/pull/1/head",
			sha("b")+" refs/tags/v1.1.0", sha("c")+" refs/tags/v1.1.0^{}", sha("d")+" refs/tags/v1.0.0",
			sha("e")+" refs/tags/sub/v1.0.0"))
	})
	want := []validation.Tag{
		{Name: "sub/v1.0.0", Object: sha("e"), Commit: sha("e")},
		{Name: "v1.0.0", Object: sha("d"), Commit: sha("d")},
		{Name: "v1.1.0", Object: sha("b"), Commit: sha("c")},
	}
	got, err := authorsOf(t, srv, Limits{}).Tags(context.Background(), demoRepo)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Tags: %v\n%s", err, diff)
	}
}

func TestTagsOfNothing(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"missing": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"private": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) },
		"empty":   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, advertisement()) },
		"without any": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, advertisement(sha("a")+" HEAD"))
		},
	} {
		srv := serveRefs(t, answer)
		if got, err := authorsOf(t, srv, Limits{}).Tags(context.Background(), demoRepo); len(got) != 0 || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	srv := serveRefs(t, nil)
	for _, repo := range []registrydata.Repository{{}, {Owner: "a", Name: ".."}, {Owner: "a/b", Name: "c"}, {Owner: "a", Name: "b?c"}} {
		if got, err := authorsOf(t, srv, Limits{}).Tags(context.Background(), repo); len(got) != 0 || err != nil {
			t.Errorf("%s: %v, %v", repo, got, err)
		}
	}
}

func TestTenThousandTags(t *testing.T) {
	refs := make([]string, 10_000)
	for i := range refs {
		refs[i] = fmt.Sprintf("%040x refs/tags/v0.0.%d", i+1, i)
	}
	body := advertisement(refs...)
	srv := serveRefs(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	if got, err := authorsOf(t, srv, Limits{}).Tags(context.Background(), demoRepo); err != nil || len(got) != 10_000 {
		t.Errorf("%d tags, %v", len(got), err)
	}
	var fault *Fault
	if _, err := authorsOf(t, srv, Limits{Tags: 9_999}).Tags(context.Background(), demoRepo); !errors.As(err, &fault) {
		t.Errorf("too many tags: %v", err)
	}
}

func TestHostileRefs(t *testing.T) {
	var srv *httptest.Server
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was asked") }))
	defer other.Close()
	line := pkt(sha("a") + " refs/heads/" + strings.Repeat("x", 1000) + "\n")
	tests := map[string]struct {
		answer http.HandlerFunc
		fault  bool
		within time.Duration
	}{
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.TrimSuffix(advertisement(sha("a")+" HEAD"), "0000"))
			for {
				if _, err := io.WriteString(w, line); err != nil {
					return
				}
			}
		}, true, 0},
		"announced": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "10000000") }, true, 0},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+infoRefs, http.StatusFound)
		}, true, 0},
		"silent": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, false, 200 * time.Millisecond},
		"dripping": {func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, strings.TrimSuffix(advertisement(sha("a")+" HEAD"), "0000"))
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, line)
				_ = http.NewResponseController(w).Flush()
				time.Sleep(5 * time.Millisecond)
			}
		}, false, 200 * time.Millisecond},
		"html":    {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<!DOCTYPE html>") }, false, 0},
		"down":    {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, false, 0},
		"limited": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, false, 0},
	}
	for name, tt := range tests {
		srv = serveRefs(t, tt.answer)
		got, err := authorsOf(t, srv, Limits{Refs: 1 << 20, Listing: tt.within}).Tags(context.Background(), demoRepo)
		var fault *Fault
		if err == nil || errors.As(err, &fault) != tt.fault {
			t.Errorf("%s: %d tags, %v; want a fault: %v", name, len(got), err, tt.fault)
		}
	}
}
