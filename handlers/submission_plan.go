package handlers

import (
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// submissionPlan is what an issue, its branch and its pull request should be.
// What is empty is left alone.
type submissionPlan struct {
	redacted *string // the issue's body without the private key
	title    *string // the issue's title without it
	input    string  // digest of the answers as they stand after that

	branch *BranchDraft
	pull   *PullDraft // to open, or to edit where one is open
	check  *CheckRun
	drop   bool // close the pull request and delete the branch

	comment *templates.Comment
	doubles []Comment // of it, to delete
	labels  []string  // to add
	unlabel []string
	closing string // state reason to close the issue with

	// decision is what branch, pull request and check run are made for.
	decision *Decision

	again time.Duration
}

func (p submissionPlan) empty() bool {
	return p.redacted == nil && p.title == nil && p.branch == nil && p.pull == nil && p.check == nil &&
		!p.drop && p.comment == nil && len(p.doubles) == 0 && len(p.labels) == 0 && len(p.unlabel) == 0 && p.closing == ""
}

func (p submissionPlan) result() Result { return Result{Again: p.again} }

// untilLive and seldomLive are how soon a merged submission is looked at again
// until it is served: at first, and at most, where something holds it up.
const (
	untilLive  = time.Second
	seldomLive = 5 * time.Minute
)

// decideSubmission says what is to be done about what was observed.
func (h *Handlers) decideSubmission(s submission) submissionPlan {
	p := h.decideState(s)
	// GitHub did not show one of them when the other was written.
	p.doubles = s.doubles
	return p
}

func (h *Handlers) decideState(s submission) submissionPlan {
	switch {
	case s.issue.IsPull:
		return submissionPlan{}
	case s.answers.PrivateKey:
		return h.decideRedaction(s)
	case s.merged():
		return h.decideMerged(s)
	case !s.issue.Open:
		return h.decideClosed(s)
	case s.rejected():
		return submissionPlan{
			drop: s.tip != nil, closing: "not_planned",
			comment: h.submissionComment(s, templates.StateClosedUnmerged),
		}
	case s.judged == nil:
		// The run that wrote the comment may have ended before this.
		return submissionPlan{drop: s.settled() && s.stamp.State != templates.StatePullRequest && s.leftover()}
	}
	return h.decideJudged(s)
}

// decideRedaction removes a private key before anything else is done with the
// issue.
func (h *Handlers) decideRedaction(s submission) submissionPlan {
	p := submissionPlan{comment: h.submissionComment(s, templates.StatePrivateKey), drop: s.leftover()}
	title, body := s.issue.Title, s.issue.Body
	if clean, found := templates.RedactPrivateKey(body); found {
		body, p.redacted = clean, &clean
	}
	if clean, found := templates.RedactPrivateKey(title); found {
		title, p.title = clean, &clean
	}
	p.input = digest(h.answers(title, s.issue.Labels, body))
	return p
}

// decideMerged follows a merged submission until clients can use it.
func (h *Handlers) decideMerged(s submission) submissionPlan {
	p := submissionPlan{drop: s.tip != nil}
	state := templates.StatePublishing
	if s.live || s.stamp.State == templates.StateLive {
		state = templates.StateLive
	} else {
		p.again = min(max(untilLive, s.publishedFor(h.now())/4), seldomLive)
	}
	if s.stamp.State != state {
		p.comment = h.mergedComment(s, state)
	}
	if s.issue.Open {
		p.closing = "completed"
	}
	return p
}

// mergedComment tells what was merged from the answers alone: the facts behind
// the verdict are in the pull request.
func (h *Handlers) mergedComment(s submission, state templates.State) *templates.Comment {
	c := h.submissionComment(s, state)
	sub, findings := validation.ReadSubmission(s.answers)
	c.Report = sub.Verdict(findings)
	c.Report.Verdict = validation.Accept // a maintainer has merged it, whatever the rules say by now
	c.Provider, c.Module = s.served.provider, s.served.module
	return c
}

// decideClosed follows an issue that was closed before its pull request was
// merged: the submission is withdrawn.
func (h *Handlers) decideClosed(s submission) submissionPlan {
	switch {
	case s.pullOpen():
		return submissionPlan{drop: true, comment: h.submissionComment(s, templates.StateWithdrawn)}
	case s.rejected():
		return submissionPlan{drop: s.tip != nil, comment: h.submissionComment(s, templates.StateClosedUnmerged)}
	}
	return submissionPlan{drop: s.tip != nil}
}

// decideJudged follows a fresh verdict.
func (h *Handlers) decideJudged(s submission) submissionPlan {
	j := s.judged
	var p submissionPlan
	p.labels, p.unlabel = h.relabel(s)
	switch {
	case j.already:
		p.comment = h.submissionComment(s, templates.StateAlreadyRegistered)
		p.drop, p.closing = s.leftover(), "not_planned"
	case j.Kind == validation.KindVersionReindex:
		p.comment = h.submissionComment(s, templates.StateRequestReceived)
	case j.Verdict == validation.Accept:
		h.decideAccepted(s, &p)
	default:
		p.comment = h.submissionComment(s, templates.StateNeedsChanges)
		p.drop = s.leftover()
	}
	return p
}

// decideAccepted wants a branch with the file, a pull request from it and a
// check run on it.
func (h *Handlers) decideAccepted(s submission, p *submissionPlan) {
	j := s.judged
	pull := h.submissionPull(s)
	if !s.current {
		p.branch = &forge.BranchDraft{
			Name: submissionBranch(s.issue.Number), Base: s.head, Date: s.issue.Created,
			Message: templates.CommitMessage(h.submissionCommit(s)),
			Files:   j.files,
		}
	}
	draft := PullDraft{
		Branch: submissionBranch(s.issue.Number),
		Title:  templates.SubmissionPullTitle(pull), Body: templates.SubmissionPullBody(pull),
	}
	if !s.pullOpen() || s.pull.Title != draft.Title || !sameText(s.pull.Body, draft.Body) {
		p.pull = &draft
	}
	check := h.submissionCheck(s)
	if !s.current || s.check == nil || s.check.Conclusion != check.Conclusion || s.check.Title != check.Title {
		if s.current && s.check != nil {
			check.ID = s.check.ID
		}
		p.check = &check
	}
	p.comment = h.submissionComment(s, templates.StatePullRequest)
	p.decision = judgedDecision(s)
}

func (h *Handlers) submissionCommit(s submission) templates.Commit {
	j := s.judged
	c := templates.Commit{Kind: j.Kind, Address: subjectName(j.Report), Issue: s.issue.Number, Author: s.issue.Author}
	if j.key != nil {
		c.KeyID = j.key.Key.KeyID
	}
	c.Removal = j.removal
	return c
}

// relabel gives the labels of what the submission turned out to be, and takes
// away that of the form that was used for it.
func (h *Handlers) relabel(s submission) (add, remove []string) {
	kinds := map[validation.Kind]string{
		validation.KindProvider: "provider", validation.KindModule: "module",
		validation.KindProviderKey: "provider-key",
	}
	want, ok := kinds[s.judged.Kind]
	if !ok {
		return nil, nil
	}
	has := map[string]bool{}
	for _, l := range s.issue.Labels {
		has[l] = true
	}
	for _, l := range []string{want, "submission"} {
		if !has[l] {
			add = append(add, l)
		}
	}
	for _, l := range kinds {
		if l != want && has[l] {
			remove = append(remove, l)
		}
	}
	return add, remove
}
