package handlers

import (
	"maps"
	"slices"

	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// decideMoved wants one branch on top of the metadata branch, one pull request
// and its check run. What a maintainer refused by closing it is not proposed
// again.
func (h *Handlers) decideMoved(m moved) submissionPlan {
	var p submissionPlan
	open := m.pull != nil && m.pull.Open
	if m.refused() {
		return p
	}
	facts := h.warningPull(m)
	if !m.current {
		p.branch = &BranchDraft{
			Name: warningBranches.of(m.entity), Base: m.head, Date: h.now(), Files: m.files,
			Message: templates.CommitMessage(templates.Commit{Kind: facts.Kind, Address: facts.Address, Warning: &facts}),
		}
	}
	if !open || !m.current {
		p.pull = &PullDraft{Branch: warningBranches.of(m.entity), Title: templates.WarningPullTitle(facts), Body: templates.WarningPullBody(facts)}
	}
	if !m.current || m.check == nil {
		check := h.changesCheck(m.changes, facts.Provider, facts.Module)
		p.check = &check
	}
	p.decision = movedDecision(m)
	return p
}

func (h *Handlers) warningPull(m moved) templates.WarningPull {
	p := templates.WarningPull{
		Site: h.site, Kind: kindOf(m.entity), Address: m.entity.String(), Repository: m.repo.String(),
		State: m.state, Now: m.facts.Repository, Warning: m.warning,
		Files: slices.Sorted(maps.Keys(m.files)), Merge: h.warningPolicy(m.added != nil),
	}
	if m.added != nil {
		p.Added, p.Provider, p.Module, p.Findings = m.address, m.added.provider, m.added.module, m.added.Findings
	}
	return p
}

// warningPolicy is who merges a warning: nobody by themselves unless the policy
// lets new versions in so, and for a new address, submissions too.
func (h *Handlers) warningPolicy(adds bool) templates.Merge {
	switch {
	case !adds:
		return h.policy.upkeep()
	case h.policy.upkeep() == templates.MergeAutomatic:
		return h.policy.Merge
	}
	return templates.MergeManual
}

// changesCheck is the check run on changed files: the same rules as on anyone's
// pull request, so that it says what is changed.
func (h *Handlers) changesCheck(changes []judgedChange, provider *templates.ProviderCheck, module *templates.ModuleCheck) CheckRun {
	var files []templates.CheckedFile
	failed := false
	for _, c := range changes {
		files = append(files, c.checked())
		for _, f := range c.findings {
			failed = failed || f.Severity == validation.Error
		}
	}
	return checkRun(templates.CheckRunText(templates.CheckRun{
		Site: h.site, Files: files, Provider: provider, Module: module, Own: true,
	}), failed)
}
