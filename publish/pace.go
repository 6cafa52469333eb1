package publish

import (
	"context"
	"sync"
	"time"
)

// pacer keeps writes of one key apart: R2 takes one a second and answers 429 to
// more (developers.cloudflare.com/r2/platform/limits).
type pacer struct {
	every time.Duration // 0: no limit

	mu     sync.Mutex
	last   map[string]time.Time // when the key's last write may begin
	pruned time.Time
}

func newPacer(every time.Duration) *pacer {
	return &pacer{every: every, last: map[string]time.Time{}}
}

// wait returns when the key may be written.
func (p *pacer) wait(ctx context.Context, key string) error {
	if p.every <= 0 {
		return nil
	}
	return sleep(ctx, time.Until(p.reserve(key, time.Now())))
}

// reserve gives the next moment at which the key may be written.
func (p *pacer) reserve(key string, now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.pruned) >= p.every {
		p.pruned = now
		for k, at := range p.last {
			if now.Sub(at) >= p.every {
				delete(p.last, k)
			}
		}
	}
	at := now
	if last, ok := p.last[key]; ok && last.Add(p.every).After(now) {
		at = last.Add(p.every)
	}
	p.last[key] = at
	return at
}

// sleep waits, or returns early with the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
