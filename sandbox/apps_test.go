package sandbox_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-github/v57/github"

	"github.com/tofu-registrar/registrar/sandbox"
)

// TestApps: what an app reads of itself and where it is installed.
func TestApps(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	w.repo("acme", "s")
	w.s.AddOrganization("corp", sandbox.Member{Login: "boss", Role: "admin"})
	app, _ := w.bot("acme", "r")
	if _, err := w.s.Install("registrar", "corp"); err != nil {
		t.Fatal(err)
	}
	c := w.asApp(app)
	if got := must(c.Apps.Get(w.ctx, ""))(w); got.GetSlug() != "registrar" || got.GetPermissions().GetContents() != "write" || len(got.Events) == 0 {
		t.Errorf("app %v", got)
	}
	list := must(c.Apps.ListInstallations(w.ctx, nil))(w)
	if len(list) != 2 || list[0].GetAccount().GetLogin() != "acme" || list[0].GetRepositorySelection() != "selected" ||
		list[1].GetTargetType() != "Organization" || list[1].GetRepositorySelection() != "all" {
		t.Errorf("installations %v", list)
	}
	if got := must(c.Apps.GetInstallation(w.ctx, list[0].GetID()))(w); got.GetAppSlug() != "registrar" {
		t.Errorf("installation %v", got)
	}
	if got := must(c.Apps.FindOrganizationInstallation(w.ctx, "corp"))(w); got.GetID() != list[1].GetID() {
		t.Errorf("installation %v", got)
	}
	_, _, err := c.Apps.FindRepositoryInstallation(w.ctx, "acme", "s")
	w.refused(err, 404, "Not Found")
	_, _, err = c.Apps.CreateInstallationToken(w.ctx, 99, nil)
	w.refused(err, 404, "Not Found")
	if got := must(c.Apps.GetHookConfig(w.ctx))(w); got.GetURL() != w.hook.URL || got.GetSecret() == secret {
		t.Errorf("hook %v", got)
	}
	if _, err := w.s.AddApp(sandbox.AppOptions{Slug: "registrar"}); err == nil {
		t.Error("a second app of that name")
	}
	if _, err := w.s.Install("registrar", "acme", "none"); err == nil {
		t.Error("installed on a repository that is not there")
	}
	for _, login := range []string{"nobody", ""} {
		if _, err := w.s.Install("registrar", login); err == nil {
			t.Errorf("installed on %q", login)
		}
	}
}

// TestSelectedInstallationIgnoresNewRepositories: "all" grows by itself,
// "selected" does not.
func TestSelectedInstallationIgnoresNewRepositories(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	_, selected := w.bot("acme", "r")
	w.repo("acme", "later")
	_, _, err := selected.Issues.Create(w.ctx, "acme", "later", &github.IssueRequest{Title: github.String("t")})
	w.refused(err, 403, "integration")
	w.repo("else", "r")
	all, err := w.s.Install("registrar", "else")
	if err != nil {
		t.Fatal(err)
	}
	w.repo("else", "later")
	w.take()
	if list := must(w.as("else").Repositories.ListByUser(w.ctx, "else", nil))(w); len(list) != 2 || all.ID == 0 {
		t.Errorf("%d repositories", len(list))
	}
}

// TestManifestFlow: from the form to an app that works, once.
func TestManifestFlow(t *testing.T) {
	t.Parallel()
	w := start(t)
	form := url.Values{"manifest": {`{"name":"My Registrar","url":"https://example.org","redirect_url":"http://127.0.0.1:9/back?x=1",
		"hook_attributes":{"url":"` + w.hook.URL + `"},"default_permissions":{"issues":"write"},"default_events":["issues"]}`}}
	resp, body := w.do(http.MethodPost, w.s.URL()+"/settings/apps/new?state=abc", "", form.Encode(),
		"Content-Type", "application/x-www-form-urlencoded")
	back, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != 302 || back.Query().Get("state") != "abc" || back.Query().Get("x") != "1" {
		t.Fatalf("%d %s %s", resp.StatusCode, back, body)
	}
	c := w.as("")
	made := must(c.Apps.CompleteAppManifest(w.ctx, back.Query().Get("code")))(w)
	if made.GetSlug() != "my-registrar" || made.GetWebhookSecret() == "" || made.GetOwner().GetLogin() != "sandbox" {
		t.Errorf("app %v", made)
	}
	w.want("ping")
	app := sandbox.App{ID: made.GetID(), PrivateKeyPEM: []byte(made.GetPEM())}
	if got := must(w.asApp(app).Apps.Get(w.ctx, ""))(w); got.GetID() != made.GetID() {
		t.Errorf("app %v", got)
	}
	_, _, err = c.Apps.CompleteAppManifest(w.ctx, back.Query().Get("code"))
	w.refused(err, 404, "Not Found")
	for _, bad := range []string{"", "{", `{"name":"x"}`, `{"redirect_url":"javascript:x","name":"x"}`, `{"redirect_url":"http://x"}`} {
		resp, _ := w.do(http.MethodPost, w.s.URL()+"/settings/apps/new", "", url.Values{"manifest": {bad}}.Encode(),
			"Content-Type", "application/x-www-form-urlencoded")
		if resp.StatusCode != 422 {
			t.Errorf("%s: %d", bad, resp.StatusCode)
		}
	}
}
