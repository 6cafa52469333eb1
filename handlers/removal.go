package handlers

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// judgeRemoval gathers what is recorded of the versions that a request wants to
// be removed, and asks the rules. The repository is not looked at: it may be the
// very thing that is gone.
func (h *Handlers) judgeRemoval(ctx context.Context, issue int, q question) (judgement, error) {
	in := validation.RemovalInput{Submission: q.Submission, Issue: issue}
	var member bool
	err := together(ctx,
		func(ctx context.Context) (err error) {
			in.Addresses, in.Recorded, err = h.recordedAs(ctx, q.commit, q.Candidates)
			return err
		},
		func(ctx context.Context) (err error) {
			in.Blacklist, _, err = h.snapshots.File(ctx, q.commit, registrydata.BlacklistPath)
			return err
		},
		func(ctx context.Context) (err error) {
			member, err = h.memberOf(ctx, q.Namespace, q.author)
			return err
		},
	)
	if err != nil {
		return judgement{}, fmt.Errorf("look at what is to be removed: %w", err)
	}
	v, err := validation.JudgeRemoval(in)
	if err != nil {
		return judgement{}, err
	}
	j := judgement{Report: v.Report, files: v.Files, isMember: member}
	if len(v.Removed) > 0 {
		j.path = v.Removed[0].Entity.Path()
		j.removal = &templates.Removal{Removed: v.Removed, Reason: v.Reason}
		j.changes, err = h.judgeData(ctx, q.commit, v.Files)
	}
	return j, err
}

// recordedAs finds what the first of the repositories that is registered is
// registered as, and the data files. The addresses are all that versions of it
// could come in under.
func (h *Handlers) recordedAs(ctx context.Context, commit string, repos []registrydata.Repository) (addresses []registrydata.Entity, files []validation.RecordedFile, err error) {
	al, err := h.aliasesAt(ctx, commit)
	if err != nil {
		return nil, nil, err
	}
	for _, repo := range repos {
		e, ok := entityOf(repo)
		if !ok {
			continue
		}
		for _, list := range [][]registrydata.Entity{servedTogether(al, e), copiedFrom(al, e)} {
			if addresses == nil {
				addresses = list
			}
			for _, e := range list {
				content, ok, err := h.snapshots.File(ctx, commit, e.Path())
				if err != nil {
					return nil, nil, err
				}
				if ok {
					files = append(files, validation.RecordedFile{Entity: e, Content: content})
				}
			}
			if len(files) > 0 {
				return list, files, nil
			}
		}
	}
	return addresses, nil, nil
}

// servedTogether are the addresses whose versions come from one repository: the
// entity's own first.
func servedTogether(al registrydata.Aliases, e registrydata.Entity) []registrydata.Entity {
	all := []registrydata.Entity{e}
	if e.Kind != registrydata.KindProvider {
		return all
	}
	for _, ns := range al.NamespacesServedBy(al.EffectiveNamespace(e.Namespace)) {
		if twin := (registrydata.ProviderAddress{Namespace: ns, Name: e.Name}).Entity(); twin != e {
			all = append(all, twin)
		}
	}
	return all
}

// copiedFrom are the addresses of the provider that is served at an old one.
func copiedFrom(al registrydata.Aliases, e registrydata.Entity) []registrydata.Entity {
	if e.Kind != registrydata.KindProvider {
		return nil
	}
	source, ok := al.Resolve(e.Provider())
	if !ok {
		return nil
	}
	return servedTogether(al, source.Entity())
}

// judgeData judges changed files of the metadata repository by the rules for
// anyone's pull request; nil is a file to delete.
func (h *Handlers) judgeData(ctx context.Context, commit string, files map[string][]byte) ([]judgedChange, error) {
	al, err := h.aliasesAt(ctx, commit)
	if err != nil {
		return nil, err
	}
	rules := validation.DataRules{WebURL: h.webURL, Aliases: al, Now: h.now()}
	if content, ok := files[registrydata.BlacklistPath]; ok {
		if rules.Blacklist, err = registrydata.ParseBlacklist(content); err != nil {
			return nil, fmt.Errorf("%s: %w", registrydata.BlacklistPath, err)
		}
	}
	return each(ctx, slices.Sorted(maps.Keys(files)), func(ctx context.Context, path string) (judgedChange, error) {
		was, _, err := h.snapshots.File(ctx, commit, path)
		return judgedChange{path: path, removed: files[path] == nil, findings: rules.Change(path, was, files[path])}, err
	})
}

// judgedChange is a changed file with what the rules for data files say of it.
type judgedChange struct {
	path     string
	removed  bool
	findings []validation.FileFinding
}

func (c judgedChange) checked() templates.CheckedFile {
	file := templates.CheckedFile{Path: c.path, Subject: pathSubject(c.path), Removed: c.removed}
	for _, f := range c.findings {
		file.Findings = append(file.Findings, templates.FileFinding{Finding: f.Finding, Line: max(1, f.Line)})
	}
	return file
}

// removes tells whether one of the App's own pull requests takes something out
// of the registry. It looks at what the pull request changes, not at what it or
// its issue says: those can be edited.
func removes(changes []registrydata.Change) bool {
	return slices.ContainsFunc(changes, func(c registrydata.Change) bool {
		return c.Kind == registrydata.Deleted || c.Path == registrydata.BlacklistPath || c.OldPath != ""
	})
}
