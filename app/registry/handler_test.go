package registry

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// demo is a small metadata repository.
var demo = given{
	"providers/a/acme/demo.json":  []byte(demoProvider),
	"modules/a/acme/net/aws.json": []byte(demoModule),
}

func ask(t *testing.T, h http.Handler, method, path string, header ...string) *http.Response {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Result()
}

func bodyText(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// published is the same data, published to a folder.
func published(t *testing.T, g given) http.Handler {
	t.Helper()
	folder, err := publish.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Close() })
	p := publish.New(folder)
	if err := p.PutStatic(context.Background(), registrydata.Renderer{}.Discovery()); err != nil {
		t.Fatal(err)
	}
	for name := range g {
		if e, ok := registrydata.EntityFromPath(name); ok {
			u := publish.Update{Entity: e, Objects: g.rendered(t, registrydata.Renderer{}, e, e.Provider())}
			if err := p.Publish(context.Background(), u); err != nil {
				t.Fatal(err)
			}
		}
	}
	return publish.Handler(folder)
}

// Whether clients read from memory or from what is published makes no difference
// to them: status, body and headers are the same.
func TestAnswersAreThoseOfThePublishedFiles(t *testing.T) {
	r, static := readFrom(t, demo), published(t, demo)
	for _, path := range []string{
		"/.well-known/terraform.json", "/.Well-Known/Terraform.json",
		"/v1/providers/acme/demo/versions", "/V1/Providers/ACME/Demo/Versions",
		"/v1/providers/acme/demo/1.1.0/download/linux/amd64",
		"/v1/providers/acme/demo/1.1.0/download/windows/arm64",
		"/v1/providers/acme/demo/1.0.0-RC1/download/linux/amd64",
		"/v1/modules/acme/net/aws/versions",
		"/v1/modules/acme/net/aws/1.1.0/download", "/v1/modules/acme/net/aws/1.0.0+b/download", "/v1/modules/acme/net/aws/1.0.0%2Bb/download",
		"/", "/v1", "/v1/", "/v1/providers", "/v1/providers/acme/demo", "/v1/providers/acme/demo/", "/v1/providers/acme/demo/versions/",
		"/v1/providers/acme/none/versions", "/v1/providers//demo/versions", "//v1/providers/acme/demo/versions", "/v1/providers/acme//versions",
		"/v1/providers/acme/demo/v1.1.0/download/linux/amd64", "/v1/providers/acme/demo/9.9.9/download/linux/amd64",
		"/v1/providers/acme/demo/1.1.0/download/plan9/amd64", "/v1/providers/acme/demo/1.1.0/download//", "/v1/providers/acme/demo/1.1.0/download/linux",
		"/v1/providers/acme/demo/1.1.0/download/linux/amd64/x", "/v1/modules/acme/net/aws/v1.1.0/download", "/v1/modules/acme/net/aws/1.1.0",
		"/v1/modules/acme/net/versions", "/v1/x/acme/demo/versions", "/.registrar/published.json", "/v1/%2e%2e/x", "/v1/providers/acme/demo%2Fversions",
	} {
		for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "DELETE"} {
			got, want := ask(t, r, method, path), ask(t, static, method, path)
			for _, h := range []http.Header{got.Header, want.Header} {
				h.Del("Accept-Ranges") // the registry sends whole answers, as HTTP allows
				h.Del("Vary")          // a folder is not compressed
				if got.StatusCode != 200 {
					h.Del("Content-Length") // net/http adds it
				}
			}
			if got.StatusCode != want.StatusCode {
				t.Errorf("%s %s: %d, published %d", method, path, got.StatusCode, want.StatusCode)
			}
			if diff := cmp.Diff(want.Header, got.Header); diff != "" {
				t.Errorf("%s %s: %s", method, path, diff)
			}
			if b, w := bodyText(t, got), bodyText(t, want); b != w {
				t.Errorf("%s %s: %q, published %q", method, path, b, w)
			}
		}
	}
}

func TestConditionalAndCompressed(t *testing.T) {
	r := readFrom(t, demo)
	const path = "/v1/providers/acme/demo/1.1.0/download/linux/amd64"
	plain := ask(t, r, "GET", path)
	body, etag := bodyText(t, plain), plain.Header.Get("ETag")
	if plain.Header.Get("Content-Encoding") != "" || plain.Header.Get("Vary") != "Accept-Encoding" || len(body) < leastCompressed {
		t.Fatalf("%v, %d bytes", plain.Header, len(body))
	}
	for range 2 { // rendered, then kept
		zipped := ask(t, r, "GET", path, "Accept-Encoding", "br, gzip;q=0.5")
		z, err := gzip.NewReader(zipped.Body)
		if err != nil {
			t.Fatal(err)
		}
		unzipped, err := io.ReadAll(z)
		if err != nil || string(unzipped) != body || zipped.Header.Get("ETag") != "W/"+etag || zipped.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("gzip: %v %v", err, zipped.Header)
		}
		if n := zipped.Header.Get("Content-Length"); n == plain.Header.Get("Content-Length") {
			t.Errorf("gzip: Content-Length %s", n)
		}
	}
	for none, status := range map[string]int{
		etag: 304, "W/" + etag: 304, `"x", ` + etag: 304, "*": 304, `"x"`: 200, strings.Trim(etag, `"`): 200,
	} {
		for _, coding := range []string{"", "gzip"} {
			resp := ask(t, r, "GET", path, "If-None-Match", none, "Accept-Encoding", coding)
			if resp.StatusCode != status || (status == 304 && (bodyText(t, resp) != "" || resp.Header.Get("Content-Encoding") != "")) || resp.Header.Get("ETag") == "" {
				t.Errorf("If-None-Match %s, %q: %d %v", none, coding, resp.StatusCode, resp.Header)
			}
		}
	}
	// So small an answer would only grow.
	if resp := ask(t, r, "GET", "/v1/modules/acme/net/aws/1.1.0/download", "Accept-Encoding", "gzip"); resp.Header.Get("Content-Encoding") != "" {
		t.Error("a small answer is compressed")
	}
}

func TestTakesGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "deflate, gzip": true, "gzip;q=0": false, "gzip; q=0.000": false, "gzip ; q=0.1": true,
		"identity": false, "x-gzip": true, "br;q=1.0,  gzip;q=0.8, *;q=0.1": true, "gzipx": false,
	} {
		if got := takesGzip(header); got != want {
			t.Errorf("Accept-Encoding %q: %v", header, got)
		}
	}
}

func TestBeforeTheFirstData(t *testing.T) {
	r, err := New(Options{Source: demo})
	if err != nil {
		t.Fatal(err)
	}
	resp := ask(t, r, "GET", "/v1/providers/acme/demo/versions")
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" || resp.Header.Get("Cache-Control") != "no-store" || r.Loaded() {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
}

// The answers that are kept are bounded, and each is of the data of now.
func TestCacheIsBounded(t *testing.T) {
	g := given{}
	for _, c := range "abcdefghijklmnopqrstuvwxyz" {
		g["providers/"+string(c)+"/"+string(c)+"/demo.json"] = []byte(demoProvider)
	}
	r, err := New(Options{Source: g, Cache: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, c := range "abcdefghijklmnopqrstuvwxyz" {
			for _, rest := range []string{"versions", "1.1.0/download/linux/amd64", "1.1.0/download/windows/arm64"} {
				if r.bodyOf("v1/providers/"+string(c)+"/demo/"+rest) == nil {
					t.Errorf("%c: no answer", c)
				}
			}
		}
	}
	kept, used := 0, 0
	for i := range r.cache.shards {
		s := &r.cache.shards[i]
		if kept += len(s.items); s.used > s.limit || s.order.Len() != len(s.items) {
			t.Errorf("shard %d: %d of %d bytes, %d of %d items", i, s.used, s.limit, s.order.Len(), len(s.items))
		}
		used += s.used
	}
	if kept == 0 || kept == 78 || used > 64<<10 {
		t.Errorf("%d answers kept, %d bytes", kept, used)
	}
}
