package main

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

const (
	// bulkFrom is how many files make it worth while to write in bulk: from then
	// on, to flush each by itself takes longer than to write all of them again
	// after a crash of the machine.
	bulkFrom = 1000
	// bytesOfData are in a data file for each file that is rendered of it.
	bytesOfData = 300
)

// publishAll publishes what differs, and then what depends on no entity.
func (g *generation) publishAll(ctx context.Context) error {
	entities := make([]registrydata.Entity, 0, len(g.differ))
	files := g.summary.FilesWritten
	for e, compared := range g.differ {
		entities = append(entities, e)
		if !compared {
			files += int(g.size(e)) / bytesOfData
		}
	}
	if g.place.folder == nil || files < bulkFrom {
		return g.publishEach(ctx, entities)
	}
	done, err := g.place.folder.Bulk()
	if err != nil {
		return err
	}
	return errors.Join(g.publishEach(ctx, entities), done())
}

func (g *generation) publishEach(ctx context.Context, entities []registrydata.Entity) error {
	n := 0
	err := g.each(ctx, sortedEntities(entities), func(ctx context.Context, e registrydata.Entity) error {
		err := g.rendered(ctx, e, func(u publish.Update) error { return g.publish(ctx, u) })
		g.mu.Lock()
		defer g.mu.Unlock()
		if n++; n%16 == 0 {
			g.progress.show("published %d of %d entries that differ: %d files", n, len(entities), g.summary.FilesWritten)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := g.publisher.PutStatic(ctx, g.renderer.Discovery()); err != nil {
		return err
	}
	if g.commit != "" {
		return g.publisher.SetPublished(ctx, g.commit)
	}
	return g.publisher.Purge(ctx)
}

func (g *generation) publish(ctx context.Context, u publish.Update) error {
	if err := g.publisher.Publish(ctx, u); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.differ[u.Entity] {
		g.summary.count(u, allOf(u), g.verbose)
	}
	return nil
}

// allOf is the difference of an entity that had nothing live.
func allOf(u publish.Update) publish.Difference {
	d := publish.Difference{Entity: u.Entity}
	for _, o := range u.Objects {
		d.Write = append(d.Write, o.Path)
	}
	slices.Sort(d.Write)
	return d
}

func byPath(a, b registrydata.Entity) int { return cmp.Compare(a.Path(), b.Path()) }
