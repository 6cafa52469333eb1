package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/sandbox"
)

// TestFullLook looks at everything that is registered, twice: after the table was
// lost, and when a few repositories have something new. It is about quota: what
// has not changed costs no REST call. REGISTRAR_FULL_LOOK=27500 measures it at full
// size, with 50 ms added to every answer of a GitHub in another process:
//
//	REGISTRAR_FULL_LOOK=27500 go test -run TestFullLook -v -timeout 60m ./app
func TestFullLook(t *testing.T) {
	t.Parallel()
	f := fullLook{repositories: manyNew + 20, changed: 2}
	if n, err := strconv.Atoi(os.Getenv("REGISTRAR_FULL_LOOK")); err == nil {
		f = fullLook{repositories: n, changed: 100, latency: benchLatency, program: buildProgram(t)}
	}
	f.startGitHub(t)
	f.fill(t)
	f.register(t)
	f.knobs(t, sandbox.Settings{RateLimit: 1 << 30, Latency: sandbox.Duration(f.latency)})
	f.look(t, "first look", 0)
	f.inParallel(t, f.changed, func(i int) error { return f.release(i, "v1.1.0") })
	f.look(t, "second look", f.changed)
}

// fullLook is a GitHub with many repositories, and a bot's configuration.
type fullLook struct {
	repositories, changed int
	latency               time.Duration
	program               string // the binary; "" runs commands in this process
	places                sandboxPlaces
}

func buildProgram(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "registrar")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return path
}

func (f *fullLook) startGitHub(t *testing.T) {
	dir := t.TempDir()
	args := []string{"sandbox", "--listen", "127.0.0.1:0", "--dir", dir, "--webhook", "http://127.0.0.1:1/webhook", "--json"}
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if f.program == "" {
			run(ctx, args, os.Getenv, strings.NewReader(""), in, io.Discard)
			return
		}
		cmd := exec.CommandContext(ctx, f.program, args...)
		cmd.Stdout = in
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		_ = cmd.Run() // it is told to end
	}()
	t.Cleanup(func() { cancel(); <-ended })
	if err := json.NewDecoder(out).Decode(&f.places); err != nil {
		t.Fatal(err)
	}
	f.knobs(t, sandbox.Settings{RateLimit: 1 << 30})
	// What is found is proposed and not merged: publishing is another matter.
	look := "\npolicy {\n  releases = \"manual\"\n}\nlook {\n  feeds_per_second = 1000\n  tags_per_second = 100\n  parallel = 32\n}\n"
	config, err := os.ReadFile(f.places.Config)
	if err == nil {
		err = os.WriteFile(f.places.Config, append(config, look...), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fullLook) knobs(t *testing.T, s sandbox.Settings) {
	t.Helper()
	body, err := json.Marshal(s)
	if err == nil {
		err = f.post(f.places.URL+"/_sandbox/knobs", "", string(body))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (f *fullLook) post(address, token, body string) error {
	req, err := http.NewRequest(http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s: %.200s", address, resp.Status, answer)
	}
	return err
}

// fullModules is how many of the repositories are modules; the others are
// providers, whose data files lie in one folder: GitHub lists them in few answers.
const fullModules = 500

func fullName(i int) string {
	if i < fullModules {
		return "terraform-aws-n" + strconv.Itoa(i)
	}
	return "terraform-provider-n" + strconv.Itoa(i)
}

// fullData is the data file of a repository.
func fullData(i int) (path, content string) {
	if i < fullModules {
		a := registrydata.ModuleAddress{Namespace: "author", Name: "n" + strconv.Itoa(i), Target: "aws"}
		return a.Path(), "{\n  \"versions\": [\n    {\n      \"version\": \"v1.0.0\"\n    }\n  ]\n}"
	}
	return registrydata.ProviderAddress{Namespace: "author", Name: "n" + strconv.Itoa(i)}.Path(),
		`{"versions": [{"version": "1.0.0", "protocols": ["5.0"], "shasums_url": "https://example.org/s", "shasums_signature_url": "https://example.org/s.sig",` +
			`"targets": [{"os": "linux", "arch": "amd64", "filename": "f.zip", "download_url": "https://example.org/f.zip", "shasum": "` +
			strings.Repeat("0", 64) + `"}]}]}`
}

func (f *fullLook) release(i int, tag string) error {
	return f.post(f.places.APIURL+"repos/author/"+fullName(i)+"/releases", f.places.Tokens["author"], `{"tag_name":"`+tag+`"}`)
}

func (f *fullLook) inParallel(t *testing.T, n int, do func(i int) error) {
	t.Helper()
	var group errgroup.Group
	group.SetLimit(8)
	for i := range n {
		group.Go(func() error { return do(i) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// fill makes the repositories, of somebody who did not install the App.
func (f *fullLook) fill(t *testing.T) {
	f.inParallel(t, f.repositories, func(i int) error {
		err := f.post(f.places.APIURL+"user/repos", f.places.Tokens["author"], `{"name":"`+fullName(i)+`","auto_init":true}`)
		if err != nil {
			return err
		}
		return f.release(i, "v1.0.0")
	})
}

// register pushes the data files of all.
func (f *fullLook) register(t *testing.T) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "metadata")
	git := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v\n%s", args[0], err, out)
		}
	}
	address := strings.Replace(f.places.URL, "://", "://x-access-token:"+f.places.Tokens["maintainer"]+"@", 1) + "/" + f.places.Metadata
	git("clone", "-q", address, dir)
	for i := range f.repositories {
		name, content := fullData(i)
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	git("-C", dir, "add", "-A")
	git("-C", dir, "-c", "user.name=m", "-c", "user.email=m@example.org", "commit", "-q", "-m", "All")
	git("-C", dir, "push", "-q")
}

// look runs sync --all and looks at what it did.
func (f *fullLook) look(t *testing.T, name string, changed int) {
	t.Helper()
	began := time.Now()
	var out bytes.Buffer
	memory := int64(0)
	args := []string{"sync", "--all", "--json", "--config", f.places.Config, "--log-level", "error"}
	if f.program == "" { // in this process
		if code := run(t.Context(), args, os.Getenv, strings.NewReader(""), &out, os.Stderr); code != 0 {
			t.Fatalf("%s: exit %d", name, code)
		}
	} else {
		cmd := exec.CommandContext(t.Context(), f.program, args...)
		cmd.Stdout, cmd.Stderr = &out, os.Stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && runtime.GOOS == "linux" {
			memory = usage.Maxrss >> 10
		}
	}
	total := time.Since(began)
	var saw syncedAll
	if err := json.Unmarshal(out.Bytes(), &saw); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out.Bytes())
	}
	if saw.Looked != f.repositories || saw.Changed != changed || saw.Failing != 0 {
		t.Errorf("%s: %+v; want %d looked at and %d changed", name, saw, f.repositories, changed)
	}
	kinds := f.calls(t, began)
	t.Logf("%s at %d repositories: %.1f s; with what follows %.1f s; calls %v; %d MB at most",
		name, f.repositories, saw.Seconds, total.Seconds(), kinds, memory)
}

// fullNumber finds the number of a repository in the address of a REST call that
// is about it.
var fullNumber = regexp.MustCompile(`(?:terraform-(?:aws|provider)-|/author/)n([0-9]+)`)

// calls counts GitHub's calls since a time. A REST call about a repository that
// has not changed is an error.
func (f *fullLook) calls(t *testing.T, since time.Time) map[string]int {
	t.Helper()
	resp, err := http.Get(f.places.URL + "/_sandbox/calls")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var calls []sandbox.Call
	if err := json.NewDecoder(resp.Body).Decode(&calls); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]int{}
	for _, c := range calls {
		if c.At.Before(since) {
			continue
		}
		kind := c.Kind
		if kind == "feed" {
			kind += " " + strconv.Itoa(c.Status)
		}
		kinds[kind]++
		if named := fullNumber.FindStringSubmatch(c.Path); c.Kind == "rest" && named != nil {
			if i, err := strconv.Atoi(named[1]); err == nil && i >= f.changed {
				t.Errorf("REST call for an unchanged repository: %s %s", c.Method, c.Path)
			}
		}
	}
	return kinds
}
