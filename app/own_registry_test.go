package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/app/registry"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/sandbox"
	"github.com/tofu-registrar/registrar/sandbox/sandboxtest"
)

// One program is the whole registry: it takes submissions in, and answers
// clients over HTTPS from the metadata repository in its memory. The whole demo
// plays through it, real clients included.
func TestOneProgram(t *testing.T) {
	t.Parallel()
	for _, name := range registryClients {
		if _, err := exec.LookPath(name); err == nil {
			break
		} else if name == registryClients[len(registryClients)-1] {
			testdata.Missing(t, "a client, one of "+strings.Join(registryClients, ", "))
		}
	}
	w := newWorldFor(t, worldOptions{oneProgram: true})
	var told bytes.Buffer
	steps := &demoSteps{out: &told, json: true}
	steps.start()
	w.play(t.Context(), steps)
	seen := 0
	for dec := json.NewDecoder(&told); ; seen++ {
		var r stepReport
		if err := dec.Decode(&r); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if !r.OK || strings.HasPrefix(r.Detail, skippedPrefix) {
			t.Errorf("%s: %s", r.Step, r.Detail)
		}
	}
	if seen < 10 {
		t.Errorf("%d steps", seen)
	}
	plainHTTPClients(t, w)
	if _, err := os.Stat(filepath.Join(w.dir, "public")); !os.IsNotExist(err) {
		t.Errorf("it has published to a folder: %v", err)
	}
	if _, body := get(t, w.bot, "/metrics"); !strings.Contains(body, `registrar_registry_entities{kind="provider"} 1`) {
		t.Error("the metrics lack the registry's")
	}
}

func newWorldFor(t *testing.T, o worldOptions) *world {
	t.Helper()
	o.log, o.observe = storyLog(), func(s *sandbox.Server) { sandboxtest.Watch(t, s) }
	w, err := newWorld(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Log(err)
		}
	})
	return w
}

// A new program reads what the repository holds already, and a removal by hand
// is a removal.
func TestOneProgramFollowsTheRepository(t *testing.T) {
	t.Parallel()
	w := newWorldFor(t, worldOptions{oneProgram: true})
	const list = "/v1/modules/acme/net/aws/versions"
	path, content := "modules/a/acme/net/aws.json", []byte(`{"versions":[{"version":"v1.0.0"}]}`)
	served := func(want bool) {
		t.Helper()
		err := actors.Until(t.Context(), storyPatience, "served", func(ctx context.Context) (bool, error) {
			_, found, err := w.get(ctx, list)
			return found == want, err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if err := w.maintainer.PutFile(t.Context(), w.metadata, path, content); err != nil {
		t.Fatal(err)
	}
	served(true)
	if err := w.maintainer.PutFile(t.Context(), w.metadata, path, []byte("{")); err != nil {
		t.Fatal(err)
	}
	if err := w.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	served(true)
	if faults := w.bot.registry.registry.Faults(); faults[path] == nil {
		t.Errorf("faults: %v", faults)
	}
}

// With a folder and nothing else, serve is a registry without the bot.
func TestRegistryOnly(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		testdata.Missing(t, "SIGHUP")
	}
	dir := t.TempDir()
	data := filepath.Join(dir, "metadata", "modules", "a", "acme", "net")
	if err := os.MkdirAll(data, 0o750); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(data, "aws.json"), `{"versions":[{"version":"v1.0.0"}]}`)
	admin, clients := freeAddress(t), freeAddress(t)
	config := filepath.Join(dir, "registrar.hcl")
	write(config, `
server {
  listen = "`+admin+`"
  registry {
    listen     = "`+clients+`"
    data       = "metadata"
    refresh    = "1h"
    plain_http = true
  }
}
`)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan string, 1)
	go func() {
		code, _, stderr := command(ctx, t, "serve", "-c", config)
		if code != 0 {
			stderr = "failed: " + stderr
		}
		ended <- stderr
	}()
	defer func() {
		stop()
		if said := <-ended; strings.HasPrefix(said, "failed") {
			t.Error(said)
		}
	}()
	waitFor(t, "http://"+admin+"/readyz", "ready")
	waitFor(t, "http://"+clients+"/v1/modules/acme/net/aws/versions", "1.0.0")
	waitFor(t, "http://"+admin+"/metrics", "registrar_registry_last_reload_timestamp_seconds")

	write(filepath.Join(data, "gcp.json"), `{"versions":[{"version":"v3.0.0"}]}`)
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "http://"+clients+"/v1/modules/acme/net/gcp/versions", "3.0.0")
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// waitFor asks until an answer of status 200 holds a text.
func waitFor(t *testing.T, url, text string) {
	t.Helper()
	last := ""
	for end := time.Now().Add(storyPatience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		resp, err := http.Get(url)
		if err != nil {
			last = err.Error()
			continue
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if last = string(body); resp.StatusCode == http.StatusOK && strings.Contains(last, text) {
			return
		}
	}
	t.Fatalf("%s never said %q but %.300s", url, text, last)
}

// Without its folder the registry does not start, and says why.
func TestRegistryOnlyWithoutItsFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	config := filepath.Join(dir, "registrar.hcl")
	text := "server {\n  listen = \"127.0.0.1:0\"\n  registry {\n    listen = \"127.0.0.1:0\"\n    data = \"none\"\n    plain_http = true\n  }\n}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := command(t.Context(), t, "serve", "-c", config)
	if code != exitFailure || !strings.Contains(stderr, "the data folder cannot be read") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// The configurations that the README shows are taken, and so is what it says of
// clients that speak plain HTTP with a host that is told so.
func TestConfigurationsOfTheREADME(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```hcl\n(.*?)^```$").FindAllStringSubmatch(string(text), -1)
	read := func(string) ([]byte, error) { return []byte(testKey(t)), nil }
	parse := func(src string) (Config, error) {
		return parseConfig("README.md", []byte(src), ".", func(string) string { return "x" }, read)
	}
	whole, registries := "", 0
	for _, b := range blocks {
		switch {
		case strings.HasPrefix(b[1], "github {"):
			whole = b[1]
			if _, err := parse(whole); err != nil {
				t.Errorf("%s: %v", whole, err)
			}
		case strings.Contains(b[1], "data = "):
			registries++
			if cfg, err := parse(b[1]); err != nil || !cfg.registryOnly() {
				t.Errorf("%s: %v", b[1], err)
			}
		case strings.HasPrefix(b[1], "server {"):
			registries++
			above, _, _ := strings.Cut(whole, "server {")
			above = regexp.MustCompile(`(?s)  directory \{.*?\n  \}\n`).ReplaceAllString(above, "")
			if cfg, err := parse(above + b[1]); err != nil || !cfg.servesMetadata() || cfg.Publish.Directory != nil {
				t.Errorf("%s: %v", b[1], err)
			}
		}
	}
	if registries != 2 {
		t.Errorf("%d registries of one binary", registries)
	}
}

// plainHTTPClients take the provider and the module over plain HTTP, because
// their own configuration says, as the README has it, that the host speaks so.
func plainHTTPClients(t *testing.T, w *world) {
	t.Helper()
	s, err := registry.NewServer(t.Context(), w.bot.registry.registry, registry.ServerOptions{Listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	settings := regexp.MustCompile("(?ms)^host .*?^}$").Find(readme)
	for _, c := range findClients(w.caFile, t.TempDir()) {
		c.settings = strings.ReplaceAll(string(settings), "127.0.0.1:8443", s.Addr())
		if _, err := c.init(t.Context(), "provider", providerConfiguration("registry.example.org", demoProvider, "1.1.0")); err != nil {
			t.Error(err)
		}
		if _, err := c.init(t.Context(), "module", moduleConfiguration("registry.example.org", demoModule, "1.0.0")); err != nil {
			t.Error(err)
		}
	}
}
