package edge

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// large is a module with more files than one order of purging takes.
var large = registrydata.ModuleAddress{Namespace: "acme", Name: "large", Target: "aws"}

const (
	largeList     = "v1/modules/acme/large/aws/versions"
	largeDownload = "v1/modules/acme/large/aws/1.0.0/download"
)

// registerLarge registers some versions at a commit.
func (a *author) registerLarge(t *testing.T, versions int, commit string) publish.Update {
	t.Helper()
	var m registrydata.Module
	for i := range versions {
		m.Versions = append(m.Versions, registrydata.ModuleVersion{Version: fmt.Sprintf("v1.%d.0", versions-1-i), Commit: commit})
	}
	a.data[large.Path()] = m.Bytes()
	return a.data.render(t, a.renderer, large.Entity())
}

// When the plan's budget is spent, Cloudflare says when to come back; what is
// still to be purged outlives the program, and nothing but the purge is missing.
func purgesPrefixes(t *testing.T, w *workerd, c *cloudflare, a *author) {
	s := openSite(t, w, c, apiToken)
	s.upload(t, a.registerLarge(t, 1, ""))
	s.finish(t, "5555555")
	w.untilCached(t, largeList)
	_, old := w.untilCached(t, largeDownload)
	c.taken()

	u := a.registerLarge(t, 101, a.commit)
	s.upload(t, u)
	c.spend()
	err := s.SetPublished(t.Context(), "6666666")
	var limit *publish.RateLimitError
	if !errors.As(err, &limit) || limit.RetryAfter <= 0 || c.refusals(http.StatusTooManyRequests) != 1 {
		t.Errorf("with the budget spent: %v, %d answers of 429", err, c.refusals(http.StatusTooManyRequests))
	}
	c.refill()
	if err := s.SetPublished(t.Context(), "6666666"); !errors.As(err, &limit) || c.refusals(http.StatusTooManyRequests) != 1 || len(c.taken()) != 0 {
		t.Errorf("asked again before the time is over: %v", err)
	}
	if left := s.unpurged(t); len(left) == 0 {
		t.Error("what is to be purged is forgotten")
	}
	if commit, err := s.Published(t.Context()); err != nil || commit != "5555555" {
		t.Errorf("published: %q, %v; want the commit before", commit, err)
	}
	if _, body := w.get(t, http.MethodGet, largeDownload); body != old {
		t.Errorf("before the purge: %q, want the cached answer", body)
	}

	openSite(t, w, c, apiToken).finish(t, "6666666")
	orders := c.taken()
	if len(orders) != 1 || len(orders[0].Prefixes) != 1 {
		t.Errorf("orders %v, want one prefix", orders)
	}
	if _, body := w.get(t, http.MethodGet, largeDownload); body != string(find(t, u, "1.0.0/download").Body) || body == old {
		t.Errorf("after the purge: %q", body)
	}
}

func tellsOfToken(t *testing.T, w *workerd, c *cloudflare) {
	s := openSite(t, w, c, "another-token-that-is-also-40-letters-xx")
	s.upload(t, publish.Update{Entity: large.Entity()})
	c.taken()
	err := s.SetPublished(t.Context(), "7777777")
	if !errors.Is(err, publish.ErrCredentials) || len(c.taken()) != 0 || len(s.unpurged(t)) == 0 {
		t.Errorf("with another token: %v", err)
	}
	openSite(t, w, c, apiToken).finish(t, "7777777")
	if resp, _ := w.get(t, http.MethodGet, largeList); resp.StatusCode != http.StatusNotFound {
		t.Errorf("after the purge with the right token: %d", resp.StatusCode)
	}
}
