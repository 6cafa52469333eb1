package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// generation is one run of generate: list the entities, render and compare each
// with what is live, ask the guard, publish those that differ.
type generation struct {
	data      *dataFolder
	place     *generatePlace
	renderer  registrydata.Renderer
	dryRun    bool
	verbose   bool
	maxDelete float64
	allowed   map[registrydata.Entity]publish.Removal
	commit    string
	progress  *progress

	loader    registrydata.Loader
	publisher *publish.Publisher
	blacklist registrydata.Blacklist
	buffers   sync.Pool                    // of *[]byte, for what is rendered
	live      map[registrydata.Entity]bool // nil: not known

	mu      sync.Mutex
	summary generateSummary
	faults  map[string]bool              // files that are among summary.Faults
	differ  map[registrydata.Entity]bool // what is to be published: whether it was compared, and counted
	guard   guarding
}

func (g *generation) run(ctx context.Context, only []string) error {
	g.publisher = g.place.publisher()
	g.summary = generateSummary{DryRun: g.dryRun, Partial: len(only) > 0, Faults: []generateFault{}}
	g.faults, g.differ = map[string]bool{}, map[registrydata.Entity]bool{}
	if err := g.readRules(ctx); err != nil {
		return err
	}
	entities, err := g.entities(ctx, only)
	if err != nil {
		return err
	}
	if err := g.compareAll(ctx, entities); err != nil {
		return err
	}
	err = g.checkGuard(ctx)
	if err == nil && !g.dryRun {
		err = g.publishAll(ctx)
	}
	g.summary.sort()
	return err
}

// readRules reads what all entities depend on. Without aliases that make sense
// nobody knows what belongs at the old addresses, so nothing is published.
func (g *generation) readRules(ctx context.Context) error {
	al, err := registrydata.ReadAliases(ctx, g.data)
	var fault *registrydata.FileFault
	if errors.As(err, &fault) {
		return fmt.Errorf("nothing is published, because the aliases decide what is served where: %w", err)
	}
	if err != nil {
		return err
	}
	g.loader = registrydata.Loader{Tree: g.data, Aliases: al, KeyID: validation.KeyIDs()}
	content, ok, err := g.data.File(ctx, registrydata.BlacklistPath)
	if err != nil && !errors.As(err, &fault) {
		return err
	}
	if list, err := registrydata.ParseBlacklist(content); ok && err == nil {
		g.blacklist = list
	}
	return nil
}

// rendered calls use with what an entity's files give, unless what is live of
// it is to stay. The update is valid until use returns.
func (g *generation) rendered(ctx context.Context, e registrydata.Entity, use func(publish.Update) error) error {
	c, err := g.loader.Load(ctx, e)
	if err != nil {
		return fmt.Errorf("render %s %s: %w", e.Kind, e, err)
	}
	g.note(c.Faults)
	if c.Unreadable {
		return nil
	}
	buf, _ := g.buffers.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer g.buffers.Put(buf)
	u := publish.Update{Entity: e, Sources: c.Sources}
	u.Objects, *buf = registrydata.Collect(*buf, c.Objects(g.renderer))
	return use(u)
}

// note keeps faults, each file once: a key covers many providers.
func (g *generation) note(faults []*registrydata.FileFault) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, f := range faults {
		if !g.faults[f.Path] {
			g.faults[f.Path] = true
			g.summary.Faults = append(g.summary.Faults, faultOf(f))
		}
	}
}

// compareAll renders every entity and compares it with what is live.
func (g *generation) compareAll(ctx context.Context, entities []registrydata.Entity) error {
	done := 0
	return g.each(ctx, entities, func(ctx context.Context, e registrydata.Entity) error {
		err := g.compare(ctx, e)
		g.mu.Lock()
		defer g.mu.Unlock()
		if done++; done%64 == 0 {
			g.progress.show("compared %d of %d entries: %d files rendered, %d to write", done, len(entities), g.summary.Files, g.summary.FilesWritten)
		}
		return err
	})
}

// compare renders an entity and compares it. One that has nothing live needs no
// comparison: all of it is to be written.
func (g *generation) compare(ctx context.Context, e registrydata.Entity) error {
	if !g.dryRun && g.live != nil && !g.live[e] {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.differ[e] = false
		return nil
	}
	return g.rendered(ctx, e, func(u publish.Update) error {
		d, err := g.publisher.Compare(ctx, u)
		if err != nil {
			return err
		}
		if d.Replaces || len(d.Delete) > 0 {
			if err := g.watch(ctx, u, d); err != nil {
				return err
			}
		}
		g.mu.Lock()
		defer g.mu.Unlock()
		if !d.Settled {
			g.differ[e] = true
		}
		g.summary.count(u, d, g.verbose)
		return nil
	})
}

// count counts an entity that was rendered, and what differs of it.
func (s *generateSummary) count(u publish.Update, d publish.Difference, verbose bool) {
	if len(u.Objects) > 0 {
		s.Entities++
		s.Files += len(u.Objects)
	}
	if d.None() {
		return
	}
	s.EntitiesChanged++
	s.FilesWritten += len(d.Write)
	s.FilesDeleted += len(d.Delete)
	if verbose {
		s.Changes = append(s.Changes, generateChange{Entity: u.Entity.Path(), Write: d.Write, Delete: d.Delete})
	}
}

// each does something with every entity, several at a time, as many as are of a
// bearable size together.
func (g *generation) each(ctx context.Context, entities []registrydata.Entity, do func(context.Context, registrydata.Entity) error) error {
	room := publish.NewRoom()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(max(g.place.parallel, runtime.GOMAXPROCS(0)))
	for _, e := range entities {
		leave, err := room.Enter(ctx, g.size(e))
		if err != nil {
			break
		}
		group.Go(func() error {
			defer leave()
			return do(ctx, e)
		})
	}
	return group.Wait()
}

// size is how large an entity's data file is.
func (g *generation) size(e registrydata.Entity) int64 {
	if f, ok := g.data.files[e.Path()]; ok || e.Kind != registrydata.KindProvider {
		return f.size
	}
	source, _ := g.loader.Aliases.Resolve(e.Provider())
	return g.data.files[source.Path()].size
}

// sort makes two runs print the same.
func (s *generateSummary) sort() {
	slices.SortFunc(s.Faults, func(a, b generateFault) int { return cmp.Compare(a.File, b.File) })
	slices.SortFunc(s.Changes, func(a, b generateChange) int { return cmp.Compare(a.Entity, b.Entity) })
}
