package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// pushKeys: a push to the metadata branch is published; a pushed tag of an
// author's repository is a new version of a module.
func (h *Handlers) pushKeys(e event) []Key {
	if e.Repository.is(h.metadata) {
		if e.Ref == "refs/heads/"+h.branch {
			return []Key{PublishKey}
		}
		return nil
	}
	if !e.Deleted && strings.HasPrefix(e.Ref, "refs/tags/") {
		return repositoryKeys(e)
	}
	return nil
}

// reconcilePublished publishes what changed between the commit that was
// published last and the head of the metadata branch, whatever the push said.
func (h *Handlers) reconcilePublished(ctx context.Context) (Result, error) {
	var head Commit
	var published string
	err := together(ctx,
		func(ctx context.Context) (err error) { head, err = h.snapshots.Head(ctx); return err },
		func(ctx context.Context) (err error) { published, err = h.publisher.Published(ctx); return err },
	)
	if err != nil || head.SHA == published {
		return Result{}, err
	}
	entities, err := h.affected(ctx, published, head.SHA)
	if err != nil {
		return Result{}, err
	}
	updates, err := each(ctx, entities, func(ctx context.Context, e registrydata.Entity) (Update, error) {
		return h.render(ctx, head.SHA, e)
	})
	if err != nil {
		return Result{}, fmt.Errorf("render %s: %w", head.SHA, err)
	}
	if published == "" {
		if err := h.publisher.PutStatic(ctx, h.renderer().Discovery()); err != nil {
			return Result{}, fmt.Errorf("publish service discovery: %w", err)
		}
	}
	for _, u := range updates {
		if u.Entity.Kind == 0 {
			continue // its file cannot be read: what is live stays live
		}
		if err := h.publisher.Publish(ctx, u); err != nil {
			return Result{}, fmt.Errorf("publish %s %s: %w", u.Entity.Kind, u.Entity, err)
		}
	}
	if err := h.publisher.SetPublished(ctx, head.SHA); err != nil {
		return Result{}, err
	}
	h.log.Info("published", "commit", head.SHA, "from", published, "entities", len(entities))
	return Result{}, nil
}

func (h *Handlers) renderer() registrydata.Renderer { return registrydata.Renderer{WebURL: h.webURL} }

// affected are the entities whose answers the changes between two commits may
// alter.
func (h *Handlers) affected(ctx context.Context, from, to string) ([]registrydata.Entity, error) {
	changes, err := h.snapshots.Changes(ctx, from, to)
	if err != nil {
		return nil, fmt.Errorf("compare %s with %s: %w", from, to, err)
	}
	al, err := h.aliasesAt(ctx, to)
	if err != nil {
		return nil, err
	}
	set := registrydata.Affected(changes, al)
	entities := set.Entities
	if set.All {
		all, err := h.everything(ctx, from, to)
		return distinct(append(entities, all...)), err
	}
	lists, err := each(ctx, set.Namespaces, func(ctx context.Context, ns string) ([]registrydata.ProviderAddress, error) {
		return h.namespaceProviders(ctx, to, ns)
	})
	for _, list := range lists {
		for _, a := range list {
			entities = append(entities, a.Entity())
		}
	}
	return distinct(entities), err
}

// distinct keeps the first of equal entities.
func distinct(entities []registrydata.Entity) []registrydata.Entity {
	seen := make(map[registrydata.Entity]bool, len(entities))
	return slices.DeleteFunc(entities, func(e registrydata.Entity) bool {
		was := seen[e]
		seen[e] = true
		return was
	})
}

// everything lists all entities of a commit, and the old addresses of both: one
// that is an alias no more has to go.
func (h *Handlers) everything(ctx context.Context, from, commit string) ([]registrydata.Entity, error) {
	var out []registrydata.Entity
	for _, c := range []string{from, commit} {
		if c == "" {
			continue
		}
		al, err := h.aliasesAt(ctx, c)
		if err != nil && c == commit {
			return nil, err
		}
		for _, a := range al.Addresses() {
			out = append(out, a.Entity())
		}
	}
	for _, dir := range []string{"providers", "modules"} {
		files, err := h.snapshots.Files(ctx, commit, dir)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if e, ok := registrydata.EntityFromPath(f.Name); ok {
				out = append(out, e)
			}
		}
	}
	return out, nil
}
