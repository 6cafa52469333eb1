package handlers

import (
	"slices"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// files are the data files of what waits, by path.
func (b batch) files() map[string][]byte {
	files := make(map[string][]byte, len(b.waiting))
	for _, w := range b.waiting {
		files[w.entity.Path()] = w.is
	}
	return files
}

// about names the entries, as the decision log does.
func (b batch) about() []string {
	var all []string
	for _, w := range b.waiting {
		all = append(all, about(w.entity))
	}
	slices.Sort(all)
	return all
}

// decideBatch wants one commit on top of the metadata branch, one pull request
// and its check run.
func (h *Handlers) decideBatch(b batch, changes []judgedChange) submissionPlan {
	var p submissionPlan
	facts := templates.BatchPull{Site: h.site}
	for _, w := range b.waiting {
		facts.Entries = append(facts.Entries, templates.BatchEntry{
			Kind: kindOf(w.entity), Address: w.entity.String(), Versions: w.versions(), Pull: w.pull.Number,
		})
	}
	check := h.changesCheck(changes, nil, nil)
	p.decision = &Decision{Did: DidJudge, About: b.about(), Base: b.head.SHA, Verdict: validation.Accept}
	if check.Conclusion != "success" {
		p.decision.Verdict = validation.NeedsChanges
	}
	if !b.current {
		p.branch = &BranchDraft{
			Name: batchBranch, Base: b.head, Date: h.now(), Files: b.files(),
			Message: templates.BatchCommitMessage(facts.Entries),
		}
	}
	if !b.open() || !b.current {
		p.pull = &PullDraft{Branch: batchBranch, Title: templates.BatchPullTitle(facts), Body: templates.BatchPullBody(facts)}
	}
	if !b.current || b.check == nil {
		p.check = &check
	}
	return p
}

// versions are those that the data file has on the entry's branch and not on the
// metadata branch, in the file's order.
func (w waitingRelease) versions() []string {
	was := recordedVersions(w.entity, w.was)
	return slices.DeleteFunc(recordedVersions(w.entity, w.is), func(v string) bool { return slices.Contains(was, v) })
}

// recordedVersions are the versions of a data file; none where it cannot be read.
func recordedVersions(e registrydata.Entity, content []byte) (all []string) {
	if e.Kind == registrydata.KindModule {
		if m, err := registrydata.ParseModule(content); err == nil {
			for _, v := range m.Versions {
				all = append(all, v.Version)
			}
		}
		return all
	}
	if p, err := registrydata.ParseProvider(content); err == nil {
		for _, v := range p.Versions {
			all = append(all, v.Version)
		}
	}
	return all
}
