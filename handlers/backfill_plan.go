package handlers

import (
	"context"
	"fmt"

	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// decideBackfill wants one commit on top of the metadata branch, one pull
// request and its check run.
func (h *Handlers) decideBackfill(b backfill, changes []judgedChange) submissionPlan {
	var p submissionPlan
	path := b.entity.Path()
	content := b.file.Provider.Bytes()
	facts := templates.BackfillPull{
		Site: h.site, Address: b.entity.String(), Versions: b.filled, Left: b.left, Files: []string{path}, Merge: h.policy.upkeep(),
	}
	p.decision = &Decision{Did: DidJudge, About: []string{about(b.entity)}, Base: b.head.SHA, Verdict: validation.Accept}
	current := b.open() && b.tip != nil && string(b.proposed) == string(content) && string(b.base) == string(b.now)
	if !current {
		p.branch = &BranchDraft{
			Name: backfillBranches.of(b.entity), Base: b.head, Date: h.now(),
			Message: templates.CommitMessage(templates.Commit{Kind: validation.KindProvider, Address: b.entity.String(), Versions: b.filled, Backfill: true}),
			Files:   map[string][]byte{path: content},
		}
		p.pull = &PullDraft{Branch: backfillBranches.of(b.entity), Title: templates.BackfillPullTitle(facts), Body: templates.BackfillPullBody(facts)}
	}
	if !current || b.check == nil {
		check := h.changesCheck(changes, nil, nil)
		p.check = &check
	}
	return p
}

// proposeBackfill makes the branch and the pull request what they should be, and
// merges by the policy for new versions.
func (h *Handlers) proposeBackfill(ctx context.Context, b *backfill) (Result, error) {
	changes, err := h.judgeData(ctx, b.head.SHA, map[string][]byte{b.entity.Path(): b.file.Provider.Bytes()})
	if err != nil {
		return Result{}, fmt.Errorf("judge what is filled in: %w", err)
	}
	s := submission{tip: b.tip, pull: b.pull}
	if !b.open() {
		s.pull = nil
	}
	if err := h.applyPull(ctx, &s, h.decideBackfill(*b, changes)); err != nil {
		return Result{}, err
	}
	return h.checkPull(ctx, s.pull.Number, false)
}
