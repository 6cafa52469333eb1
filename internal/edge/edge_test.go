// Package edge tests what clients see of a registry behind Cloudflare: the
// Worker of deploy/cloudflare in real workerd, a bucket with R2's S3 API, the
// Cache API, and real clients. It holds nothing but tests.
package edge

import (
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/registrydata"
)

const notFound = `{"errors":["not found"]}`

func TestEdge(t *testing.T) {
	w := startWorkerd(t)
	c := startCloudflare(t, w)
	s := openSite(t, w, c, apiToken)
	a := newAuthor(t, w.certs)
	a.release(t, "1.0.0")
	if err := s.PutStatic(t.Context(), a.renderer.Discovery()); err != nil {
		t.Fatal(err)
	}
	s.upload(t, a.provider(t), a.module(t))
	s.finish(t, "1111111")

	t.Run("serves what was rendered", func(t *testing.T) { servesWhatWasRendered(t, w, a) })
	t.Run("answers HEAD and If-None-Match", func(t *testing.T) { answersConditions(t, w, a) })
	t.Run("keeps the publisher's book-keeping private", func(t *testing.T) { keepsPrivate(t, w) })
	t.Run("is read only", func(t *testing.T) { isReadOnly(t, w, a) })
	t.Run("caches a miss until it is purged", func(t *testing.T) { cachesMisses(t, w, s, a) })
	t.Run("takes a new key at its purge", func(t *testing.T) { takesNewKeys(t, w, s, a) })
	t.Run("an entity of many files is purged by prefix, as often as the plan allows", func(t *testing.T) { purgesPrefixes(t, w, c, a) })
	t.Run("a token that is refused is told to the operator", func(t *testing.T) { tellsOfToken(t, w, c) })
	for _, client := range clients(t, w.caFile) {
		t.Run(client.name+" installs the module", func(t *testing.T) { installsModule(t, w, client) })
	}
	t.Run("a release reaches clients", func(t *testing.T) { releaseReachesClients(t, w, s, a) })
}

// Every answer has the very bytes that were rendered, however its address is
// spelt, and a module's says its location in a header too.
func servesWhatWasRendered(t *testing.T, w *workerd, a *author) {
	modules := 0
	for _, o := range a.answers(t) {
		for _, path := range []string{o.Path, strings.ToUpper(o.Path), o.Path + "?cache=no"} {
			resp, body := w.get(t, http.MethodGet, path)
			if resp.StatusCode != http.StatusOK || body != string(o.Body) {
				t.Errorf("%s: %d %q, want 200 %q", path, resp.StatusCode, body, o.Body)
			}
			if got := resp.Header.Get("Content-Type"); got != "application/json" {
				t.Errorf("%s: Content-Type %q", path, got)
			}
			if got := resp.Header.Get("X-Terraform-Get"); got != o.Location {
				t.Errorf("%s: X-Terraform-Get %q, want %q", path, got, o.Location)
			}
		}
		if o.Location != "" {
			modules++
		}
	}
	if modules != 1 {
		t.Errorf("%d answers with a location, want 1", modules)
	}
	resp, _ := w.get(t, http.MethodGet, find(t, a.provider(t), "versions").Path)
	if got := resp.Header.Get("Cache-Control"); got != listControl {
		t.Errorf("Cache-Control of the list: %q, want %q as stored with it", got, listControl)
	}
}

func answersConditions(t *testing.T, w *workerd, a *author) {
	path := find(t, a.provider(t), "versions").Path
	full, _ := w.untilCached(t, path)
	etag := full.Header.Get("ETag")
	head, body := w.get(t, http.MethodHead, path)
	if head.StatusCode != http.StatusOK || body != "" || head.Header.Get("ETag") != etag {
		t.Errorf("HEAD: %d, %q, ETag %q; want 200, nothing, %q", head.StatusCode, body, head.Header.Get("ETag"), etag)
	}
	for tag, want := range map[string]int{etag: 304, "W/" + etag: 304, `"x", ` + etag: 304, "*": 304, `"x"`: 200} {
		resp, body := w.get(t, http.MethodGet, path, "If-None-Match", tag)
		if resp.StatusCode != want || (body == "") != (want == http.StatusNotModified) {
			t.Errorf("If-None-Match %s: %d, %d bytes; want %d", tag, resp.StatusCode, len(body), want)
		}
		if got := resp.Header.Get("ETag"); got != etag {
			t.Errorf("If-None-Match %s: ETag %q, want %q", tag, got, etag)
		}
	}
}

func keepsPrivate(t *testing.T, w *workerd) {
	for _, path := range []string{
		".registrar/published.json", ".REGISTRAR/published.json", "%2eregistrar/published.json",
		"v1/..%2f.registrar/published.json", "v1/%2e%2e/.registrar/published.json", "v1/" + strings.Repeat("a", 3000),
	} {
		resp, body := w.get(t, http.MethodGet, path)
		if resp.StatusCode != http.StatusNotFound || body != notFound {
			t.Errorf("%.40s: %d %q, want 404 %q", path, resp.StatusCode, body, notFound)
		}
	}
}

func isReadOnly(t *testing.T, w *workerd, a *author) {
	path := find(t, a.provider(t), "versions").Path
	for _, method := range []string{http.MethodPut, http.MethodPost, http.MethodDelete} {
		resp, _ := w.get(t, method, path)
		if resp.StatusCode != http.StatusMethodNotAllowed || resp.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: %d, Allow %q", method, resp.StatusCode, resp.Header.Get("Allow"))
		}
	}
	resp, _ := w.get(t, http.MethodOptions, path, "Origin", "https://example.com", "Access-Control-Request-Method", "GET")
	if resp.StatusCode != http.StatusNoContent || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("OPTIONS: %d, Access-Control-Allow-Origin %q", resp.StatusCode, resp.Header.Get("Access-Control-Allow-Origin"))
	}
}

func cachesMisses(t *testing.T, w *workerd, s site, a *author) {
	late := registrydata.ModuleAddress{Namespace: "acme", Name: "late", Target: "aws"}
	const path = "v1/modules/acme/late/aws/versions"
	absent := func() {
		t.Helper()
		resp, body := w.untilCached(t, path)
		if resp.StatusCode != http.StatusNotFound || body != notFound || resp.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%d %q %q, want 404 %q application/json", resp.StatusCode, body, resp.Header.Get("Content-Type"), notFound)
		}
		if got := resp.Header.Get("Cache-Control"); got != "public, max-age=10" {
			t.Errorf("Cache-Control of a miss: %q", got)
		}
	}
	absent()
	a.data[late.Path()] = a.data[vnet.Path()]
	s.upload(t, a.data.render(t, a.renderer, late.Entity()))
	s.finish(t, "2222222")
	if resp, _ := w.untilCached(t, path); resp.StatusCode != http.StatusOK {
		t.Errorf("after the purge: %d", resp.StatusCode)
	}
	delete(a.data, late.Path())
	s.upload(t, a.data.render(t, a.renderer, late.Entity()))
	if resp, _ := w.get(t, http.MethodGet, path); resp.StatusCode != http.StatusOK {
		t.Errorf("removed, before the purge: %d, want the cached answer", resp.StatusCode)
	}
	s.finish(t, "3333333")
	absent()
}

// A download lives for a day in the cache; a key that is added changes it.
func takesNewKeys(t *testing.T, w *workerd, s site, a *author) {
	download := "1.0.0/download/" + runtime.GOOS + "/" + runtime.GOARCH
	before := find(t, a.provider(t), download)
	w.untilCached(t, before.Path)
	key, err := actors.NewSigningKey("Acme", "second@example.org", 0)
	if err != nil {
		t.Fatal(err)
	}
	armor, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	a.data[keyPath("second.asc")] = []byte(armor)
	after := find(t, a.provider(t), download)
	s.upload(t, a.provider(t))
	if _, body := w.get(t, http.MethodGet, before.Path); body != string(before.Body) {
		t.Errorf("before the purge: %q, want the cached answer", body)
	}
	s.finish(t, "4444444")
	if _, body := w.get(t, http.MethodGet, before.Path); body != string(after.Body) || string(after.Body) == string(before.Body) {
		t.Errorf("after the purge: %q, want %q", body, after.Body)
	}
}

func installsModule(t *testing.T, w *workerd, c client) {
	out, err := c.init(t, wantModule(w.host(), "1.0.0"))
	if err != nil || !strings.Contains(out, "- net in ") {
		t.Errorf("init: %v: %s", err, out)
	}
}

// The whole way of a release: its files, its list, the purge, init.
func releaseReachesClients(t *testing.T, w *workerd, s site, a *author) {
	all := clients(t, w.caFile)
	for _, c := range all {
		if out, err := c.init(t, wantProvider(w.host(), "1.0.0")); err != nil || !strings.Contains(out, "Installed "+w.host()) {
			t.Fatalf("%s init of 1.0.0: %v: %s", c.name, err, out)
		}
	}
	w.untilCached(t, find(t, a.provider(t), "versions").Path)
	a.release(t, "1.1.0")
	s.upload(t, a.provider(t))
	if out, err := all[0].init(t, wantProvider(w.host(), "1.1.0")); err == nil {
		t.Fatalf("%s found 1.1.0 before the purge: the list was not cached: %s", all[0].name, out)
	}
	purged := w.purged.Load()
	s.finish(t, "9999999")
	if w.purged.Load() == purged {
		t.Error("nothing was purged")
	}
	for _, c := range all {
		if out, err := c.init(t, wantProvider(w.host(), "1.1.0")); err != nil || !strings.Contains(out, "v1.1.0") {
			t.Errorf("%s init of 1.1.0 after the purge: %v: %s", c.name, err, out)
		}
	}
}
