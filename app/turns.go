package main

import (
	"context"
	"sync"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
)

// turns decides which job may run now. Two rules hold within this process:
//
//   - No two jobs work on one handlers.Key.Subject at once.
//   - A run looks at the world anew, so it does the work of every job of its key
//     that was enqueued before the run began. Such a job is covered: it need not
//     run. One that was enqueued after the run began is never covered by it.
//
// Enqueuing is counted (mark), not timed: clocks jump. Marks compare only within
// one process, so a job of another process, or of this one before a restart, is
// covered by no finished run and runs; that costs a look, never a trigger. The
// same holds for a job that a process has fetched before: it may stand for others.
//
// Where several processes serve, the database keeps their subjects apart (see
// engine.hold).
type turns struct {
	mu       sync.Mutex
	mark     int64 // of the job enqueued last
	subjects map[string]*subject
	// covered holds for a key the mark at the start of its last run that
	// succeeded: jobs up to there are done.
	covered map[handlers.Key]int64
}

// subject is one that a job works on now.
type subject struct {
	waiting []*waiter
	// void are keys of which this run must not be recorded as done: a waiter
	// that stood for others left without running.
	void map[handlers.Key]bool
}

// waiter is a job that waits until the subject is free. It stands for every
// later job of its key: those are done when it runs, because it starts after
// they were enqueued.
type waiter struct {
	key   handlers.Key
	mark  int64 // the newest that it stands for; uncovered if it must run
	alone bool
	turn  chan verdict
}

// verdict is what becomes of a job that asked for its turn.
type verdict int

const (
	verdictRun     verdict = iota // run now, then call done
	verdictCovered                // another run did, or will do, its work
	verdictBusy                   // try again later
)

const (
	// uncovered is the mark of a job that no finished run covers.
	uncovered = int64(1<<63 - 1)
	// maxWaiting bounds how many workers wait for one subject.
	maxWaiting = 2
	// maxCovered bounds the memory of finished runs; forgetting one costs a look.
	maxCovered = 10_000
)

func newTurns() *turns {
	return &turns{subjects: map[string]*subject{}, covered: map[handlers.Key]int64{}}
}

// next is the mark of a job that is about to be enqueued.
func (t *turns) next() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mark++
	return t.mark
}

// turn is the right to work on a subject, until end.
type turn struct {
	turns *turns
	key   handlers.Key
	began int64 // the mark when it began
}

// take asks for the turn of a job, and waits for it at most patience. The turn
// is set with verdictRun only; the caller must end it.
func (t *turns) take(ctx context.Context, key handlers.Key, mark int64, patience time.Duration) (*turn, verdict) {
	t.mu.Lock()
	if t.isCovered(key, mark) {
		t.mu.Unlock()
		return nil, verdictCovered
	}
	s := t.subjects[key.Subject()]
	if s == nil {
		defer t.mu.Unlock()
		t.subjects[key.Subject()] = &subject{}
		return t.begin(key), verdictRun
	}
	for _, w := range s.waiting {
		if w.key == key {
			w.mark, w.alone = max(w.mark, mark), false
			t.mu.Unlock()
			return nil, verdictCovered
		}
	}
	if len(s.waiting) >= maxWaiting {
		t.mu.Unlock()
		return nil, verdictBusy
	}
	w := &waiter{key: key, mark: mark, alone: true, turn: make(chan verdict, 1)}
	s.waiting = append(s.waiting, w)
	t.mu.Unlock()
	return t.wait(ctx, s, w, patience)
}

func (t *turns) wait(ctx context.Context, s *subject, w *waiter, patience time.Duration) (*turn, verdict) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v := <-w.turn:
		return t.given(w, v)
	case <-ctx.Done():
	case <-timer.C:
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !s.leave(w) { // the turn was given in this very moment
		v := <-w.turn
		if v == verdictRun {
			return t.begin(w.key), v
		}
		return nil, v
	}
	if !w.alone {
		// The jobs that it stood for are gone; it must run, whatever is done by then.
		s.forget(w.key)
		delete(t.covered, w.key)
	}
	return nil, verdictBusy
}

func (t *turns) given(w *waiter, v verdict) (*turn, verdict) {
	if v != verdictRun {
		return nil, v
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.begin(w.key), v
}

// begin is called with the lock held, before the run looks at anything.
func (t *turns) begin(key handlers.Key) *turn {
	return &turn{turns: t, key: key, began: t.mark}
}

// restart counts the run from now on. It is called before the run looks at
// anything.
func (r *turn) restart() {
	r.turns.mu.Lock()
	defer r.turns.mu.Unlock()
	r.began = r.turns.mark
}

// end gives the turn to the next job. A run that succeeded covers the jobs of
// its key that were enqueued before it began; one that failed covers none.
func (r *turn) end(succeeded bool) {
	t := r.turns
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.subjects[r.key.Subject()]
	switch {
	case !succeeded:
		// It may have stood for jobs that are gone: it must run again, though a
		// run before it covered its own mark.
		delete(t.covered, r.key)
	case !s.void[r.key]:
		t.cover(r.key, r.began)
	}
	s.void = nil
	for len(s.waiting) > 0 {
		w := s.waiting[0]
		s.waiting = s.waiting[1:]
		if !t.isCovered(w.key, w.mark) {
			w.turn <- verdictRun
			return
		}
		w.turn <- verdictCovered
	}
	delete(t.subjects, r.key.Subject())
}

func (t *turns) isCovered(key handlers.Key, mark int64) bool {
	upTo, ok := t.covered[key]
	return ok && mark <= upTo
}

func (t *turns) cover(key handlers.Key, upTo int64) {
	if _, ok := t.covered[key]; !ok && len(t.covered) >= maxCovered {
		for other := range t.covered {
			delete(t.covered, other)
			break
		}
	}
	t.covered[key] = max(t.covered[key], upTo)
}

// leave takes a waiter out of the line; false if it is not in it any more.
func (s *subject) leave(w *waiter) bool {
	for i, other := range s.waiting {
		if other == w {
			s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
			return true
		}
	}
	return false
}

func (s *subject) forget(key handlers.Key) {
	if s.void == nil {
		s.void = map[handlers.Key]bool{}
	}
	s.void[key] = true
}
