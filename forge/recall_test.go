package forge_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/sandbox"
)

// GitHub's lists lag behind what was just written. To this process they do not:
// else it would write a second comment, check run or alert.
func TestOwnWritesAreSeenAtOnce(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	number, err := h.ada.OpenIssue(ctx, registryRepo, "Provider: acme/demo", "### Provider Repository", "provider")
	must(t, err)
	head, err := h.meta.Head(ctx)
	must(t, err)
	comments := func() string {
		own, err := h.meta.OwnComments(ctx, number)
		must(t, err)
		text := ""
		for _, c := range own {
			text += fmt.Sprintf("%d %s; ", c.Issue, c.Body)
		}
		return text
	}
	check := func() string {
		c, _, err := h.meta.Check(ctx, head.SHA, "registrar")
		must(t, err)
		return c.Conclusion + " " + c.Summary
	}
	alerts := func() string {
		open, err := h.meta.AlertIssues(ctx)
		must(t, err)
		text := ""
		for _, i := range open {
			text += i.Title + "; "
		}
		return text
	}
	expect := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	must(t, h.Knobs().Set(sandbox.Settings{StaleReads: sandbox.Duration(time.Hour)}))
	expect("nothing yet", comments()+check()+alerts(), " ")

	must(t, h.meta.CreateComment(ctx, number, "first"))
	must(t, h.meta.CreateComment(ctx, number, "second"))
	expect("written", comments(), fmt.Sprintf("%d first; %d second; ", number, number))
	own, err := h.meta.OwnComments(ctx, number)
	must(t, err)
	must(t, h.meta.EditComment(ctx, own[0].ID, "better"))
	must(t, h.meta.DeleteComment(ctx, own[1].ID))
	must(t, h.meta.DeleteComment(ctx, own[1].ID))
	expect("edited, deleted", comments(), fmt.Sprintf("%d better; ", number))

	run := forge.CheckRun{SHA: head.SHA, Name: "registrar", Conclusion: "failure", Title: "t", Summary: "no"}
	must(t, h.meta.PutCheck(ctx, run))
	expect("check run", check(), "failure no")
	seen, _, err := h.meta.Check(ctx, head.SHA, "registrar")
	must(t, err)
	run.ID, run.Conclusion, run.Summary = seen.ID, "success", "yes"
	must(t, h.meta.PutCheck(ctx, run))
	expect("updated check run", check(), "success yes")

	alert, err := h.meta.CreateIssue(ctx, "to mend", "body", []string{forge.AlertLabel})
	must(t, err)
	expect("alert", alerts(), "to mend; ")
	closed := "closed"
	must(t, h.meta.EditIssue(ctx, alert, forge.IssueEdit{State: &closed}))
	expect("closed alert", alerts(), "")
}

// A pull request that was opened, edited or merged by this process is so, and
// what a merge followed is not the head any more, whatever GitHub answers.
func TestOwnPullsAreSeenAtOnce(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	const branch = "release/module-acme/demo/aws"
	base, err := h.meta.Head(ctx)
	must(t, err)
	expect := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	state := func(p forge.Pull) string {
		return fmt.Sprintf("%d %s open=%v merged=%v", p.Number, p.Body, p.Open, p.Merged)
	}
	listed := func() string {
		pulls, err := h.meta.PullsByBranch(ctx, branch)
		must(t, err)
		text := ""
		for _, p := range pulls {
			text += state(p) + "; "
		}
		return text
	}
	must(t, h.Knobs().Set(sandbox.Settings{StaleReads: sandbox.Duration(time.Hour)}))
	expect("nothing yet", listed(), "")
	draft := forge.BranchDraft{
		Name: branch, Base: base, Date: time.Now(), Message: "new", Files: map[string][]byte{"modules/a/acme/demo/aws.json": []byte("{}")},
	}
	_, err = h.meta.PutBranch(ctx, draft)
	must(t, err)
	p, err := h.meta.CreatePull(ctx, forge.PullDraft{Branch: branch, Title: "new", Body: "first"})
	must(t, err)
	is := func(body string, open, merged bool) string {
		return fmt.Sprintf("%d %s open=%v merged=%v", p.Number, body, open, merged)
	}
	expect("opened", listed(), is("first", true, false)+"; ")
	body := "better"
	must(t, h.meta.EditPull(ctx, p.Number, forge.PullEdit{Body: &body}))
	expect("edited", listed(), is("better", true, false)+"; ")
	now, err := h.meta.Pull(ctx, p.Number)
	must(t, err)
	expect("by its number", state(now), is("better", true, false))

	draft.Message = "newer"
	tip, err := h.meta.PutBranch(ctx, draft)
	must(t, err)
	now, err = h.meta.Pull(ctx, p.Number)
	must(t, err)
	expect("after a push", now.HeadSHA, tip.SHA)

	must(t, h.meta.Merge(ctx, p.Number, tip.SHA, "new", ""))
	expect("merged", listed(), is("better", false, true)+"; ")
	now, err = h.meta.Pull(ctx, p.Number)
	must(t, err)
	head, err := h.meta.Head(ctx)
	must(t, err)
	expect("the head", head.SHA, now.MergeSHA)
	expect("what it follows", head.Parent, base.SHA)
}

// Someone else's merge is known from the pull request before GitHub's branch has
// it.
func TestHeadAfterTheMergeOfAnother(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	base, err := h.meta.Head(ctx)
	must(t, err)
	tip, err := h.meta.PutBranch(ctx, forge.BranchDraft{
		Name: "submission/issue-1", Base: base, Date: time.Now(), Message: "new", Files: map[string][]byte{"providers/a/acme/demo.json": []byte("{}")},
	})
	must(t, err)
	p, err := h.meta.CreatePull(ctx, forge.PullDraft{Branch: "submission/issue-1", Title: "new"})
	must(t, err)
	must(t, h.Knobs().Set(sandbox.Settings{StaleReads: sandbox.Duration(time.Hour), SparePeople: true}))
	_, err = h.meta.Head(ctx)
	must(t, err)
	must(t, h.grace.Merge(ctx, registryRepo, p.Number))
	head, err := h.meta.Head(ctx)
	must(t, err)
	if head.SHA != base.SHA {
		t.Fatalf("the branch does not lag: %.7s", head.SHA)
	}
	merged, err := h.meta.Pull(ctx, p.Number)
	must(t, err)
	if head, err = h.meta.Head(ctx); err != nil || !merged.Merged || head.SHA != merged.MergeSHA || head.SHA == tip.SHA {
		t.Errorf("head %.7s after the merge %+v, %v", head.SHA, merged, err)
	}
}
