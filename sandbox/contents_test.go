package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-github/v57/github"
)

// TestContents: create, read, replace, delete, and the conflicts between.
func TestContents(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	repos := c.Repositories
	opts := func(text, sha string) *github.RepositoryContentFileOptions {
		o := &github.RepositoryContentFileOptions{Message: github.String("m"), Content: []byte(text)}
		if sha != "" {
			o.SHA = &sha
		}
		return o
	}
	made := must(repos.CreateFile(w.ctx, "acme", "r", "a/b/ü c.txt", opts("one\r\n", "")))(w)
	file, _, _, err := repos.GetContents(w.ctx, "acme", "r", "a/b/ü c.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := file.GetContent(); text != "one\r\n" || file.GetSHA() != made.Content.GetSHA() || file.GetSize() != 5 {
		t.Errorf("%q %s %d", text, file.GetSHA(), file.GetSize())
	}
	_, _, err = repos.CreateFile(w.ctx, "acme", "r", "a/b/ü c.txt", opts("two", ""))
	w.refused(err, 422, "sha")
	must(repos.UpdateFile(w.ctx, "acme", "r", "a/b/ü c.txt", opts("two", file.GetSHA())))(w)

	_, dir, _, err := repos.GetContents(w.ctx, "acme", "r", "a", nil)
	if err != nil || len(dir) != 1 || dir[0].GetType() != "dir" || dir[0].GetPath() != "a/b" {
		t.Errorf("folder %v, %v", dir, err)
	}
	resp, body := w.get(w.s.APIURL()+"repos/acme/r/contents/a/b/%C3%BC%20c.txt", "", "Accept", "application/vnd.github.raw")
	if body != "two" || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/vnd.github.raw") {
		t.Errorf("raw %q %s", body, resp.Header.Get("Content-Type"))
	}
	_, _, _, err = repos.GetContents(w.ctx, "acme", "r", "a/none", nil)
	w.refused(err, 404, "Not Found")
	_, _, _, err = repos.GetContents(w.ctx, "acme", "r", "a", &github.RepositoryContentGetOptions{Ref: "none"})
	w.refused(err, 404, "No commit found for the ref none")
	for _, bad := range []string{"a/../b", ".git/config", "a//b"} {
		resp, _ := w.do(http.MethodPut, w.s.APIURL()+"repos/acme/r/contents/"+strings.ReplaceAll(bad, "..", "%2E%2E"),
			w.s.UserToken("acme"), `{"message":"m","content":"eA=="}`)
		if resp.StatusCode != 422 {
			t.Errorf("%s: %d", bad, resp.StatusCode)
		}
	}
	file, _, _, err = repos.GetContents(w.ctx, "acme", "r", "a/b/ü c.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	must(repos.DeleteFile(w.ctx, "acme", "r", "a/b/ü c.txt", opts("", file.GetSHA())))(w)
	_, _, _, err = repos.GetContents(w.ctx, "acme", "r", "a", nil)
	w.refused(err, 404, "Not Found") // the folder went with its last file

	big := strings.Repeat("x", 1<<20+1)
	must(repos.CreateFile(w.ctx, "acme", "r", "big", opts(big, "")))(w)
	file, _, _, err = repos.GetContents(w.ctx, "acme", "r", "big", nil)
	if err != nil || file.GetEncoding() != "none" || file.GetSize() != len(big) {
		t.Errorf("big file: %s %d %v", file.GetEncoding(), file.GetSize(), err)
	}
	if _, body := w.get(w.s.APIURL()+"repos/acme/r/contents/big", "", "Accept", "application/vnd.github.raw+json"); body != big {
		t.Errorf("big file raw: %d bytes", len(body))
	}
}

// TestContentsConflict: a file that changed since it was read is not replaced.
// GitHub's description of this 409 fits every error body twice ("oneOf"), so
// the exchange is not held against it.
func TestContentsConflict(t *testing.T) {
	t.Parallel()
	w := unwatched(t)
	w.repo("acme", "r")
	for _, at := range []string{"README.md", "none"} {
		_, _, err := w.as("acme").Repositories.CreateFile(w.ctx, "acme", "r", at, &github.RepositoryContentFileOptions{
			Message: github.String("m"), Content: []byte("x"), SHA: github.String(strings.Repeat("0", 40))})
		w.refused(err, 409, at+" does not match 0000")
	}
}

// TestEmptyRepository: nothing is there until the first file.
func TestEmptyRepository(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := w.as("acme")
	must(c.Repositories.Create(w.ctx, "", &github.Repository{Name: github.String("r")}))(w)
	_, _, err := c.Git.GetRef(w.ctx, "acme", "r", "heads/main")
	w.refused(err, 409, "Git Repository is empty")
	_, _, _, err = c.Repositories.GetContents(w.ctx, "acme", "r", "", nil)
	w.refused(err, 404, "empty")
	w.file(c, "acme", "r", "main", "first", "x")
	if commits := must(c.Repositories.ListCommits(w.ctx, "acme", "r", nil))(w); len(commits) != 1 {
		t.Errorf("%d commits", len(commits))
	}
}

// TestConditionalRequests: a 304 costs nothing.
func TestConditionalRequests(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	token := w.s.UserToken("acme")
	url := w.s.APIURL() + "repos/acme/r/contents/README.md"
	first, _ := w.get(url, token)
	tag, left := first.Header.Get("ETag"), first.Header.Get("X-RateLimit-Remaining")
	again, body := w.get(url, token, "If-None-Match", tag)
	if again.StatusCode != 304 || body != "" || again.Header.Get("X-RateLimit-Remaining") != left {
		t.Errorf("%d %q, %s left after %s", again.StatusCode, body, again.Header.Get("X-RateLimit-Remaining"), left)
	}
	w.file(w.as("acme"), "acme", "r", "main", "README.md", "new")
	changed, _ := w.get(url, token, "If-None-Match", tag)
	if changed.StatusCode != 200 || changed.Header.Get("ETag") == tag {
		t.Errorf("after a change: %d", changed.StatusCode)
	}
	n, _ := strconv.Atoi(left)
	m, _ := strconv.Atoi(changed.Header.Get("X-RateLimit-Remaining"))
	if m != n-3 { // get and put of the file, and this one
		t.Errorf("%d left after %d", m, n)
	}
	for _, h := range []string{"X-RateLimit-Limit", "X-RateLimit-Reset", "X-RateLimit-Used", "X-RateLimit-Resource",
		"X-GitHub-Request-Id", "X-GitHub-Media-Type"} {
		if changed.Header.Get(h) == "" {
			t.Errorf("no header %s", h)
		}
	}
}

// TestGitData: trees with changes and deletions, refs that may not move.
func TestGitData(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	git := c.Git
	first := must(git.GetRef(w.ctx, "acme", "r", "heads/main"))(w).GetObject().GetSHA()
	blob := must(git.CreateBlob(w.ctx, "acme", "r", &github.Blob{Content: github.String("AAEC"), Encoding: github.String("base64")}))(w)
	if got, _, err := git.GetBlobRaw(w.ctx, "acme", "r", blob.GetSHA()); err != nil || string(got) != "\x00\x01\x02" {
		t.Errorf("blob %q %v", got, err)
	}
	tree := must(git.CreateTree(w.ctx, "acme", "r", first, []*github.TreeEntry{
		{Path: github.String("x/y/bin"), Mode: github.String("100755"), Type: github.String("blob"), SHA: blob.SHA},
		{Path: github.String("x/text"), Mode: github.String("100644"), Content: github.String("t")},
		{Path: github.String("README.md"), Mode: github.String("100644")}, // go-github writes sha: null
	}))(w)
	full := must(git.GetTree(w.ctx, "acme", "r", tree.GetSHA(), true))(w)
	var paths []string
	for _, e := range full.Entries {
		paths = append(paths, e.GetMode()+" "+e.GetPath())
	}
	if got := strings.Join(paths, ", "); got != "040000 x, 100644 x/text, 040000 x/y, 100755 x/y/bin" {
		t.Errorf("tree: %s", got)
	}
	for _, bad := range []*github.TreeEntry{
		{Path: github.String("../x"), Mode: github.String("100644"), Content: github.String("t")},
		{Path: github.String("x"), Mode: github.String("100600"), Content: github.String("t")},
		{Path: github.String("none"), Mode: github.String("100644")},
		{Path: github.String("x"), Mode: github.String("100644"), SHA: github.String(strings.Repeat("1", 40))},
	} {
		_, _, err := git.CreateTree(w.ctx, "acme", "r", first, []*github.TreeEntry{bad})
		w.refused(err, 422, "")
	}
	commit := must(git.CreateCommit(w.ctx, "acme", "r", &github.Commit{Message: github.String("second"), Tree: tree,
		Parents: []*github.Commit{{SHA: &first}}}, nil))(w)
	sibling := must(git.CreateCommit(w.ctx, "acme", "r", &github.Commit{Message: github.String("sibling"), Tree: tree,
		Parents: []*github.Commit{{SHA: &first}}}, nil))(w)

	update := func(sha string, force bool) error {
		_, _, err := git.UpdateRef(w.ctx, "acme", "r", &github.Reference{Ref: github.String("refs/heads/main"),
			Object: &github.GitObject{SHA: &sha}}, force)
		return err
	}
	if err := update(commit.GetSHA(), false); err != nil {
		t.Fatal(err)
	}
	w.refused(update(sibling.GetSHA(), false), 422, "Update is not a fast forward")
	w.refused(update(first, false), 422, "Update is not a fast forward")
	w.refused(update(strings.Repeat("1", 40), false), 422, "Object does not exist")
	if err := update(sibling.GetSHA(), true); err != nil {
		t.Fatal(err)
	}
	create := func(name, sha string) error {
		_, _, err := git.CreateRef(w.ctx, "acme", "r", &github.Reference{Ref: &name, Object: &github.GitObject{SHA: &sha}})
		return err
	}
	if err := create("refs/heads/release/a", first); err != nil {
		t.Fatal(err)
	}
	w.refused(create("refs/heads/release/a", first), 422, "Reference already exists")
	for _, bad := range []string{"refs/heads/a..b", "refs/heads/a b", "refs/heads/.a", "refs/heads/a.lock", "refs/pull/1/head"} {
		w.refused(create(bad, first), 422, "Reference name is invalid")
	}
	w.refused(create("refs/heads/release", first), 422, "'refs/heads/release/a' exists")
	w.refused(create("refs/heads/main/x", first), 422, "'refs/heads/main' exists")
	tag := must(git.CreateTag(w.ctx, "acme", "r", &github.Tag{Tag: github.String("v1"), Message: github.String("one"),
		Object: &github.GitObject{Type: github.String("commit"), SHA: &first}}))(w)
	if err := create("refs/tags/v1", tag.GetSHA()); err != nil {
		t.Fatal(err)
	}
	if ref := must(git.GetRef(w.ctx, "acme", "r", "tags/v1"))(w); ref.GetObject().GetType() != "tag" {
		t.Errorf("tag ref names a %s", ref.GetObject().GetType())
	}
	matching := must(git.ListMatchingRefs(w.ctx, "acme", "r", &github.ReferenceListOptions{Ref: "heads/rel"}))(w)
	if len(matching) != 1 || matching[0].GetRef() != "refs/heads/release/a" {
		t.Errorf("matching %v", matching)
	}
	if _, err := git.DeleteRef(w.ctx, "acme", "r", "heads/release/a"); err != nil {
		t.Fatal(err)
	}
	if err := create("refs/heads/release", first); err != nil { // its folder is empty now
		t.Error(err)
	}
	_, err := git.DeleteRef(w.ctx, "acme", "r", "heads/main")
	w.refused(err, 422, "default branch")
	_, _, err = git.GetRef(w.ctx, "acme", "r", "heads/release/a")
	w.refused(err, 404, "Not Found")

	// git sees what REST wrote.
	dir, err := w.s.GitDir("acme", "r")
	if err != nil {
		t.Fatal(err)
	}
	if out := w.git(dir, "fsck", "--strict"); strings.Contains(out, "error") {
		t.Error(out)
	}
	if out := w.git(dir, "rev-parse", "HEAD", "v1^{commit}"); out != sibling.GetSHA()+"\n"+first+"\n" {
		t.Errorf("rev-parse %q", out)
	}
}

// TestHistory: commits, branches, tags and comparisons.
func TestHistory(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	w.branch(c, "acme", "r", "main", "topic/one")
	w.file(c, "acme", "r", "topic/one", "a", "1\n2\n3\n")
	tip := w.file(c, "acme", "r", "topic/one", "a", "1\n2\nthree\n")
	w.file(c, "acme", "r", "main", "b", "b\n")

	cmp := must(c.Repositories.CompareCommits(w.ctx, "acme", "r", "main", "topic/one", nil))(w)
	if cmp.GetStatus() != "diverged" || cmp.GetAheadBy() != 2 || cmp.GetBehindBy() != 1 || len(cmp.Files) != 1 ||
		cmp.Files[0].GetAdditions() != 3 || cmp.Files[0].GetPatch() != "@@ -0,0 +1,3 @@\n+1\n+2\n+three" {
		t.Errorf("comparison %s %d %d %v", cmp.GetStatus(), cmp.GetAheadBy(), cmp.GetBehindBy(), cmp.Files)
	}
	if same := must(c.Repositories.CompareCommits(w.ctx, "acme", "r", "main", "main", nil))(w); same.GetStatus() != "identical" {
		t.Errorf("with itself: %s", same.GetStatus())
	}
	commit := must(c.Repositories.GetCommit(w.ctx, "acme", "r", "topic/one", nil))(w)
	if commit.GetSHA() != tip || commit.GetStats().GetTotal() != 2 || commit.Files[0].GetStatus() != "modified" ||
		commit.GetAuthor().GetLogin() != "acme" {
		t.Errorf("commit %v", commit)
	}
	list := must(c.Repositories.ListCommits(w.ctx, "acme", "r", &github.CommitsListOptions{SHA: "topic/one", Path: "a"}))(w)
	if len(list) != 2 || list[0].GetSHA() != tip {
		t.Errorf("%d commits touch a", len(list))
	}
	branches := must(c.Repositories.ListBranches(w.ctx, "acme", "r", nil))(w)
	if len(branches) != 2 || branches[1].GetName() != "topic/one" {
		t.Errorf("branches %v", branches)
	}
	if b := must(c.Repositories.GetBranch(w.ctx, "acme", "r", "topic/one", 0))(w); b.GetCommit().GetSHA() != tip {
		t.Errorf("branch %v", b)
	}
	_, _, err := c.Repositories.GetBranch(w.ctx, "acme", "r", "none", 0)
	if err == nil {
		t.Error("a branch that is not there")
	}
}

// TestDiff: renames, a file that becomes a folder, modes, binary files, and
// lines without an end.
func TestDiff(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	long := strings.Repeat("the same line\n", 20)
	commit := func(message string, entries ...*github.TreeEntry) string {
		head := must(c.Git.GetRef(w.ctx, "acme", "r", "heads/main"))(w)
		tree := must(c.Git.CreateTree(w.ctx, "acme", "r", head.GetObject().GetSHA(), entries))(w)
		made := must(c.Git.CreateCommit(w.ctx, "acme", "r", &github.Commit{Message: &message, Tree: tree,
			Parents: []*github.Commit{{SHA: head.GetObject().SHA}}}, nil))(w)
		head.Object.SHA = made.SHA
		must(c.Git.UpdateRef(w.ctx, "acme", "r", head, false))(w)
		return made.GetSHA()
	}
	file := func(path, mode, text string) *github.TreeEntry {
		return &github.TreeEntry{Path: &path, Mode: &mode, Content: &text}
	}
	gone := func(path string) *github.TreeEntry {
		return &github.TreeEntry{Path: &path, Mode: github.String("100644")}
	}
	commit("before", file("old/name", "100644", long), file("thing", "100644", "x"), file("script", "100644", "#!/bin/sh\n"),
		file("bin", "100644", "a\x00b"))
	sha := commit("after", gone("old/name"), file("new/name", "100644", long+"one more\n"), gone("thing"),
		file("thing/inside", "100644", "y"), file("script", "100755", "#!/bin/sh\n"), file("bin", "100644", "a\x00c"))
	got := must(c.Repositories.GetCommit(w.ctx, "acme", "r", sha, nil))(w)
	var lines []string
	for _, f := range got.Files {
		lines = append(lines, fmt.Sprintf("%s %s %s +%d -%d", f.GetStatus(), f.GetPreviousFilename(), f.GetFilename(), f.GetAdditions(), f.GetDeletions()))
	}
	slices.Sort(lines)
	want := []string{"added  thing/inside +1 -0", "modified  bin +0 -0", "modified  script +0 -0", "removed  thing +0 -1", "renamed old/name new/name +1 -0"}
	if !slices.Equal(lines, want) {
		t.Errorf("got  %q\nwant %q", lines, want)
	}
}

// TestTruncatedTree: GitHub stops after 7 MB.
func TestTruncatedTree(t *testing.T) {
	t.Parallel()
	w := unwatched(t)
	w.repo("acme", "r")
	c := w.as("acme")
	blob := must(c.Git.CreateBlob(w.ctx, "acme", "r", &github.Blob{Content: github.String("x"), Encoding: github.String("utf-8")}))(w)
	type entry struct {
		Path string `json:"path"`
		Mode string `json:"mode"`
		SHA  string `json:"sha"`
	}
	var entries []entry
	for i := range 20_000 {
		entries = append(entries, entry{fmt.Sprintf("d%d/%s%d", i%7, strings.Repeat("n", 200), i), "100644", blob.GetSHA()})
	}
	body, err := json.Marshal(map[string]any{"tree": entries})
	if err != nil {
		t.Fatal(err)
	}
	resp, text := w.do(http.MethodPost, w.s.APIURL()+"repos/acme/r/git/trees", w.s.UserToken("acme"), string(body))
	var made struct{ SHA string }
	if err := json.Unmarshal([]byte(text), &made); err != nil || resp.StatusCode != 201 {
		t.Fatal(resp.StatusCode, err)
	}
	whole := must(c.Git.GetTree(w.ctx, "acme", "r", made.SHA, true))(w)
	if !whole.GetTruncated() || len(whole.Entries) < 10_000 || len(whole.Entries) >= 20_000 {
		t.Errorf("%d entries, truncated %v", len(whole.Entries), whole.GetTruncated())
	}
	if top := must(c.Git.GetTree(w.ctx, "acme", "r", made.SHA, false))(w); top.GetTruncated() || len(top.Entries) != 7 {
		t.Errorf("%d entries at the top", len(top.Entries))
	}
}
