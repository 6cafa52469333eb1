package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
)

func TestTurnsCoverWhatWasEnqueuedBefore(t *testing.T) {
	turns, ctx := newTurns(), context.Background()
	key := handlers.IssueKey(1)
	first, second := turns.next(), turns.next()
	run, verdict := turns.take(ctx, key, first, time.Second)
	if verdict != verdictRun {
		t.Fatalf("the first job of a key gets %v, want its turn", verdict)
	}
	third := turns.next()
	run.end(true)
	if _, verdict := turns.take(ctx, key, second, time.Second); verdict != verdictCovered {
		t.Errorf("a job enqueued before the run began gets %v, want covered", verdict)
	}
	again, verdict := turns.take(ctx, key, third, time.Second)
	if verdict != verdictRun {
		t.Fatalf("a job enqueued after the run began gets %v, want its turn", verdict)
	}
	again.end(true)
	foreign, verdict := turns.take(ctx, key, uncovered, time.Second)
	if verdict != verdictRun {
		t.Fatalf("a job of another process gets %v, want its turn", verdict)
	}
	foreign.end(true)
}

func TestTurnsFailedRunCoversNothing(t *testing.T) {
	turns, ctx := newTurns(), context.Background()
	key := handlers.IssueKey(1)
	first, second := turns.next(), turns.next()
	run, _ := turns.take(ctx, key, first, time.Second)
	run.end(false)
	if _, verdict := turns.take(ctx, key, second, time.Second); verdict != verdictRun {
		t.Errorf("after a failure the next job gets %v, want its turn", verdict)
	}
}

func TestTurnsSubjectIsBusy(t *testing.T) {
	turns, ctx := newTurns(), context.Background()
	run, _ := turns.take(ctx, handlers.IssueKey(7), turns.next(), time.Second)
	// Issue 7 and pull request 7 are one thread.
	if _, verdict := turns.take(ctx, handlers.PullKey(7), turns.next(), time.Millisecond); verdict != verdictBusy {
		t.Errorf("another key of the subject gets %v, want busy", verdict)
	}
	if other, verdict := turns.take(ctx, handlers.IssueKey(8), turns.next(), time.Second); verdict != verdictRun {
		t.Errorf("another subject gets %v, want its turn", verdict)
	} else {
		other.end(true)
	}
	run.end(true)
	if len(turns.subjects) != 0 {
		t.Errorf("%d subjects are still taken", len(turns.subjects))
	}
}

// A job that waits stands for the later ones of its key. If it leaves without
// its turn, the run that was under way must not count as theirs.
func TestTurnsWaiterThatLeavesTakesItsDutyAlong(t *testing.T) {
	turns, ctx := newTurns(), context.Background()
	key := handlers.IssueKey(1)
	waits := turns.next() // enqueued before the run: covered by it, on its own
	run, _ := turns.take(ctx, key, turns.next(), time.Second)
	leaving, leave := context.WithCancel(ctx)
	left := make(chan verdict)
	go func() {
		_, v := turns.take(leaving, key, waits, time.Minute)
		left <- v
	}()
	untilWaiting(t, turns, key, 1)
	late := turns.next() // enqueued after the run began
	if _, verdict := turns.take(ctx, key, late, time.Second); verdict != verdictCovered {
		t.Fatalf("a later job gets %v, want covered by the one that waits", verdict)
	}
	leave()
	if v := <-left; v != verdictBusy {
		t.Fatalf("the job that leaves gets %v, want busy", v)
	}
	run.end(true)
	if _, verdict := turns.take(ctx, key, waits, time.Second); verdict != verdictRun {
		t.Errorf("the job comes back and gets %v, but the later job that it stands for was never looked after", verdict)
	}
}

// The same, where the run of the key has ended already, and the job waits for
// another key of its subject.
func TestTurnsWaiterThatLeavesIsCoveredByNoEarlierRun(t *testing.T) {
	turns, ctx := newTurns(), context.Background()
	key, other := handlers.IssueKey(1), handlers.PullKey(1)
	early := turns.next()
	run, _ := turns.take(ctx, key, turns.next(), time.Second)
	next := make(chan *turn)
	go func() {
		turn, _ := turns.take(ctx, other, turns.next(), time.Minute)
		next <- turn
	}()
	untilWaiting(t, turns, key, 1)
	leaving, leave := context.WithCancel(ctx)
	left := make(chan verdict)
	go func() {
		_, v := turns.take(leaving, key, early, time.Minute)
		left <- v
	}()
	untilWaiting(t, turns, key, 2)
	if _, v := turns.take(ctx, key, turns.next(), time.Second); v != verdictCovered {
		t.Fatalf("a later job gets %v, want covered by the one that waits", v)
	}
	run.end(true) // covers the early job, but not the later one
	second := <-next
	leave()
	<-left
	second.end(true)
	if _, v := turns.take(ctx, key, early, time.Second); v != verdictRun {
		t.Errorf("the job comes back and gets %v, but the later job that it stands for was never looked after", v)
	}
}

func TestTurnsWaiterRunsForTheLaterJobs(t *testing.T) {
	turns, ctx := newTurns(), context.Background()
	key := handlers.IssueKey(1)
	for _, c := range []struct {
		later bool
		want  verdict
	}{{false, verdictCovered}, {true, verdictRun}} {
		early := turns.next()
		run, _ := turns.take(ctx, key, turns.next(), time.Second)
		got := make(chan verdict)
		go func() {
			turn, v := turns.take(ctx, key, early, time.Minute)
			if v == verdictRun {
				turn.end(true)
			}
			got <- v
		}()
		untilWaiting(t, turns, key, 1)
		if c.later {
			if _, v := turns.take(ctx, key, turns.next(), time.Second); v != verdictCovered {
				t.Fatalf("a later job gets %v, want covered by the one that waits", v)
			}
		}
		run.end(true)
		if v := <-got; v != c.want {
			t.Errorf("with a later job %v: the one that waits gets %v, want %v", c.later, v, c.want)
		}
	}
}

func untilWaiting(t *testing.T, turns *turns, key handlers.Key, n int) {
	t.Helper()
	for range 1000 {
		turns.mu.Lock()
		s := turns.subjects[key.Subject()]
		waiting := s != nil && len(s.waiting) == n
		turns.mu.Unlock()
		if waiting {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("%d jobs never waited for %q", n, key)
}

// TestTurnsLoseNothing plays a world in which things change while jobs run, fail
// and lose patience. At the end each key must have been seen as it is.
func TestTurnsLoseNothing(t *testing.T) {
	turns := newTurns()
	const keys, events = 4, 3000
	var world, seen [keys]atomic.Int64 // version of a key, and that of the last run that succeeded
	var busy [keys / 2]atomic.Int32
	var runs, covered atomic.Int64
	var jobs sync.WaitGroup
	slots := make(chan struct{}, 8)
	work := func(i int, mark int64, r *rand.Rand) {
		key := handlers.IssueKey(i / 2)
		if i%2 == 1 {
			key = handlers.PullKey(i / 2)
		}
		for {
			slots <- struct{}{}
			run, verdict := turns.take(context.Background(), key, mark, time.Duration(r.IntN(300))*time.Microsecond)
			if verdict == verdictCovered {
				covered.Add(1)
				<-slots
				return
			}
			if verdict == verdictRun {
				if busy[i/2].Add(1) != 1 {
					t.Errorf("two jobs work on %q at once", key.Subject())
				}
				version := world[i].Load()
				time.Sleep(time.Duration(r.IntN(200)) * time.Microsecond)
				ok := r.IntN(4) > 0
				if ok {
					seen[i].Store(version)
				}
				busy[i/2].Add(-1)
				run.end(ok)
				runs.Add(1)
				if ok {
					<-slots
					return
				}
			}
			<-slots
		}
	}
	for n := range events {
		i := rand.IntN(keys)
		world[i].Add(1)
		mark := turns.next()
		jobs.Add(1)
		go func() {
			defer jobs.Done()
			work(i, mark, rand.New(rand.NewPCG(uint64(n), 1)))
		}()
		if n%16 == 0 {
			time.Sleep(50 * time.Microsecond)
		}
	}
	jobs.Wait()
	for i := range keys {
		if world[i].Load() != seen[i].Load() {
			t.Errorf("key %d: seen at version %d, the world is at %d", i, seen[i].Load(), world[i].Load())
		}
	}
	if covered.Load() == 0 || len(turns.subjects) != 0 {
		t.Errorf("%d jobs covered, %d subjects still taken", covered.Load(), len(turns.subjects))
	}
	t.Logf("%d events, %d runs, %d jobs covered", events, runs.Load(), covered.Load())
}

// TestTurnsFailedRunRunsAgain: a job that stood for a later one and failed must
// run again, though a run before it had covered its own mark.
func TestTurnsFailedRunRunsAgain(t *testing.T) {
	turns := newTurns()
	key := handlers.IssueKey(1)
	early := turns.next()
	first, _ := turns.take(t.Context(), key, uncovered, time.Minute) // begins after early was enqueued
	given := make(chan *turn)
	go func() {
		run, _ := turns.take(t.Context(), key, early, time.Minute)
		given <- run
	}()
	untilWaiting(t, turns, key, 1)
	if _, v := turns.take(t.Context(), key, turns.next(), time.Minute); v != verdictCovered {
		t.Fatalf("a later job gets %v, want covered by the one that waits", v)
	}
	first.end(true)
	(<-given).end(false)
	if _, v := turns.take(t.Context(), key, early, time.Minute); v != verdictRun {
		t.Errorf("after its failure the job gets %v, want to run", v)
	}
}

func TestTurnsMemoryIsBounded(t *testing.T) {
	turns := newTurns()
	for i := range maxCovered + 100 {
		key := handlers.Key(fmt.Sprintf("issue %d", i+1))
		run, _ := turns.take(context.Background(), key, turns.next(), time.Second)
		run.end(true)
	}
	if len(turns.covered) > maxCovered {
		t.Errorf("%d finished runs are remembered, want at most %d", len(turns.covered), maxCovered)
	}
}
