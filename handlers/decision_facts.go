package handlers

import (
	"cmp"
	"context"
	"slices"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// about names an entry in the log.
func about(e registrydata.Entity) string { return e.Kind.String() + " " + lower(e.String()) }

// aboutReport names what a submission is about; nobody knows where the answers
// name nothing.
func aboutReport(r validation.Report, removal *templates.Removal) []string {
	if removal != nil {
		var all []string
		for _, x := range removal.Removed {
			all = append(all, about(x.Entity))
		}
		return all
	}
	name := lower(subjectName(r))
	switch {
	case name == "":
		return nil
	case r.Kind == validation.KindProviderKey:
		return []string{string(r.Kind) + " " + name}
	case r.Target != "":
		return []string{registrydata.KindModule.String() + " " + name}
	}
	return []string{registrydata.KindProvider.String() + " " + name}
}

// submissionDecision is what all decisions about a submission have.
func submissionDecision(s submission, r validation.Report, removal *templates.Removal, key *templates.KeyCheck, provider *templates.ProviderCheck, module *templates.ModuleCheck) Decision {
	d := Decision{
		About: aboutReport(r, removal), Issue: s.issue.Number, Base: s.head.SHA, Asked: s.issue.Author, Input: s.input,
		Verdict: r.Verdict, Findings: decisionFindings(r.Findings),
	}
	if s.pull != nil {
		d.Pull = s.pull.Number
	}
	if s.tip != nil {
		d.Commit = s.tip.SHA
	}
	if key != nil {
		d.Keys = []string{key.Key.KeyID}
	}
	if provider != nil {
		d.Keys, d.Versions = provider.Keys, decisionVersions(provider.Versions)
	}
	if module != nil {
		d.Versions = decisionVersions(module.Versions)
	}
	if removal != nil {
		for _, x := range removal.Removed {
			for _, v := range x.Versions {
				d.Versions = append(d.Versions, DecisionVersion{Version: v, Of: about(x.Entity), Outcome: "removed"})
			}
		}
	}
	return d
}

// judgedDecision is the verdict that a branch is made for.
func judgedDecision(s submission) *Decision {
	j := s.judged
	d := submissionDecision(s, j.Report, j.removal, j.key, j.provider, j.module)
	d.Did = DidJudge
	return &d
}

// answerDecision is what a comment tells.
func (h *Handlers) answerDecision(ctx context.Context, s submission, c templates.Comment) (Decision, error) {
	d := submissionDecision(s, c.Report, c.Removal, c.Key, c.Provider, c.Module)
	d.Did, d.State, d.Incident = DidAnswer, c.State, c.Incident
	if s.recorded {
		d.Findings, d.Versions = nil, nil // the line before has them
	}
	if d.Pull > 0 && s.merged() {
		d.Findings, d.Versions, d.Base = nil, nil, "" // of the answers alone; those that counted were judged before
		pull, err := h.pulls.Pull(ctx, d.Pull)
		if err != nil {
			return d, err
		}
		d.Commit, d.MergedBy = pull.MergeSHA, pull.MergedBy
	}
	return d, nil
}

func decisionVersions(results []validation.TagResult) []DecisionVersion {
	var out []DecisionVersion
	for _, r := range results {
		v := DecisionVersion{Version: cmp.Or(r.Version, r.Tag), Outcome: "refused", SignedBy: r.SignedBy}
		if r.Taken {
			v.Outcome = "taken"
		}
		out = append(out, v)
	}
	return out
}

// releaseDecision is what becomes of new versions, and of those that failed.
func releaseDecision(r release) *Decision {
	d := Decision{
		Did: DidJudge, About: []string{about(r.entity)}, Base: r.head.SHA, Verdict: validation.Accept,
		Keys: r.keys, Versions: decisionVersions(r.results),
	}
	findings := r.findings
	for _, t := range r.results {
		findings = append(findings, t.Findings...)
	}
	for _, v := range r.failed {
		if !slices.ContainsFunc(d.Versions, func(x DecisionVersion) bool { return x.Version == v }) {
			d.Versions = append(d.Versions, DecisionVersion{Version: v, Outcome: "refused"})
		}
	}
	refused := slices.ContainsFunc(d.Versions, func(v DecisionVersion) bool { return v.Outcome == "refused" })
	if validation.HasErrors(r.findings) || refused && len(taken(r.results)) == 0 {
		d.Verdict = validation.NeedsChanges
	}
	d.Findings = decisionFindings(findings)
	return &d
}

// movedDecision is what follows from a repository that is not where it was.
func movedDecision(m moved) *Decision {
	d := Decision{Did: DidJudge, About: []string{about(m.entity)}, Base: m.head.SHA, Verdict: validation.Accept}
	findings := m.findings
	for _, c := range m.changes {
		for _, f := range c.findings {
			findings = append(findings, f.Finding)
		}
		if e, ok := registrydata.EntityFromPath(c.path); ok && e != m.entity {
			d.About = append(d.About, about(e))
		}
	}
	d.Findings = decisionFindings(findings)
	return &d
}

// pullDecision is the verdict on the files of anyone's pull request.
func pullDecision(pull Pull, author string, files []templates.CheckedFile) Decision {
	d := Decision{
		Did: DidJudge, About: aboutFiles(files), Pull: pull.Number, Commit: pull.HeadSHA, Base: pull.BaseSHA,
		Asked: author, Verdict: validation.Accept,
	}
	if issue, ok := submissionIssue(pull.HeadBranch); ok && pull.Own && !pull.FromFork {
		d.Issue = issue
	}
	for _, f := range files {
		for _, finding := range f.Findings {
			if finding.Severity == validation.Error {
				d.Verdict = validation.NeedsChanges
			}
			one := decisionFindings([]validation.Finding{finding.Finding})[0]
			if len(files) > 1 {
				one.Field = f.Path + " " + one.Field
			}
			d.Findings = append(d.Findings, one)
		}
	}
	return d
}

func aboutFiles(files []templates.CheckedFile) []string {
	var all []string
	for _, f := range files {
		if e, ok := registrydata.EntityFromPath(f.Path); ok {
			all = append(all, about(e))
		} else if namespace, name, ok := keyPath(f.Path); ok {
			subject := namespace
			if name != "" {
				subject += "/" + name
			}
			all = append(all, string(validation.KindProviderKey)+" "+lower(subject))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// mergeDecision lets one of the App's own pull requests in.
func mergeDecision(pull Pull, policy templates.Merge, approved []string) Decision {
	d := Decision{Did: DidMerge, Pull: pull.Number, Commit: pull.HeadSHA, Policy: policy, Approved: slices.Sorted(slices.Values(approved))}
	if issue, ok := submissionIssue(pull.HeadBranch); ok {
		d.Issue = issue
	}
	if e, _, ok := branchEntity(pull.HeadBranch); ok {
		d.About = []string{about(e)}
	}
	return d
}

// publishDecision makes a commit live.
func publishDecision(from, commit string, entities []registrydata.Entity) Decision {
	d := Decision{Did: DidPublish, Base: from, Commit: commit, Entities: len(entities)}
	for _, e := range entities {
		d.About = append(d.About, about(e))
	}
	slices.Sort(d.About)
	return d
}

// heldBackDecision keeps back what a commit would take away by mistake.
func heldBackDecision(from, commit string, losses []publish.Loss) Decision {
	d := Decision{Did: DidHoldBack, Base: from, Commit: commit}
	for _, l := range losses {
		d.About = append(d.About, about(l.Entity))
		d.Versions = append(d.Versions, DecisionVersion{Version: l.Version, Of: about(l.Entity), Outcome: "held-back"})
	}
	slices.Sort(d.About)
	d.About = slices.Compact(d.About)
	slices.SortFunc(d.Versions, func(a, b DecisionVersion) int {
		return cmp.Or(cmp.Compare(a.Of, b.Of), cmp.Compare(a.Version, b.Version))
	})
	return d
}

// alertDecision changes what the alert of an entry says.
func alertDecision(a templates.Alert, p alertPlan) Decision {
	kind := registrydata.KindProvider
	if a.Kind == validation.KindModule {
		kind = registrydata.KindModule
	}
	d := Decision{Did: DidAlert, About: []string{kind.String() + " " + lower(a.Address)}, State: "open"}
	if !p.open {
		d.State = "closed"
	}
	if p.issue != nil {
		d.Issue = p.issue.Number
	}
	for _, c := range a.Conditions {
		for _, f := range c.Findings {
			if f.Field == "" {
				f.Field = c.Tag
			}
			d.Findings = append(d.Findings, decisionFindings([]validation.Finding{f})...)
		}
	}
	return d
}
