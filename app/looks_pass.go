package main

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
)

const (
	// duePage is how many due looks are listed at once. It is more than what can
	// be under way, so that a page always holds some that are not.
	duePage = 1024
	// settleAt and settleWithin say when what was seen is written: together, for
	// each write waits for the disk.
	settleAt     = 200
	settleWithin = 250 * time.Millisecond
	// troubleMost is how many looks in a row may fail by no fault of their
	// repositories before the host is left alone for troublePause.
	troubleMost  = 20
	troublePause = time.Minute
)

// looked is a repository before and after a look.
type looked struct {
	before, after lookState
	changed       bool
}

// lookPass looks until nothing is due.
type lookPass struct {
	*looks
	stop    context.CancelCauseFunc
	trouble atomic.Int32 // failed looks in a row

	mu    sync.Mutex
	under map[registrydata.Repository]bool // way, or seen and not yet written
	ended map[registrydata.Repository]bool // since the page at hand was asked for, which may show them as they were
}

// errPassEnds ends a pass early without being a failure.
var errPassEnds = errors.New("GitHub wants no more looks now")

func newLookPass(l *looks) *lookPass {
	return &lookPass{looks: l, under: map[registrydata.Repository]bool{}, ended: map[registrydata.Repository]bool{}}
}

func (p *lookPass) run(ctx context.Context) error {
	looking, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	p.stop = stop
	work := make(chan lookState)
	seen := make(chan looked, settleAt)
	settled := make(chan error, 1)
	// What was seen is written even when the pass is told to end.
	go func() { settled <- p.settleAll(context.WithoutCancel(ctx), seen) }()
	workers, wctx := errgroup.WithContext(looking)
	for range p.o.Parallel {
		workers.Go(func() error { return p.work(wctx, work, seen) })
	}
	err := p.feedWork(wctx, work)
	close(work)
	err = errors.Join(err, workers.Wait())
	close(seen)
	err = errors.Join(<-settled, err)
	if errors.Is(context.Cause(looking), errPassEnds) && ctx.Err() == nil {
		return nil
	}
	return err
}

// feedWork hands out what is due until nothing is.
func (p *lookPass) feedWork(ctx context.Context, work chan<- lookState) error {
	for {
		p.turnPage()
		states, err := p.table.due(ctx, p.now(), duePage)
		if err != nil {
			return err
		}
		handed := 0
		for _, s := range states {
			if !p.begin(s) {
				continue
			}
			select {
			case work <- s:
				handed++
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if handed > 0 {
			continue
		}
		switch under, ended := p.underWay(); {
		case ended > 0:
			continue // what else is due stands on the next page
		case under == 0:
			return nil
		}
		if err := pause(ctx, settleWithin/5); err != nil {
			return err
		}
	}
}

func (p *lookPass) turnPage() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.ended)
}

func (p *lookPass) begin(s lookState) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.under[s.Repository] || p.ended[s.Repository] {
		return false
	}
	p.under[s.Repository] = true
	return true
}

func (p *lookPass) underWay() (under, ended int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.under), len(p.ended)
}

// work looks at one repository after the other.
func (p *lookPass) work(ctx context.Context, work <-chan lookState, seen chan<- looked) error {
	for before := range work {
		saw, ok := p.look(ctx, before)
		if !ok {
			p.end(before)
			continue
		}
		after, changed := p.pace.after(before, saw, p.now(), p.recordedOf(before), p.chance)
		if saw.Fault != nil {
			p.log.DebugContext(ctx, "look failed", "repository", before.Repository.String(), "failures", after.Failures, "error", saw.Fault)
		}
		seen <- looked{before, after, changed}
	}
	return nil
}

func (p *lookPass) end(s lookState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.under, s.Repository)
	p.ended[s.Repository] = true
}

func (l *looks) recordedOf(s lookState) func(string) bool {
	if l.recorded == nil {
		return nil
	}
	return func(tag string) bool { return l.recorded.has(s.Repository, tag) }
}

// look sees what a repository shows: the feed, and the tags where they are due or
// the feed has something new, so that one run then sees all of it. It is not ok
// where nothing was learned of the repository.
func (p *lookPass) look(ctx context.Context, s lookState) (saw sight, ok bool) {
	defer func() {
		if r := recover(); r != nil {
			p.log.ErrorContext(ctx, "a look panicked", "repository", s.Repository.String(), "panic", r, "stack", string(debug.Stack()))
			saw.Fault, ok = fmt.Errorf("panic: %v", r), true
		}
	}()
	if p.feeds.wait(ctx) != nil {
		return saw, false
	}
	feed, err := p.world.Feed(ctx, s.Repository, s.Feed, s.Mark)
	if ok, saw.Fault = p.judge(ctx, "feed", err, feedOutcome(feed)); !ok {
		return saw, false
	}
	saw.Feed, saw.FeedLooked = feed, err == nil
	copied := s
	if copied.see(saw, p.now(), p.recordedOf(s)); copied.Gone && err == nil {
		return saw, true
	}
	news := copied.FeedSeen != s.FeedSeen && !s.LookedAt.IsZero()
	if !news && !s.wantsTags(p.now()) {
		return saw, true
	}
	if p.tags.wait(ctx) != nil {
		return saw, false
	}
	tags, there, err := p.world.LookTags(ctx, s.Repository)
	ok, fault := p.judge(ctx, "tags", err, tagsOutcome(there))
	if !ok {
		return saw, false
	}
	if err != nil {
		saw.Fault = fault
		return saw, true
	}
	saw.Tags, saw.TagsLooked, saw.TagsThere = tags, true, there
	return saw, true
}

// judge tells faults of a repository from a host that wants no more requests,
// after which the look does not count.
func (p *lookPass) judge(ctx context.Context, kind string, err error, outcome string) (ok bool, fault error) {
	var limited *forge.RateLimitError
	var own *forge.Fault
	switch {
	case err == nil:
		p.trouble.Store(0)
	case ctx.Err() != nil:
		return false, nil
	case errors.As(err, &limited):
		p.metrics.looked(kind, "limited")
		p.log.WarnContext(ctx, "GitHub wants fewer looks", "kind", kind, "until", limited.Until)
		p.feeds.limited(p.now(), limited.Until)
		p.tags.limited(p.now(), limited.Until)
		p.stop(errPassEnds)
		return false, nil
	case errors.As(err, &own):
		p.trouble.Store(0)
		outcome = "fault"
	default:
		outcome = "failed"
		if p.trouble.Add(1) >= troubleMost {
			p.log.WarnContext(ctx, "looks fail one after the other; leaving the host alone", "error", err, "pause", troublePause)
			p.feeds.limited(p.now(), p.now().Add(troublePause))
			p.stop(errPassEnds)
			return false, nil
		}
	}
	p.metrics.looked(kind, outcome)
	return true, err
}

func feedOutcome(f forge.Feed) string {
	switch {
	case f.Gone:
		return "gone"
	case f.Unchanged:
		return "unchanged"
	}
	return "read"
}

func tagsOutcome(there bool) string {
	if !there {
		return "gone"
	}
	return "read"
}

// settleAll writes what was seen, many at a time.
func (p *lookPass) settleAll(ctx context.Context, seen <-chan looked) error {
	var failed error
	for first := range seen {
		batch := []looked{first}
		timer := time.NewTimer(settleWithin)
	collect:
		for len(batch) < settleAt {
			select {
			case next, open := <-seen:
				if !open {
					break collect
				}
				batch = append(batch, next)
			case <-timer.C:
				break collect
			}
		}
		timer.Stop()
		if failed == nil {
			if failed = p.settle(ctx, batch); failed != nil {
				p.stop(failed)
			}
		}
		for _, b := range batch {
			p.end(b.before)
		}
	}
	return failed
}
