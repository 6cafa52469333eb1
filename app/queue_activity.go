package main

import (
	"context"
	"sync"
	"time"
)

// activity knows which jobs this process works on. The database learns of the
// end of a job a quarter of a second later (River writes ends in batches), or
// never when it cannot be written.
type activity struct {
	mu     sync.Mutex
	active map[int64]bool
	ended  map[int64]ending
}

type ending struct {
	at  time.Time
	due time.Time // when the job runs again; zero is never
}

const (
	// settled is how long River can take to write the end of a job.
	settled = 90 * time.Second
	// orphansEvery is how often jobs are looked for whose process is gone.
	orphansEvery = 2 * time.Second
	// strandedEvery is how often jobs are looked for whose end was not written.
	strandedEvery = 30 * time.Second
	// maxEnded bounds the memory of ended jobs before they are gone through.
	maxEnded = 4096
)

func newActivity() *activity {
	return &activity{active: map[int64]bool{}, ended: map[int64]ending{}}
}

func (a *activity) begin(id int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.active[id] = true
	delete(a.ended, id)
}

func (a *activity) end(id int64, due time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.active, id)
	a.ended[id] = ending{at: time.Now(), due: due}
	if len(a.ended) <= maxEnded {
		return
	}
	for other, e := range a.ended {
		if time.Since(e.at) > settled {
			delete(a.ended, other)
		}
	}
}

func (a *activity) running() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.active)
}

// working tells whether the job runs here, or ended so lately that its end may
// still be on the way to the database.
func (a *activity) working(id int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ended := a.ended[id]
	return a.active[id] || (ended && time.Since(e.at) < settled)
}

// over are the jobs that have ended here and do not run again before a time,
// though the database may still call them running.
func (a *activity) over(before time.Time) map[int64]bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	over := make(map[int64]bool, len(a.ended))
	for id, e := range a.ended {
		over[id] = e.due.IsZero() || e.due.After(before)
	}
	return over
}

// watchStranded gives jobs back whose end River could not write, and those of
// other processes that are gone.
func (q *Queue) watchStranded(ctx context.Context) {
	defer close(q.watched)
	stranded, orphans := time.NewTicker(strandedEvery), time.NewTicker(orphansEvery)
	defer stranded.Stop()
	defer orphans.Stop()
	if !Database(q.o.Path).Server() {
		orphans.Stop() // while this process serves the file, no other one does
	}
	for {
		var n int64
		var err error
		select {
		case <-ctx.Done():
			return
		case <-stranded.C:
			n, err = q.db.giveBackStranded(ctx, q.process, time.Now().Add(-settled), q.activity.working)
		case <-orphans.C:
			n, err = q.db.giveBackOrphans(ctx, q.process)
		}
		if err != nil && ctx.Err() == nil {
			q.o.Log.ErrorContext(ctx, "look for stranded jobs", "error", err)
		}
		if n > 0 {
			q.o.Log.WarnContext(ctx, "stranded jobs go back to the queue", "jobs", n)
		}
	}
}

// Idle waits until no job runs and none is to run within a time from then.
func (q *Queue) Idle(ctx context.Context, within time.Duration) error {
	for {
		idle, err := q.idle(ctx, time.Now().Add(within))
		if idle || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// idle looks at what has ended before it looks at the database: what followed
// from a job that had ended is in the database by then.
func (q *Queue) idle(ctx context.Context, before time.Time) (bool, error) {
	over := q.activity.over(before)
	running, due, err := q.db.unsettled(ctx, before)
	if err != nil || due {
		return false, err
	}
	for _, id := range running {
		if !over[id] {
			return false, nil
		}
	}
	return true, nil
}
