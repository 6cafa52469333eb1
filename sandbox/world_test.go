package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v57/github"

	"github.com/tofu-registrar/registrar/sandbox"
	"github.com/tofu-registrar/registrar/sandbox/sandboxtest"
)

// world is a running GitHub with a receiver of webhooks.
type world struct {
	*testing.T
	ctx context.Context
	s   *sandbox.Server

	mu    sync.Mutex
	hooks []hook
	hook  *httptest.Server
	// answer is what the receiver answers, 202 if nil.
	answer func(*http.Request) int
}

// hook is a webhook that arrived.
type hook struct {
	event, action, guid string
	header              http.Header
	body                []byte
	payload             map[string]any
}

const secret = "hook secret"

func start(t *testing.T, options ...func(*sandbox.Options)) *world {
	t.Helper()
	var o sandbox.Options
	for _, set := range options {
		set(&o)
	}
	w := &world{T: t, s: sandboxtest.New(t, sandboxtest.WithOptions(o)), ctx: t.Context()}
	w.hook = httptest.NewServer(http.HandlerFunc(w.receive))
	t.Cleanup(w.hook.Close)
	return w
}

// unwatched is a world whose exchanges are not held against GitHub's
// description.
func unwatched(t *testing.T) *world {
	t.Helper()
	s, err := sandbox.New(sandbox.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return &world{T: t, s: s, ctx: t.Context()}
}

func (w *world) receive(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	h := hook{event: r.Header.Get("X-GitHub-Event"), guid: r.Header.Get("X-GitHub-Delivery"), header: r.Header, body: body}
	_ = json.Unmarshal(body, &h.payload)
	h.action, _ = h.payload["action"].(string)
	w.mu.Lock()
	w.hooks = append(w.hooks, h)
	answer := w.answer
	w.mu.Unlock()
	status := http.StatusAccepted
	if answer != nil {
		status = answer(r)
	}
	rw.WriteHeader(status)
}

// arrived waits for the deliveries under way and lists "event.action".
func (w *world) arrived() []string {
	w.Helper()
	w.idle()
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, h := range w.hooks {
		name := h.event
		if h.action != "" {
			name += "." + h.action
		}
		out = append(out, name)
	}
	return out
}

// take is arrived, and forgets them.
func (w *world) take() []hook {
	w.Helper()
	w.idle()
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.hooks
	w.hooks = nil
	return out
}

func (w *world) idle() {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 10*time.Second)
	defer cancel()
	if err := w.s.Idle(ctx); err != nil {
		w.Fatal(err)
	}
}

// want compares the events that arrived since the last call.
func (w *world) want(events ...string) []hook {
	w.Helper()
	got := w.arrived()
	if strings.Join(got, " ") != strings.Join(events, " ") {
		w.Errorf("webhooks\n got %q\nwant %q", got, events)
	}
	return w.take()
}

// as makes a client for a login; "" is a stranger.
func (w *world) as(login string) *github.Client {
	w.Helper()
	var hc *http.Client
	c := github.NewClient(hc)
	if login != "" {
		c = c.WithAuthToken(w.s.AddUser(login).Token)
	}
	c, err := c.WithEnterpriseURLs(w.s.URL(), w.s.URL())
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// bot makes an app "registrar" installed on the owner's repositories.
func (w *world) bot(owner string, repositories ...string) (sandbox.App, *github.Client) {
	w.Helper()
	app, err := w.s.AddApp(sandbox.AppOptions{Slug: "registrar", WebhookURL: w.hook.URL, WebhookSecret: secret})
	if err != nil {
		w.Fatal(err)
	}
	inst, err := w.s.Install("registrar", owner, repositories...)
	if err != nil {
		w.Fatal(err)
	}
	return app, w.installed(app, inst.ID)
}

func (w *world) installed(app sandbox.App, installation int64) *github.Client {
	w.Helper()
	transport, err := ghinstallation.New(http.DefaultTransport, app.ID, installation, app.PrivateKeyPEM)
	if err != nil {
		w.Fatal(err)
	}
	transport.BaseURL = strings.TrimSuffix(w.s.APIURL(), "/")
	c, err := github.NewClient(&http.Client{Transport: transport}).WithEnterpriseURLs(w.s.URL(), w.s.URL())
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// repo makes a repository with a first commit.
func (w *world) repo(owner, name string) *github.Repository {
	w.Helper()
	return must(w.as(owner).Repositories.Create(w.ctx, "", &github.Repository{Name: &name, AutoInit: github.Bool(true)}))(w)
}

// file writes a file to a branch and returns the commit.
func (w *world) file(c *github.Client, owner, repo, branch, path, text string) string {
	w.Helper()
	o := &github.RepositoryContentFileOptions{Message: github.String("write " + path), Content: []byte(text), Branch: &branch}
	if old, _, _, err := c.Repositories.GetContents(w.ctx, owner, repo, path, &github.RepositoryContentGetOptions{Ref: branch}); err == nil {
		o.SHA = old.SHA
	}
	return must(c.Repositories.CreateFile(w.ctx, owner, repo, path, o))(w).GetSHA()
}

// branch makes a branch from another.
func (w *world) branch(c *github.Client, owner, repo, from, name string) {
	w.Helper()
	ref := must(c.Git.GetRef(w.ctx, owner, repo, "heads/"+from))(w)
	ref.Ref = github.String("refs/heads/" + name)
	must(c.Git.CreateRef(w.ctx, owner, repo, ref))(w)
}

// must unwraps what go-github's methods return.
func must[T any](v T, _ *github.Response, err error) func(*world) T {
	return func(w *world) T {
		w.Helper()
		if err != nil {
			w.Fatal(err)
		}
		return v
	}
}

// refused checks the status of an error, and that its message holds a text.
func (w *world) refused(err error, status int, text string) {
	w.Helper()
	var bad *github.ErrorResponse
	var limit *github.RateLimitError
	var abuse *github.AbuseRateLimitError
	got, message := 0, ""
	switch {
	case errors.As(err, &bad):
		got, message = bad.Response.StatusCode, bad.Error()
	case errors.As(err, &limit):
		got, message = limit.Response.StatusCode, limit.Error()
	case errors.As(err, &abuse):
		got, message = abuse.Response.StatusCode, abuse.Error()
	}
	if got != status || !strings.Contains(message, text) {
		w.Errorf("want %d %q, got %v", status, text, err)
	}
}

// git runs the git binary in a folder.
func (w *world) git(dir string, args ...string) string {
	w.Helper()
	out, err := w.tryGit(dir, args...)
	if err != nil {
		w.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return out
}

func (w *world) tryGit(dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(w.ctx, "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// remote is the clone URL with a person's token.
func (w *world) remote(login, owner, repo string) string {
	return strings.Replace(w.s.URL(), "://", "://"+login+":"+w.s.AddUser(login).Token+"@", 1) + "/" + owner + "/" + repo + ".git"
}

// get sends a plain request with an optional token.
func (w *world) get(url, token string, header ...string) (*http.Response, string) {
	w.Helper()
	return w.do(http.MethodGet, url, token, "", header...)
}

func (w *world) do(method, url, token, body string, header ...string) (*http.Response, string) {
	w.Helper()
	req, err := http.NewRequestWithContext(w.ctx, method, url, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		w.Fatal(err)
	}
	data, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		w.Fatal(err)
	}
	return resp, string(data)
}
