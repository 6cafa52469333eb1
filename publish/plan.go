package publish

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/tofu-registrar/registrar/registrydata"
)

// writeParallel is how many files of an entity are written or deleted at the
// same time.
const writeParallel = 32

// plan is what must be written and deleted, in this order.
type plan struct {
	downloads, lists      []registrydata.Object
	staleLists, staleRest []string          // lists go before what they name
	files                 map[string]string // what is live then: sha256 by path
	fresh                 bool              // there is nothing yet, nor a trace of it
}

// plan compares what is live with what is wanted.
func (p *Publisher) plan(ctx context.Context, m manifest, u Update) (plan, error) {
	pl := plan{files: make(map[string]string, len(u.Objects))}
	settled := m.settled()
	for _, o := range u.Objects {
		if err := CheckPath(o.Path); err != nil {
			return plan{}, err
		}
		sum := digest(o.Body)
		if _, twice := pl.files[o.Path]; twice {
			return plan{}, fmt.Errorf("%s is rendered twice", o.Path)
		}
		pl.files[o.Path] = sum
		switch {
		case settled[o.Path] == sum:
		case o.Kind == registrydata.VersionList:
			pl.lists = append(pl.lists, o)
		default:
			pl.downloads = append(pl.downloads, o)
		}
	}
	live, err := p.mayBeLive(ctx, m, u)
	if err != nil {
		return plan{}, err
	}
	pl.fresh = m.etag == "" && len(live) == 0
	for _, path := range live {
		if _, wanted := pl.files[path]; wanted {
			continue
		}
		if path == listPath(u.Entity) {
			pl.staleLists = append(pl.staleLists, path)
		} else {
			pl.staleRest = append(pl.staleRest, path)
		}
	}
	return pl, nil
}

// mayBeLive are the paths that the entity may have files at: those of its
// manifest, and where that does not tell, whatever stands in its folder.
func (p *Publisher) mayBeLive(ctx context.Context, m manifest, u Update) ([]string, error) {
	paths := slices.AppendSeq(make([]string, 0, len(m.Files)+len(m.Unsettled)), maps.Keys(m.Files))
	paths = append(paths, m.Unsettled...)
	if !m.known || len(u.Objects) == 0 {
		found, err := p.target.List(ctx, entityPrefix(u.Entity))
		if err != nil {
			return nil, err
		}
		paths = append(paths, found...)
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// entityPrefix is the folder of an entity's answers, and listPath its version
// list (registry protocol; all lower case).
func entityPrefix(e registrydata.Entity) string {
	if e.Kind == registrydata.KindModule {
		return "v1/modules/" + e.String() + "/"
	}
	return "v1/providers/" + e.String() + "/"
}

func listPath(e registrydata.Entity) string { return entityPrefix(e) + "versions" }

// written and deleted are the paths that the plan writes and deletes.
func (pl plan) written() []string {
	paths := make([]string, 0, len(pl.downloads)+len(pl.lists))
	for _, o := range pl.downloads {
		paths = append(paths, o.Path)
	}
	for _, o := range pl.lists {
		paths = append(paths, o.Path)
	}
	return paths
}

func (pl plan) deleted() []string { return slices.Concat(pl.staleLists, pl.staleRest) }

// touched are all paths that the plan writes or deletes, sorted.
func (pl plan) touched() []string {
	paths := append(pl.written(), pl.deleted()...)
	slices.Sort(paths)
	return paths
}

// done tells whether everything is as it should be already.
func (pl plan) done(m manifest, u Update) bool {
	if len(pl.downloads)+len(pl.lists)+len(pl.staleLists)+len(pl.staleRest)+len(m.Unsettled) > 0 {
		return false
	}
	if len(u.Objects) == 0 {
		return m.etag == ""
	}
	return m.known && maps.Equal(m.Sources, u.Sources)
}

// writeFiles does each step after the one before is complete. Before each write
// it asks whether the run still may.
func (p *Publisher) writeFiles(ctx context.Context, pl plan, may func() error) error {
	put := func(objects []registrydata.Object) func() error {
		return func() error {
			return together(ctx, objects, func(ctx context.Context, o registrydata.Object) error {
				if err := may(); err != nil {
					return err
				}
				return p.target.Put(ctx, o.Path, fileOf(o))
			})
		}
	}
	remove := func(paths []string) func() error {
		return func() error {
			return together(ctx, paths, func(ctx context.Context, path string) error {
				if err := may(); err != nil {
					return err
				}
				return p.target.Delete(ctx, path)
			})
		}
	}
	for _, step := range []func() error{put(pl.downloads), put(pl.lists), remove(pl.staleLists), remove(pl.staleRest)} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// together does something with each, some at the same time, and stops at the
// first error.
func together[T any](ctx context.Context, list []T, do func(context.Context, T) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(writeParallel)
	for _, item := range list {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error { return do(ctx, item) })
	}
	return group.Wait()
}
