package sandbox_test

import (
	"testing"

	"github.com/google/go-github/v57/github"
)

// TestLoop plays a whole submission with go-github: issue, comment, tree,
// commit, branch, pull request, check run, merge, and what the bot hears of it.
func TestLoop(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "registry")
	author := w.as("author")
	_, bot := w.bot("acme", "registry")
	w.want("ping", "installation.created")

	issue := must(author.Issues.Create(w.ctx, "acme", "registry", &github.IssueRequest{Title: github.String("Provider"),
		Body: github.String("### Provider Repository\r\n\r\nacme/terraform-provider-demo")}))(w)
	if issue.GetNumber() != 1 || issue.GetUser().GetLogin() != "author" {
		t.Fatalf("issue %v", issue)
	}
	hooks := w.want("issues.opened")
	if body := hooks[0].payload["issue"].(map[string]any)["body"]; body != issue.GetBody() {
		t.Errorf("body in payload %q", body)
	}

	comment := must(bot.Issues.CreateComment(w.ctx, "acme", "registry", 1, &github.IssueComment{Body: github.String("Checking")}))(w)
	if comment.GetUser().GetLogin() != "registrar[bot]" || comment.GetUser().GetType() != "Bot" {
		t.Errorf("comment by %v", comment.GetUser())
	}
	must(bot.Issues.AddLabelsToIssue(w.ctx, "acme", "registry", 1, []string{"provider"}))(w)
	hooks = w.want("issue_comment.created", "issues.labeled")
	if sender := hooks[0].payload["sender"].(map[string]any); sender["login"] != "registrar[bot]" || sender["type"] != "Bot" {
		t.Errorf("sender %v", sender)
	}

	head := must(bot.Git.GetRef(w.ctx, "acme", "registry", "heads/main"))(w).GetObject().GetSHA()
	tree := must(bot.Git.CreateTree(w.ctx, "acme", "registry", head, []*github.TreeEntry{{
		Path: github.String("providers/a/acme/demo.json"), Mode: github.String("100644"), Content: github.String("{}\n")}}))(w)
	date := github.Timestamp{Time: issue.GetCreatedAt().Time}
	who := &github.CommitAuthor{Name: github.String("registrar[bot]"), Email: github.String("bot@example.org"), Date: &date}
	commit := func() string {
		return must(bot.Git.CreateCommit(w.ctx, "acme", "registry", &github.Commit{Message: github.String("Add acme/demo"),
			Tree: tree, Parents: []*github.Commit{{SHA: &head}}, Author: who, Committer: who}, nil))(w).GetSHA()
	}
	sha := commit()
	if again := commit(); again != sha {
		t.Errorf("the same commit twice: %s, %s", sha, again)
	}
	must(bot.Git.CreateRef(w.ctx, "acme", "registry", &github.Reference{Ref: github.String("refs/heads/submission/issue-1"),
		Object: &github.GitObject{SHA: &sha}}))(w)
	pull := must(bot.PullRequests.Create(w.ctx, "acme", "registry", &github.NewPullRequest{Title: github.String("Add acme/demo"),
		Head: github.String("submission/issue-1"), Base: github.String("main"), Body: github.String("Closes #1")}))(w)
	if pull.GetNumber() != 2 || pull.GetChangedFiles() != 1 || pull.GetAdditions() != 1 {
		t.Errorf("pull %v", pull)
	}
	run := must(bot.Checks.CreateCheckRun(w.ctx, "acme", "registry", github.CreateCheckRunOptions{Name: "registrar", HeadSHA: sha,
		Status: github.String("completed"), Conclusion: github.String("success"),
		Output: &github.CheckRunOutput{Title: github.String("ok"), Summary: github.String("all good")}}))(w)
	if len(run.PullRequests) != 1 || run.PullRequests[0].GetNumber() != 2 {
		t.Errorf("check run's pull requests %v", run.PullRequests)
	}
	w.want("create", "push", "check_suite.requested", "pull_request.opened", "check_run.created", "check_run.completed")

	pull = must(bot.PullRequests.Get(w.ctx, "acme", "registry", 2))(w)
	if !pull.GetMergeable() || pull.GetMergeableState() != "clean" {
		t.Errorf("mergeable %v %s", pull.GetMergeable(), pull.GetMergeableState())
	}
	merged := must(w.as("acme").PullRequests.Merge(w.ctx, "acme", "registry", 2, "", &github.PullRequestOptions{SHA: sha}))(w)
	if !merged.GetMerged() {
		t.Errorf("merge %v", merged)
	}
	hooks = w.want("pull_request.closed", "issues.closed", "push", "check_suite.requested")
	if p := hooks[0].payload["pull_request"].(map[string]any); p["merged"] != true || p["merge_commit_sha"] != merged.GetSHA() {
		t.Errorf("payload: merged %v as %v", p["merged"], p["merge_commit_sha"])
	}
	if commits := hooks[2].payload["commits"].([]any); len(commits) != 2 {
		t.Errorf("%d commits pushed", len(commits))
	}
	closed := must(bot.Issues.Get(w.ctx, "acme", "registry", 1))(w)
	if closed.GetState() != "closed" || closed.GetStateReason() != "completed" {
		t.Errorf("issue %s %s", closed.GetState(), closed.GetStateReason())
	}
	file, _, _, err := bot.Repositories.GetContents(w.ctx, "acme", "registry", "providers/a/acme/demo.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := file.GetContent(); text != "{}\n" {
		t.Errorf("content %q", text)
	}
}
