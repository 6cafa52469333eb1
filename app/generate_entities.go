package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// entities are those to be rendered, by path: all that the data has, the old
// addresses, and what is live without data; or what --only concerns.
func (g *generation) entities(ctx context.Context, only []string) ([]registrydata.Entity, error) {
	if len(only) > 0 {
		return g.concerned(only)
	}
	g.data.listAll()
	if err := g.data.complete(); err != nil {
		return nil, err
	}
	live, err := g.publisher.Live(ctx)
	if err != nil {
		return nil, err
	}
	g.live = make(map[registrydata.Entity]bool, len(live))
	for _, e := range live {
		g.live[e] = true
	}
	all := g.data.entities()
	if len(all) == 0 && len(live) > 0 {
		return nil, fmt.Errorf("the metadata folder holds no provider and no module, and %d are live: is it the right folder?", len(live))
	}
	for _, name := range g.data.paths {
		if _, ok := registrydata.EntityFromPath(name); !ok && (strings.HasPrefix(name, "providers/") || strings.HasPrefix(name, "modules/")) {
			g.summary.NotInLayout++
		}
	}
	for _, old := range g.loader.Aliases.Addresses() {
		if to, _ := g.loader.Aliases.Resolve(old); g.has(old.Entity()) || g.has(to.Entity()) {
			all = append(all, old.Entity())
		}
	}
	return sortedEntities(append(all, live...)), nil
}

func (g *generation) has(e registrydata.Entity) bool {
	_, ok := g.data.files[e.Path()]
	return ok
}

// concerned are the entities whose answers depend on some files.
func (g *generation) concerned(only []string) ([]registrydata.Entity, error) {
	var changes []registrydata.Change
	for _, name := range only {
		// A key that is there may be new: then it concerns its whole namespace.
		changes = append(changes, registrydata.Change{Path: name, Kind: registrydata.Added})
	}
	set := registrydata.Affected(changes, g.loader.Aliases)
	if len(set.Ignored) > 0 {
		return nil, usageError("--only: no answer depends on %s", strings.Join(set.Ignored, ", "))
	}
	if set.All {
		return nil, usageError("--only: everything depends on %s; leave --only out", registrydata.AliasesPath)
	}
	for _, namespace := range set.Namespaces {
		g.data.listProviders(namespace)
	}
	entities := set.Entities
	for _, e := range g.data.entities() {
		if e.Kind == registrydata.KindProvider && slices.Contains(set.Namespaces, e.Namespace) {
			entities = append(entities, e)
		}
	}
	g.data.listFor(entities, g.loader.Aliases)
	return sortedEntities(entities), g.data.complete()
}

// sortedEntities has each once.
func sortedEntities(entities []registrydata.Entity) []registrydata.Entity {
	slices.SortFunc(entities, byPath)
	return slices.Compact(entities)
}
