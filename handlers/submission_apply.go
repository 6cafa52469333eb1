package handlers

import (
	"context"
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/templates"
)

// applySubmission makes the plan true. Each step is found done by a later run
// if this one ends between two of them.
func (h *Handlers) applySubmission(ctx context.Context, s *submission, p submissionPlan) error {
	if p.input != "" {
		s.input = p.input
	}
	told := p.tellsFirst(*s)
	if told {
		if err := h.applyComment(ctx, *s, p.comment); err != nil {
			return err
		}
	}
	if err := h.applyRedaction(ctx, s.issue.Number, p); err != nil {
		return err
	}
	if err := h.applyPull(ctx, s, p); err != nil {
		return fmt.Errorf("pull request of issue %d: %w", s.issue.Number, err)
	}
	err := together(ctx,
		func(ctx context.Context) error { return h.applyLabels(ctx, s.issue.Number, p) },
		func(ctx context.Context) error { return h.applyDrop(ctx, *s, p) },
		func(ctx context.Context) error {
			for _, c := range p.doubles {
				if err := h.threads.DeleteComment(ctx, c.ID); err != nil {
					return err
				}
			}
			return nil
		},
	)
	if err != nil {
		return fmt.Errorf("issue %d: %w", s.issue.Number, err)
	}
	if p.closing != "" && s.issue.Open {
		state, reason := "closed", p.closing
		if err := h.threads.EditIssue(ctx, s.issue.Number, IssueEdit{State: &state, StateReason: &reason}); err != nil {
			return fmt.Errorf("close issue %d: %w", s.issue.Number, err)
		}
	}
	if told {
		return nil
	}
	// The comment comes last: its stamp says that all before it was done.
	return h.applyComment(ctx, *s, p.comment)
}

// tellsFirst tells whether the plan undoes what shows the next run why it is
// done: then the comment comes first. Else a run that ends in between would
// leave a closed pull request whose comment still calls it ready, as when a
// maintainer closed it; an issue without the private key whose author never hears
// that it was there; or a closed issue that nobody judges any more.
func (p submissionPlan) tellsFirst(s submission) bool {
	return p.drop && s.pullOpen() || p.redacted != nil || p.title != nil || s.judged != nil && p.closing != ""
}

func (h *Handlers) applyRedaction(ctx context.Context, number int, p submissionPlan) error {
	if p.redacted == nil && p.title == nil {
		return nil
	}
	if err := h.threads.EditIssue(ctx, number, IssueEdit{Title: p.title, Body: p.redacted}); err != nil {
		return fmt.Errorf("redact the private key in issue %d: %w", number, err)
	}
	return nil
}

// applyPull writes the branch, then its check run, then the pull request.
func (h *Handlers) applyPull(ctx context.Context, s *submission, p submissionPlan) error {
	if p.branch != nil {
		tip, err := h.branches.PutBranch(ctx, *p.branch)
		if err != nil {
			return err
		}
		s.tip = &tip
	}
	if err := h.recordPlan(ctx, s, p); err != nil {
		return err
	}
	// Whoever sees the pull request sees its check: else its own run would write one
	// from the files alone.
	if p.check != nil {
		check := *p.check
		check.SHA = s.tip.SHA
		if err := h.checks.PutCheck(ctx, check); err != nil {
			return err
		}
	}
	switch {
	case p.pull == nil:
		return nil
	case s.pullOpen():
		return h.pulls.EditPull(ctx, s.pull.Number, PullEdit{Title: &p.pull.Title, Body: &p.pull.Body})
	}
	opened, err := h.pulls.CreatePull(ctx, *p.pull)
	s.pull = &opened
	return err
}

// recordPlan writes down why a branch, a pull request or a check run is made. A
// run that ends after it finds one of them missing, and records it again.
func (h *Handlers) recordPlan(ctx context.Context, s *submission, p submissionPlan) error {
	if p.decision == nil || p.branch == nil && p.pull == nil && p.check == nil {
		return nil
	}
	d := *p.decision
	d.Commit, d.Pull = s.tip.SHA, 0
	if s.pullOpen() {
		d.Pull = s.pull.Number
	}
	s.recorded = true
	return h.decisions.record(ctx, d)
}

func (h *Handlers) applyLabels(ctx context.Context, number int, p submissionPlan) error {
	if len(p.labels) > 0 {
		if err := h.threads.AddLabels(ctx, number, p.labels); err != nil {
			return err
		}
	}
	for _, l := range p.unlabel {
		if err := h.threads.RemoveLabel(ctx, number, l); err != nil {
			return err
		}
	}
	return nil
}

// applyDrop closes the pull request and deletes the branch.
func (h *Handlers) applyDrop(ctx context.Context, s submission, p submissionPlan) error {
	if !p.drop {
		return nil
	}
	return h.takeBack(ctx, submissionBranch(s.issue.Number), s.pull, s.tip)
}

// applyComment writes the one comment of a submission, if it is not what it
// should be already.
func (h *Handlers) applyComment(ctx context.Context, s submission, c *templates.Comment) error {
	if c == nil {
		return nil
	}
	note := stamp{State: c.State, Input: s.input}
	if s.pull != nil {
		note.Pull = s.pull.Number
		c.Pull = &templates.PullLink{Number: s.pull.Number, URL: s.pull.URL}
	}
	body := stamped(templates.SubmissionComment(*c), note)
	if s.comment != nil && sameText(s.comment.Body, body) {
		return nil
	}
	if err := h.recordAnswer(ctx, s, *c); err != nil {
		return err
	}
	if s.comment == nil {
		return h.threads.CreateComment(ctx, s.issue.Number, body)
	}
	return h.threads.EditComment(ctx, s.comment.ID, body)
}

func (h *Handlers) recordAnswer(ctx context.Context, s submission, c templates.Comment) error {
	if h.decisions.port == nil {
		return nil
	}
	d, err := h.answerDecision(ctx, s, c)
	if err != nil {
		return err
	}
	return h.decisions.record(ctx, d)
}

// sameText compares texts as GitHub gives them back: it keeps them, but for the
// line ends and white space at the end.
func sameText(a, b string) bool {
	norm := func(s string) string { return strings.TrimSpace(strings.ReplaceAll(s, "\r\n", "\n")) }
	return norm(a) == norm(b)
}
