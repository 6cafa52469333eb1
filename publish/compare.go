package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Difference is what Publish would do to an entity now.
type Difference struct {
	Entity registrydata.Entity
	// Write and Delete are paths, sorted.
	Write, Delete []string
	// Replaces tells that a download which is live would be written anew. With
	// that and Delete empty, nothing that clients rely on changes.
	Replaces bool
	// Settled tells that the manifest knows all that, and the sources: Publish
	// would not even touch the manifest.
	Settled bool
}

// None tells that all files are live as they should be.
func (d Difference) None() bool { return len(d.Write)+len(d.Delete) == 0 }

// Compare says what Publish would write and delete, and does nothing. What
// another run has begun and not ended counts as different.
func (p *Publisher) Compare(ctx context.Context, u Update) (Difference, error) {
	m, pl, err := p.look(ctx, u)
	if err != nil {
		return Difference{}, err
	}
	d := Difference{Entity: u.Entity, Write: pl.written(), Delete: pl.deleted(), Settled: pl.done(m, u)}
	d.Replaces = slices.ContainsFunc(pl.downloads, func(o registrydata.Object) bool { return m.Files[o.Path] != "" })
	slices.Sort(d.Write)
	slices.Sort(d.Delete)
	return d, nil
}

func (p *Publisher) look(ctx context.Context, u Update) (manifest, plan, error) {
	m, err := p.readManifest(ctx, u.Entity)
	if err != nil {
		return manifest{}, plan{}, err
	}
	pl, err := p.plan(ctx, m, u)
	if err != nil {
		return manifest{}, plan{}, fmt.Errorf("compare %s: %w", u.Entity, err)
	}
	return m, pl, nil
}

// Change is an update as the guard wants to see it: with what is live now. It
// reads the manifest, and those downloads whose bytes would change.
func (p *Publisher) Change(ctx context.Context, u Update) (Change, error) {
	m, pl, err := p.look(ctx, u)
	if err != nil {
		return Change{}, err
	}
	before := make(Live, len(m.Files))
	for path, sum := range m.Files {
		before[path] = LiveFile{SHA256: sum}
	}
	var mu sync.Mutex
	err = together(ctx, pl.downloads, func(ctx context.Context, o registrydata.Object) error {
		if _, had := m.Files[o.Path]; !had {
			return nil
		}
		f, err := p.target.Get(ctx, o.Path)
		if errors.Is(err, ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		mu.Lock()
		before[o.Path] = LiveFile{SHA256: digest(f.Body), Body: f.Body}
		mu.Unlock()
		return nil
	})
	if err != nil {
		return Change{}, fmt.Errorf("compare %s: %w", u.Entity, err)
	}
	return Change{Entity: u.Entity, Before: before, After: u.Objects, Settled: pl.done(m, u)}, nil
}

// Versions are those that have downloads live, lower case and without "v", sorted.
func (c Change) Versions() []string {
	seen := map[string]bool{}
	for path := range c.Before {
		if v, ok := downloadVersion(c.Entity, path); ok {
			seen[v] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// Outline is the change without contents: enough to count what goes, and small
// enough to keep for every entity of a run.
func (c Change) Outline() Change {
	out := Change{Entity: c.Entity, Before: make(Live, len(c.Before)), After: make([]registrydata.Object, len(c.After))}
	for path, f := range c.Before {
		out.Before[path] = LiveFile{SHA256: f.SHA256}
	}
	for i, o := range c.After {
		out.After[i] = registrydata.Object{Path: o.Path, Kind: o.Kind}
	}
	return out
}

// Removes tells whether something that is live would be live no more.
func (c Change) Removes() bool {
	stays := make(map[string]bool, len(c.After))
	for _, o := range c.After {
		stays[o.Path] = true
	}
	for path := range c.Before {
		if !stays[path] {
			return true
		}
	}
	return false
}

// Entities counts the entities that are live. It costs a listing of the whole
// target, so ask only when a run removes more than one.
func (p *Publisher) Entities(ctx context.Context) (int, error) {
	names, err := p.target.List(ctx, manifestDir)
	if err != nil {
		return 0, fmt.Errorf("count entities: %w", err)
	}
	return len(names), nil
}
