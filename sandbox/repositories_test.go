package sandbox_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-github/v57/github"

	"github.com/tofu-registrar/registrar/sandbox"
)

// TestRenamedRepository: the former name leads to the present one, in REST, on
// the web and for git.
func TestRenamedRepository(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "old")
	w.bot("acme")
	w.take()
	acme := w.as("acme")
	renamed := must(acme.Repositories.Edit(w.ctx, "ACME", "Old", &github.Repository{Name: github.String("New")}))(w)
	if renamed.GetFullName() != "acme/New" {
		t.Errorf("name %s", renamed.GetFullName())
	}
	hooks := w.want("repository.renamed")
	if from := hooks[0].payload["changes"].(map[string]any)["repository"]; !strings.Contains(stringOf(from), "old") {
		t.Errorf("changes %v", from)
	}
	if got := must(acme.Repositories.Get(w.ctx, "acme", "old"))(w); got.GetName() != "New" {
		t.Errorf("followed to %s", got.GetFullName())
	}
	resp, _ := w.get(w.s.APIURL()+"repos/acme/old/issues?state=all", "")
	if resp.StatusCode != 301 || !strings.HasSuffix(resp.Header.Get("Location"), "/repositories/"+itoa(renamed.GetID())+"/issues?state=all") {
		t.Errorf("%d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	resp, body := w.do(http.MethodPost, w.s.APIURL()+"repositories/"+itoa(renamed.GetID())+"/issues", w.s.UserToken("acme"), `{"title":"by number"}`)
	if resp.StatusCode != 201 {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	resp, _ = w.get(w.s.URL()+"/acme/old/releases.atom", "")
	if resp.StatusCode != 301 || resp.Header.Get("Location") != w.s.URL()+"/acme/New/releases.atom" {
		t.Errorf("feed: %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	if out := w.git(t.TempDir(), "ls-remote", w.s.URL()+"/acme/old.git"); !strings.Contains(out, "refs/heads/main") {
		t.Errorf("ls-remote: %s", out)
	}

	w.repo("acme", "old") // the name is taken anew: the redirect ends
	if got := must(acme.Repositories.Get(w.ctx, "acme", "old"))(w); got.GetName() != "old" {
		t.Errorf("got %s", got.GetFullName())
	}
}

func stringOf(v any) string {
	if m, is := v.(map[string]any); is {
		var all []string
		for k, inner := range m {
			all = append(all, k+":"+stringOf(inner))
		}
		return strings.Join(all, " ")
	}
	s, _ := v.(string)
	return s
}

// TestRepositoryLife: create in an organization, refuse what GitHub refuses,
// transfer, hide, archive, delete.
func TestRepositoryLife(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.s.AddOrganization("corp", sandbox.Member{Login: "boss", Role: "admin", Public: true}, sandbox.Member{Login: "worker"})
	boss, worker := w.as("boss"), w.as("worker")
	must(boss.Repositories.Create(w.ctx, "corp", &github.Repository{Name: github.String("x"), AutoInit: github.Bool(true)}))(w)
	_, bot := w.bot("corp")
	w.take()
	_, _, err := w.as("stranger").Repositories.Create(w.ctx, "corp", &github.Repository{Name: github.String("y")})
	w.refused(err, 403, "admin access")
	_, _, err = boss.Repositories.Create(w.ctx, "corp", &github.Repository{Name: github.String("X")})
	w.refused(err, 422, "already exists")
	_, _, err = boss.Repositories.Create(w.ctx, "corp", &github.Repository{Name: github.String("no/slash")})
	w.refused(err, 422, "invalid")
	_, _, err = worker.Repositories.Edit(w.ctx, "corp", "x", &github.Repository{Private: github.Bool(true)})
	w.refused(err, 403, "admin rights")

	must(boss.Repositories.Edit(w.ctx, "corp", "x", &github.Repository{Private: github.Bool(true), Description: github.String("d")}))(w)
	must(worker.Repositories.Get(w.ctx, "corp", "x"))(w)
	if got := must(bot.Repositories.Get(w.ctx, "corp", "x"))(w); got.GetVisibility() != "private" || got.GetDescription() != "d" {
		t.Errorf("%s %q", got.GetVisibility(), got.GetDescription())
	}
	must(boss.Repositories.Edit(w.ctx, "corp", "x", &github.Repository{Archived: github.Bool(true), Private: github.Bool(false)}))(w)
	w.want("repository.edited", "repository.privatized", "repository.publicized", "repository.archived")

	_, _, err = boss.Repositories.Transfer(w.ctx, "corp", "x", github.TransferRequest{NewOwner: "boss"})
	var accepted *github.AcceptedError
	if err != nil && !errors.As(err, &accepted) {
		t.Fatal(err)
	}
	w.want("installation_repositories.removed") // boss has not installed the app
	if got := must(w.as("").Repositories.Get(w.ctx, "corp", "x"))(w); got.GetFullName() != "boss/x" {
		t.Errorf("transferred to %s", got.GetFullName())
	}
	if _, err := boss.Repositories.Delete(w.ctx, "boss", "x"); err != nil {
		t.Fatal(err)
	}
	_, _, err = boss.Repositories.Get(w.ctx, "boss", "x")
	w.refused(err, 404, "Not Found")
	_, _, err = boss.Repositories.Get(w.ctx, "corp", "x")
	w.refused(err, 404, "Not Found")
}

// TestPermissionLevels: who is what to a repository.
func TestPermissionLevels(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.s.AddOrganization("corp", sandbox.Member{Login: "boss", Role: "admin"}, sandbox.Member{Login: "worker"})
	boss := w.as("boss")
	must(boss.Repositories.Create(w.ctx, "corp", &github.Repository{Name: github.String("x")}))(w)
	w.s.AddUser("stranger")
	for login, permission := range map[string]string{"helper": "maintain", "sorter": "triage", "pusher": "push"} {
		w.s.AddUser(login)
		must(boss.Repositories.AddCollaborator(w.ctx, "corp", "x", login, &github.RepositoryAddCollaboratorOptions{Permission: permission}))(w)
	}
	for login, want := range map[string]string{"boss": "admin", "worker": "read", "helper": "write", "sorter": "read",
		"pusher": "write", "stranger": "read"} {
		got := must(boss.Repositories.GetPermissionLevel(w.ctx, "corp", "x", login))(w)
		if got.GetPermission() != want {
			t.Errorf("%s: %s, want %s", login, got.GetPermission(), want)
		}
	}
	must(boss.Repositories.Edit(w.ctx, "corp", "x", &github.Repository{Private: github.Bool(true)}))(w)
	if got := must(boss.Repositories.GetPermissionLevel(w.ctx, "corp", "x", "stranger"))(w); got.GetPermission() != "none" {
		t.Errorf("stranger: %s", got.GetPermission())
	}
	_, _, err := boss.Repositories.GetPermissionLevel(w.ctx, "corp", "x", "nobody")
	w.refused(err, 404, "not a user")
	if is, _, err := boss.Repositories.IsCollaborator(w.ctx, "corp", "x", "stranger"); err != nil || is {
		t.Errorf("stranger is a collaborator: %v, %v", is, err)
	}
	if _, err := boss.Repositories.RemoveCollaborator(w.ctx, "corp", "x", "pusher"); err != nil {
		t.Fatal(err)
	}
	_, _, err = w.as("pusher").Repositories.Get(w.ctx, "corp", "x")
	w.refused(err, 404, "Not Found")
}

// TestMembership: public and concealed members, and who may change that.
func TestMembership(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.s.AddOrganization("corp", sandbox.Member{Login: "shown", Public: true}, sandbox.Member{Login: "hidden"})
	stranger := w.as("stranger")
	isPublic := func(login string) bool {
		is, _, err := stranger.Organizations.IsPublicMember(w.ctx, "corp", login)
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
	if !isPublic("shown") || isPublic("hidden") || isPublic("nobody") {
		t.Error("public membership")
	}
	if is, _, err := stranger.Organizations.IsMember(w.ctx, "corp", "hidden"); err != nil || is {
		t.Errorf("a stranger sees the hidden member: %v, %v", is, err)
	}
	if is, _, err := w.as("shown").Organizations.IsMember(w.ctx, "corp", "hidden"); err != nil || !is {
		t.Errorf("a member does not see the hidden member: %v, %v", is, err)
	}
	_, err := w.as("shown").Organizations.PublicizeMembership(w.ctx, "corp", "hidden")
	w.refused(err, 403, "your own")
	if _, err := w.as("hidden").Organizations.PublicizeMembership(w.ctx, "corp", "hidden"); err != nil || !isPublic("hidden") {
		t.Errorf("publicize: %v", err)
	}
	if _, err := w.as("shown").Organizations.ConcealMembership(w.ctx, "corp", "shown"); err != nil || isPublic("shown") {
		t.Errorf("conceal: %v", err)
	}
	members := must(stranger.Organizations.ListMembers(w.ctx, "corp", &github.ListMembersOptions{PublicOnly: true}))(w)
	if len(members) != 1 || members[0].GetLogin() != "hidden" {
		t.Errorf("members %v", members)
	}
	if org := must(stranger.Organizations.Get(w.ctx, "CORP"))(w); org.GetLogin() != "corp" {
		t.Errorf("organization %s", org.GetLogin())
	}
	if u := must(stranger.Users.Get(w.ctx, ""))(w); u.GetLogin() != "stranger" {
		t.Errorf("user %s", u.GetLogin())
	}
	if u := must(stranger.Users.Get(w.ctx, "corp"))(w); u.GetType() != "Organization" {
		t.Errorf("type %s", u.GetType())
	}
	_, _, err = stranger.Users.Get(w.ctx, "nobody")
	w.refused(err, 404, "Not Found")
}
