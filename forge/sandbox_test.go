package forge_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/dirhash"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/sandbox"
	"github.com/tofu-registrar/registrar/sandbox/sandboxtest"
	"github.com/tofu-registrar/registrar/validation"
)

var (
	registryRepo = actors.Repo{Owner: "registry", Name: "metadata"}
	authorsRepo  = actors.Repo{Owner: "acme", Name: "terraform-provider-demo"}
	providerRepo = registrydata.Repository{Owner: authorsRepo.Owner, Name: authorsRepo.Name}
)

// hub is a sandbox with a metadata repository on which an App is installed, and
// the forge that speaks as this App.
type hub struct {
	*sandbox.Server
	app        sandbox.App
	grace, ada *actors.Person // a maintainer, an author
	forge      *forge.Forge
	meta       *forge.Metadata
	authors    *forge.Authors
}

func newHub(t *testing.T) *hub {
	t.Helper()
	ctx := context.Background()
	h := &hub{Server: sandboxtest.New(t)}
	h.AddOrganization("registry", sandbox.Member{Login: "grace", Role: "admin"})
	h.AddOrganization("acme", sandbox.Member{Login: "ada", Public: true, Role: "admin"}, sandbox.Member{Login: "shy"})
	h.grace, h.ada = h.person(t, "grace"), h.person(t, "ada")
	must(t, h.grace.CreateRepository(ctx, registryRepo))
	must(t, h.grace.PutFile(ctx, registryRepo, "providers/a/acme/old.json", []byte("{}")))
	must(t, h.grace.PutFile(ctx, registryRepo, "keys/a/acme/k.asc", []byte("key\r\n")))
	var err error
	h.app, err = h.AddApp(sandbox.AppOptions{Name: "registrar", Owner: "registry"})
	must(t, err)
	_, err = h.Install(h.app.Slug, "registry")
	must(t, err)
	h.forge, err = forge.New(ctx, forge.Config{
		APIURL: h.APIURL(), WebURL: h.URL(), AppID: h.app.ID, PrivateKey: h.app.PrivateKeyPEM,
		Metadata:     registrydata.Repository{Owner: registryRepo.Owner, Name: registryRepo.Name},
		AllowedHosts: []string{strings.TrimPrefix(h.AssetsURL(), "http://")},
		Log:          slog.New(slog.DiscardHandler),
	})
	must(t, err)
	h.meta, h.authors = h.forge.Metadata(), h.forge.Authors()
	return h
}

func (h *hub) person(t *testing.T, login string) *actors.Person {
	t.Helper()
	p, err := actors.New(h.URL(), login, h.AddUser(login).Token)
	must(t, err)
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// calls are the requests since the last look.
func (h *hub) calls() []string {
	var calls []string
	for _, c := range h.Calls() {
		calls = append(calls, c.Method+" "+c.Path)
	}
	h.ResetCalls()
	return calls
}

func TestSandboxIdentity(t *testing.T) {
	h := newHub(t)
	id, err := h.forge.Identity(context.Background())
	if err != nil || id.Login != h.app.BotLogin || id.Slug != h.app.Slug || !strings.HasSuffix(id.Email, "+registrar[bot]@users.noreply.github.com") {
		t.Errorf("Identity = %+v, %v", id, err)
	}
	wrong, err := forge.New(context.Background(), forge.Config{
		APIURL: h.APIURL(), WebURL: h.URL(), AppID: h.app.ID + 1, PrivateKey: h.app.PrivateKeyPEM,
		Metadata: registrydata.Repository{Owner: "registry", Name: "metadata"}, Log: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	if _, err := wrong.Identity(context.Background()); !errors.Is(err, forge.ErrUnauthorized) {
		t.Errorf("a wrong App: %v", err)
	}
}

// The whole way of a submission as far as the metadata repository sees it.
func TestSandboxSubmission(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	head, err := h.meta.Head(ctx)
	must(t, err)
	number, err := h.ada.OpenIssue(ctx, registryRepo, "Provider: acme/demo", "### Provider Repository", "provider")
	must(t, err)
	issue, err := h.meta.Issue(ctx, number)
	if err != nil || !issue.Open || issue.IsPull || issue.Author != "ada" || issue.Body != "### Provider Repository" {
		t.Fatalf("Issue = %+v, %v", issue, err)
	}

	must(t, h.meta.CreateComment(ctx, number, "first"))
	_, err = h.ada.Comment(ctx, registryRepo, number, "/recheck")
	must(t, err)
	own, err := h.meta.OwnComments(ctx, number)
	if err != nil || len(own) != 1 || own[0].Body != "first" || !own[0].ByBot || own[0].Issue != number {
		t.Fatalf("OwnComments = %+v, %v", own, err)
	}
	must(t, h.meta.EditComment(ctx, own[0].ID, "second"))
	must(t, h.meta.React(ctx, own[0].ID, "eyes"))
	must(t, h.meta.React(ctx, own[0].ID, "eyes"))
	if c, ok, err := h.meta.Comment(ctx, own[0].ID); !ok || err != nil || c.Body != "second" {
		t.Errorf("Comment = %+v, %v, %v", c, ok, err)
	}
	recent, err := h.meta.RecentComments(ctx, time.Now().Add(-time.Hour))
	must(t, err)
	listed := ""
	for _, c := range recent {
		listed += fmt.Sprintf("%s in %d by App %v, %d eyes; ", c.FirstLine, c.Issue, c.ByBot, c.Reactions["eyes"])
	}
	if a, b := fmt.Sprintf("second in %d by App true, 1 eyes; ", number), fmt.Sprintf("/recheck in %d by App false, 0 eyes; ", number); listed != a+b && listed != b+a {
		t.Errorf("RecentComments: %s", listed)
	}
	must(t, h.meta.AddLabels(ctx, number, []string{"submission", "provider"}))
	must(t, h.meta.RemoveLabel(ctx, number, "provider"))
	must(t, h.meta.RemoveLabel(ctx, number, "provider"))
	if issue, err = h.meta.Issue(ctx, number); err != nil || !cmp.Equal(issue.Labels, []string{"submission"}) {
		t.Errorf("labels %v, %v", issue.Labels, err)
	}

	draft := forge.BranchDraft{
		Name: fmt.Sprintf("submission/issue-%d", number), Base: head, Message: "Add acme/demo", Date: issue.Created,
		Files: map[string][]byte{
			"providers/a/acme/demo.json": []byte("{}"), "keys/a/acme/demo/k.asc": {0xff, '\r', '\n'}, "providers/a/acme/old.json": nil, "none": nil,
		},
	}
	commit, err := h.meta.PutBranch(ctx, draft)
	must(t, err)
	again, err := h.meta.PutBranch(ctx, draft)
	if err != nil || again != commit {
		t.Errorf("the same draft: %+v, %v; want %+v", again, err, commit)
	}
	if tip, ok, err := h.meta.Branch(ctx, draft.Name); !ok || err != nil || tip != commit {
		t.Errorf("Branch = %+v, %v, %v; want %+v", tip, ok, err, commit)
	}
	for path, want := range map[string]string{"providers/a/acme/demo.json": "{}", "keys/a/acme/demo/k.asc": "\xff\r\n", "keys/a/acme/k.asc": "key\r\n", "providers/a/acme/old.json": ""} {
		if got, ok, err := h.meta.File(ctx, commit.SHA, path); string(got) != want || ok != (want != "") || err != nil {
			t.Errorf("%s = %q, %v, %v", path, got, ok, err)
		}
	}

	pull, err := h.meta.CreatePull(ctx, forge.PullDraft{Branch: draft.Name, Title: "Add acme/demo", Body: fmt.Sprintf("Closes #%d", number)})
	must(t, err)
	twice, err := h.meta.CreatePull(ctx, forge.PullDraft{Branch: draft.Name, Title: "other"})
	if err != nil || twice.Number != pull.Number || !pull.Own || pull.FromFork || pull.HeadSHA != commit.SHA || pull.BaseBranch != "main" {
		t.Errorf("CreatePull = %+v, then %+v, %v", pull, twice, err)
	}
	title := "Add provider acme/demo"
	must(t, h.meta.EditPull(ctx, pull.Number, forge.PullEdit{Title: &title}))
	want := []registrydata.Change{
		{Path: "keys/a/acme/demo/k.asc", Kind: registrydata.Added}, {Path: "providers/a/acme/demo.json", Kind: registrydata.Added},
		{Path: "providers/a/acme/old.json", Kind: registrydata.Deleted},
	}
	got, err := h.meta.PullChanges(ctx, pull.Number)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("PullChanges: %v\n%s", err, diff)
	}
	check := forge.CheckRun{SHA: commit.SHA, Name: "Registrar", ExternalID: "x", Title: "t", Summary: "s",
		Annotations: []forge.Annotation{{Path: "providers/a/acme/demo.json", Line: 1, Level: "warning", Message: "m"}}}
	must(t, h.meta.PutCheck(ctx, check))
	first, ok, err := h.meta.Check(ctx, commit.SHA, "Registrar")
	if !ok || err != nil || first.Conclusion != "" || first.ExternalID != "x" {
		t.Errorf("Check = %+v, %v, %v", first, ok, err)
	}
	first.Conclusion, first.Summary = "success", "good"
	must(t, h.meta.PutCheck(ctx, first))
	if c, ok, err := h.meta.Check(ctx, commit.SHA, "Registrar"); !ok || err != nil || c.Conclusion != "success" || c.Summary != "good" {
		t.Errorf("Check = %+v, %v, %v", c, ok, err)
	}

	must(t, h.grace.Approve(ctx, registryRepo, pull.Number))
	reviews, err := h.meta.Reviews(ctx, pull.Number)
	if err != nil || len(reviews) != 1 || reviews[0] != (forge.Review{Author: "grace", State: "APPROVED", SHA: commit.SHA}) {
		t.Errorf("Reviews = %+v, %v", reviews, err)
	}
	if err := h.meta.Merge(ctx, pull.Number, head.SHA, "t", "m"); !errors.Is(err, forge.ErrNotMergeable) {
		t.Errorf("Merge of another head: %v", err)
	}
	for range 2 {
		must(t, h.meta.Merge(ctx, pull.Number, commit.SHA, "Add acme/demo", "m"))
	}
	merged, err := h.meta.Pull(ctx, pull.Number)
	newHead, headErr := h.meta.Head(ctx)
	if err != nil || headErr != nil || !merged.Merged || merged.Open || merged.MergeSHA != newHead.SHA || newHead.Parent != head.SHA {
		t.Errorf("merged %+v, head %+v, %v, %v", merged, newHead, err, headErr)
	}
	changes, err := h.meta.Changes(ctx, head.SHA, newHead.SHA)
	if diff := cmp.Diff(want, changes); diff != "" || err != nil {
		t.Errorf("Changes: %v\n%s", err, diff)
	}
	for range 2 {
		must(t, h.meta.DeleteBranch(ctx, draft.Name))
	}
	if _, ok, err := h.meta.Branch(ctx, draft.Name); ok || err != nil {
		t.Errorf("Branch after it was deleted: %v, %v", ok, err)
	}
	pulls, err := h.meta.PullsByBranch(ctx, draft.Name)
	if err != nil || len(pulls) != 1 || !pulls[0].Merged {
		t.Errorf("PullsByBranch = %+v, %v", pulls, err)
	}
}

func TestSandboxFiles(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	head, err := h.meta.Head(ctx)
	must(t, err)
	files, err := h.meta.Files(ctx, head.SHA, "keys")
	if err != nil || len(files) != 1 || files[0].Name != "keys/a/acme/k.asc" || files[0].Size != 5 {
		t.Errorf("Files = %+v, %v", files, err)
	}
	dir, err := h.meta.Dir(ctx, head.SHA, "providers/a/acme")
	if err != nil || len(dir) != 1 || dir[0].Name != "old.json" || dir[0].Dir {
		t.Errorf("Dir = %+v, %v", dir, err)
	}
	if dir, err := h.meta.Dir(ctx, head.SHA, "modules"); err != nil || len(dir) != 0 {
		t.Errorf("Dir of nothing = %+v, %v", dir, err)
	}
	if _, ok, err := h.meta.File(ctx, head.SHA, "keys/a"); ok || err != nil {
		t.Errorf("File of a folder: %v, %v", ok, err)
	}
	if _, _, err := h.meta.File(ctx, strings.Repeat("0", 40), "keys/a"); err == nil {
		t.Error("File at an unknown commit")
	}
}

// The calls in a row are what makes an author wait: this is where they are
// counted.
func TestSandboxCallsInARow(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	head, err := h.meta.Head(ctx)
	must(t, err)
	count := func(what string, want int, do func()) {
		t.Helper()
		h.calls()
		do()
		if got := h.calls(); len(got) != want {
			t.Errorf("%s: %d calls, want %d: %q", what, len(got), want, got)
		}
	}
	count("head", 1, func() { _, err = h.meta.Head(ctx) })
	count("file", 1, func() { _, _, err = h.meta.File(ctx, head.SHA, "keys/a/acme/k.asc") })
	count("file again", 0, func() { _, _, err = h.meta.File(ctx, head.SHA, "keys/a/acme/k.asc") })
	count("no file", 1, func() { _, _, err = h.meta.File(ctx, head.SHA, "providers/a/acme/demo.json") })
	var commit forge.Commit
	count("branch", 3, func() {
		commit, err = h.meta.PutBranch(ctx, forge.BranchDraft{Name: "submission/issue-9", Base: head, Message: "m", Date: time.Unix(1, 0),
			Files: map[string][]byte{"providers/a/acme/demo.json": []byte("{}")}})
	})
	must(t, err)
	// Both sides of root, providers, a and acme; the commits and, with them,
	// their trees are known.
	count("changes", 8, func() { _, err = h.meta.Changes(ctx, head.SHA, commit.SHA) })
	count("the changed file, which the forge wrote", 0, func() { _, _, err = h.meta.File(ctx, commit.SHA, "providers/a/acme/demo.json") })
	count("a neighbour that is not there", 0, func() { _, _, err = h.meta.File(ctx, commit.SHA, "providers/a/acme/other.json") })
	must(t, err)
}

func TestSandboxAuthors(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	must(t, h.ada.CreateRepository(ctx, authorsRepo))
	release := actors.ProviderRelease{Name: "demo", Version: "1.0.0", Platforms: []string{"linux_amd64", "darwin_arm64"}}
	must(t, h.ada.PublishProvider(ctx, authorsRepo, release))
	must(t, h.ada.Tag(ctx, authorsRepo, "v2.0.0"))

	facts, err := h.authors.Repository(ctx, registrydata.Repository{Owner: "ACME", Name: "Terraform-Provider-Demo"})
	if err != nil || !facts.Exists || facts.Repository != providerRepo || !facts.OwnerIsAnOrg || facts.Private {
		t.Errorf("Repository = %+v, %v", facts, err)
	}
	if facts, err := h.authors.Repository(ctx, registrydata.Repository{Owner: "acme", Name: "none"}); err != nil || facts.Exists {
		t.Errorf("Repository of nothing = %+v, %v", facts, err)
	}
	tags, err := h.authors.Tags(ctx, providerRepo)
	if err != nil || len(tags) != 2 || tags[0].Name != "v1.0.0" || len(tags[0].Commit) != 40 {
		t.Errorf("Tags = %+v, %v", tags, err)
	}
	if tags, err := h.authors.Tags(ctx, registrydata.Repository{Owner: "acme", Name: "none"}); err != nil || len(tags) != 0 {
		t.Errorf("Tags of nothing = %+v, %v", tags, err)
	}
	releases, err := h.authors.Releases(ctx, providerRepo)
	if err != nil || len(releases) != 1 || releases[0].Tag != "v1.0.0" || len(releases[0].Assets) != 4 {
		t.Fatalf("Releases = %+v, %v", releases, err)
	}
	one, ok, err := h.authors.Release(ctx, providerRepo, "v1.0.0")
	if diff := cmp.Diff(releases[0], one); diff != "" || !ok || err != nil {
		t.Errorf("Release: %v, %v\n%s", ok, err, diff)
	}
	if _, ok, err := h.authors.Release(ctx, providerRepo, "v2.0.0"); ok || err != nil {
		t.Errorf("Release of a tag alone: %v, %v", ok, err)
	}
	files, err := release.Files()
	must(t, err)
	for _, a := range one.Assets {
		h.checkAsset(t, a, files[a.Name])
	}
	for user, want := range map[string]bool{"ada": true, "shy": false, "nobody": false} {
		if got, err := h.authors.IsPublicMember(ctx, "acme", user); got != want || err != nil {
			t.Errorf("IsPublicMember(%s) = %v, %v", user, got, err)
		}
	}
}

func (h *hub) checkAsset(t *testing.T, a validation.Asset, want []byte) {
	t.Helper()
	ctx := context.Background()
	if a.State != "uploaded" || a.Size != int64(len(want)) {
		t.Errorf("asset %+v", a)
	}
	if !strings.HasSuffix(a.Name, ".zip") {
		got, err := h.authors.File(ctx, a, 1<<20)
		if !bytes.Equal(got, want) || err != nil {
			t.Errorf("File %s = %q, %v", a.Name, got, err)
		}
		return
	}
	path := filepath.Join(t.TempDir(), "x.zip")
	must(t, os.WriteFile(path, want, 0o600))
	h1, err := dirhash.HashZip(path, dirhash.Hash1)
	must(t, err)
	sum := sha256.Sum256(want)
	facts, err := h.authors.Zip(ctx, a)
	if facts != (validation.ZipFacts{SHA256: hex.EncodeToString(sum[:]), H1: h1, Size: a.Size}) || err != nil {
		t.Errorf("Zip %s = %+v, %v", a.Name, facts, err)
	}
}

// Without the second origin in the configuration its files are refused.
func TestSandboxForeignAssets(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	must(t, h.ada.CreateRepository(ctx, authorsRepo))
	must(t, h.ada.PublishRelease(ctx, authorsRepo, "v1.0.0", map[string][]byte{"x_SHA256SUMS": []byte("x")}))
	strict, err := forge.AnonymousAuthors(h.URL(), h.APIURL(), "")
	must(t, err)
	rel, ok, err := strict.Release(ctx, providerRepo, "v1.0.0")
	if !ok || err != nil {
		t.Fatalf("Release: %v, %v", ok, err)
	}
	var fault *forge.Fault
	if _, err := strict.File(ctx, rel.Assets[0], 100); !errors.As(err, &fault) {
		t.Errorf("File: %v", err)
	}
}

// A 2 GB asset is refused by its listed size, and a listing that lies by what
// comes.
func TestSandboxLargeAsset(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	must(t, h.ada.CreateRepository(ctx, authorsRepo))
	must(t, h.ada.PublishRelease(ctx, authorsRepo, "v1.0.0", map[string][]byte{"x": []byte("x")}))
	endless := func() io.Reader { return zeroReader{} }
	must(t, h.AddGeneratedAsset(authorsRepo.Owner, authorsRepo.Name, "v1.0.0", "large.zip", 2_000_000_000, endless))
	must(t, h.AddGeneratedAsset(authorsRepo.Owner, authorsRepo.Name, "v1.0.0", "lies.zip", 1000, endless))
	rel, _, err := h.authors.Release(ctx, providerRepo, "v1.0.0")
	must(t, err)
	for _, a := range rel.Assets {
		if !strings.HasSuffix(a.Name, ".zip") {
			continue
		}
		facts, err := h.authors.Zip(ctx, a)
		if err != nil || facts.Fault == "" {
			t.Errorf("Zip %s = %+v, %v", a.Name, facts, err)
		}
	}
}

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Each write is carried out and answered with 502: the outcome is as if it had
// been answered well, and nothing is there twice.
func TestSandboxDidItButAnswered502(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	head, err := h.meta.Head(ctx)
	must(t, err)
	number, err := h.ada.OpenIssue(ctx, registryRepo, "t", "b", "question")
	must(t, err)
	draft := forge.BranchDraft{Name: "submission/issue-1", Base: head, Message: "m", Date: time.Unix(1, 0), Files: map[string][]byte{"x": []byte("x")}}
	moved := draft
	moved.Message = "other"
	var commit forge.Commit
	var pull forge.Pull
	steps := []struct {
		path string
		do   func() error
	}{
		{"/git/trees$", func() (err error) { commit, err = h.meta.PutBranch(ctx, draft); return err }},
		{"/git/refs", func() (err error) { commit, err = h.meta.PutBranch(ctx, draft); return err }},
		{"/git/refs/heads", func() (err error) { commit, err = h.meta.PutBranch(ctx, moved); return err }},
		{"/comments$", func() error { return h.meta.CreateComment(ctx, number, "hello") }},
		{"/pulls$", func() (err error) {
			pull, err = h.meta.CreatePull(ctx, forge.PullDraft{Branch: draft.Name, Title: "t"})
			return err
		}},
		{"/check-runs$", func() error {
			return h.meta.PutCheck(ctx, forge.CheckRun{SHA: commit.SHA, Name: "n", ExternalID: "e", Conclusion: "success", Title: "t", Summary: "s"})
		}},
		{"/issues$", func() error { _, err := h.meta.CreateIssue(ctx, "alert", "text", []string{"x"}); return err }},
		{"/merge$", func() error { return h.meta.Merge(ctx, pull.Number, commit.SHA, "t", "m") }},
	}
	for _, s := range steps {
		must(t, h.Knobs().Set(sandbox.Settings{Faults: []sandbox.Fault{{Method: "POST|PATCH|PUT", Path: s.path, Times: 1, DidIt: true}}}))
		if err := s.do(); err != nil {
			t.Errorf("%s: %v", s.path, err)
		}
	}
	must(t, h.Knobs().Set(sandbox.Settings{}))
	if own, err := h.meta.OwnComments(ctx, number); err != nil || len(own) != 1 {
		t.Errorf("comments %+v, %v", own, err)
	}
	if issues, err := h.meta.OpenIssues(ctx); err != nil || len(issues) != 2 {
		t.Errorf("issues %v, %v", issues, err)
	}
}

func TestSandboxPages(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	must(t, h.Knobs().Set(sandbox.Settings{PageSize: 3}))
	for i := range 10 {
		_, err := h.ada.OpenIssue(ctx, registryRepo, fmt.Sprint("t", i), "b", "question")
		must(t, err)
	}
	numbers, err := h.meta.OpenIssues(ctx)
	if err != nil || len(numbers) != 10 || numbers[0].Number > numbers[9].Number {
		t.Errorf("OpenIssues = %v, %v", numbers, err)
	}
	if pulls, err := h.meta.OpenPulls(ctx); err != nil || len(pulls) != 0 {
		t.Errorf("OpenPulls = %v, %v", pulls, err)
	}
}

func TestSandboxRights(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	for user, want := range map[string]bool{"grace": true, "ada": false, "nobody": false} {
		if got, err := h.meta.CanWrite(ctx, user); got != want || err != nil {
			t.Errorf("CanWrite(%s) = %v, %v", user, got, err)
		}
	}
	if failed, err := h.forge.ListFailedDeliveries(ctx, time.Now().Add(-time.Hour)); err != nil {
		t.Errorf("ListFailedDeliveries = %v, %v", failed, err)
	}
}

func TestSandboxRateLimit(t *testing.T) {
	ctx := context.Background()
	for secondary, settings := range map[bool]sandbox.Settings{
		false: {RateLimitAfter: 1},
		true:  {Secondary: sandbox.SecondaryLimit{After: 1, Times: 1, RetryAfter: sandbox.Duration(30 * time.Second)}},
	} {
		h := newHub(t)
		_, err := h.meta.Head(ctx)
		must(t, err)
		must(t, h.Knobs().Set(settings))
		for range 3 {
			_, err = h.meta.Issue(ctx, 1)
		}
		var limited *forge.RateLimitError
		if !errors.As(err, &limited) || limited.Secondary != secondary || time.Until(limited.Until) <= 0 || time.Until(limited.Until) > 2*time.Hour {
			t.Errorf("secondary %v: %v", secondary, err)
		}
	}
}
