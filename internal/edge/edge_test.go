// Package edge tests what clients see of a registry behind Cloudflare: the
// Worker of deploy/cloudflare in real workerd, a bucket with R2's S3 API, the
// Cache API, and real clients. It holds nothing but tests.
package edge

import (
	"net/http"
	"runtime"
	"strings"
	"testing"
)

const notFound = `{"errors":["not found"]}`

func TestEdge(t *testing.T) {
	w := startWorkerd(t)
	b := w.bucket()
	a := newAuthor(t, w.certs)
	a.release(t, "1.0.0")
	b.publish(t, a.answers(t))
	b.put(t, ".registrar/published.json", []byte(`{"commit":"private"}`), "no-store")

	t.Run("serves what was rendered", func(t *testing.T) { servesWhatWasRendered(t, w, a) })
	t.Run("answers HEAD and If-None-Match", func(t *testing.T) { answersConditions(t, w, a) })
	t.Run("keeps the publisher's book-keeping private", func(t *testing.T) { keepsPrivate(t, w) })
	t.Run("is read only", func(t *testing.T) { isReadOnly(t, w, a) })
	t.Run("caches a miss until it is purged", func(t *testing.T) { cachesMisses(t, w, b) })
	t.Run("takes a change of a long-lived answer at its purge", func(t *testing.T) { cachesDownloads(t, w, b, a) })
	for _, c := range clients(t, w.caFile) {
		t.Run(c.name+" installs the module", func(t *testing.T) { installsModule(t, w, c) })
	}
	t.Run("a release reaches clients", func(t *testing.T) { releaseReachesClients(t, w, b, a) })
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

func cachesMisses(t *testing.T, w *workerd, b bucket) {
	const path = "v1/providers/acme/late/versions"
	resp, body := w.untilCached(t, path)
	if resp.StatusCode != http.StatusNotFound || body != notFound || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %q %q, want 404 %q application/json", resp.StatusCode, body, resp.Header.Get("Content-Type"), notFound)
	}
	if got := resp.Header.Get("Cache-Control"); got != "public, max-age=10" {
		t.Errorf("Cache-Control of a miss: %q", got)
	}
	b.put(t, path, []byte(`{"versions":[]}`), listControl)
	if resp, _ := w.get(t, http.MethodGet, path); resp.StatusCode != http.StatusNotFound {
		t.Errorf("before the purge: %d, want the cached 404", resp.StatusCode)
	}
	if n := w.purge(t, path); n != 1 {
		t.Errorf("%d purged, want 1", n)
	}
	if resp, body := w.get(t, http.MethodGet, path); resp.StatusCode != http.StatusOK || body != `{"versions":[]}` {
		t.Errorf("after the purge: %d %q", resp.StatusCode, body)
	}
}

// A download lives for a day in the cache; a key that is added changes it.
func cachesDownloads(t *testing.T, w *workerd, b bucket, a *author) {
	o := find(t, a.provider(t), "1.0.0/download/"+runtime.GOOS+"/"+runtime.GOARCH)
	w.untilCached(t, o.Path)
	changed := strings.Replace(string(o.Body), `"signing_keys"`, `"added": true, "signing_keys"`, 1)
	b.put(t, o.Path, []byte(changed), downloadControl)
	if _, body := w.get(t, http.MethodGet, o.Path); body != string(o.Body) {
		t.Errorf("before the purge: %q, want the cached answer", body)
	}
	w.purge(t, o.Path)
	if _, body := w.get(t, http.MethodGet, o.Path); body != changed {
		t.Errorf("after the purge: %q, want %q", body, changed)
	}
	b.put(t, o.Path, o.Body, downloadControl)
	w.purge(t, o.Path)
}

func installsModule(t *testing.T, w *workerd, c client) {
	out, err := c.init(t, wantModule(w.host(), "1.0.0"))
	if err != nil || !strings.Contains(out, "- net in ") {
		t.Errorf("init: %v: %s", err, out)
	}
}

// The whole way of a release: its files, its list, the purge, init.
func releaseReachesClients(t *testing.T, w *workerd, b bucket, a *author) {
	all := clients(t, w.caFile)
	for _, c := range all {
		if out, err := c.init(t, wantProvider(w.host(), "1.0.0")); err != nil || !strings.Contains(out, "Installed "+w.host()) {
			t.Fatalf("%s init of 1.0.0: %v: %s", c.name, err, out)
		}
	}
	w.untilCached(t, find(t, a.provider(t), "versions").Path)
	a.release(t, "1.1.0")
	paths := b.publish(t, a.provider(t))
	if out, err := all[0].init(t, wantProvider(w.host(), "1.1.0")); err == nil {
		t.Fatalf("%s found 1.1.0 before the purge: the list was not cached: %s", all[0].name, out)
	}
	if n := w.purge(t, paths...); n == 0 {
		t.Error("nothing was purged")
	}
	for _, c := range all {
		if out, err := c.init(t, wantProvider(w.host(), "1.1.0")); err != nil || !strings.Contains(out, "v1.1.0") {
			t.Errorf("%s init of 1.1.0 after the purge: %v: %s", c.name, err, out)
		}
	}
}
