package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/sandbox"
	"github.com/tofu-registrar/registrar/sandbox/sandboxtest"
	"github.com/tofu-registrar/registrar/templates"
)

// TestInstallation: whoever installs the App is shown what of theirs could be
// submitted, what is registered is looked at, and nothing is submitted.
func TestInstallation(t *testing.T) {
	ctx := t.Context()
	w, err := newWorld(ctx, worldOptions{log: slog.New(slog.DiscardHandler), observe: func(s *sandbox.Server) { sandboxtest.Watch(t, s) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	mine := func(name string) actors.Repo { return actors.Repo{Owner: "ada", Name: name} }
	for _, name := range []string{"terraform-provider-demo", "terraform-aws-net", "terraform-aws-secret", "website"} {
		if err := w.author.CreateRepository(ctx, mine(name)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(w.author.SetPrivate(ctx, mine("terraform-aws-secret"), true))
	check(w.author.Tag(ctx, mine("terraform-aws-net"), "v1.0.0"))
	check(w.maintainer.PutFile(ctx, w.metadata, "modules/a/ada/net/aws.json", []byte(`{"versions": [{"version": "v0.1.0"}]}`)))
	check(w.Idle(ctx))

	inst, err := w.github.Install("registrar", "ada")
	check(err)
	check(actors.Until(ctx, 20*time.Second, "the new version of what is registered", func(ctx context.Context) (bool, error) {
		body, _, err := w.get(ctx, "/v1/modules/ada/net/aws/versions")
		return strings.Contains(string(body), `"1.0.0"`), err
	}))
	page, status := w.setup(ctx, t, inst.ID)
	for _, want := range []string{"Submit the provider ada/demo", "module ada/net/aws, from ada/terraform-aws-net", "template=provider.yml"} {
		if status != http.StatusOK || !strings.Contains(page, want) {
			t.Errorf("%d: no %q in\n%s", status, want, page)
		}
	}
	for _, never := range []string{"secret", "website", "<script"} {
		if strings.Contains(page, never) {
			t.Errorf("%q is in\n%s", never, page)
		}
	}
	if _, status := w.setup(ctx, t, inst.ID+1000); status != http.StatusNotFound {
		t.Errorf("an installation that is not there: %d", status)
	}
	check(w.Idle(ctx))
	if issue, err := w.maintainer.Issue(ctx, w.metadata, 1); err == nil && issue.PullRequestLinks == nil {
		t.Errorf("something was submitted: %s", issue.GetTitle())
	}

	// One that is not registered costs a look at the installation and no more.
	check(w.author.CreateRepository(ctx, actors.Repo{Owner: "ada", Name: "terraform-provider-other"}))
	check(w.Idle(ctx))
	w.github.ResetCalls()
	if _, err := w.bot.Handlers.Reconcile(ctx, "moved ada/terraform-provider-other"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.bot.Handlers.Reconcile(ctx, "repository ada/terraform-provider-other"); err != nil {
		t.Fatal(err)
	}
	for _, c := range w.github.Calls() {
		if strings.Contains(c.Path, "terraform-provider-other") || c.Method != http.MethodGet {
			t.Errorf("a repository that is not registered is asked about: %s %s", c.Method, c.Path)
		}
	}
}

func (w *world) setup(ctx context.Context, t *testing.T, id int64) (page string, status int) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/setup?installation_id=%d&setup_action=install", w.botURL, id), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode == http.StatusOK && !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("headers %v", resp.Header)
	}
	return string(body), resp.StatusCode
}

// TestSetupIsBounded: whoever asks for many numbers does not make the bot ask
// GitHub for as many.
func TestSetupIsBounded(t *testing.T) {
	asked, now := 0, time.Unix(1_800_000_000, 0)
	s := newSetup(func(_ context.Context, id int64) (templates.Setup, error) {
		asked++
		if id%2 == 0 {
			return templates.Setup{}, fmt.Errorf("installation %d: %w", id, forge.ErrNotFound)
		}
		return templates.Setup{}, nil
	}, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	get := func(query string) int {
		rec := httptest.NewRecorder()
		err := s.serve(echo.New().NewContext(httptest.NewRequest(http.MethodGet, "/setup?"+query, nil), rec))
		var refused *echo.HTTPError
		if errors.As(err, &refused) {
			return refused.Code
		}
		return rec.Code
	}
	for _, query := range []string{"", "installation_id=", "installation_id=-1", "installation_id=x", "installation_id=99999999999999999999"} {
		if got := get(query); got != http.StatusBadRequest {
			t.Errorf("%q: %d", query, got)
		}
	}
	for id, want := range map[int]int{1: http.StatusOK, 2: http.StatusNotFound} {
		asked = 0
		for range 3 {
			if got := get(fmt.Sprintf("installation_id=%d", id)); got != want || asked != 1 {
				t.Errorf("installation %d: %d, asked %d times", id, got, asked)
			}
		}
	}
	asked = 0
	refused := 0
	for id := range 200 {
		if get(fmt.Sprintf("installation_id=%d", id+10)) == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 180 || asked > 20 {
		t.Errorf("%d refused, asked %d times", refused, asked)
	}
	now = now.Add(time.Hour)
	if got := get("installation_id=7"); got != http.StatusOK {
		t.Errorf("after a while: %d", got)
	}
}
