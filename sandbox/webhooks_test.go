package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v57/github"

	"github.com/tofu-registrar/registrar/sandbox"
)

// say opens an issue, which sends one event.
func (w *world) say(title string) {
	w.Helper()
	must(w.as("author").Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: &title}))(w)
}

// titles lists the issues that the receiver heard of, in order of arrival.
func (w *world) titles() string {
	w.Helper()
	var out []string
	for _, h := range w.take() {
		if i, is := h.payload["issue"].(map[string]any); is {
			out = append(out, i["title"].(string))
		}
	}
	return strings.Join(out, " ")
}

// TestDelivery: headers and signature, as GitHub documents them.
func TestDelivery(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	app, _ := w.bot("acme")
	w.take()
	w.say("one")
	hooks := w.want("issues.opened")
	h := hooks[0]
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(h.body)
	if got := h.header.Get("X-Hub-Signature-256"); got != "sha256="+hex.EncodeToString(mac.Sum(nil)) {
		t.Errorf("signature %s", got)
	}
	req, err := http.NewRequestWithContext(w.ctx, "POST", "/", strings.NewReader(string(h.body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = h.header
	if _, err := github.ValidatePayload(req, []byte(secret)); err != nil {
		t.Error(err)
	}
	event, err := github.ParseWebHook(h.event, h.body)
	if err != nil {
		t.Fatal(err)
	}
	if e := event.(*github.IssuesEvent); e.GetInstallation().GetID() == 0 || e.GetRepo().GetFullName() != "acme/r" || e.GetSender().GetLogin() != "author" {
		t.Errorf("event %v", e)
	}
	for name, want := range map[string]string{"Content-Type": "application/json", "X-GitHub-Hook-Installation-Target-Type": "integration",
		"X-GitHub-Hook-Installation-Target-ID": itoa(app.ID)} {
		if got := h.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if !strings.HasPrefix(h.header.Get("User-Agent"), "GitHub-Hookshot/") || len(h.guid) != 36 || h.header.Get("X-GitHub-Hook-ID") == "" {
		t.Errorf("headers %v", h.header)
	}
}

// TestWhoHears: only apps that cover the repository and subscribe.
func TestWhoHears(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	w.repo("acme", "other")
	w.repo("else", "r")
	deaf, err := w.s.AddApp(sandbox.AppOptions{Slug: "deaf", WebhookURL: w.hook.URL, Events: []string{"push"}})
	if err != nil || deaf.ID == 0 {
		t.Fatal(err)
	}
	if _, err := w.s.Install("deaf", "acme"); err != nil {
		t.Fatal(err)
	}
	w.bot("acme", "r")
	w.take()
	for _, owner := range []string{"acme", "else"} {
		for _, repo := range []string{"r", "other"} {
			_, _, _ = w.as("author").Issues.Create(w.ctx, owner, repo, &github.IssueRequest{Title: github.String(owner + "/" + repo)})
		}
	}
	if got := w.titles(); got != "acme/r" {
		t.Errorf("heard of %s", got)
	}
	if _, err := w.s.Install("registrar", "acme", "other"); err != nil {
		t.Fatal(err)
	}
	w.want("installation_repositories.added")
	if err := w.s.Uninstall("registrar", "acme"); err != nil {
		t.Fatal(err)
	}
	w.want("installation.deleted")
	w.say("after")
	w.want()
}

// TestDeliveryLog: failures are in the app's log, nothing is sent again by
// itself, and the app can ask for it.
func TestDeliveryLog(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	app, _ := w.bot("acme")
	w.take()
	w.mu.Lock()
	w.answer = func(*http.Request) int { return 503 }
	w.mu.Unlock()
	w.say("lost")
	first := w.want("issues.opened")
	w.mu.Lock()
	w.answer = nil
	w.mu.Unlock()
	asApp := w.asApp(app)
	list := must(asApp.Apps.ListHookDeliveries(w.ctx, nil))(w)
	d := list[0]
	if d.GetStatusCode() != 503 || d.GetEvent() != "issues" || d.GetGUID() != first[0].guid || d.GetRedelivery() {
		t.Errorf("delivery %v", d)
	}
	full := must(asApp.Apps.GetHookDelivery(w.ctx, d.GetID()))(w)
	if string(*full.Request.RawPayload) != string(first[0].body) || full.Request.GetHeaders()["X-Github-Event"] != "issues" {
		t.Errorf("request %v", full.Request)
	}
	var accepted *github.AcceptedError
	if _, _, err := asApp.Apps.RedeliverHookDelivery(w.ctx, d.GetID()); !errors.As(err, &accepted) {
		t.Fatal(err)
	}
	again := w.want("issues.opened")
	if again[0].guid != d.GetGUID() {
		t.Errorf("redelivered as %s, was %s", again[0].guid, d.GetGUID())
	}
	list = must(asApp.Apps.ListHookDeliveries(w.ctx, &github.ListCursorOptions{PerPage: 2}))(w)
	if len(list) != 2 || !list[0].GetRedelivery() || list[0].GetStatusCode() != 202 || list[1].GetID() != d.GetID() {
		t.Errorf("log %v", list)
	}
	if resp, body := w.get(w.s.APIURL()+"app/hook/deliveries?per_page=1", w.appToken(app)); !strings.Contains(resp.Header.Get("Link"), "cursor=") {
		t.Errorf("no cursor: %v %s", resp.Header, body)
	}

	must(asApp.Apps.UpdateHookConfig(w.ctx, &github.HookConfig{URL: github.String("http://127.0.0.1:1/")}))(w)
	w.say("nobody")
	w.idle()
	if d := must(asApp.Apps.ListHookDeliveries(w.ctx, nil))(w)[0]; d.GetStatusCode() != 0 || !strings.Contains(d.GetStatus(), "connect") {
		t.Errorf("delivery %v", d)
	}
}

// TestDeliveryFaults: lost, dropped, doubled, swapped and late webhooks.
func TestDeliveryFaults(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	app, _ := w.bot("acme")
	w.take()
	set := func(d sandbox.DeliveryFaults) {
		t.Helper()
		if err := w.s.Knobs().Set(sandbox.Settings{Deliveries: d}); err != nil {
			t.Fatal(err)
		}
	}
	set(sandbox.DeliveryFaults{Drop: 1})
	w.say("a")
	w.say("b")
	if got := w.titles(); got != "b" {
		t.Errorf("drop: %s", got)
	}
	set(sandbox.DeliveryFaults{Lose: 1})
	w.say("c")
	if got := w.titles(); got != "" {
		t.Errorf("lose: %s", got)
	}
	if d := must(w.asApp(app).Apps.ListHookDeliveries(w.ctx, nil))(w)[0]; d.GetStatus() != "failed to connect to host" || d.GetEvent() != "issues" {
		t.Errorf("lost delivery %v", d)
	}
	set(sandbox.DeliveryFaults{Duplicate: 1})
	w.say("d")
	w.idle()
	w.mu.Lock()
	if len(w.hooks) != 2 || w.hooks[0].guid != w.hooks[1].guid {
		t.Errorf("duplicate: %d deliveries", len(w.hooks))
	}
	w.mu.Unlock()
	w.take()
	set(sandbox.DeliveryFaults{Reorder: 1})
	w.say("e")
	w.say("f")
	if got := w.titles(); got != "f e" {
		t.Errorf("reorder: %s", got)
	}
	set(sandbox.DeliveryFaults{Reorder: 1})
	w.say("g")
	if got := w.titles(); got != "g" {
		t.Errorf("held back with nothing after: %s", got)
	}
	set(sandbox.DeliveryFaults{Delay: sandbox.Duration(30 * time.Millisecond)})
	began := time.Now()
	w.say("h")
	if got := w.titles(); got != "h" || time.Since(began) < 30*time.Millisecond {
		t.Errorf("delay: %s after %v", got, time.Since(began))
	}
	set(sandbox.DeliveryFaults{DropProbability: 0.5})
	for range 40 {
		w.say("x")
	}
	if got := len(strings.Fields(w.titles())); got < 5 || got > 35 {
		t.Errorf("%d of 40 arrived", got)
	}
}

// TestDeliveryOrder: many events arrive as they happened.
func TestDeliveryOrder(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	w.bot("acme")
	w.take()
	var want []string
	for i := range 30 {
		title := "i" + itoa(int64(i+1))
		w.say(title)
		want = append(want, title)
	}
	if got := w.titles(); got != strings.Join(want, " ") {
		t.Errorf("got %s", got)
	}
}
