package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/app/registry"
	"github.com/tofu-registrar/registrar/internal/actors"
)

// What serve answers from memory is, to the byte, what generate writes of the
// same folder: over HTTP/1.1 and HTTP/2, whole, compressed, by HEAD, and as 304.
func TestServedIsWhatGenerateWrites(t *testing.T) {
	t.Parallel()
	key, err := actors.NewSigningKey("Acme", "acme@example.org", 0)
	if err != nil {
		t.Fatal(err)
	}
	armor, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	data, out := t.TempDir(), filepath.Join(t.TempDir(), "public")
	files := small()
	files["keys/a/acme/acme.asc"] = armor
	files["keys/o/opentofu/other/k.asc"] = armor
	files["modules/a/acme/twice/aws.json"] = `{"versions":[{"version":"v1.0.0"},{"version":"1.0.0"},{"version":"v0.9.0+b","commit":"` + strings.Repeat("a", 40) + `"}]}`
	writeTree(t, data, files)
	generates(t, exitOK, "--data", data, "--out", out)

	r, err := registry.New(registry.Options{Source: registry.NewFolder(data)})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	cert, err := loopbackCertificate(certFile)
	if err != nil {
		t.Fatal(err)
	}
	if err := writePrivateKey(cert, keyFile); err != nil {
		t.Fatal(err)
	}
	plain := serves(t, r, registry.ServerOptions{Listen: "127.0.0.1:0"})
	secure := serves(t, r, registry.ServerOptions{Listen: "127.0.0.1:0", Certificate: certFile, Key: keyFile})
	ways := []answerCheck{
		{name: "HTTP", url: "http://" + plain + "/", proto: "HTTP/1.1"},
		{name: "HTTPS", url: "https://" + secure + "/", proto: "HTTP/1.1"},
		{name: "HTTP/2", url: "https://" + secure + "/", proto: "HTTP/2.0"},
	}
	written := readTree(t, out).served()
	if len(written) != 19 {
		t.Errorf("%d files", len(written))
	}
	for _, way := range ways {
		transport := &http.Transport{
			DisableCompression: true, ForceAttemptHTTP2: way.proto == "HTTP/2.0",
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // #nosec G402 -- this test's own certificate
		}
		defer transport.CloseIdleConnections()
		way.client = &http.Client{Transport: transport, Timeout: time.Minute}
		compressed := 0
		for path, body := range written {
			if way.check(t, path, body) {
				compressed++
			}
		}
		if compressed == 0 || compressed == len(written) {
			t.Errorf("%s: %d of %d answers are compressed", way.name, compressed, len(written))
		}
	}
}

func serves(t *testing.T, r *registry.Registry, o registry.ServerOptions) (address string) {
	t.Helper()
	s, err := registry.NewServer(t.Context(), r, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s.Addr()
}

// answerCheck is a way to ask.
type answerCheck struct {
	name, url, proto string
	client           *http.Client
}

func (c answerCheck) ask(t *testing.T, method, path string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.Proto != c.proto {
		t.Errorf("%s %s %s: %s, %v", c.name, method, path, resp.Proto, err)
	}
	return resp, string(body)
}

// check holds the answers at a path against a file, and tells whether they can be
// had compressed.
func (c answerCheck) check(t *testing.T, path, want string) (compressed bool) {
	t.Helper()
	whole, body := c.ask(t, http.MethodGet, path)
	etag, length := whole.Header.Get("ETag"), strconv.Itoa(len(want))
	if whole.StatusCode != http.StatusOK || body != want || whole.Header.Get("Content-Length") != length ||
		whole.Header.Get("Content-Type") != "application/json" || etag == "" {
		t.Errorf("%s %s: %d %v\n--- served\n%s\n--- generated\n%s", c.name, path, whole.StatusCode, whole.Header, body, want)
	}
	head, body := c.ask(t, http.MethodHead, path)
	if head.StatusCode != http.StatusOK || body != "" || head.Header.Get("Content-Length") != length || head.Header.Get("ETag") != etag {
		t.Errorf("%s HEAD %s: %d %v %q", c.name, path, head.StatusCode, head.Header, body)
	}
	for _, tag := range []string{etag, "W/" + etag, `"x", ` + etag} {
		if same, body := c.ask(t, http.MethodGet, path, "If-None-Match", tag); same.StatusCode != http.StatusNotModified || body != "" || same.Header.Get("ETag") != etag {
			t.Errorf("%s %s, If-None-Match %s: %d %v %q", c.name, path, tag, same.StatusCode, same.Header, body)
		}
	}
	zipped, body := c.ask(t, http.MethodGet, path, "Accept-Encoding", "gzip")
	if zipped.Header.Get("Content-Encoding") != "gzip" {
		if body != want {
			t.Errorf("%s %s, not compressed: %q", c.name, path, body)
		}
		return false
	}
	z, err := gzip.NewReader(strings.NewReader(body))
	if err != nil {
		t.Errorf("%s %s: %v", c.name, path, err)
		return true
	}
	var unzipped bytes.Buffer
	if _, err := io.Copy(&unzipped, io.LimitReader(z, 1<<20)); err != nil || unzipped.String() != want || len(body) >= len(want) {
		t.Errorf("%s %s, compressed: %v, %d bytes\n%s", c.name, path, err, len(body), unzipped.String())
	}
	return true
}

// While new data is pushed, clients get one answer after the other: none fails,
// and none is older than one that was given before.
func TestOneProgramServesThroughPushes(t *testing.T) {
	t.Parallel()
	w := newWorldFor(t, worldOptions{oneProgram: true})
	const path, list = "modules/a/acme/net/aws.json", "/v1/modules/acme/net/aws/versions"
	push := func(versions int) {
		t.Helper()
		var text []string
		for i := range versions {
			text = append(text, `{"version":"v1.`+strconv.Itoa(versions-1-i)+`.0"}`)
		}
		if err := w.maintainer.PutFile(t.Context(), w.metadata, path, []byte(`{"versions":[`+strings.Join(text, ",")+`]}`)); err != nil {
			t.Fatal(err)
		}
		err := actors.Until(t.Context(), storyPatience, "served", func(ctx context.Context) (bool, error) {
			body, found, err := w.get(ctx, list)
			return found && strings.Count(string(body), `"version"`) == versions, err
		})
		if err != nil {
			t.Error(err)
		}
	}
	push(1)
	stop := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			seen := 0
			for {
				select {
				case <-stop:
					return
				default:
				}
				body, found, err := w.get(context.WithoutCancel(t.Context()), list)
				n := strings.Count(string(body), `"version"`)
				if err != nil || !found || n < max(seen, 1) {
					t.Errorf("after %d versions: %v %v %s", seen, found, err, body)
					return
				}
				seen = n
			}
		})
	}
	for versions := 2; versions < 7; versions++ {
		push(versions)
	}
	close(stop)
	clients.Wait()
}
