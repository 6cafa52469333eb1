package sandbox_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-github/v57/github"
)

// propose makes a branch with one changed file and a pull request from it.
func (w *world) propose(c *github.Client, branch, path, text string) *github.PullRequest {
	w.Helper()
	w.branch(c, "acme", "r", "main", branch)
	w.file(c, "acme", "r", branch, path, text)
	return must(c.PullRequests.Create(w.ctx, "acme", "r", &github.NewPullRequest{Title: github.String(branch),
		Head: &branch, Base: github.String("main"), Body: github.String("about " + branch)}))(w)
}

func (w *world) merge(c *github.Client, number int, method, sha string) (string, error) {
	result, _, err := c.PullRequests.Merge(w.ctx, "acme", "r", number, "", &github.PullRequestOptions{MergeMethod: method, SHA: sha})
	return result.GetSHA(), err
}

// TestPullRefusals: what a pull request may not be.
func TestPullRefusals(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	w.propose(c, "topic", "f", "x\n")
	w.branch(c, "acme", "r", "main", "same")
	for head, want := range map[string]string{
		"none":       "invalid",
		"same":       "No commits between main and same",
		"topic":      "A pull request already exists for acme:topic.",
		"who:topic":  "invalid",
		"acme:topic": "A pull request already exists",
	} {
		_, _, err := c.PullRequests.Create(w.ctx, "acme", "r", &github.NewPullRequest{Title: github.String("t"), Head: &head, Base: github.String("main")})
		w.refused(err, 422, want)
	}
	_, _, err := c.PullRequests.Create(w.ctx, "acme", "r", &github.NewPullRequest{Title: github.String("t"),
		Head: github.String("topic"), Base: github.String("none")})
	w.refused(err, 422, "base")
	_, _, err = w.as("stranger").PullRequests.Create(w.ctx, "acme", "r", &github.NewPullRequest{Title: github.String("t"),
		Head: github.String("same"), Base: github.String("main")})
	w.refused(err, 403, "push access")
	_, err = w.merge(w.as("stranger"), 1, "merge", "")
	w.refused(err, 403, "admin rights")
	_, _, err = c.PullRequests.Get(w.ctx, "acme", "r", 7)
	w.refused(err, 404, "Not Found")
}

// TestMergeMethods: merge, squash and rebase write what GitHub writes.
func TestMergeMethods(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	for i, method := range []string{"merge", "squash", "rebase"} {
		pull := w.propose(c, "by-"+method, "f-"+method, "one\n")
		w.file(c, "acme", "r", "by-"+method, "g-"+method, "two\n")
		before := must(c.Git.GetRef(w.ctx, "acme", "r", "heads/main"))(w).GetObject().GetSHA()
		sha, err := w.merge(c, i+1, method, "")
		if err != nil {
			t.Fatal(method, err)
		}
		d := must(c.Repositories.CompareCommits(w.ctx, "acme", "r", before, "main", nil))(w)
		if want := map[string]int{"merge": 3, "squash": 1, "rebase": 2}[method]; d.GetAheadBy() != want || len(d.Files) != 2 {
			t.Errorf("%s: %d commits, %d files", method, d.GetAheadBy(), len(d.Files))
		}
		tip := must(c.Repositories.GetCommit(w.ctx, "acme", "r", "main", nil))(w)
		title, _, _ := strings.Cut(tip.GetCommit().GetMessage(), "\n")
		want := map[string]string{"merge": "Merge pull request #1 from acme/by-merge", "squash": "by-squash (#2)",
			"rebase": "write g-rebase"}[method]
		if tip.GetSHA() != sha || title != want {
			t.Errorf("%s: %s %q", method, tip.GetSHA(), title)
		}
		got := must(c.PullRequests.Get(w.ctx, "acme", "r", pull.GetNumber()))(w)
		if !got.GetMerged() || got.GetState() != "closed" || got.GetMergedBy().GetLogin() != "acme" || got.GetMergeCommitSHA() != sha {
			t.Errorf("%s: %v", method, got)
		}
		if merged, _, err := c.PullRequests.IsMerged(w.ctx, "acme", "r", pull.GetNumber()); err != nil || !merged {
			t.Errorf("%s: merged %v %v", method, merged, err)
		}
	}
	_, err := w.merge(c, 1, "merge", "")
	w.refused(err, 405, "already merged")
}

// TestConflict: two sides of one file; the merge is refused until resolved.
func TestConflict(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	lines := "1\n2\n3\n4\n5\n6\n7\n8\n"
	w.file(c, "acme", "r", "main", "f", lines)
	apart := w.propose(c, "apart", "f", strings.Replace(lines, "8", "eight", 1))
	clash := w.propose(c, "clash", "f", strings.Replace(lines, "1", "uno", 1))
	gone := w.propose(c, "gone", "g", "x")
	file, _, _, err := c.Repositories.GetContents(w.ctx, "acme", "r", "f", &github.RepositoryContentGetOptions{Ref: "gone"})
	if err != nil {
		t.Fatal(err)
	}
	must(c.Repositories.DeleteFile(w.ctx, "acme", "r", "f", &github.RepositoryContentFileOptions{Message: github.String("m"),
		SHA: file.SHA, Branch: github.String("gone")}))(w)
	w.file(c, "acme", "r", "main", "f", strings.Replace(lines, "1", "one", 1))

	state := func(p *github.PullRequest) string {
		return must(c.PullRequests.Get(w.ctx, "acme", "r", p.GetNumber()))(w).GetMergeableState()
	}
	if state(apart) != "clean" || state(clash) != "dirty" || state(gone) != "dirty" {
		t.Errorf("apart %s, clash %s, gone %s", state(apart), state(clash), state(gone))
	}
	if _, err := w.merge(c, apart.GetNumber(), "", ""); err != nil {
		t.Error(err)
	}
	file, _, _, err = c.Repositories.GetContents(w.ctx, "acme", "r", "f", nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := file.GetContent(); text != "one\n2\n3\n4\n5\n6\n7\neight\n" {
		t.Errorf("merged lines %q", text)
	}
	_, err = w.merge(c, clash.GetNumber(), "merge", "")
	w.refused(err, 405, "not mergeable")
	_, err = w.merge(c, gone.GetNumber(), "rebase", "")
	w.refused(err, 405, "not mergeable")
	if got := must(c.PullRequests.Get(w.ctx, "acme", "r", clash.GetNumber()))(w); got.GetMergeable() || got.GetState() != "open" {
		t.Errorf("after the refusal: %v %s", got.GetMergeable(), got.GetState())
	}
}

// TestPullFollowsBranch: synchronize, the guard on the head, branch deleted,
// reopened, merged by a push.
func TestPullFollowsBranch(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	w.bot("acme")
	c := w.as("acme")
	pull := w.propose(c, "topic", "f", "x\n")
	old := pull.GetHead().GetSHA()
	w.take()
	tip := w.file(c, "acme", "r", "topic", "g", "y\n")
	hooks := w.want("push", "check_suite.requested", "pull_request.synchronize")
	if p := hooks[2].payload; p["before"] != old || p["after"] != tip {
		t.Errorf("synchronize from %v to %v", p["before"], p["after"])
	}
	_, err := w.merge(c, 1, "merge", old)
	w.refused(err, 409, "Head branch was modified")
	if got := must(c.PullRequests.Get(w.ctx, "acme", "r", 1))(w); got.GetHead().GetSHA() != tip || got.GetCommits() != 2 || got.GetChangedFiles() != 2 {
		t.Errorf("head %s, %d commits, %d files", got.GetHead().GetSHA(), got.GetCommits(), got.GetChangedFiles())
	}
	if _, err := c.Git.DeleteRef(w.ctx, "acme", "r", "heads/topic"); err != nil {
		t.Fatal(err)
	}
	w.want("push", "delete", "pull_request.closed")
	_, _, err = c.PullRequests.Edit(w.ctx, "acme", "r", 1, &github.PullRequest{State: github.String("open")})
	w.refused(err, 422, "branch has been deleted")
	must(c.Git.CreateRef(w.ctx, "acme", "r", &github.Reference{Ref: github.String("refs/heads/topic"), Object: &github.GitObject{SHA: &tip}}))(w)
	must(c.PullRequests.Edit(w.ctx, "acme", "r", 1, &github.PullRequest{State: github.String("open"), Title: github.String("new title")}))(w)
	hooks = w.take()
	if got := hooks[len(hooks)-2]; got.action != "edited" || !strings.Contains(stringOf(got.payload["changes"]), "topic") {
		t.Errorf("%s.%s %v", got.event, got.action, got.payload["changes"])
	}
	must(c.Git.UpdateRef(w.ctx, "acme", "r", &github.Reference{Ref: github.String("refs/heads/main"), Object: &github.GitObject{SHA: &tip}}, false))(w)
	if got := must(c.PullRequests.Get(w.ctx, "acme", "r", 1))(w); !got.GetMerged() {
		t.Error("a push that contains the head does not merge")
	}
}

// TestFork: a stranger's pull request from a fork.
func TestFork(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	_, bot := w.bot("acme")
	stranger := w.as("stranger")
	fork, _, err := stranger.Repositories.CreateFork(w.ctx, "acme", "r", nil)
	var accepted *github.AcceptedError
	if err != nil && !errors.As(err, &accepted) {
		t.Fatal(err)
	}
	if fork.GetFullName() != "stranger/r" || fork.GetParent().GetFullName() != "acme/r" {
		t.Errorf("fork %s of %s", fork.GetFullName(), fork.GetParent().GetFullName())
	}
	tip := w.file(stranger, "stranger", "r", "main", "f", "x\n")
	w.take()
	pull := must(stranger.PullRequests.Create(w.ctx, "acme", "r", &github.NewPullRequest{Title: github.String("from afar"),
		Head: github.String("stranger:main"), Base: github.String("main")}))(w)
	if pull.GetHead().GetRepo().GetFullName() != "stranger/r" || pull.GetHead().GetLabel() != "stranger:main" {
		t.Errorf("head %v", pull.GetHead())
	}
	w.want("pull_request.opened")
	list := must(bot.PullRequests.List(w.ctx, "acme", "r", &github.PullRequestListOptions{Head: "stranger:main"}))(w)
	if len(list) != 1 {
		t.Errorf("%d pull requests by head", len(list))
	}
	w.file(stranger, "stranger", "r", "main", "g", "y\n")
	w.want("pull_request.synchronize") // the app is not installed on the fork: no push
	files := must(bot.PullRequests.ListFiles(w.ctx, "acme", "r", 1, nil))(w)
	if len(files) != 2 || files[0].GetFilename() != "f" || files[1].GetStatus() != "added" {
		t.Errorf("files %v", files)
	}
	commits := must(bot.PullRequests.ListCommits(w.ctx, "acme", "r", 1, nil))(w)
	if len(commits) != 2 || commits[0].GetSHA() != tip {
		t.Errorf("commits %v", commits)
	}
	must(bot.Checks.CreateCheckRun(w.ctx, "acme", "r", github.CreateCheckRunOptions{Name: "c", HeadSHA: commits[1].GetSHA()}))(w)
	if _, err := w.merge(bot, 1, "squash", ""); err != nil {
		t.Error(err)
	}
	if out := w.git(t.TempDir(), "ls-remote", w.s.URL()+"/acme/r", "refs/pull/*"); !strings.Contains(out, commits[1].GetSHA()+"\trefs/pull/1/head") {
		t.Errorf("ls-remote: %s", out)
	}
}

// TestPullLists: filters and edits.
func TestPullLists(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	w.propose(c, "one", "f1", "x")
	w.propose(c, "two", "f2", "x")
	w.branch(c, "acme", "r", "main", "stable")
	must(c.PullRequests.Edit(w.ctx, "acme", "r", 2, &github.PullRequest{Base: &github.PullRequestBranch{Ref: github.String("stable")}}))(w)
	must(c.PullRequests.Edit(w.ctx, "acme", "r", 1, &github.PullRequest{State: github.String("closed")}))(w)
	count := func(o *github.PullRequestListOptions) int {
		return len(must(c.PullRequests.List(w.ctx, "acme", "r", o))(w))
	}
	for want, o := range map[int]*github.PullRequestListOptions{1: {}, 2: {State: "all"}} {
		if got := count(o); got != want {
			t.Errorf("%+v: %d", o, got)
		}
	}
	if count(&github.PullRequestListOptions{Base: "stable"}) != 1 || count(&github.PullRequestListOptions{Base: "main"}) != 0 ||
		count(&github.PullRequestListOptions{State: "closed", Head: "acme:one"}) != 1 || count(&github.PullRequestListOptions{Head: "acme:one"}) != 0 {
		t.Error("filters by base and head")
	}
	if got := must(c.Issues.Get(w.ctx, "acme", "r", 1))(w); !got.IsPullRequest() || got.GetState() != "closed" {
		t.Errorf("as an issue: %v", got)
	}
	must(c.Issues.Edit(w.ctx, "acme", "r", 1, &github.IssueRequest{State: github.String("open"), Labels: &[]string{"bug"}}))(w)
	if got := must(c.PullRequests.Get(w.ctx, "acme", "r", 1))(w); got.GetState() != "open" || len(got.Labels) != 1 {
		t.Errorf("reopened as an issue: %s %v", got.GetState(), got.Labels)
	}
	diff, _, err := c.PullRequests.GetRaw(w.ctx, "acme", "r", 1, github.RawOptions{Type: github.Diff})
	if err != nil || !strings.Contains(diff, "+++ b/f1\n@@ -0,0 +1 @@\n+x") {
		t.Errorf("diff %q %v", diff, err)
	}
}

// TestReviews: who may review what.
func TestReviews(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	w.bot("acme")
	c := w.as("acme")
	w.propose(c, "topic", "f", "x")
	w.take()
	review := func(who *github.Client, event, body string) (*github.PullRequestReview, error) {
		r, _, err := who.PullRequests.CreateReview(w.ctx, "acme", "r", 1, &github.PullRequestReviewRequest{Event: &event, Body: &body})
		return r, err
	}
	_, err := review(c, "APPROVE", "")
	w.refused(err, 422, "your own pull request")
	_, err = review(w.as("stranger"), "COMMENT", " ")
	w.refused(err, 422, "Body")
	r, err := review(w.as("stranger"), "APPROVE", "")
	if err != nil || r.GetState() != "APPROVED" || r.GetAuthorAssociation() != "NONE" {
		t.Errorf("%v %v", r, err)
	}
	hooks := w.want("pull_request_review.submitted")
	if got := hooks[0].payload["review"].(map[string]any); got["state"] != "approved" {
		t.Errorf("payload says %v", got["state"])
	}
	must(c.PullRequests.DismissReview(w.ctx, "acme", "r", 1, r.GetID(), &github.PullRequestReviewDismissalRequest{Message: github.String("no")}))(w)
	if got := must(c.PullRequests.GetReview(w.ctx, "acme", "r", 1, r.GetID()))(w); got.GetState() != "DISMISSED" {
		t.Errorf("state %s", got.GetState())
	}
	if list := must(c.PullRequests.ListReviews(w.ctx, "acme", "r", 1, nil))(w); len(list) != 1 {
		t.Errorf("%d reviews", len(list))
	}
}
