package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// purpose is what two states of the data say about what goes between them: the
// one that was published, and the one that is about to be. A version that the
// blacklist names goes on purpose, and so does an entity whose data file was
// deleted, or that another one is served in the place of because the aliases
// say so. Whatever else goes, goes by mistake.
type purpose struct {
	was, is   registrydata.Aliases
	blacklist registrydata.Blacklist
	changes   map[string]registrydata.ChangeKind // by path
}

// removal is what of a change is on purpose. ownFile tells that the entity has a
// data file of its own.
func (p purpose) removal(c publish.Change, ownFile bool) publish.Removal {
	if len(c.After) == 0 || p.moved(c.Entity, ownFile) {
		return publish.Removal{All: true}
	}
	var r publish.Removal
	for _, v := range c.Versions() {
		if p.blacklisted(c.Entity, v) {
			r.Versions = append(r.Versions, v)
		}
	}
	return r
}

// moved tells whether the aliases serve something else at the entity's address
// than they did, or a file that stood in their way was deleted.
func (p purpose) moved(e registrydata.Entity, ownFile bool) bool {
	if e.Kind != registrydata.KindProvider {
		return false
	}
	then, was := p.was.Resolve(e.Provider())
	now, is := p.is.Resolve(e.Provider())
	if ownFile {
		return was && !is && p.changes[e.Path()] == registrydata.Added
	}
	return was != is || then != now || p.changes[e.Path()] == registrydata.Deleted
}

// blacklisted tells whether the blacklist names a version by the entity's own
// address, or by the one that it is a copy of.
func (p purpose) blacklisted(e registrydata.Entity, version string) bool {
	if e.Kind == registrydata.KindModule {
		_, ok := p.blacklist.Module(e.Module(), version)
		return ok
	}
	a := e.Provider()
	source, _ := p.is.Resolve(a)
	effective := registrydata.ProviderAddress{Namespace: p.is.EffectiveNamespace(a.Namespace), Name: a.Name}
	return slices.ContainsFunc([]registrydata.ProviderAddress{a, source, effective}, func(a registrydata.ProviderAddress) bool {
		_, ok := p.blacklist.Provider(a, version)
		return ok
	})
}

// judge asks the guard about one entity's change: what the entity would lose by
// mistake.
func (p purpose) judge(c publish.Change, ownFile bool) []publish.Loss {
	guard := publish.Guard{Allowed: map[registrydata.Entity]publish.Removal{c.Entity: p.removal(c, ownFile)}}
	var refused *publish.RefusedError
	if errors.As(guard.Check([]publish.Change{c}), &refused) {
		return refused.Losses
	}
	return nil
}

// checkAmount asks the guard whether a run removes too much altogether. The
// changes have been judged, each by itself. The registry is counted only when
// more than one entity's worth goes.
func (p *publication) checkAmount(ctx context.Context, removals []publish.Change) error {
	if len(removals) == 0 {
		return nil
	}
	guard := publish.Guard{Allowed: map[registrydata.Entity]publish.Removal{}, MaxDelete: p.h.maxDelete, Entities: 1}
	for _, c := range removals {
		guard.Allowed[c.Entity] = publish.Removal{All: true}
	}
	if guard.Check(removals) == nil {
		return nil
	}
	var err error
	if guard.Entities, err = p.h.publisher.Entities(ctx); err != nil {
		return err
	}
	if err := guard.Check(removals); err != nil {
		return fmt.Errorf("nothing of commit %.7s is published: %w (max_delete in the block publish, or `registrar generate --max-delete`)", p.to, err)
	}
	return nil
}

// heldBack is the error of entities that would lose something by mistake; nil
// where none would.
func heldBack(losses []publish.Loss) error {
	if len(losses) == 0 {
		return nil
	}
	slices.SortFunc(losses, func(a, b publish.Loss) int {
		return cmp.Or(cmp.Compare(a.Entity.Path(), b.Entity.Path()), cmp.Compare(a.Version, b.Version))
	})
	first := losses[0]
	return fmt.Errorf("%w (%s, or `registrar generate --remove %s@%s`)",
		&publish.RefusedError{Losses: losses}, registrydata.BlacklistPath, first.Entity.Path(), first.Version)
}
