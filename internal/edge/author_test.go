package edge

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

var (
	demo = registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}
	vnet = registrydata.ModuleAddress{Namespace: "acme", Name: "net", Target: "aws"}
)

// author has released a signed provider and a module, on a web server of this
// machine.
type author struct {
	key     *actors.SigningKey
	web     *httptest.Server // over HTTPS: releases
	git     *httptest.Server // over HTTP: the module's repository
	commit  string
	version []registrydata.ProviderVersion // newest first
	// data is what of all that is registered.
	data     metadata
	renderer registrydata.Renderer

	mu    sync.Mutex
	files map[string][]byte // by path on web
}

func newAuthor(t *testing.T, certificate tls.Certificate) *author {
	t.Helper()
	key, err := actors.NewSigningKey("Acme", "acme@example.org", 0)
	if err != nil {
		t.Fatal(err)
	}
	armor, err := key.Public()
	if err != nil {
		t.Fatal(err)
	}
	a := &author{key: key, files: map[string][]byte{}, data: metadata{keyPath("acme.asc"): []byte(armor)}}
	a.web = httptest.NewUnstartedServer(a)
	a.web.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	a.web.StartTLS()
	t.Cleanup(a.web.Close)
	a.startGit(t)
	a.renderer = registrydata.Renderer{WebURL: a.git.URL}
	module := registrydata.Module{Versions: []registrydata.ModuleVersion{{Version: "v1.0.0", Commit: a.commit}}}
	a.data[vnet.Path()] = module.Bytes()
	return a
}

// ServeHTTP serves the files of the releases.
func (a *author) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	body, ok := a.files[r.URL.Path]
	a.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(body) // a client that went away is no fault of the server
}

// release releases a version of the provider for the platform of this machine
// and another one.
func (a *author) release(t *testing.T, version string) {
	t.Helper()
	release := actors.ProviderRelease{
		Name: demo.Name, Version: version, Key: a.key,
		Platforms: []string{runtime.GOOS + "_" + runtime.GOARCH, "plan9_386"},
	}
	files, err := release.Files()
	if err != nil {
		t.Fatal(err)
	}
	dir := "/releases/download/v" + version + "/"
	prefix := "terraform-provider-" + demo.Name + "_" + version + "_"
	v := registrydata.ProviderVersion{
		Version: version, Protocols: []string{"5.0"},
		ShasumsURL:          a.web.URL + dir + prefix + "SHA256SUMS",
		ShasumsSignatureURL: a.web.URL + dir + prefix + "SHA256SUMS.sig",
	}
	for _, platform := range release.Platforms {
		name := prefix + platform + ".zip"
		system, arch, _ := strings.Cut(platform, "_")
		sum := sha256.Sum256(files[name])
		v.Targets = append(v.Targets, registrydata.Target{
			OS: system, Arch: arch, Filename: name, DownloadURL: a.web.URL + dir + name,
			Shasum: hex.EncodeToString(sum[:]), Size: int64(len(files[name])),
		})
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for name, body := range files {
		a.files[dir+name] = body
	}
	a.version = append([]registrydata.ProviderVersion{v}, a.version...)
	a.data[demo.Path()] = (&registrydata.Provider{Versions: a.version}).Bytes()
}

// provider and module render what is registered now.
func (a *author) provider(t *testing.T) publish.Update {
	t.Helper()
	return a.data.render(t, a.renderer, demo.Entity())
}

func (a *author) module(t *testing.T) publish.Update {
	t.Helper()
	return a.data.render(t, a.renderer, vnet.Entity())
}

// startGit makes the module's repository and serves it: git needs no more than
// its files.
func (a *author) startGit(t *testing.T) {
	t.Helper()
	root := t.TempDir()
	work, bare := filepath.Join(root, "work"), filepath.Join(root, "web", filepath.FromSlash(vnet.Repository().String()))
	if err := os.MkdirAll(work, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(work, "main.tf"), []byte("output \"answer\" {\n  value = 42\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	git := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", args...) // #nosec G204 -- arguments of this test
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
			"GIT_AUTHOR_NAME=Acme", "GIT_AUTHOR_EMAIL=acme@example.org",
			"GIT_COMMITTER_NAME=Acme", "GIT_COMMITTER_EMAIL=acme@example.org")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git(work, "init", "-q", "-b", "main")
	git(work, "add", "main.tf")
	git(work, "commit", "-q", "-m", "A module")
	git(work, "tag", "v1.0.0")
	a.commit = git(work, "rev-parse", "HEAD")
	git(root, "clone", "-q", "--bare", work, bare)
	git(bare, "update-server-info")
	a.git = httptest.NewServer(http.FileServer(http.Dir(filepath.Join(root, "web"))))
	t.Cleanup(a.git.Close)
}

// find is the answer at a path below the address of an entity.
func find(t *testing.T, u publish.Update, suffix string) registrydata.Object {
	t.Helper()
	for _, o := range u.Objects {
		if strings.HasSuffix(o.Path, "/"+suffix) {
			return o
		}
	}
	t.Fatalf("no answer %s was rendered", suffix)
	return registrydata.Object{}
}
