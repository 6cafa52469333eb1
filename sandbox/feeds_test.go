package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-github/v57/github"
	"github.com/mmcdole/gofeed"
)

// TestFeeds: the ten youngest releases and tags, free and conditional.
func TestFeeds(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	for i := range 11 {
		w.release(c, fmt.Sprintf("v1.%d.0", i), func(r *github.RepositoryRelease) {
			r.Name, r.Body = github.String("Release <"+itoa(int64(i+1))+">"), github.String("a & b")
		})
	}
	w.release(c, "v2.0.0-rc1", prerelease)
	w.release(c, "v9", draft)
	w.s.ResetCalls()
	read := func(kind string) *gofeed.Feed {
		t.Helper()
		feed, err := gofeed.NewParser().ParseURLWithContext(w.s.URL()+"/Acme/R/"+kind+".atom", w.ctx)
		if err != nil {
			t.Fatal(err)
		}
		return feed
	}
	releases := read("releases")
	if len(releases.Items) != 10 || releases.Items[0].Title != "v2.0.0-rc1" || releases.Items[1].Title != "Release <11>" ||
		releases.Items[1].Link != w.s.URL()+"/acme/r/releases/tag/v1.10.0" || releases.Items[1].Content != "a & b" {
		t.Errorf("releases %v", releases)
	}
	if id := releases.Items[1].GUID; !strings.HasPrefix(id, "tag:github.com,2008:Repository/") || !strings.HasSuffix(id, "/v1.10.0") {
		t.Errorf("id %s", id)
	}
	if tags := read("tags"); len(tags.Items) != 10 {
		t.Errorf("%d tags", len(tags.Items))
	}
	for _, call := range w.s.Calls() {
		if call.Kind != "feed" {
			t.Errorf("a feed counts as %s", call.Kind)
		}
	}
	resp, _ := w.get(w.s.URL()+"/acme/r/releases.atom", "")
	tag := resp.Header.Get("ETag")
	if resp, body := w.get(w.s.URL()+"/acme/r/releases.atom", "", "If-None-Match", tag); resp.StatusCode != 304 || body != "" {
		t.Errorf("unchanged: %d %q", resp.StatusCode, body)
	}
	w.release(c, "v3.0.0")
	if resp, _ := w.get(w.s.URL()+"/acme/r/releases.atom", "", "If-None-Match", tag); resp.StatusCode != 200 {
		t.Errorf("changed: %d", resp.StatusCode)
	}
	must(c.Repositories.Edit(w.ctx, "acme", "r", &github.Repository{Private: github.Bool(true)}))(w)
	for _, path := range []string{"/acme/r/releases.atom", "/acme/none/tags.atom"} {
		if resp, _ := w.get(w.s.URL()+path, ""); resp.StatusCode != 404 {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
}
