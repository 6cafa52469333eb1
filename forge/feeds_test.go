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
)

// A feed as GitHub writes it, shortened.
const atomFeed = `<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" xml:lang="en-US">
  <id>tag:github.com,2008:https://github.com/acme/terraform-provider-demo/releases</id>
  <link type="text/html" rel="alternate" href="https://github.com/acme/terraform-provider-demo/releases"/>
  <title>Release notes from terraform-provider-demo</title>
  <updated>2026-03-02T10:00:00Z</updated>
  <entry>
    <id>tag:github.com,2008:Repository/93446099/v1.1.0-rc1</id>
    <updated>2026-03-02T10:00:00Z</updated>
    <link rel="alternate" type="text/html" href="https://github.com/acme/terraform-provider-demo/releases/tag/v1.1.0-rc1"/>
    <title>Anything &lt;b&gt;</title>
    <content type="html">&lt;p&gt;notes&lt;/p&gt;</content>
    <author><name>ada</name></author>
    <media:thumbnail height="30" width="30" url="https://avatars.githubusercontent.com/u/1?s=60&amp;v=4"/>
  </entry>
  <entry>
    <id>tag:github.com,2008:Repository/93446099/sub/v1.0.0</id>
    <updated>2026-02-02T10:00:00+02:00</updated>
  </entry>
  <entry>
    <id>urn:other</id>
    <link rel="alternate" href="https://github.com/acme/terraform-provider-demo/releases/tag/v0%2B1"/>
  </entry>
  <entry><id>tag:github.com,2008:Repository/1/a..b</id></entry>
</feed>`

func serveFeed(t *testing.T, answer http.HandlerFunc) *Authors {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("User-Agent") == "" {
			t.Errorf("asked with %v", r.Header)
		}
		w.Header().Set("Content-Type", "application/atom+xml; charset=utf-8")
		answer(w, r)
	}))
	t.Cleanup(srv.Close)
	return authorsOf(t, srv, Limits{Look: 5 * time.Second})
}

func TestFeed(t *testing.T) {
	t.Parallel()
	a := serveFeed(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/acme/terraform-provider-demo/releases.atom" {
			t.Errorf("asked for %s", r.URL)
		}
		w.Header().Set("ETag", `W/"abc"`)
		if r.Header.Get("If-None-Match") == `W/"abc"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, atomFeed)
	})
	got, err := a.Feed(context.Background(), demoRepo, ReleasesFeed, FeedMark{})
	want := Feed{Mark: FeedMark{ETag: `W/"abc"`}, Entries: []FeedEntry{
		{Tag: "v1.1.0-rc1", Updated: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), RepositoryID: 93446099},
		{Tag: "sub/v1.0.0", Updated: time.Date(2026, 2, 2, 8, 0, 0, 0, time.UTC), RepositoryID: 93446099},
		{Tag: "v0+1"},
		{RepositoryID: 1},
	}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Fatalf("Feed: %v\n%s", err, diff)
	}
	again, err := a.Feed(context.Background(), demoRepo, ReleasesFeed, got.Mark)
	if err != nil || !again.Unchanged {
		t.Errorf("the same again: %+v, %v", again, err)
	}
}

func TestFeedOfNothing(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 404, 410, 451} {
		a := serveFeed(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		if got, err := a.Feed(context.Background(), demoRepo, TagsFeed, FeedMark{ETag: "x"}); err != nil || !got.Gone {
			t.Errorf("status %d: %+v, %v; want gone", status, got, err)
		}
	}
	for _, bad := range []registrydata.Repository{{}, {Owner: "..", Name: "x"}, {Owner: "a", Name: "b/c"}} {
		if got, err := (&Authors{}).Feed(context.Background(), bad, TagsFeed, FeedMark{}); err != nil || !got.Gone {
			t.Errorf("%v: %+v, %v", bad, got, err)
		}
	}
}

// TestFeedFaults: what is wrong with one feed is its own fault.
func TestFeedFaults(t *testing.T) {
	t.Parallel()
	send := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		text   string
	}{
		"html": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, atomFeed)
		}, "text/html"},
		"html that says it is Atom": {send("<!DOCTYPE html><html><body>Whoa there!</body></html>"), "no Atom"},
		"empty":                     {send(""), "no Atom"},
		"cut off":                   {send(atomFeed[:700]), "feed"},
		"RSS":                       {send(`<rss version="2.0"><channel></channel></rss>`), "no Atom"},
		"deep":                      {send("<feed>" + strings.Repeat("<a>", 1e5)), "nested"},
		"many entries":              {send("<feed>" + strings.Repeat("<entry/>", maxFeedEntries+1) + "</feed>"), "entries"},
		"large": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "52428800")
			_, _ = io.WriteString(w, atomFeed)
		}, "larger"},
		"large without saying so":      {send("<feed><title>" + strings.Repeat("x", maxFeed) + "</title></feed>"), "larger"},
		"unchanged, though never read": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) }, "never read"},
		"an odd status":                {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) }, "418"},
		"a redirect elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://example.org/feed", http.StatusFound)
		}, "example.org"},
		"a redirect to a private address": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://169.254.169.254/latest", http.StatusFound)
		}, "169.254"},
		"a redirect without end": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "redirects"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := serveFeed(t, c.answer).Feed(context.Background(), demoRepo, TagsFeed, FeedMark{})
			var fault *Fault
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("%v; want a fault that says %q", err, c.text)
			}
		})
	}
}

func TestFeedHangs(t *testing.T) {
	t.Parallel()
	hang := func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	a := serveFeed(t, hang)
	a.cfg.Limits.Look = 50 * time.Millisecond
	var fault *Fault
	if _, err := a.Feed(context.Background(), demoRepo, TagsFeed, FeedMark{}); !errors.As(err, &fault) {
		t.Errorf("a feed that hangs: %v", err)
	}
	if _, _, err := a.LookTags(context.Background(), demoRepo); !errors.As(err, &fault) {
		t.Errorf("a git server that hangs: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := a.Feed(ctx, demoRepo, TagsFeed, FeedMark{}); errors.As(err, &fault) || !errors.Is(err, context.Canceled) {
		t.Errorf("a look that is given up: %v", err)
	}
}

// TestLookLimits: the host says when it wants to be asked again.
func TestLookLimits(t *testing.T) {
	t.Parallel()
	soon, later := time.Now().Add(80*time.Second), time.Now().Add(110*time.Second)
	for name, answer := range map[string]http.HandlerFunc{
		"429": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "90")
			w.WriteHeader(429)
		},
		"403 with a time": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "90")
			w.WriteHeader(403)
		},
		"the primary limit": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-RateLimit-Remaining", "0")
			w.Header().Set("X-RateLimit-Reset", fmt.Sprint(time.Now().Unix()+90))
			w.WriteHeader(403)
		},
	} {
		a := serveFeed(t, answer)
		var limited *RateLimitError
		if _, err := a.Feed(context.Background(), demoRepo, TagsFeed, FeedMark{}); !errors.As(err, &limited) ||
			limited.Until.Before(soon) || limited.Until.After(later) {
			t.Errorf("%s: feed: %v", name, err)
		}
		if _, _, err := a.LookTags(context.Background(), demoRepo); !errors.As(err, &limited) {
			t.Errorf("%s: tags: %v", name, err)
		}
	}
	a := serveFeed(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(502) })
	var fault *Fault
	var limited *RateLimitError
	if _, err := a.Feed(context.Background(), demoRepo, TagsFeed, FeedMark{}); err == nil || errors.As(err, &fault) || errors.As(err, &limited) {
		t.Errorf("502: %v; want passing trouble", err)
	}
}

func TestLookTags(t *testing.T) {
	t.Parallel()
	answers := serveRefs(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, advertisement(sha("a")+" HEAD", sha("d")+" refs/tags/v1.0.0"))
	})
	if tags, there, err := authorsOf(t, answers, Limits{}).LookTags(context.Background(), demoRepo); err != nil || !there || len(tags) != 1 {
		t.Errorf("%v %v %v", tags, there, err)
	}
	empty := serveRefs(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, advertisement()) })
	if tags, there, err := authorsOf(t, empty, Limits{}).LookTags(context.Background(), demoRepo); err != nil || !there || len(tags) != 0 {
		t.Errorf("an empty repository: %v %v %v", tags, there, err)
	}
	missing := serveRefs(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) })
	if tags, there, err := authorsOf(t, missing, Limits{}).LookTags(context.Background(), demoRepo); err != nil || there || len(tags) != 0 {
		t.Errorf("one that is gone: %v %v %v", tags, there, err)
	}
}

// FuzzParseFeed: a stranger's feed is read or refused, with no other effect.
func FuzzParseFeed(f *testing.F) {
	f.Add([]byte(atomFeed))
	f.Add([]byte(""))
	f.Add([]byte("<feed><entry><id>tag:x:Repository/9/v1</id></entry>"))
	f.Add([]byte(`<?xml version="1.0" encoding="x"?><feed><entry><link href="/releases/tag/%zz"/><updated>9999999999</updated></entry></feed>`))
	f.Add([]byte(`<!DOCTYPE a [<!ENTITY b "c">]><feed><title>&b;</title></feed>`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		entries, err := parseFeed(raw)
		var fault *Fault
		if err != nil && !errors.As(err, &fault) {
			t.Errorf("%v is no fault", err)
		}
		for _, e := range entries {
			if len(e.Tag) > maxFeedTag || e.RepositoryID < 0 || (e.Tag != "" && !validRef(e.Tag)) {
				t.Errorf("%+v", e)
			}
		}
	})
}
