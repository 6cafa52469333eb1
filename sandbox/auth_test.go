package sandbox_test

import (
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v4"
	"github.com/google/go-github/v57/github"

	"github.com/tofu-registrar/registrar/sandbox"
	"github.com/tofu-registrar/registrar/sandbox/sandboxtest"
)

// clock is a sandbox clock that a test moves.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

func withClock(c *clock) func(*sandbox.Options) {
	return func(o *sandbox.Options) { o.Now = c.now }
}

// TestAppToken: what an app's JSON Web Token must be.
func TestAppToken(t *testing.T) {
	t.Parallel()
	w := start(t)
	app, err := w.s.AddApp(sandbox.AppOptions{Name: "Registrar Bot"})
	if err != nil {
		t.Fatal(err)
	}
	if app.Slug != "registrar-bot" || app.BotLogin != "registrar-bot[bot]" {
		t.Errorf("slug %q, bot %q", app.Slug, app.BotLogin)
	}
	own, err := jwt.ParseRSAPrivateKeyFromPEM(app.PrivateKeyPEM)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	for name, c := range map[string]struct {
		method jwt.SigningMethod
		key    any
		iss    any
		iat    int64
		exp    int64
		status int
		text   string
	}{
		"good":               {jwt.SigningMethodRS256, own, app.ID, now - 30, now + 540, 200, "registrar-bot"},
		"issuer as text":     {jwt.SigningMethodRS256, own, itoa(app.ID), now - 30, now + 540, 200, "registrar-bot"},
		"client ID":          {jwt.SigningMethodRS256, own, app.ClientID, now - 30, now + 540, 200, "registrar-bot"},
		"foreign key":        {jwt.SigningMethodRS256, foreign, app.ID, now - 30, now + 540, 401, "could not be decoded"},
		"HS256 with the PEM": {jwt.SigningMethodHS256, app.PrivateKeyPEM, app.ID, now - 30, now + 540, 401, "could not be decoded"},
		"RS512":              {jwt.SigningMethodRS512, own, app.ID, now - 30, now + 540, 401, "could not be decoded"},
		"no algorithm":       {jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, app.ID, now, now + 540, 401, "could not be decoded"},
		"unknown app":        {jwt.SigningMethodRS256, own, 4711, now - 30, now + 540, 404, "Integration not found"},
		"expired":            {jwt.SigningMethodRS256, own, app.ID, now - 900, now - 300, 401, "'exp'"},
		"too long":           {jwt.SigningMethodRS256, own, app.ID, now, now + 3600, 401, "too far in the future"},
		"issued in future":   {jwt.SigningMethodRS256, own, app.ID, now + 300, now + 600, 401, "'iat'"},
	} {
		claims := jwt.MapClaims{"iss": c.iss, "iat": c.iat, "exp": c.exp}
		text, err := jwt.NewWithClaims(c.method, claims).SignedString(c.key)
		if err != nil {
			t.Fatal(name, err)
		}
		resp, body := w.get(w.s.APIURL()+"app", text)
		if resp.StatusCode != c.status || !strings.Contains(body, c.text) {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
		}
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// TestInstallationToken: lifetime by the sandbox's clock, narrowing, null body.
func TestInstallationToken(t *testing.T) {
	t.Parallel()
	var c clock
	w := start(t, withClock(&c))
	w.repo("acme", "one")
	w.repo("acme", "two")
	app, bot := w.bot("acme")
	must(bot.Issues.Create(w.ctx, "acme", "one", &github.IssueRequest{Title: github.String("x")}))(w)

	asApp := w.asApp(app)
	inst := must(asApp.Apps.FindRepositoryInstallation(w.ctx, "acme", "one"))(w)
	narrow := must(asApp.Apps.CreateInstallationToken(w.ctx, inst.GetID(), &github.InstallationTokenOptions{
		Repositories: []string{"two"}, Permissions: &github.InstallationPermissions{Contents: github.String("read")}}))(w)
	if len(narrow.Repositories) != 1 || !strings.HasPrefix(narrow.GetToken(), "ghs_") {
		t.Errorf("token %v", narrow)
	}
	only := w.withToken(narrow.GetToken())
	_, _, err := only.Issues.Create(w.ctx, "acme", "two", &github.IssueRequest{Title: github.String("x")})
	w.refused(err, 403, "Resource not accessible by integration")
	_, _, err = only.Issues.Create(w.ctx, "acme", "one", &github.IssueRequest{Title: github.String("x")})
	w.refused(err, 403, "Resource not accessible by integration")
	must(only.Repositories.Get(w.ctx, "acme", "one"))(w)
	list, _, err := only.Apps.ListRepos(w.ctx, nil)
	if err != nil || list.GetTotalCount() != 1 {
		t.Errorf("repositories %v, %v", list, err)
	}
	_, _, err = asApp.Apps.CreateInstallationToken(w.ctx, inst.GetID(), &github.InstallationTokenOptions{
		Permissions: &github.InstallationPermissions{Administration: github.String("write")}})
	w.refused(err, 422, "not granted")
	_, _, err = asApp.Apps.CreateInstallationToken(w.ctx, inst.GetID(), &github.InstallationTokenOptions{Repositories: []string{"none"}})
	w.refused(err, 422, "does not exist")

	c.advance(59 * time.Minute)
	must(only.Repositories.Get(w.ctx, "acme", "two"))(w)
	c.advance(2 * time.Minute)
	_, _, err = only.Repositories.Get(w.ctx, "acme", "two")
	w.refused(err, 401, "Bad credentials")
}

// asApp makes a client that signs itself as the app.
func (w *world) asApp(app sandbox.App) *github.Client {
	w.Helper()
	return w.withToken(w.appToken(app))
}

func (w *world) appToken(app sandbox.App) string {
	w.Helper()
	key, err := jwt.ParseRSAPrivateKeyFromPEM(app.PrivateKeyPEM)
	if err != nil {
		w.Fatal(err)
	}
	now := time.Now().Unix()
	text, err := jwt.NewWithClaims(jwt.SigningMethodRS256,
		jwt.MapClaims{"iss": itoa(app.ID), "iat": now - 10, "exp": now + 500}).SignedString(key)
	if err != nil {
		w.Fatal(err)
	}
	return text
}

func (w *world) withToken(token string) *github.Client {
	w.Helper()
	c, err := github.NewClient(nil).WithAuthToken(token).WithEnterpriseURLs(w.s.URL(), w.s.URL())
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// TestWhoMayWhat: the refusals of GitHub for each kind of caller.
func TestWhoMayWhat(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "open")
	w.s.AddUser("stranger")
	private := must(w.as("acme").Repositories.Create(w.ctx, "", &github.Repository{Name: github.String("closed"),
		Private: github.Bool(true), AutoInit: github.Bool(true)}))(w)
	w.repo("other", "elsewhere")
	_, bot := w.bot("acme", "open")
	title := &github.IssueRequest{Title: github.String("t")}
	text := &github.RepositoryContentFileOptions{Message: github.String("m"), Content: []byte("x")}

	_, _, err := w.as("").Issues.Create(w.ctx, "acme", "open", title)
	w.refused(err, 401, "Requires authentication")
	_, _, err = w.withToken("ghp_wrong").Repositories.Get(w.ctx, "acme", "open")
	w.refused(err, 401, "Bad credentials")
	for _, who := range []*github.Client{w.as(""), w.as("stranger"), bot} {
		_, _, err = who.Repositories.Get(w.ctx, "acme", private.GetName())
		w.refused(err, 404, "Not Found")
		must(who.Repositories.Get(w.ctx, "acme", "open"))(w)
	}
	_, _, err = w.as("stranger").Repositories.CreateFile(w.ctx, "acme", "open", "f", text)
	w.refused(err, 404, "Not Found")
	_, _, err = w.as("stranger").Issues.AddLabelsToIssue(w.ctx, "acme", "open", 1, []string{"x"})
	w.refused(err, 403, "admin rights")
	_, _, err = bot.Repositories.CreateFile(w.ctx, "other", "elsewhere", "f", text)
	w.refused(err, 403, "Resource not accessible by integration")
	_, _, err = w.as("acme").Checks.CreateCheckRun(w.ctx, "acme", "open", github.CreateCheckRunOptions{Name: "x", HeadSHA: "y"})
	w.refused(err, 403, "GitHub App")
	_, _, err = bot.Repositories.Edit(w.ctx, "acme", "open", &github.Repository{Archived: github.Bool(true)})
	w.refused(err, 403, "Resource not accessible by integration")
	_, _, err = w.as("acme").Apps.Get(w.ctx, "")
	w.refused(err, 401, "JSON web token")

	must(w.as("acme").Repositories.Edit(w.ctx, "acme", "open", &github.Repository{Archived: github.Bool(true)}))(w)
	_, _, err = bot.Issues.Create(w.ctx, "acme", "open", title)
	w.refused(err, 403, "archived")
}

// TestAppWithoutPermission: an app does only what it was granted.
func TestAppWithoutPermission(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "open")
	app, err := w.s.AddApp(sandbox.AppOptions{Slug: "reader", Permissions: map[string]string{"metadata": "read", "issues": "read"}})
	if err != nil {
		t.Fatal(err)
	}
	inst, err := w.s.Install("reader", "acme")
	if err != nil {
		t.Fatal(err)
	}
	bot := w.installed(app, inst.ID)
	must(w.as("acme").Issues.Create(w.ctx, "acme", "open", &github.IssueRequest{Title: github.String("t")}))(w)
	must(bot.Issues.Get(w.ctx, "acme", "open", 1))(w)
	_, _, err = bot.Issues.CreateComment(w.ctx, "acme", "open", 1, &github.IssueComment{Body: github.String("b")})
	w.refused(err, 403, "Resource not accessible by integration")

	asApp := w.asApp(app)
	if _, err := asApp.Apps.SuspendInstallation(w.ctx, inst.ID); err != nil {
		t.Fatal(err)
	}
	_, _, err = bot.Issues.Get(w.ctx, "acme", "open", 1)
	w.refused(err, 403, "suspended")
	if err := w.s.Uninstall("reader", "acme"); err != nil {
		t.Fatal(err)
	}
	_, _, err = bot.Issues.Get(w.ctx, "acme", "open", 1)
	w.refused(err, 401, "Bad credentials")
}

// TestUnknownRoute: a mistyped path answers with the request and is remembered.
func TestUnknownRoute(t *testing.T) {
	t.Parallel()
	s := sandboxtest.New(t, sandboxtest.WithUnknownRoutes())
	w := &world{T: t, s: s, ctx: t.Context()}
	resp, body := w.do(http.MethodPost, s.APIURL()+"repos/a/b/isues?x=1", s.AddUser("a").Token, `{"title":"t"}`)
	if resp.StatusCode != 404 || !strings.Contains(body, "POST /api/v3/repos/a/b/isues?x=1") || !strings.Contains(body, `\"title\"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if strings.Contains(body, "ghp_") {
		t.Error("the answer shows the token")
	}
	if got := s.Unknown(); len(got) != 1 || got[0] != "POST /api/v3/repos/a/b/isues?x=1" {
		t.Errorf("remembered %q", got)
	}
}
