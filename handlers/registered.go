package handlers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
)

// Source is a repository that registered versions come from.
type Source struct {
	// Repository is in lower case, as keys name it.
	Repository registrydata.Repository
	// Kind is KindProvider or KindModule.
	Kind registrydata.Kind
	// Paths are the data files that are filled from it, sorted: more than one
	// where namespaces stand for others.
	Paths []string
}

// Registered knows the repositories of everything that is registered. It keeps
// what it listed last, and is safe for concurrent use.
type Registered struct {
	snapshots Snapshots

	mu       sync.Mutex
	commit   string
	entities map[string]registrydata.Entity // by data file
	sources  []Source
}

// NewRegistered reads a metadata repository.
func NewRegistered(s Snapshots) *Registered { return &Registered{snapshots: s} }

// Sources lists the repositories at the head of the metadata branch, each once,
// sorted by name, and the commit. A head that has not moved since the last call
// costs one conditional request, one that has moved the folders that differ.
// Callers may not change the list.
func (r *Registered) Sources(ctx context.Context) (commit string, sources []Source, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	head, err := r.snapshots.Head(ctx)
	if err != nil {
		return "", nil, err
	}
	if r.commit == head.SHA {
		return r.commit, r.sources, nil
	}
	entities, err := r.entitiesAt(ctx, head.SHA)
	if err != nil {
		return "", nil, fmt.Errorf("list what is registered: %w", err)
	}
	al, err := registrydata.ReadAliases(ctx, commitTree{r.snapshots, head.SHA})
	if err != nil {
		return "", nil, fmt.Errorf("list what is registered: %w", err)
	}
	r.commit, r.entities, r.sources = head.SHA, entities, sourcesOf(entities, al)
	return r.commit, r.sources, nil
}

// entitiesAt are those of a commit, from the ones of the commit before where
// there are any.
func (r *Registered) entitiesAt(ctx context.Context, commit string) (map[string]registrydata.Entity, error) {
	if r.commit != "" {
		changes, err := r.snapshots.Changes(ctx, r.commit, commit)
		if err == nil {
			return changedEntities(r.entities, changes), nil
		}
		if !errors.Is(err, forge.ErrNotFound) { // forgotten after a force-push
			return nil, err
		}
	}
	files, err := r.snapshots.Files(ctx, commit, "")
	if err != nil {
		return nil, err
	}
	entities := make(map[string]registrydata.Entity, len(files))
	for _, f := range files {
		if e, ok := registrydata.EntityFromPath(f.Name); ok {
			entities[f.Name] = e
		}
	}
	return entities, nil
}

func changedEntities(before map[string]registrydata.Entity, changes []registrydata.Change) map[string]registrydata.Entity {
	after := maps.Clone(before)
	for _, c := range changes {
		e, ok := registrydata.EntityFromPath(c.Path)
		switch {
		case !ok:
		case c.Kind == registrydata.Deleted:
			delete(after, c.Path)
		default:
			after[c.Path] = e
		}
	}
	return after
}

// sourcesOf joins the entities that come from one repository.
func sourcesOf(entities map[string]registrydata.Entity, al registrydata.Aliases) []Source {
	byRepository := make(map[registrydata.Repository]Source, len(entities))
	for path, e := range entities {
		repo := e.Repository(al)
		repo = registrydata.Repository{Owner: strings.ToLower(repo.Owner), Name: strings.ToLower(repo.Name)}
		s := byRepository[repo]
		s.Repository, s.Kind, s.Paths = repo, e.Kind, append(s.Paths, path)
		byRepository[repo] = s
	}
	sources := slices.Collect(maps.Values(byRepository))
	for _, s := range sources {
		slices.Sort(s.Paths)
	}
	slices.SortFunc(sources, func(a, b Source) int { return strings.Compare(a.Repository.String(), b.Repository.String()) })
	return sources
}
