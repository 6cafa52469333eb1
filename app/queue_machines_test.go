package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
)

// severalQueues are processes that serve one database, as far as the database
// can tell.
func severalQueues(t *testing.T, n int, r Reconciler, change ...func(*queueOptions)) []*Queue {
	t.Helper()
	address := testPostgres(t)
	here := func(o *queueOptions) { o.Path = address }
	queues := make([]*Queue, n)
	for i := range queues {
		queues[i] = testQueue(t, r, append([]func(*queueOptions){here}, change...)...)
	}
	return queues
}

// TestMachinesLoseNoTrigger is TestQueueLosesNoTrigger with three processes: each
// takes webhooks in, each works, runs fail, and connections break.
func TestMachinesLoseNoTrigger(t *testing.T) {
	t.Parallel()
	const keys, triggers = 6, 40
	var world, seen [keys]atomic.Int64
	var busy [keys]atomic.Int32
	var tries atomic.Int64
	r := &fakeReconciler{}
	r.onReconcile = func(ctx context.Context, key handlers.Key) (handlers.Result, error) {
		var i int
		if _, err := fmt.Sscanf(string(key), "issue %d", &i); err != nil {
			t.Error(err)
		}
		if busy[i].Add(1) != 1 && ctx.Err() == nil {
			t.Errorf("%q runs twice at once", key)
		}
		defer busy[i].Add(-1)
		version := world[i].Load()
		time.Sleep(2 * time.Millisecond)
		if tries.Add(1)%7 == 0 {
			return handlers.Result{}, errors.New("a passing fault")
		}
		for old := seen[i].Load(); version > old && !seen[i].CompareAndSwap(old, version); old = seen[i].Load() {
		}
		return handlers.Result{}, nil
	}
	queues := severalQueues(t, 3, r, func(o *queueOptions) {
		o.Workers = 8
		o.Retries = slices.Repeat([]time.Duration{time.Millisecond}, 50)
	})
	var senders sync.WaitGroup
	for i := range keys {
		senders.Go(func() {
			for n := range triggers {
				world[i].Add(1)
				guid := fmt.Sprintf("guid-%04d-%04d", i, n)
				q := queues[rand.IntN(len(queues))]
				if _, err := q.Store(context.Background(), "", guid, "issues", []handlers.Key{handlers.Key(fmt.Sprintf("issue %d", i))}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	senders.Wait()
	settleAll(t, queues)
	for i := range keys {
		if world[i].Load() != seen[i].Load() {
			t.Errorf("key %d: last seen at trigger %d of %d", i, seen[i].Load(), world[i].Load())
		}
	}
	t.Logf("%d triggers, %d runs", keys*triggers, len(r.runs))
}

// settleAll waits until nothing is to be done on any of the processes.
func settleAll(t *testing.T, queues []*Queue) {
	t.Helper()
	for range 2000 {
		running, due, err := queues[0].db.unsettled(t.Context(), time.Now().Add(time.Second))
		if err != nil {
			t.Fatal(err)
		}
		if !due && len(running) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the queues do not settle")
}

// A process whose connection for locks breaks must stop what it does under them:
// another one may begin.
func TestMachinesLostConnectionInterrupts(t *testing.T) {
	t.Parallel()
	begun, interrupted := make(chan bool, 8), make(chan error, 8)
	var again atomic.Bool
	r := &fakeReconciler{onReconcile: func(ctx context.Context, _ handlers.Key) (handlers.Result, error) {
		if again.Load() {
			return handlers.Result{}, nil
		}
		begun <- true
		<-ctx.Done()
		again.Store(true)
		interrupted <- ctx.Err()
		return handlers.Result{}, ctx.Err()
	}}
	q := severalQueues(t, 1, r)[0]
	if err := q.Enqueue(t.Context(), handlers.IssueKey(1)); err != nil {
		t.Fatal(err)
	}
	<-begun
	session := q.db.engine.(*postgres).session
	session.mu.Lock()
	pid := session.conn.PgConn().PID()
	session.mu.Unlock()
	if err := adminPostgres("SELECT pg_terminate_backend($1)", pid); err != nil {
		t.Fatal(err)
	}
	if err := <-interrupted; !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted by %v", err)
	}
	settleAll(t, []*Queue{q})
	if n := r.ran(handlers.IssueKey(1)); n != 2 {
		t.Errorf("ran %d times, want once more after the interruption", n)
	}
	if job := onlyJob(t, q); job.Attempt != 1 || len(job.Errors) > 0 {
		t.Errorf("attempt %d, errors %v: the interruption counts as a failure", job.Attempt, job.Errors)
	}
}

// One GUID that comes to two processes at once is one job.
func TestMachinesKnowEachOthersDeliveries(t *testing.T) {
	t.Parallel()
	queues := severalQueues(t, 3, &fakeReconciler{})
	var stored atomic.Int64
	var senders sync.WaitGroup
	for _, q := range queues {
		for n := range 20 {
			senders.Go(func() {
				n, err := q.Store(context.Background(), "", fmt.Sprintf("guid-%04d", n), "issues", []handlers.Key{handlers.IssueKey(n + 1)})
				if err != nil {
					t.Error(err)
				}
				stored.Add(int64(n))
			})
		}
	}
	senders.Wait()
	if stored.Load() != 20 {
		t.Errorf("%d jobs for 20 deliveries that came three times each", stored.Load())
	}
	settleAll(t, queues)
}

// The jobs of a process that is gone go on elsewhere, long before River's rescue.
func TestMachinesGiveBackOrphans(t *testing.T) {
	t.Parallel()
	r := &fakeReconciler{}
	queues := severalQueues(t, 2, r)
	for i, process := range []string{"gone", queues[1].process} {
		_, err := queues[0].db.Exec(`INSERT INTO river_job (args, kind, max_attempts, state, attempt, attempted_at, attempted_by, queue)
			VALUES (jsonb_build_object('key', ?::text), 'reconcile', 3, 'running', 1, now(), ARRAY[?], 'default')`,
			string(handlers.IssueKey(i+1)), process)
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := queues[0].db.giveBackOrphans(t.Context(), queues[0].process); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if r.ran(handlers.IssueKey(1)) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if r.ran(handlers.IssueKey(1)) != 1 || r.ran(handlers.IssueKey(2)) != 0 {
		t.Errorf("ran %q, want the job of the process that is gone and not that of the one that lives", r.runs)
	}
}

// What one process has locked, another waits for.
func TestMachinesLock(t *testing.T) {
	t.Parallel()
	queues := severalQueues(t, 2, &fakeReconciler{})
	unlock := queues[0].Lock("main")
	queues[1].Lock("other")()
	locked := make(chan bool)
	var unlocked atomic.Bool
	go func() {
		defer close(locked)
		defer queues[1].Lock("main")()
		if !unlocked.Load() {
			t.Error("two processes have the lock")
		}
	}()
	time.Sleep(30 * time.Millisecond) // lets a fault show; nothing is waited for
	unlocked.Store(true)
	unlock()
	<-locked
}
