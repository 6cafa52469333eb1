package publish

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func serveDemo(t *testing.T) *httptest.Server {
	t.Helper()
	folder, _ := openFolder(t)
	for path, body := range map[string]string{
		".well-known/terraform.json":                        `{"modules.v1":"/v1/modules/"}`,
		"v1/providers/acme/demo/versions":                   `{"versions":[]}`,
		"v1/providers/acme/demo/1.0.0/download/linux/amd64": `{"os":"linux"}`,
		"v1/modules/acme/net/aws/1.0.0+b/download":          `{"location":"git::https://github.com/acme/terraform-aws-net?ref=v1.0.0"}`,
		"v1/modules/acme/net/aws/2.0.0/download":            "{\"location\":\"x\\r\\nSet-Cookie: a\"}",
		".registrar/published.json":                         `{"commit":"abc"}`,
		"v1/.hidden":                                        "x",
	} {
		if err := folder.Put(context.Background(), path, File{Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
	}
	srv := httptest.NewServer(Handler(folder))
	t.Cleanup(srv.Close)
	return srv
}

func request(t *testing.T, method, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

func TestHandler(t *testing.T) {
	srv := serveDemo(t)
	tests := []struct {
		method, path string
		status       int
		body, cache  string
	}{
		{"GET", "/.well-known/terraform.json", 200, "modules.v1", cacheDiscovery},
		{"GET", "/v1/providers/acme/demo/versions", 200, "versions", cacheList},
		{"GET", "/V1/Providers/ACME/Demo/versions", 200, "versions", cacheList},
		{"HEAD", "/v1/providers/acme/demo/versions", 200, "", cacheList},
		{"GET", "/v1/providers/acme/demo/1.0.0/download/linux/amd64", 200, "linux", cacheDownload},
		{"GET", "/v1/modules/acme/net/aws/1.0.0+b/download", 200, "location", cacheDownload},
		{"GET", "/v1/providers/acme/none/versions", 404, `{"errors":["not found"]}`, cacheAbsent},
		{"GET", "/v1/providers/acme/demo", 404, "not found", cacheAbsent},
		{"GET", "/v1/providers/acme/demo/versions/", 404, "not found", cacheAbsent},
		{"GET", "/", 404, "not found", cacheAbsent},
		{"GET", "/.registrar/published.json", 404, "not found", cacheAbsent},
		{"GET", "/.Registrar/published.json", 404, "not found", cacheAbsent},
		{"GET", "/v1/.hidden", 404, "not found", cacheAbsent},
		{"GET", "/v1/%2e%2e/.registrar/published.json", 404, "not found", cacheAbsent},
		{"GET", "/v1/..%2f.registrar/published.json", 404, "not found", cacheAbsent},
		{"GET", "/v1/%5c..%5cx", 404, "not found", cacheAbsent},
		{"POST", "/v1/providers/acme/demo/versions", 405, "method not allowed", ""},
		{"DELETE", "/v1/providers/acme/demo/versions", 405, "method not allowed", ""},
		{"OPTIONS", "/v1/providers/acme/demo/versions", 204, "", ""},
	}
	for _, tt := range tests {
		resp, body := request(t, tt.method, srv.URL+tt.path)
		if resp.StatusCode != tt.status || !strings.Contains(body, tt.body) || resp.Header.Get("Cache-Control") != tt.cache {
			t.Errorf("%s %s = %d %q cache %q; want %d %q %q", tt.method, tt.path, resp.StatusCode, body, resp.Header.Get("Cache-Control"), tt.status, tt.body, tt.cache)
		}
		if ct := resp.Header.Get("Content-Type"); tt.status != 204 && ct != "application/json" {
			t.Errorf("%s %s: content type %q", tt.method, tt.path, ct)
		}
		if resp.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s %s: no CORS", tt.method, tt.path)
		}
	}
}

func TestHandlerModuleLocation(t *testing.T) {
	srv := serveDemo(t)
	const want = "git::https://github.com/acme/terraform-aws-net?ref=v1.0.0"
	for _, method := range []string{"GET", "HEAD"} {
		resp, _ := request(t, method, srv.URL+"/v1/modules/acme/net/aws/1.0.0+b/download")
		if got := resp.Header.Get("X-Terraform-Get"); got != want || resp.StatusCode != 200 {
			t.Errorf("%s: %d, X-Terraform-Get %q", method, resp.StatusCode, got)
		}
	}
	resp, _ := request(t, "GET", srv.URL+"/v1/modules/acme/net/aws/2.0.0/download")
	if resp.Header.Get("X-Terraform-Get") != "" || resp.Header.Get("Set-Cookie") != "" {
		t.Errorf("a header was smuggled in: %v", resp.Header)
	}
	resp, _ = request(t, "GET", srv.URL+"/v1/providers/acme/demo/versions")
	if resp.Header.Get("X-Terraform-Get") != "" {
		t.Error("X-Terraform-Get on a provider")
	}
}

func TestHandlerConditional(t *testing.T) {
	srv := serveDemo(t)
	url := srv.URL + "/v1/providers/acme/demo/versions"
	resp, _ := request(t, "GET", url)
	etag := resp.Header.Get("ETag")
	if etag == "" {
		t.Fatal("no ETag")
	}
	if resp, body := request(t, "GET", url, "If-None-Match", etag); resp.StatusCode != 304 || body != "" {
		t.Errorf("with the ETag: %d %q", resp.StatusCode, body)
	}
	if resp, _ := request(t, "GET", url, "If-None-Match", `"other"`); resp.StatusCode != 200 {
		t.Errorf("with another ETag: %d", resp.StatusCode)
	}
}
