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
