package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-github/v57/github"
)

func field(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}

// TestSubmissionInABrowser plays a whole submission by hand: the author fills
// in the form, the bot answers and proposes, the maintainer merges.
func TestSubmissionInABrowser(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	o.take()
	author, maintainer := o.browse("author"), o.browse("maintainer")

	author.open("/registry/metadata/issues/new/choose", "Submit a provider", "Add a provider to the registry", "https://chat.example.org", "Blank issue", "broken.yml")
	author.open("/registry/metadata/issues/new?template=provider.yml&repository=author/terraform-provider-demo",
		`value="Provider: "`, `value="author/terraform-provider-demo"`, "Read <strong>this</strong> first.", "I have made my membership public", "Community", "provider</span>")
	to := author.done("/registry/metadata/issues", field("template", "provider.yml", "title", "Provider: author/demo",
		"field1", "author/terraform-provider-demo", "field2", "one\r\ntwo", "field3", "", "field4.0", "1"))
	if to != "/registry/metadata/issues/1" {
		t.Fatalf("the issue is %s", to)
	}
	issue := must(o.as("author").Issues.Get(o.ctx, "registry", "metadata", 1))(o.world)
	want := "### Provider Repository\n\nauthor/terraform-provider-demo\n\n### Anything else?\n\none\r\ntwo\n\n### Level\n\n_No response_\n\n" +
		"### Public Membership\n\n- [x] I have made my membership public"
	if issue.GetBody() != want || issue.GetTitle() != "Provider: author/demo" || issue.GetUser().GetLogin() != "author" {
		t.Errorf("issue %q by %s:\n%q\nwant\n%q", issue.GetTitle(), issue.GetUser().GetLogin(), issue.GetBody(), want)
	}
	if len(issue.Labels) != 2 {
		t.Errorf("labels %v", issue.Labels)
	}
	o.want("issues.opened", "issues.labeled", "issues.labeled")
	author.open(to, "Provider: author/demo", "<h3>Provider Repository</h3>", `<span class="task-done">`, "one<br/>", `name="then" value="completed"`)

	must(o.app.Issues.CreateComment(o.ctx, "registry", "metadata", 1, &github.IssueComment{
		Body: github.String("<!-- registrar:submission issue=1 -->\n### ✅ All good, @author\n\n| | Checked |\n|-|-|\n| ✅ | Repository |")}))(o.world)
	page := author.open(to, "registrar[bot]", `<span class="badge">bot</span>`, "All good, <a class=\"mention\"", "<td>Repository</td>")
	if strings.Contains(page, "registrar:submission") {
		t.Error("the bot's marker is visible")
	}

	number, _ := o.propose("submission/issue-1", "providers/a/author/demo.json", "{}\n", "Add provider author/demo", "Closes #1")
	pull := fmt.Sprintf("/registry/metadata/pull/%d", number)
	if page := author.open(pull, "wants to merge", "1 commit", "submission/issue-1", "Only those with write access"); strings.Contains(page, pull+"/merge") {
		t.Error("the author sees a merge button")
	}
	maintainer.open(pull+"/files", "providers/a/author/demo.json", `<tr class="added">`, "Approve")
	if to := maintainer.done(pull+"/reviews", field("event", "APPROVE", "body", "Welcome!")); to != pull {
		t.Errorf("the review leads to %s", to)
	}
	page = maintainer.open(pull, "approved these changes", "Welcome!", "No conflicts with base branch", pull+"/merge")
	sha := between(page, `name="sha" value="`, `"`)
	maintainer.done(pull+"/merge", field("method", "squash", "sha", sha))
	maintainer.open(pull, "Merged", "merged commit")
	author.open(to, "Closed", "closed this as completed")
	author.open("/registry/metadata/blob/main/providers/a/author/demo.json", "{}")
	maintainer.open("/registry/metadata/issues?state=closed", "Provider: author/demo", "1 Closed")
}

func between(text, before, after string) string {
	_, rest, _ := strings.Cut(text, before)
	found, _, _ := strings.Cut(rest, after)
	return found
}

func TestFormFaultsAreShownAgain(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	author := o.browse("author")
	got := author.submit("/registry/metadata/issues", field("template", "provider.yml", "title", " ", "field2", "kept text"))
	if got.status != http.StatusUnprocessableEntity {
		t.Fatalf("status %d", got.status)
	}
	for _, want := range []string{"A title is required", "Provider Repository is required", "must be checked", "kept text"} {
		if !strings.Contains(got.page, want) {
			t.Errorf("no %q in the page", want)
		}
	}
	author.refusedPage("/registry/metadata/issues", field("template", "../../secret.yml", "title", "x"), http.StatusNotFound, "no issue form")
	o.browse("").refusedPage("/registry/metadata/issues", field("title", "x"), http.StatusForbidden, "not signed in")
	if issues := must(o.as("author").Issues.ListByRepo(o.ctx, "registry", "metadata", nil))(o.world); len(issues) > 0 {
		t.Errorf("%d issues were made", len(issues))
	}
}

func TestBlankIssueCommentCloseReopen(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	author, stranger, maintainer := o.browse("author"), o.browse("stranger"), o.browse("maintainer")
	author.open("/registry/metadata/issues/new?title=Hello&body=prefilled", `value="Hello"`, "prefilled")
	to := author.done("/registry/metadata/issues", field("title", "Hello", "body", "text"))
	o.take()

	author.done(to+"/comments", field("then", "comment", "body", "first\r\n\r\nsecond"))
	must(o.app.Reactions.CreateIssueReaction(o.ctx, "registry", "metadata", 1, "eyes"))(o.world)
	author.done(to+"/comments", field("then", "not_planned", "body", "never mind"))
	o.want("issue_comment.created", "issue_comment.created", "issues.closed")
	page := author.open(to, "👀 1", "Closed as not planned", "<p>first</p>", "never mind", "Reopen")
	if strings.Contains(page, "Close as completed") {
		t.Error("a closed issue can be closed")
	}
	author.done(to+"/comments", field("then", "reopen", "body", ""))
	o.want("issues.reopened")
	author.refusedPage(to+"/comments", field("then", "comment", "body", "  "), http.StatusUnprocessableEntity, "nothing to comment")

	if page := stranger.open(to, "Comment</button>"); strings.Contains(page, "Close as") || strings.Contains(page, "<summary>Edit</summary>") {
		t.Error("a stranger may close or edit")
	}
	stranger.refusedPage(to+"/comments", field("then", "completed", "body", ""), http.StatusForbidden, "admin rights")
	stranger.refusedPage(to, field("title", "mine", "body", ""), http.StatusForbidden, "admin rights")
	stranger.refusedPage(to+"/labels", field("label", "provider"), http.StatusForbidden, "")

	author.done(to, field("title", "Hello again", "body", "new text"))
	author.open(to, "Hello again", "new text")
	comment := between(author.open(to), `action="/registry/metadata/issue_comments/`, `"`)
	author.done("/registry/metadata/issue_comments/"+comment, field("body", "third"))
	author.open(to, "<p>third</p>", "edited")
	stranger.refusedPage("/registry/metadata/issue_comments/"+comment, field("body", "mine"), http.StatusForbidden, "")

	maintainer.open(to, "Change</summary>")
	maintainer.done(to+"/labels", field("label", "module", "label", "submission"))
	maintainer.open("/registry/metadata/issues?label=module", "Hello again")
	maintainer.open("/registry/metadata/issues?q=is%3Aissue+label%3Aprovider", "No issue matches")
	maintainer.done(to+"/labels", field())
	maintainer.open("/registry/metadata/issues?label=module", "No issue matches")
}

func TestStrangerCannotMerge(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	number, _ := o.propose("add", "providers/a/author/demo.json", "{}\n", "Add", "")
	pull := fmt.Sprintf("/registry/metadata/pull/%d", number)
	for _, who := range []string{"stranger", "author", ""} {
		b := o.browse(who)
		if page := b.open(pull); strings.Contains(page, pull+"/merge") {
			t.Errorf("%q sees a merge button", who)
		}
		b.refusedPage(pull+"/merge", field("method", "merge"), http.StatusForbidden, "")
	}
	if merged, _, err := o.app.PullRequests.IsMerged(o.ctx, "registry", "metadata", number); merged || err != nil {
		t.Errorf("merged %v, %v", merged, err)
	}
}

func TestConflictIsExplained(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	number, _ := o.propose("conflict", "README.md", "# Other\n", "Rewrite", "")
	o.file(o.as("maintainer"), "registry", "metadata", "main", "README.md", "# Mine\n")
	pull := fmt.Sprintf("/registry/metadata/pull/%d", number)
	maintainer := o.browse("maintainer")
	if page := maintainer.open(pull, "has conflicts that must be resolved"); strings.Contains(page, pull+"/merge") {
		t.Error("a merge button in spite of the conflict")
	}
	maintainer.refusedPage(pull+"/merge", field("method", "merge"), http.StatusMethodNotAllowed, "not mergeable")
	maintainer.done(strings.Replace(pull, "/pull/", "/issues/", 1)+"/comments", field("then", "close", "body", "Superseded"))
	maintainer.open(pull, "Closed", "Superseded")
	maintainer.open("/registry/metadata/pulls", "0 Open", "1 Closed")
}

func TestOwnPullRequestCannotBeApproved(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	maintainer := o.as("maintainer")
	o.branch(maintainer, "registry", "metadata", "main", "mine")
	o.file(maintainer, "registry", "metadata", "mine", "a.txt", "a\n")
	must(maintainer.PullRequests.Create(o.ctx, "registry", "metadata", &github.NewPullRequest{Title: github.String("Mine"),
		Head: github.String("mine"), Base: github.String("main")}))(o.world)
	b := o.browse("maintainer")
	b.open("/registry/metadata/pull/1/files", "not your own pull request")
	b.refusedPage("/registry/metadata/pull/1/reviews", field("event", "APPROVE"), http.StatusUnprocessableEntity, "Can not approve your own")
	o.browse("author").done("/registry/metadata/pull/1/reviews", field("event", "REQUEST_CHANGES", "body", "please not"))
	b.open("/registry/metadata/pull/1", "requested changes", "please not")
}

func TestChecksAreShown(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	number, sha := o.propose("checked", "providers/a/author/demo.json", "{}\n", "Add", "")
	must(o.app.Checks.CreateCheckRun(o.ctx, "registry", "metadata", github.CreateCheckRunOptions{Name: "registrar", HeadSHA: sha,
		Status: github.String("completed"), Conclusion: github.String("failure"), Output: &github.CheckRunOutput{
			Title: github.String("3 files: 1 error"), Summary: github.String("By the **rules** it can't be merged."), Text: github.String("| a |\n|-|\n| b |"),
			Annotations: []*github.CheckRunAnnotation{{Path: github.String("providers/a/author/demo.json"), StartLine: github.Int(3), EndLine: github.Int(4),
				AnnotationLevel: github.String("failure"), Message: github.String("The recorded version was changed."), Title: github.String("version-changed")}}}}))(o.world)
	pull := fmt.Sprintf("/registry/metadata/pull/%d", number)
	b := o.browse("maintainer")
	b.open(pull, "registrar", "3 files: 1 error", "Details")
	page := b.open(pull+"/checks", "the <strong>rules</strong>", "<td>b</td>", "version-changed", "providers/a/author/demo.json:3-4", "The recorded version was changed.", "Re-run")
	o.take()
	b.done(pull+between(page, `action="`+pull, `"`), nil)
	o.want("check_run.rerequested")
	b.open("/registry/metadata/pulls", "0 of 1 check OK")
	b.open(pull+"/commits", "write providers/a/author/demo.json")
}

func TestWhoYouAre(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	b := o.browse("")
	b.open("/", "Not signed in", "registry/metadata", "What the registry serves", "People", "author", "maintainer", "/settings/apps/registrar/deliveries")
	for back, want := range map[string]string{"/registry/metadata/issues?state=closed": "/registry/metadata/issues?state=closed",
		"//evil.example/": "/", "https://evil.example/": "/", `/\evil.example`: "/", "javascript:alert(1)": "/", "": "/"} {
		if got := b.submit("/_pages/who", field("login", "author", "back", back)); got.location != want {
			t.Errorf("back %q leads to %q", back, got.location)
		}
	}
	b.open("/", `<a class="strong" href="/author">author</a>`)
	for _, nobody := range []string{"", "registry", "registrar[bot]", "no-such-person"} {
		b.submit("/_pages/who", field("login", nobody, "back", "/"))
		b.open("/", "Not signed in")
	}
}

// A page of another site may not act for the person this browser plays.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	b := o.browse("author")
	for _, header := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}} {
		for _, path := range []string{"/registry/metadata/issues", "/_pages/who"} {
			if got := b.ask(http.MethodPost, path, field("title", "forged", "login", "maintainer"), header...); got.status != http.StatusForbidden {
				t.Errorf("%v: POST %s: %d", header, path, got.status)
			}
		}
	}
	if got := b.ask(http.MethodPost, "/registry/metadata/issues", field("title", "own"), "Origin", o.s.URL(), "Sec-Fetch-Site", "same-origin"); got.status != http.StatusSeeOther {
		t.Errorf("own form: %d", got.status)
	}
	b.open("/registry/metadata/issues", "1 Open")
}
