package main

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// lookRate bounds how fast a host is asked. When the host says that it was too
// fast, nothing is asked until the time that it names, and then half as fast; the
// rate doubles again for each calm stretch, up to what is configured.
type lookRate struct {
	full float64 // requests a second

	mu      sync.Mutex
	limiter *rate.Limiter
	until   time.Time // nothing before
	slowed  time.Time // when the rate was halved or doubled last
}

const (
	// calmFor is how long a host must not complain for the rate to double.
	calmFor = 10 * time.Minute
	// slowest is the least share of the configured rate.
	slowest = 1.0 / 32
)

func newLookRate(perSecond float64) *lookRate {
	return &lookRate{full: perSecond, limiter: rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond/2)))}
}

// reserve takes the next place in the line and says how long to wait for it.
func (r *lookRate) reserve(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if limit := float64(r.limiter.Limit()); limit < r.full && now.Sub(r.slowed) >= calmFor {
		r.limiter.SetLimitAt(now, rate.Limit(min(2*limit, r.full)))
		r.slowed = now
	}
	wait := r.limiter.ReserveN(now, 1).DelayFrom(now)
	return max(wait, r.until.Sub(now))
}

// limited notes that the host wants no requests until a time.
func (r *lookRate) limited(now, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if until.After(r.until) {
		r.until = until
	}
	if now.Sub(r.slowed) < time.Second { // one answer of many that were under way
		return
	}
	limit := max(float64(r.limiter.Limit())/2, r.full*slowest)
	r.limiter.SetLimitAt(now, rate.Limit(limit))
	r.slowed = now
}

// paused is until when nothing may be asked; zero if that is over.
func (r *lookRate) paused(now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until.After(now) {
		return r.until
	}
	return time.Time{}
}

// wait waits for the next place in the line.
func (r *lookRate) wait(ctx context.Context) error {
	if d := r.reserve(time.Now()); d > 0 {
		return pause(ctx, d)
	}
	return ctx.Err()
}
