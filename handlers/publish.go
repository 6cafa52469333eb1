package handlers

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// publication is one run that makes live what a commit says. It looks at every
// affected entity before it publishes any, and renders one as often as it needs
// it rather than keep what all of them render to.
type publication struct {
	h      *Handlers
	to     string // the commit
	why    purpose
	loader registrydata.Loader
	room   publish.Room

	mu       sync.Mutex
	todo     []registrydata.Entity // of which something is not live as it should be
	losses   []publish.Loss
	removals []publish.Change // outlines
	failures failures
	reported map[string]bool // files that a fault was logged of
}

// publish makes the entities live as the commit has them; from is the commit
// that was published before. Nothing is published of an entity that fails, or
// that the guard holds back; the others are. Where the commit would remove too
// much altogether, nothing is published at all.
func (h *Handlers) publish(ctx context.Context, from, commit string, entities []registrydata.Entity, why purpose) error {
	tree, err := h.treeOf(ctx, commit, entities, why.is)
	if err != nil {
		return err
	}
	p := h.publicationOf(commit, tree, why)
	todo, err := p.choose(ctx, from, entities)
	if err := p.record(ctx, from, todo, err); err != nil {
		return err
	}
	if err := p.each(ctx, todo, p.publish); err != nil {
		return err
	}
	h.log.Info("published", "commit", commit, "affected", len(entities), "entities", len(todo), "held_back", len(p.losses), "failed", len(p.failures))
	return p.failures.join(heldBack(p.losses))
}

// publicationOf is a run that reads a commit by its tree. Nothing is done yet.
func (h *Handlers) publicationOf(commit string, tree registrydata.Tree, why purpose) *publication {
	return &publication{
		h: h, to: commit, why: why, room: publish.NewRoom(), reported: map[string]bool{},
		loader: registrydata.Loader{Tree: tree, Aliases: why.is, KeyID: validation.KeyIDs()},
	}
}

// record writes down what is about to be published, and what is held back. It
// returns the error of choosing, or its own. A run that fails is tried again: what
// it holds back is said once.
func (p *publication) record(ctx context.Context, from string, todo []registrydata.Entity, chosen error) error {
	log := p.h.decisions
	var refused *publish.RefusedError
	if errors.As(chosen, &refused) || len(p.losses) > 0 {
		d := heldBackDecision(from, p.to, p.losses)
		if chosen != nil {
			d = heldBackDecision(from, p.to, refused.Losses)
			d.Entities = len(p.removals)
		}
		if err := log.recordOnce(ctx, d); err != nil {
			return errors.Join(chosen, err)
		}
	}
	if chosen != nil || len(todo) == 0 {
		return chosen
	}
	return log.record(ctx, publishDecision(from, p.to, todo))
}

// choose looks at the entities and returns those that are to be published. Where
// nothing is live yet that is all of them: nothing can be lost.
func (p *publication) choose(ctx context.Context, from string, entities []registrydata.Entity) ([]registrydata.Entity, error) {
	if from == "" {
		if n, err := p.h.publisher.Entities(ctx); n == 0 || err != nil {
			return entities, err
		}
	}
	if err := p.each(ctx, entities, p.look); err != nil {
		return nil, err
	}
	return p.todo, p.checkAmount(ctx, p.removals)
}

// look finds out what is to be done about an entity, and whether it may.
func (p *publication) look(ctx context.Context, e registrydata.Entity) error {
	return p.render(ctx, e, func(u Update) error {
		change, err := p.h.publisher.Change(ctx, u)
		if err != nil || change.Settled {
			return err
		}
		_, ownFile := u.Sources[e.Path()]
		losses := p.why.judge(change, ownFile)
		p.mu.Lock()
		defer p.mu.Unlock()
		switch {
		case len(losses) > 0:
			p.losses = append(p.losses, losses...)
			return nil
		case change.Removes():
			p.removals = append(p.removals, change.Outline())
		}
		p.todo = append(p.todo, e)
		return nil
	})
}

func (p *publication) publish(ctx context.Context, e registrydata.Entity) error {
	return p.render(ctx, e, func(u Update) error { return p.h.publisher.Publish(ctx, u) })
}

// each does something with every entity, several at a time. One that fails does
// not stop the others, unless they would fail as well.
func (p *publication) each(ctx context.Context, entities []registrydata.Entity, do func(context.Context, registrydata.Entity) error) error {
	group, going := errgroup.WithContext(ctx)
	group.SetLimit(p.h.parallel)
	for _, e := range entities {
		if going.Err() != nil {
			break
		}
		group.Go(func() error {
			err := do(going, e)
			if err == nil {
				return nil
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.failures.add(e, err)
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}
