package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// parseRemovals reads --remove: data files, each alone or with a version.
func parseRemovals(list []string) (map[registrydata.Entity]publish.Removal, error) {
	allowed := map[registrydata.Entity]publish.Removal{}
	for _, item := range list {
		name, version, some := strings.Cut(item, "@")
		e, ok := registrydata.EntityFromPath(name)
		if !ok || some && version == "" {
			return nil, usageError("--remove %q: want a data file, or one and a version: providers/a/acme/demo.json@1.0.0", item)
		}
		r := allowed[e]
		if some {
			r.Versions = append(r.Versions, version)
		} else {
			r.All = true
		}
		allowed[e] = r
	}
	return allowed, nil
}

// guarding is what the guard has seen of a run so far.
type guarding struct {
	losses []publish.Loss
	// removals are the changes that take something away, without the contents:
	// enough to count them.
	removals []publish.Change
}

// watch asks the guard about the change of one entity, whose contents are not
// kept.
func (g *generation) watch(ctx context.Context, u publish.Update, d publish.Difference) error {
	change, err := g.publisher.Change(ctx, u)
	if err != nil {
		return err
	}
	err = publish.Guard{Allowed: map[registrydata.Entity]publish.Removal{u.Entity: g.removal(change)}}.Check([]publish.Change{change})
	var refused *publish.RefusedError
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if refused != nil {
		g.guard.losses = append(g.guard.losses, refused.Losses...)
	}
	if len(d.Delete) > 0 {
		g.guard.removals = append(g.guard.removals, change.Outline())
	}
	return nil
}

// removal is what may go of an entity: what --remove names, and versions that
// the blacklist does.
func (g *generation) removal(c publish.Change) publish.Removal {
	r := g.allowed[c.Entity]
	for _, version := range c.Versions() {
		_, listed := g.blacklist.Provider(c.Entity.Provider(), version)
		if c.Entity.Kind == registrydata.KindModule {
			_, listed = g.blacklist.Module(c.Entity.Module(), version)
		}
		if listed {
			r.Versions = append(r.Versions, version)
		}
	}
	return r
}

// checkGuard refuses the run, or says that it would be refused.
func (g *generation) checkGuard(ctx context.Context) error {
	if len(g.guard.losses) == 0 && len(g.guard.removals) == 0 {
		return nil
	}
	entities := len(g.live)
	if g.live == nil {
		var err error
		if entities, err = g.publisher.Entities(ctx); err != nil {
			return err
		}
	}
	allowed := map[registrydata.Entity]publish.Removal{}
	for _, c := range g.guard.removals {
		allowed[c.Entity] = publish.Removal{All: true} // watch has judged the versions
	}
	err := publish.Guard{Allowed: allowed, MaxDelete: g.maxDelete, Entities: entities}.Check(g.guard.removals)
	var refused *publish.RefusedError
	if err != nil && !errors.As(err, &refused) {
		return err
	}
	if len(g.guard.losses) > 0 {
		if refused == nil {
			refused = &publish.RefusedError{}
		}
		refused.Losses = g.guard.losses
		slices.SortFunc(refused.Losses, func(a, b publish.Loss) int { return strings.Compare(a.String(), b.String()) })
	}
	if refused == nil {
		return nil
	}
	return fmt.Errorf("%w (here: --remove names what may go, --max-delete how much)", refused)
}
