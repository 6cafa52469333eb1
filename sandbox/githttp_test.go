package sandbox_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gogit "github.com/go-git/go-git/v5"
	gitconfig "github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/storage/memory"
	"github.com/google/go-github/v57/github"
)

// TestPush: a real git clones, commits, pushes branches and tags; REST sees
// them and the bot hears of them.
func TestPush(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	w.bot("acme")
	w.take()
	c := w.as("acme")
	dir := filepath.Join(t.TempDir(), "r")
	w.git(t.TempDir(), "clone", "-q", w.remote("acme", "acme", "r"), dir)
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte(strings.Repeat("line\n", 5000)), 0o600); err != nil {
		t.Fatal(err)
	}
	w.git(dir, "add", ".")
	w.git(dir, "commit", "-qm", "by hand")
	w.git(dir, "tag", "-am", "one", "v1")
	w.git(dir, "push", "-q", "origin", "main", "v1", "main:side")
	hooks := w.want("push", "check_suite.requested", "create", "push", "check_suite.requested", "create", "push")
	p := hooks[0].payload
	if p["ref"] != "refs/heads/main" || p["created"] != false || len(p["commits"].([]any)) != 1 ||
		stringOf(p["pusher"].(map[string]any)["name"]) != "acme" {
		t.Errorf("push %v %v %v", p["ref"], p["created"], p["commits"])
	}
	if added := p["commits"].([]any)[0].(map[string]any)["added"].([]any); len(added) != 1 || added[0] != "f" {
		t.Errorf("added %v", added)
	}
	if side := hooks[3].payload; side["ref"] != "refs/heads/side" || side["created"] != true || len(side["commits"].([]any)) != 0 {
		t.Errorf("push of a new branch %v %v %v", side["ref"], side["created"], side["commits"])
	}
	head := strings.TrimSpace(w.git(dir, "rev-parse", "HEAD"))
	if got := must(c.Repositories.GetCommit(w.ctx, "acme", "r", "v1", nil))(w); got.GetSHA() != head || got.GetStats().GetAdditions() != 5000 {
		t.Errorf("commit %s +%d", got.GetSHA(), got.GetStats().GetAdditions())
	}

	w.git(dir, "commit", "-q", "--amend", "-m", "rewritten")
	if out, err := w.tryGit(dir, "push", "-q", "origin", "main"); err == nil || !strings.Contains(out, "rejected") {
		t.Errorf("a push that is no fast forward: %s", out)
	}
	w.want()
	w.git(dir, "push", "-qf", "origin", "main")
	hooks = w.want("push", "check_suite.requested")
	if hooks[0].payload["forced"] != true {
		t.Error("not said to be forced")
	}
	w.git(dir, "push", "-q", "origin", ":side", ":v1")
	w.want("push", "delete", "push", "delete")
	if out, err := w.tryGit(dir, "push", "-q", "origin", ":main"); err == nil {
		t.Errorf("the default branch was deleted: %s", out)
	}
	if out, err := w.tryGit(dir, "push", "-q", "origin", "main:refs/pull/9/head"); err == nil {
		t.Errorf("refs/pull was written: %s", out)
	}

	// what REST writes, git fetches
	w.file(c, "acme", "r", "main", "g", "from REST")
	w.git(dir, "-c", "protocol.version=2", "pull", "-q", "--rebase")
	if data, err := os.ReadFile(filepath.Join(dir, "g")); err != nil || string(data) != "from REST" {
		t.Errorf("%q %v", data, err)
	}
	shallow := filepath.Join(t.TempDir(), "shallow")
	w.git(t.TempDir(), "clone", "-q", "--depth", "1", "--filter=blob:none", w.s.URL()+"/acme/r", shallow)
	if out := w.git(shallow, "rev-list", "--count", "HEAD"); out != "1\n" {
		t.Errorf("shallow clone has %s commits", out)
	}
}

// TestManyRefs: a push too large for git to send unpacked and uncompressed.
func TestManyRefs(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	dir := filepath.Join(t.TempDir(), "r")
	w.git(t.TempDir(), "clone", "-q", w.remote("acme", "acme", "r"), dir)
	for i := range 150 { // more than receive.unpackLimit, so that a pack is kept
		if err := os.WriteFile(filepath.Join(dir, "f"+itoa(int64(i+1))), []byte{byte(i)}, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	w.git(dir, "add", ".")
	w.git(dir, "commit", "-qm", "many")
	var refs strings.Builder
	for i := range 300 {
		refs.WriteString("create refs/tags/v" + itoa(int64(i+1)) + " HEAD\n")
	}
	script := filepath.Join(dir, ".git", "refs.txt")
	if err := os.WriteFile(script, []byte(refs.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	w.git(dir, "-c", "alias.make=!git update-ref --stdin <.git/refs.txt", "make")
	w.git(dir, "push", "-q", "origin", "main", "--tags")
	c := w.as("acme")
	if tree := must(c.Git.GetTree(w.ctx, "acme", "r", "main", true))(w); len(tree.Entries) != 151 {
		t.Errorf("%d files", len(tree.Entries))
	}
	w.file(c, "acme", "r", "main", "last", "x")
	remote := gogit.NewRemote(memory.NewStorage(), &gitconfig.RemoteConfig{Name: "o", URLs: []string{w.s.URL() + "/acme/r"}})
	list, err := remote.List(&gogit.ListOptions{})
	if err != nil || len(list) != 302 {
		t.Errorf("go-git lists %d refs, %v", len(list), err)
	}
}

// TestGitAccess: who may clone and push.
func TestGitAccess(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	must(w.as("acme").Repositories.Create(w.ctx, "", &github.Repository{Name: github.String("closed"),
		Private: github.Bool(true), AutoInit: github.Bool(true)}))(w)
	dir := t.TempDir()
	for remote, wants := range map[string]bool{
		w.s.URL() + "/acme/r":                  true,
		w.s.URL() + "/ACME/R.git":              true,
		w.s.URL() + "/acme/none":               false,
		w.s.URL() + "/acme/closed":             false,
		w.remote("stranger", "acme", "closed"): false,
		w.remote("acme", "acme", "closed"):     true,
	} {
		if out, err := w.tryGit(dir, "ls-remote", remote); (err == nil) != wants {
			t.Errorf("%s: %v %s", remote, err, out)
		}
	}
	clone := filepath.Join(dir, "clone")
	w.git(dir, "clone", "-q", w.s.URL()+"/acme/r", clone)
	w.git(clone, "commit", "-q", "--allow-empty", "-m", "x")
	for _, remote := range []string{w.s.URL() + "/acme/r", w.remote("stranger", "acme", "r")} {
		if out, err := w.tryGit(clone, "push", remote, "main"); err == nil {
			t.Errorf("pushed to %s: %s", remote, out)
		}
	}
	must(w.as("acme").Repositories.Edit(w.ctx, "acme", "r", &github.Repository{Archived: github.Bool(true)}))(w)
	if out, err := w.tryGit(clone, "push", w.remote("acme", "acme", "r"), "main"); err == nil {
		t.Errorf("pushed to an archived repository: %s", out)
	}
}

// TestFirstPush: the first branch pushed to an empty repository becomes its
// default branch.
func TestFirstPush(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.as("acme")
	must(c.Repositories.Create(w.ctx, "", &github.Repository{Name: github.String("r")}))(w)
	dir := t.TempDir()
	w.git(dir, "init", "-q", "-b", "trunk")
	w.git(dir, "commit", "-q", "--allow-empty", "-m", "x")
	w.git(dir, "push", "-q", w.remote("acme", "acme", "r"), "trunk")
	if r := must(c.Repositories.Get(w.ctx, "acme", "r"))(w); r.GetDefaultBranch() != "trunk" {
		t.Errorf("default branch %s", r.GetDefaultBranch())
	}
}

// TestArchives: the source of a tag, as a client downloads it.
func TestArchives(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	w.file(c, "acme", "r", "main", "main.tf", "x")
	w.release(c, "v1.0.0")
	link, _, err := c.Repositories.GetArchiveLink(w.ctx, "acme", "r", github.Tarball, &github.RepositoryContentGetOptions{Ref: "v1.0.0"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, body := w.get(link.String(), "")
	file := filepath.Join(t.TempDir(), "a.tar.gz")
	if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(w.ctx, "tar", "tzf", file).CombinedOutput()
	if err != nil || string(out) != "r-1.0.0/\nr-1.0.0/README.md\nr-1.0.0/main.tf\n" {
		t.Errorf("%s %v", out, err)
	}
	if resp, body := w.get(w.s.URL()+"/acme/r/archive/refs/heads/main.zip", ""); resp.StatusCode != 200 || !strings.HasPrefix(body, "PK") {
		t.Errorf("zip: %d", resp.StatusCode)
	}
	if resp, _ := w.get(w.s.URL()+"/acme/r/archive/none.zip", ""); resp.StatusCode != 404 {
		t.Errorf("none: %d", resp.StatusCode)
	}
}
