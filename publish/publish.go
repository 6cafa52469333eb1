package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Update is what an entity's live files should be; no objects removes it.
type Update struct {
	Entity  registrydata.Entity
	Objects []registrydata.Object
	// Sources are the data and key files that the objects were rendered from:
	// git blob id by path.
	Sources map[string]string
}

// Publisher puts rendered entities where clients read them. It is safe for
// concurrent use, and any number of them may work on one target: two that
// update the same entity do so one after the other.
type Publisher struct {
	target Target
	purger Purger // nil where no cache stands before the target
	leases leases
}

// Option is a choice that New leaves.
type Option func(*Publisher)

// WithPurger tells a cache what has changed; see Publisher.Purge.
func WithPurger(purger Purger) Option { return func(p *Publisher) { p.purger = purger } }

// New publishes to a target.
func New(target Target, options ...Option) *Publisher {
	p := &Publisher{target: target, leases: defaultLeases}
	for _, o := range options {
		o(p)
	}
	return p
}

// Published is the commit that was published last; "" where none was.
func (p *Publisher) Published(ctx context.Context) (string, error) {
	f, err := p.target.Get(ctx, publishedPath)
	if errors.Is(err, ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("published commit: %w", err)
	}
	var state published
	if err := json.Unmarshal(f.Body, &state); err != nil {
		return "", fmt.Errorf("published commit: %w", err)
	}
	return state.Commit, nil
}

// published is the content of .registrar/published.json.
type published struct {
	Commit string `json:"commit"`
}

// SetPublished purges what is still to be purged and records the commit, after
// everything of it is live. Recording the same again writes nothing.
func (p *Publisher) SetPublished(ctx context.Context, commit string) error {
	if err := p.Purge(ctx); err != nil {
		return err
	}
	body, err := json.Marshal(published{Commit: commit})
	if err != nil {
		return fmt.Errorf("published commit: %w", err)
	}
	f := File{Body: body, ContentType: jsonType, CacheControl: cacheNever}
	if same, err := p.is(ctx, publishedPath, f); same || err != nil {
		return err
	}
	if err := p.target.Put(ctx, publishedPath, f); err != nil {
		return fmt.Errorf("published commit: %w", err)
	}
	return nil
}

// PutStatic writes a file that belongs to no entity, such as the service
// discovery, unless it is live already.
func (p *Publisher) PutStatic(ctx context.Context, o registrydata.Object) error {
	f := fileOf(o)
	if same, err := p.is(ctx, o.Path, f); same || err != nil {
		return err
	}
	// To be purged it is recorded before, because a run that is cut off leaves
	// nothing else behind, and after, because another run may purge in between.
	stale := Stale{Paths: []string{o.Path}}
	steps := []func() error{
		func() error { return p.remember(ctx, stale) },
		func() error { return p.target.Put(ctx, o.Path, f) },
		func() error { return p.remember(ctx, stale) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return fmt.Errorf("publish %s: %w", o.Path, err)
		}
	}
	return nil
}

// is tells whether a file is live with this content.
func (p *Publisher) is(ctx context.Context, path string, f File) (bool, error) {
	live, err := p.target.Get(ctx, path)
	if errors.Is(err, ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("publish %s: %w", path, err)
	}
	return bytes.Equal(live.Body, f.Body), nil
}

// Sources are the data and key files, by path and git blob id, that the live
// files of an entity were rendered from. There are none where it is not live,
// or where a run did not come to its end: then it must be published again.
func (p *Publisher) Sources(ctx context.Context, e registrydata.Entity) (map[string]string, error) {
	m, err := p.readManifest(ctx, e)
	if err != nil || len(m.Unsettled) > 0 {
		return nil, err
	}
	return m.Sources, nil
}

// Publish makes an entity's live files what the update says: downloads first,
// then the list that names them, then what is no longer wanted. An entity that
// goes loses its list first. Whatever happens in between, the list names only
// files that are there, and the manifest tells the next run what is left to do.
// What a cache may still have is recorded for Purge.
func (p *Publisher) Publish(ctx context.Context, u Update) error {
	_, locked := p.target.(Locker)
	if locked {
		unlock, err := p.target.(Locker).Lock(ctx, u.Entity.Path())
		if err != nil {
			return err
		}
		defer unlock()
	}
	r := run{p: p, u: u, locked: locked}
	for n := 1; ; n++ {
		err := r.attempt(ctx)
		if err == nil {
			return nil
		}
		// Each time that a run loses another one wins; only a target whose
		// conditions do not work makes all of them lose.
		if !errors.Is(err, ErrChanged) || n == mostAttempts {
			return fmt.Errorf("publish %s: %w", u.Entity, err)
		}
		if err := sleep(ctx, rand.N(time.Duration(n)*10*time.Millisecond)); err != nil { // #nosec G404 -- spreads load, hides nothing
			return fmt.Errorf("publish %s: %w", u.Entity, err)
		}
	}
}

// mostAttempts is how often an update may lose its entity to another run.
const mostAttempts = 100

// run is one publication of an update.
type run struct {
	p      *Publisher
	u      Update
	locked bool
}

// attempt publishes from what is live now; ErrChanged where another run came in
// between.
func (r *run) attempt(ctx context.Context) error {
	m, err := r.p.unclaimed(ctx, r.u.Entity, r.locked)
	if err != nil {
		return err
	}
	pl, err := r.p.plan(ctx, m, r.u)
	if err != nil || pl.done(m, r.u) {
		return err
	}
	if planted, err := r.plant(ctx, pl); planted || err != nil {
		return err
	}
	touched := pl.touched()
	if len(touched) == 0 && len(r.u.Objects) > 0 {
		_, err := r.p.writeManifest(ctx, r.u.Entity, r.final(pl, m.etag))
		return err
	}
	c, err := r.p.claim(ctx, r.u.Entity, m, touched, r.locked)
	if err != nil {
		return err
	}
	defer c.close()
	err = r.carryOut(c, pl)
	// What a run wrote after it had lost is what it wants there, so that looking
	// again leads it to put everything else beside it.
	if lost := errors.Join(err, context.Cause(c.ctx)); errors.Is(lost, ErrChanged) || errors.Is(lost, errSilent) {
		return ErrChanged
	}
	return err
}

// plant puts an entity that has no files yet in place at once, where the target
// can do that and a lock keeps others away; false where not. Cut off before the
// manifest, it leaves files without one, which the next run writes again.
func (r *run) plant(ctx context.Context, pl plan) (bool, error) {
	planter, ok := r.p.target.(Planter)
	if !ok || !r.locked || !pl.fresh {
		return false, nil
	}
	planted, err := planter.Plant(ctx, trimSlash(entityPrefix(r.u.Entity)), r.u.Objects)
	if !planted || err != nil {
		return false, err
	}
	if err := r.p.rememberEntity(ctx, r.u.Entity, pl.written()); err != nil {
		return false, err
	}
	_, err = r.p.writeManifest(ctx, r.u.Entity, r.final(pl, ""))
	return err == nil, err
}

// carryOut writes and deletes under a claim, which it ends.
func (r *run) carryOut(c *claim, pl plan) error {
	if err := r.p.writeFiles(c.ctx, pl, c.may); err != nil {
		return err
	}
	if err := r.p.rememberEntity(c.ctx, r.u.Entity, pl.touched()); err != nil {
		return err
	}
	etag, err := c.end()
	if err != nil {
		return err
	}
	if len(r.u.Objects) == 0 {
		return r.p.target.Delete(c.ctx, manifestPath(r.u.Entity))
	}
	_, err = r.p.writeManifest(c.ctx, r.u.Entity, r.final(pl, etag))
	return err
}

// final is the manifest of an update that is live.
func (r *run) final(pl plan, etag string) manifest {
	return manifest{Sources: r.u.Sources, Files: pl.files, etag: etag}
}
