package publish

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// A run that is going to write an entity's files claims the entity: it stores,
// on the condition that nobody else has changed it, a manifest that carries the
// run's name and the paths that it will touch. Others wait until the claim is
// gone. A run gives a sign of life from time to time; a manifest that has not
// changed for as long as patience belongs to a run that died, and may be claimed
// over its head. Only the time between two looks at the same manifest counts, so
// the clocks of two machines need not agree.
//
// A run whose sign of life fails stops writing well before others lose patience,
// and one that finds the manifest changed has lost: it looks again and goes on
// from there.
type leases struct {
	patience time.Duration // for others
	beat     time.Duration // between own signs of life
	give     time.Duration // own writes end so long after the last one
}

var defaultLeases = leases{patience: 30 * time.Second, beat: 8 * time.Second, give: 20 * time.Second}

// errSilent is a run that could not show that it lives.
var errSilent = errors.New("the claim could not be renewed in time")

// claim is a run's hold on an entity.
type claim struct {
	p      *Publisher
	entity registrydata.Entity
	quiet  bool // a lock keeps others away: no signs of life

	ctx    context.Context // ends when the claim is lost
	cancel context.CancelCauseFunc
	ended  chan struct{} // closed when there are no more signs of life
	stop   context.CancelFunc

	mu    sync.Mutex
	begun manifest  // as stored last
	until time.Time // until when files may be written
}

// claim stores the begun manifest: m with the paths that will be touched.
func (p *Publisher) claim(ctx context.Context, e registrydata.Entity, m manifest, touched []string, locked bool) (*claim, error) {
	began := time.Now()
	m = m.doubting(touched)
	m.Claim, m.Beat = "", 0
	if !locked {
		m.Claim = rand.Text()
	}
	etag, err := p.writeManifest(ctx, e, m)
	if err != nil {
		return nil, err
	}
	m.etag = etag
	c := &claim{p: p, entity: e, quiet: locked, begun: m, until: began.Add(p.leases.give), ended: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancelCause(ctx)
	beats, stop := context.WithCancel(c.ctx)
	c.stop = stop
	if locked {
		close(c.ended)
	} else {
		go c.live(beats)
	}
	return c, nil
}

// may tells whether files may be written now.
func (c *claim) may() error {
	if err := context.Cause(c.ctx); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.quiet && time.Now().After(c.until) {
		return errSilent
	}
	return nil
}

// live gives signs of life until the claim is ended or lost.
func (c *claim) live(ctx context.Context) {
	defer close(c.ended)
	for {
		if sleep(ctx, c.p.leases.beat) != nil {
			return
		}
		began := time.Now()
		c.mu.Lock()
		next, until := c.begun, c.until
		c.mu.Unlock()
		next.Beat++
		// A beat in flight is not broken off when the run ends: whether it was
		// written decides which ETag the end must name.
		trial, cancel := context.WithDeadline(context.WithoutCancel(ctx), until)
		etag, err := c.p.writeManifest(trial, c.entity, next)
		cancel()
		switch {
		case err == nil:
			next.etag = etag
			c.mu.Lock()
			c.begun, c.until = next, began.Add(c.p.leases.give)
			c.mu.Unlock()
		case errors.Is(err, ErrChanged):
			c.cancel(err)
			return
		case time.Now().After(until):
			c.cancel(fmt.Errorf("%w: %w", errSilent, err))
			return
		}
	}
}

// end stops the signs of life and gives the manifest's ETag, to be replaced or
// deleted.
func (c *claim) end() (etag string, err error) {
	c.stop()
	<-c.ended
	if err := c.may(); err != nil {
		return "", err
	}
	return c.begun.etag, nil
}

// close lets go of what the claim uses. The claim itself ends with the manifest
// that replaces it.
func (c *claim) close() {
	c.stop()
	<-c.ended
	c.cancel(nil)
}

// unclaimed reads the manifest as soon as no living run claims it. Where a lock
// is held there is no living run but this.
func (p *Publisher) unclaimed(ctx context.Context, e registrydata.Entity, locked bool) (manifest, error) {
	var seen string
	var since time.Time
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		m, err := p.readManifest(ctx, e)
		if err != nil || m.Claim == "" || locked {
			return m, err
		}
		if m.etag != seen {
			seen, since = m.etag, time.Now()
		} else if time.Since(since) > p.leases.patience {
			return m, nil
		}
		if err := sleep(ctx, min(pause, p.leases.patience/2+time.Millisecond)); err != nil {
			return manifest{}, fmt.Errorf("wait for another run on %s: %w", e, err)
		}
	}
}
