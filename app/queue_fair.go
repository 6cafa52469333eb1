package main

import (
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"
)

// fairness orders the jobs of senders that send much. The first jobs of a sender
// are like everyone's. Those beyond wait until nothing else is to do, and among
// one another each sender has its turn: a job's place is by how many the sender
// has before it, not by when it came.
//
// River orders by priority and then by the time a job is due, so a place is a due
// time in the past: a day ago, and a second later for each job before it.
type fairness struct {
	mu   sync.Mutex
	last map[string]time.Time // the place of a sender's last job
}

const (
	// fairPast is how long ago the first place is.
	fairPast = 24 * time.Hour
	// fairStep is from a sender's job to its next one. As time passes, a sender
	// that sends one job in it stays at the first place.
	fairStep = time.Second
	// fairBurst is how many jobs of a sender are like everyone's.
	fairBurst = 50
	// maxSenders bounds the memory of senders.
	maxSenders = 10_000
)

func newFairness() *fairness { return &fairness{last: map[string]time.Time{}} }

// place gives a job of a sender its place; one that nobody sent has none.
func (f *fairness) place(sender string, o *river.InsertOpts) {
	if sender == "" {
		return
	}
	if at, much := f.next(strings.ToLower(sender), time.Now()); much {
		o.Priority, o.ScheduledAt = priorityMuch, at
	}
}

// next is the place of the sender's next job, and whether it is one of many.
func (f *fairness) next(sender string, now time.Time) (at time.Time, much bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first := now.Add(-fairPast)
	at, ok := f.last[sender]
	if at = at.Add(fairStep); !ok || at.Before(first) {
		at = first
	}
	if at.After(now) {
		at = now
	}
	if !ok && len(f.last) >= maxSenders {
		f.makeRoom(first)
	}
	f.last[sender] = at
	return at, at.Sub(first) >= fairBurst*fairStep
}

// makeRoom forgets who is at the first place again, or else anyone.
func (f *fairness) makeRoom(first time.Time) {
	for sender, at := range f.last {
		if at.Before(first) {
			delete(f.last, sender)
		}
	}
	for sender := range f.last {
		if len(f.last) < maxSenders {
			return
		}
		delete(f.last, sender)
	}
}
