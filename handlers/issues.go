package handlers

import (
	"context"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// issueKeys: an issue of the metadata repository is a submission, or may have
// become one by an edit or a label. Closing one withdraws it.
func (h *Handlers) issueKeys(e event) []Key {
	if !e.Repository.is(h.metadata) || e.Issue.Number <= 0 || h.own(e) || len(e.Issue.PullRequest) > 0 {
		return nil
	}
	if !oneOf(e.Action, "opened", "edited", "reopened", "closed", "labeled", "unlabeled") {
		return nil
	}
	return []Key{IssueKey(e.Issue.Number)}
}

// staleAfter is how long an observation may take before the issue is read once
// more just before anything is written.
const staleAfter = 2 * time.Second

// reconcileIssue drives a submission: its comment, its branch, its pull request
// and check run, and the issue itself.
func (h *Handlers) reconcileIssue(ctx context.Context, number int) (Result, error) {
	return h.reconcileSubmission(ctx, number, false)
}

// reconcileSubmission judges anew if the answers changed since the last verdict,
// or if force says so; all else it does at every run.
func (h *Handlers) reconcileSubmission(ctx context.Context, number int, force bool) (Result, error) {
	started := h.now()
	s, err := h.observeSubmission(ctx, number, force)
	if err != nil {
		return Result{}, err
	}
	p := h.decideSubmission(s)
	if p.empty() {
		// While a pull request waits, others' merges concern it.
		if p.again == 0 && !s.pullOpen() && h.now().Sub(s.issue.Updated) > forge.ReadsLag {
			h.settled.note(s.issue)
		}
		return p.result(), nil
	}
	if h.now().Sub(started) > staleAfter {
		fresh, err := h.threads.Issue(ctx, number)
		if err != nil {
			return Result{}, err
		}
		if fresh.Title != s.issue.Title || fresh.Body != s.issue.Body || fresh.Open != s.issue.Open {
			return Result{Next: []Key{IssueKey(number)}}, nil
		}
	}
	if p.drop && s.pullOpen() {
		// GitHub closes the issue when it merges the pull request: what was read of
		// the two at the same time may be from before and from after.
		now, err := h.pulls.Pull(ctx, s.pull.Number)
		if err != nil {
			return Result{}, err
		}
		if !now.Open {
			return Result{Again: untilLive}, nil
		}
	}
	result := p.result()
	if err := h.applySubmission(ctx, &s, p); err != nil {
		return Result{}, err
	}
	if h.policy.Merge == templates.MergeAutomatic && s.pullOpen() && !p.drop {
		result.Next = append(result.Next, PullKey(s.pull.Number))
	}
	return result, nil
}

// Judge is the bot's verdict on an issue that need not exist, for the command
// line. It reads the world and writes nothing.
func (h *Handlers) Judge(ctx context.Context, issue Issue) (validation.Report, error) {
	head, err := h.snapshots.Head(ctx)
	if err != nil {
		return validation.Report{}, err
	}
	answers := h.answers(issue.Title, issue.Labels, issue.Body)
	j, err := h.judge(ctx, submission{issue: issue, answers: answers, head: head})
	return j.Report, err
}
