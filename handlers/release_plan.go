package handlers

import (
	"context"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// releasePlan is what the entity's branch and pull request should be.
type releasePlan struct {
	branch *BranchDraft
	pull   *PullDraft
	check  *CheckRun
	// decision is what they are made for.
	decision *Decision
}

// decideRelease wants one branch on top of the metadata branch with all the new
// versions, one pull request and its check run.
func (h *Handlers) decideRelease(r release) releasePlan {
	var p releasePlan
	same := string(r.proposed) == string(r.content)
	open := r.pull != nil && r.pull.Open
	if refusedPull(r.pull) && (same || r.nothingNew) {
		return p // a maintainer refused these very versions
	}
	facts := h.releasePull(r)
	current := open && r.tip != nil && same && string(r.base) == string(r.now)
	if !current {
		p.branch = &BranchDraft{
			Name: releaseBranches.of(r.entity), Base: r.head, Date: r.date,
			Message: templates.CommitMessage(releaseCommit(r)),
			Files:   map[string][]byte{r.entity.Path(): r.content},
		}
	}
	draft := PullDraft{Branch: releaseBranches.of(r.entity), Title: templates.ReleasePullTitle(facts), Body: templates.ReleasePullBody(facts)}
	if !open || !current {
		p.pull = &draft
	}
	if !current || r.check == nil {
		check := h.releaseCheck(r)
		p.check = &check
	}
	p.decision = releaseDecision(r)
	return p
}

func (h *Handlers) releasePull(r release) templates.ReleasePull {
	return templates.ReleasePull{
		Site: h.site, Kind: kindOf(r.entity), Address: r.entity.String(), Repository: r.repo.String(),
		Versions: taken(r.results), Failed: r.failed, Keys: r.keys, Findings: r.findings,
		Files: []string{r.entity.Path()}, Merge: h.policy.Releases,
	}
}

func kindOf(e registrydata.Entity) validation.Kind {
	if e.Kind == registrydata.KindModule {
		return validation.KindModule
	}
	return validation.KindProvider
}

func taken(results []validation.TagResult) []validation.TagResult {
	var out []validation.TagResult
	for _, r := range results {
		if r.Taken {
			out = append(out, r)
		}
	}
	return out
}

func releaseCommit(r release) templates.Commit {
	c := templates.Commit{Kind: kindOf(r.entity), Address: r.entity.String(), Failed: r.failed, Release: true}
	for _, t := range taken(r.results) {
		c.Versions = append(c.Versions, t.Version)
	}
	return c
}

// releaseCheck is the check run of new versions: they were verified just now.
func (h *Handlers) releaseCheck(r release) CheckRun {
	file := templates.CheckedFile{Path: r.entity.Path(), Subject: r.entity.Kind.String() + " " + r.entity.String()}
	findings := r.findings
	for _, t := range taken(r.results) {
		findings = append(findings, t.Findings...)
	}
	for _, f := range findings {
		file.Findings = append(file.Findings, templates.FileFinding{Finding: f, Line: lineOf(r.content, f.Field)})
	}
	return checkRun(templates.CheckRunText(templates.CheckRun{
		Site: h.site, Files: []templates.CheckedFile{file}, Own: true,
	}), validation.HasErrors(findings))
}

// applyRelease makes the plan true.
func (h *Handlers) applyRelease(ctx context.Context, r *release, p releasePlan) error {
	s := submission{tip: r.tip, pull: r.pull}
	err := h.applyPull(ctx, &s, submissionPlan{branch: p.branch, pull: p.pull, check: p.check, decision: p.decision})
	r.tip, r.pull = s.tip, s.pull
	if r.pull != nil && r.tip != nil && r.pull.Open {
		r.pull.HeadSHA = r.tip.SHA
	}
	return err
}
