package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// parallel lets three tests run at once even on two cores: they wait more than
// they work. Who says -parallel has it so.
func parallel() {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		_ = flag.Set("test.parallel", strconv.Itoa(max(3, runtime.GOMAXPROCS(0))))
	}
}

// TestMain lets the test binary be the program itself: with REGISTRAR_TEST_CHILD
// set it runs that child and ends (see kill_test.go); with REGISTRAR_TEST_PROGRAM
// set it is registrar.
func TestMain(m *testing.M) {
	if child := os.Getenv(childVariable); child != "" {
		os.Exit(runChild(child))
	}
	if child := os.Getenv(loadVariable); child != "" {
		os.Exit(runLoadChild(child))
	}
	if os.Getenv(programVariable) != "" {
		main()
	}
	parallel()
	code := m.Run()
	stopPostgres()
	os.Exit(code)
}

// command runs a command line as a shell would.
func command(ctx context.Context, t testing.TB, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(ctx, args, func(string) string { return "" }, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	faulty := filepath.Join(dir, "faulty.hcl")
	if err := os.WriteFile(faulty, []byte("github {\n  app_id = 0\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := writeConfig(t, dir, "")
	cases := map[string]struct {
		args   []string
		code   int
		stderr string
	}{
		"no command":           {nil, 0, ""},
		"help":                 {[]string{"--help"}, 0, ""},
		"version":              {[]string{"version"}, 0, ""},
		"unknown command":      {[]string{"serv"}, 2, `there is no command "serv" (did you mean serve?)`},
		"unknown subcommand":   {[]string{"jobs", "lst"}, 2, `there is no command "lst"`},
		"unknown flag":         {[]string{"serve", "--frobnicate"}, 2, "frobnicate"},
		"too many words":       {[]string{"serve", "now"}, 2, "now"},
		"too few words":        {[]string{"jobs", "retry"}, 2, "at least 1 arg"},
		"unknown log level":    {[]string{"version", "--log-level", "loud"}, 2, "loud"},
		"unknown log":          {[]string{"version", "--log", "xml"}, 2, "xml"},
		"no configuration":     {[]string{"serve", "-c", filepath.Join(dir, "none.hcl")}, 2, "no such file"},
		"faulty configuration": {[]string{"serve", "-c", faulty}, 2, "faulty.hcl:2:12: no App id"},
		"good configuration":   {[]string{"serve", "-c", good, "--check"}, 0, ""},
		"no queue":             {[]string{"jobs", "list", "-c", good}, 3, "no queue yet"},
		"no job's number":      {[]string{"jobs", "retry", "-c", good, "first"}, 2, `"first"`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := command(t.Context(), t, c.args...)
			if code != c.code || !strings.Contains(stderr, c.stderr) {
				t.Errorf("exit %d, %q; want %d, %q", code, stderr, c.code, c.stderr)
			}
			if code == 0 && stdout == "" && len(c.args) < 3 {
				t.Error("nothing printed")
			}
		})
	}
}

// writeConfig writes a configuration without faults that publishes to dir, and
// its key. Text in extra is added to the block github.
func writeConfig(t *testing.T, dir, extra string) string {
	t.Helper()
	key := filepath.Join(dir, "app.pem")
	if err := os.WriteFile(key, []byte(testKey(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "registrar.hcl")
	text := `github {
  app_id         = 1
  private_key    = file("app.pem")
  webhook_secret = "secret"
  ` + extra + `
}
metadata { repository = "acme/registry" }
publish {
  base_url = "https://registry.example.org"
  directory { path = "public" }
}
server { listen = "127.0.0.1:0" }
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestServeRefusesWhatGitHubRefuses(t *testing.T) {
	t.Parallel()
	github := newFakeGitHub(t, http.StatusUnauthorized)
	path := writeConfig(t, t.TempDir(), "api_url = \""+github+"\"\nweb_url = \""+github+"\"")
	code, _, stderr := command(t.Context(), t, "serve", "-c", path)
	if code != exitFailure || !strings.Contains(stderr, "who we are") {
		t.Errorf("exit %d, %q; want 3 and that GitHub refuses us", code, stderr)
	}
}

// While GitHub is down the bot waits, and says so to probes; being stopped then
// is a good end.
func TestServeWaitsForGitHub(t *testing.T) {
	t.Parallel()
	github := newFakeGitHub(t, http.StatusBadGateway)
	cfg, err := LoadConfig(writeConfig(t, t.TempDir(), "api_url = \""+github+"\"\nweb_url = \""+github+"\""), os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	app, err := NewApp(t.Context(), cfg, WithLog(quiet(testLog(t))), WithListener(loopbackListener(t)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	resp, body := get(t, app, "/readyz")
	if resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "starting") {
		t.Errorf("readyz: %d %q, want 503 starting", resp.StatusCode, body)
	}
	if status, _ := post(t, app, signed("issues", "guid-0001", []byte(`{}`))); status != http.StatusServiceUnavailable {
		t.Errorf("a webhook meanwhile: %d, want 503", status)
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Run: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("Run does not end")
	}
}

func TestRunStops(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	app, err := NewApp(t.Context(), cfg, WithLog(quiet(testLog(t))), WithListener(loopbackListener(t)), WithReconciler(&fakeReconciler{}, nil))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- app.Run(ctx) }()
	<-app.Ready()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Run: %v", err)
	}
	if _, err := http.Get("http://" + app.Addr() + "/healthz"); err == nil {
		t.Error("the server still answers")
	}
}

func TestJobsCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := writeConfig(t, dir, "")
	failing := &fakeReconciler{onReconcile: failure}
	q := testQueue(t, failing, func(o *queueOptions) { o.Path = filepath.Join(dir, "registrar.db") })
	if err := q.Enqueue(t.Context(), "issue 7"); err != nil {
		t.Fatal(err)
	}
	settle(t, q)
	onlyJob(t, q)

	_, stdout, _ := command(t.Context(), t, "jobs", "list", "-c", path)
	if !strings.Contains(stdout, "discarded") || !strings.Contains(stdout, "issue 7") || !strings.Contains(stdout, "GitHub is down") {
		t.Errorf("jobs list: %q", stdout)
	}
	_, stdout, _ = command(t.Context(), t, "jobs", "list", "-c", path, "--json")
	var line jobLine
	if err := json.Unmarshal([]byte(stdout), &line); err != nil || line.Key != "issue 7" || line.Attempt != 3 || line.ID != 1 {
		t.Errorf("jobs list --json: %q %v", stdout, err)
	}
	code, stdout, stderr := command(t.Context(), t, "jobs", "retry", "-c", path, "1")
	if code != 0 || !strings.Contains(stdout, "issue 7") {
		t.Errorf("jobs retry: exit %d %q %q", code, stdout, stderr)
	}
	for deadline := time.Now().Add(20 * time.Second); failing.ran("issue 7") < 4; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("ran %d times, want a fourth time", failing.ran("issue 7"))
		}
	}
	settle(t, q)
	if code, _, stderr := command(t.Context(), t, "jobs", "retry", "-c", path, "99"); code != exitFailure || !strings.Contains(stderr, "99") {
		t.Errorf("jobs retry of a job that is not there: exit %d %q", code, stderr)
	}
}

func TestSandboxCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		args := []string{"sandbox", "--listen", "127.0.0.1:0", "--dir", dir, "--webhook", "http://127.0.0.1:1/webhook", "--json"}
		ended <- run(ctx, args, os.Getenv, strings.NewReader(""), in, io.Discard)
		_ = in.Close()
	}()
	var places sandboxPlaces
	if err := json.NewDecoder(out).Decode(&places); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if places.Tokens["author"] == "" || places.Tokens["maintainer"] == "" || places.Tokens["stranger"] == "" {
		t.Errorf("tokens %v", places.Tokens)
	}
	resp, err := http.Get(places.APIURL + "repos/" + places.Metadata + "/contents/.github/ISSUE_TEMPLATE/provider.yml")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("the provider form: %d", resp.StatusCode)
	}
	if _, err := LoadConfig(places.Config, os.Getenv); err != nil {
		t.Errorf("the configuration for serve: %v", err)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d", code)
	}
}
