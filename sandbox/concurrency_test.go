package sandbox_test

import (
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-github/v57/github"

	"github.com/tofu-registrar/registrar/sandbox"
)

// TestManyAtOnce: people, bot, git and merges side by side; everything that
// succeeded is there afterwards and git finds no fault. Meant for -race.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	_, bot := w.bot("acme")
	acme := w.as("acme")
	pushURL := w.remote("acme", "acme", "r")
	base := must(acme.Git.GetRef(w.ctx, "acme", "r", "heads/main"))(w).GetObject().GetSHA()
	const n = 6
	temp := t.TempDir()
	var wg sync.WaitGroup
	errs := make(chan error, 100)
	check := func(err error) bool {
		if err != nil {
			errs <- err
		}
		return err == nil
	}
	for i := range n {
		branch := fmt.Sprintf("topic-%d", i)
		wg.Add(3)
		go func() { // a submission, merged
			defer wg.Done()
			issue, _, err := acme.Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: &branch})
			if !check(err) {
				return
			}
			_, _, err = bot.Issues.CreateComment(w.ctx, "acme", "r", issue.GetNumber(), &github.IssueComment{Body: github.String("hello")})
			check(err)
			tree, _, err := bot.Git.CreateTree(w.ctx, "acme", "r", base, []*github.TreeEntry{{Path: github.String("d/" + branch),
				Mode: github.String("100644"), Content: github.String(branch)}})
			if !check(err) {
				return
			}
			commit, _, err := bot.Git.CreateCommit(w.ctx, "acme", "r", &github.Commit{Message: github.String("m"), Tree: tree,
				Parents: []*github.Commit{{SHA: &base}}}, nil)
			if !check(err) {
				return
			}
			_, _, err = bot.Git.CreateRef(w.ctx, "acme", "r", &github.Reference{Ref: github.String("refs/heads/" + branch),
				Object: &github.GitObject{SHA: commit.SHA}})
			check(err)
			pull, _, err := bot.PullRequests.Create(w.ctx, "acme", "r", &github.NewPullRequest{Title: &branch, Head: &branch,
				Base: github.String("main"), Body: github.String(fmt.Sprintf("Closes #%d", issue.GetNumber()))})
			if check(err) {
				_, _, err = acme.PullRequests.Merge(w.ctx, "acme", "r", pull.GetNumber(), "", nil)
				check(err)
			}
		}()
		go func() { // a push
			defer wg.Done()
			dir := filepath.Join(temp, branch)
			for _, args := range [][]string{{"clone", "-q", pushURL, dir}, {"-C", dir, "commit", "-q", "--allow-empty", "-m", "x"},
				{"-C", dir, "push", "-q", "origin", "HEAD:refs/heads/by-hand-" + branch}} {
				if out, err := w.tryGit(temp, args...); err != nil {
					errs <- fmt.Errorf("%w: %s", err, out)
				}
			}
		}()
		go func() { // readers
			defer wg.Done()
			for range 5 {
				_, _, err := acme.Issues.ListByRepo(w.ctx, "acme", "r", &github.IssueListByRepoOptions{State: "all"})
				check(err)
				_, _, err = acme.PullRequests.List(w.ctx, "acme", "r", &github.PullRequestListOptions{State: "all"})
				check(err)
				_ = w.s.Knobs().Set(sandbox.Settings{})
			}
		}()
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
	tree := must(acme.Git.GetTree(w.ctx, "acme", "r", "main", true))(w)
	if len(tree.Entries) != n+2 {
		t.Errorf("%d entries after %d merges", len(tree.Entries), n)
	}
	if open := must(acme.Issues.ListByRepo(w.ctx, "acme", "r", nil))(w); len(open) != 0 {
		t.Errorf("%d issues still open", len(open))
	}
	if branches := must(acme.Repositories.ListBranches(w.ctx, "acme", "r", nil))(w); len(branches) != 1+2*n {
		t.Errorf("%d branches", len(branches))
	}
	dir, err := w.s.GitDir("acme", "r")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := w.tryGit(dir, "fsck", "--strict"); err != nil {
		t.Errorf("%v %s", err, out)
	}
}

// FuzzREST sends what nobody should send. Any answer will do but a failure of
// the server.
func FuzzREST(f *testing.F) {
	s, err := sandbox.New(sandbox.Options{Dir: f.TempDir(), BaseURL: "http://sandbox.test"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = s.Close() })
	if err := s.Knobs().Set(sandbox.Settings{RateLimit: 1 << 30, AnonymousRateLimit: 1 << 30}); err != nil {
		f.Fatal(err)
	}
	token := s.AddUser("acme").Token
	send := func(method, path, body string) *httptest.ResponseRecorder {
		req := httptest.NewRequest("GET", "/", strings.NewReader(body))
		req.Method, req.Header = method, map[string][]string{"Authorization": {"Bearer " + token}}
		before, query, _ := strings.Cut(path, "?")
		req.URL.Path, req.URL.RawQuery = before, query
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, req)
		return rec
	}
	send("POST", "/api/v3/user/repos", `{"name":"r","auto_init":true}`)
	repo := "/api/v3/repos/acme/r"
	for _, seed := range [][3]string{
		{"POST", repo + "/issues", `{"title":"t","labels":["a",{"name":"b"}],"body":null}`},
		{"PATCH", repo + "/issues/1", `{"labels":{"labels":[1]}}`},
		{"POST", repo + "/issues/1/labels", `"x"`},
		{"POST", repo + "/git/trees", `{"tree":[{"path":"a/../b","mode":"100644","sha":"\u0000"}]}`},
		{"POST", repo + "/git/trees", `{"tree":[{"path":"a","mode":"100644","content":"x"},{"path":"a/b","mode":"100644","content":"y"}]}`},
		{"POST", repo + "/git/refs", `{"ref":"refs/heads/x","sha":"` + strings.Repeat("0", 40) + `"}`},
		{"PUT", repo + "/contents/f", `{"message":"m","content":"eA==","committer":{"name":"\n<>"},"branch":"a b"}`},
		{"POST", repo + "/pulls", `{"title":"t","head":":","base":"main"}`},
		{"GET", repo + "/compare/...", ""},
		{"GET", repo + "/commits/main/check-runs", ""},
		{"GET", repo + "/issues?page=99999999999999999999&per_page=-1&since=never", ""},
		{"GET", repo + "/contents/" + strings.Repeat("a/", 1000), ""},
		{"POST", repo + "/releases", `{"tag_name":"v1","target_commitish":"refs/heads/main"}`},
		{"POST", "/api/uploads/repos/acme/r/releases/1/assets?name=%00", "x"},
		{"GET", "/api/v3/search/issues?q=repo:acme/r \"", ""},
		{"GET", "/acme/r/info/refs?service=git-upload-pack", ""},
		{"POST", "/acme/r/git-receive-pack", "0000"},
		{"GET", "/_assets/github-production-release-asset/1/x?se=1&sig=", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, path, body string) {
		if !strings.HasPrefix(path, "/") || method == "" || strings.ContainsAny(method, " \r\n") {
			return
		}
		if rec := send(method, path, body); rec.Code == 500 {
			t.Errorf("%s %s %q: %s", method, path, body, rec.Body)
		}
	})
}
