package handlers

import (
	"context"
	"fmt"
	"slices"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// judgeModule gathers the facts of a module submission and asks the rules.
func (h *Handlers) judgeModule(ctx context.Context, q question, facts validation.RepositoryFacts) (judgement, error) {
	in := validation.ModuleInput{Submission: q.Submission, Author: q.author, Facts: facts, Now: h.now()}
	addresses := registeredUnder(q, facts, registrydata.ModuleFromRepository)
	if len(addresses) == 0 {
		return judgement{Report: validation.JudgeModule(in).Report, facts: facts}, nil
	}
	address := addresses[0]
	var around surroundings
	err := together(ctx,
		func(ctx context.Context) (err error) {
			around, err = h.lookAround(ctx, q, facts, address.Entity())
			return err
		},
		func(ctx context.Context) (err error) {
			in.Tags, err = h.authors.Tags(ctx, facts.Repository)
			return err
		},
		func(ctx context.Context) error {
			there, err := each(ctx, addresses, func(ctx context.Context, a registrydata.ModuleAddress) (bool, error) {
				_, ok, err := h.snapshots.File(ctx, q.commit, a.Path())
				return ok, err
			})
			in.Registered = slices.Contains(there, true)
			return err
		},
	)
	if err != nil {
		return judgement{}, fmt.Errorf("look at module %s: %w", address, err)
	}
	in.ParentRegistered, in.Newcomer, in.Blacklist = around.parentRegistered, around.newcomer(), around.blacklist
	v := validation.JudgeModule(in)
	j := judgement{Report: v.Report, already: v.AlreadyRegistered, facts: facts, isMember: around.authorIsMember}
	j.module = &templates.ModuleCheck{
		Address: v.Address, Repository: facts.Repository,
		Versions: v.Results, OtherTags: len(in.Tags) - len(v.Results),
	}
	if v.File != nil {
		keepDiscoveredModule(v.File, around.earlier)
		remember(&v.File.Upkeep, facts)
		j.path = v.Address.Path()
		j.files = map[string][]byte{j.path: v.File.Bytes()}
	}
	return j, nil
}

// keepDiscoveredModule keeps the time at which an earlier run first saw a
// version, so that a second run gives the same bytes.
func keepDiscoveredModule(file *registrydata.Module, earlier []byte) {
	was, err := registrydata.ParseModule(earlier)
	if err != nil {
		return
	}
	for i := range file.Versions {
		v := &file.Versions[i]
		if old, ok := was.Version(v.Version); ok && old.Commit == v.Commit && old.Discovered != "" {
			v.Discovered = old.Discovered
		}
	}
}
