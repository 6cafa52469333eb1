package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/publish"
)

func TestQueueRunsWhatADeliveryNames(t *testing.T) { onEachDatabase(t, queueRunsWhatADeliveryNames) }

func queueRunsWhatADeliveryNames(t *testing.T, here func(*queueOptions)) {
	r := &fakeReconciler{}
	q := testQueue(t, r, here)
	keys := []handlers.Key{handlers.IssueKey(1), handlers.PullKey(2), handlers.PublishKey}
	if n, err := q.Store(t.Context(), "", "guid-0001", "issues", keys); n != 3 || err != nil {
		t.Fatalf("Store = %d, %v; want 3 new jobs", n, err)
	}
	settle(t, q)
	for _, key := range keys {
		if r.ran(key) != 1 {
			t.Errorf("%q ran %d times, want once", key, r.ran(key))
		}
	}
}

func TestQueueKnownGUIDIsNoNewWork(t *testing.T) { onEachDatabase(t, queueKnownGUIDIsNoNewWork) }

func queueKnownGUIDIsNoNewWork(t *testing.T, here func(*queueOptions)) {
	r := &fakeReconciler{}
	q := testQueue(t, r, here)
	keys := []handlers.Key{handlers.IssueKey(1), handlers.IssueKey(2)}
	store := func(q *Queue, guid string, want int) {
		t.Helper()
		if n, err := q.Store(t.Context(), "", guid, "issues", keys); n != want || err != nil {
			t.Errorf("Store(%s) = %d, %v; want %d new jobs", guid, n, err, want)
		}
	}
	store(q, "guid-0001", 2)
	store(q, "guid-0001", 0) // while it waits or runs
	settle(t, q)
	store(q, "guid-0001", 0) // after it is done
	store(q, "guid-0002", 2)
	settle(t, q)
	if r.ran(keys[0]) != 2 {
		t.Errorf("ran %d times, want 2: once a delivery", r.ran(keys[0]))
	}
	stopQueue(t, q)
	q = testQueue(t, r, here)
	store(q, "guid-0001", 0) // after a restart
}

func TestQueueStoreIsAllOrNothing(t *testing.T) {
	t.Parallel()
	r := &fakeReconciler{}
	q := testQueue(t, r)
	// The second insert of the transaction fails.
	_, err := q.db.Exec(`CREATE TRIGGER broken BEFORE INSERT ON river_job
		WHEN json_extract(CAST(NEW.args AS text), '$.key') = 'issue 2' BEGIN SELECT RAISE(ABORT, 'disk full'); END`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Store(t.Context(), "", "guid-0001", "issues", []handlers.Key{"issue 1", "issue 2"}); err == nil {
		t.Fatal("Store succeeded, want the error of the disk")
	}
	settle(t, q)
	if n := r.ran("issue 1"); n != 0 {
		t.Errorf("half of a delivery ran")
	}
}

func TestQueueResult(t *testing.T) { onEachDatabase(t, queueResult) }

func queueResult(t *testing.T, here func(*queueOptions)) {
	r := &fakeReconciler{}
	again := make(chan time.Time, 2)
	r.onReconcile = func(_ context.Context, key handlers.Key) (handlers.Result, error) {
		if key != handlers.IssueKey(1) {
			return handlers.Result{}, nil
		}
		again <- time.Now()
		if len(again) == 1 {
			return handlers.Result{Next: []handlers.Key{handlers.PublishKey}, Again: 300 * time.Millisecond}, nil
		}
		return handlers.Result{}, nil
	}
	q := testQueue(t, r, here)
	if err := q.Enqueue(t.Context(), handlers.IssueKey(1)); err != nil {
		t.Fatal(err)
	}
	settle(t, q)
	if r.ran(handlers.PublishKey) != 1 || r.ran(handlers.IssueKey(1)) != 2 {
		t.Fatalf("ran %q", r.runs)
	}
	if wait := (<-again).Sub(<-again).Abs(); wait < 300*time.Millisecond || wait > 900*time.Millisecond {
		t.Errorf("ran again after %v, want 300 ms and little more", wait)
	}
}

// Each trigger asks to be looked at again later. That must not multiply.
func TestQueueAgainDoesNotMultiply(t *testing.T) {
	t.Parallel()
	r := &fakeReconciler{}
	var end atomic.Bool
	r.onReconcile = func(context.Context, handlers.Key) (handlers.Result, error) {
		if end.Load() {
			return handlers.Result{}, nil
		}
		return handlers.Result{Again: 200 * time.Millisecond}, nil
	}
	q := testQueue(t, r)
	for range 10 {
		if err := q.Enqueue(t.Context(), handlers.IssueKey(1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(time.Second)
	end.Store(true)
	settle(t, q)
	// 10 triggers, then one run each 200 to 300 ms.
	if n := r.ran(handlers.IssueKey(1)); n > 10+7 {
		t.Errorf("ran %d times in a second: each trigger keeps its own timer", n)
	}
}

func TestQueueRetriesThenGivesUp(t *testing.T) { onEachDatabase(t, queueRetriesThenGivesUp) }

func queueRetriesThenGivesUp(t *testing.T, here func(*queueOptions)) {
	var gaveUp []string
	r := &fakeReconciler{
		onReconcile: func(context.Context, handlers.Key) (handlers.Result, error) {
			return handlers.Result{}, errors.New("GitHub is down")
		},
		onGiveUp: func(key handlers.Key, reference string) error {
			gaveUp = append(gaveUp, string(key)+" "+reference)
			return errors.New("GitHub is still down")
		},
	}
	q := testQueue(t, r, here)
	if err := q.Enqueue(t.Context(), handlers.IssueKey(1)); err != nil {
		t.Fatal(err)
	}
	settle(t, q)
	if n := r.ran(handlers.IssueKey(1)); n != 3 {
		t.Errorf("ran %d times, want 3", n)
	}
	if !slices.Equal(gaveUp, []string{"issue 1 1"}) {
		t.Errorf("gave up on %q, want once on issue 1 with the job's number", gaveUp)
	}
	job := onlyJob(t, q)
	if job.State != rivertype.JobStateDiscarded || len(job.Errors) != 3 || !strings.Contains(job.Errors[2].Error, "GitHub is down") {
		t.Errorf("the job is %s with errors %v, want it kept and visible", job.State, job.Errors)
	}
}

// onlyJob is the one job there is, when its end is written.
func onlyJob(t *testing.T, q *Queue) *rivertype.JobRow {
	t.Helper()
	for range 100 {
		jobs, err := listJobs(t.Context(), q.client, true)
		if err != nil {
			t.Fatal(err)
		}
		if len(jobs) != 1 {
			t.Fatalf("%d jobs, want 1", len(jobs))
		}
		if jobs[0].State != rivertype.JobStateRunning {
			return jobs[0]
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the job still runs")
	return nil
}

func TestQueuePanicIsAFailure(t *testing.T) {
	t.Parallel()
	r := &fakeReconciler{}
	gaveUp := 0
	r.onReconcile = func(context.Context, handlers.Key) (handlers.Result, error) { panic("nil map") }
	r.onGiveUp = func(handlers.Key, string) error { gaveUp++; panic("again") }
	q := testQueue(t, r)
	if err := q.Enqueue(t.Context(), handlers.IssueKey(1)); err != nil {
		t.Fatal(err)
	}
	settle(t, q)
	if r.ran(handlers.IssueKey(1)) != 3 || gaveUp != 1 {
		t.Errorf("ran %d times and gave up %d times, want 3 and 1", r.ran(handlers.IssueKey(1)), gaveUp)
	}
	if err := q.Enqueue(t.Context(), handlers.PullKey(1)); err != nil { // the subject must be free again
		t.Fatal(err)
	}
	settle(t, q)
	if r.ran(handlers.PullKey(1)) != 3 {
		t.Errorf("the subject of a run that panicked stays taken")
	}
}

func TestQueueRateLimitCostsNoAttempt(t *testing.T) { onEachDatabase(t, queueRateLimitCostsNoAttempt) }

func queueRateLimitCostsNoAttempt(t *testing.T, here func(*queueOptions)) {
	r := &fakeReconciler{}
	var n atomic.Int32
	r.onReconcile = func(context.Context, handlers.Key) (handlers.Result, error) {
		switch n.Add(1) {
		case 1:
			return handlers.Result{}, fmt.Errorf("read issue: %w", &forge.RateLimitError{Until: time.Now()})
		case 2:
			return handlers.Result{}, fmt.Errorf("purge: %w", &publish.RateLimitError{Service: "Cloudflare"})
		}
		return handlers.Result{}, nil
	}
	q := testQueue(t, r, here)
	began := time.Now()
	if err := q.Enqueue(t.Context(), handlers.IssueKey(1)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := q.Idle(ctx, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 2*minLimited {
		t.Errorf("done after %v, want a pause of a second each time", took)
	}
	if job := onlyJob(t, q); job.State != rivertype.JobStateCompleted || job.Attempt != 1 {
		t.Errorf("the job is %s after %d attempts, want completed after 1", job.State, job.Attempt)
	}
}

func TestQueueMalformedKeyIsNotRetried(t *testing.T) {
	onEachDatabase(t, queueMalformedKeyIsNotRetried)
}

func queueMalformedKeyIsNotRetried(t *testing.T, here func(*queueOptions)) {
	r := &fakeReconciler{onReconcile: func(_ context.Context, key handlers.Key) (handlers.Result, error) {
		return handlers.Result{}, fmt.Errorf("%w: %q", handlers.ErrMalformedKey, key)
	}}
	q := testQueue(t, r, here)
	if err := q.Enqueue(t.Context(), "nonsense"); err != nil {
		t.Fatal(err)
	}
	settle(t, q)
	if job := onlyJob(t, q); job.State != rivertype.JobStateCancelled || r.ran("nonsense") != 1 {
		t.Errorf("the job is %s after %d runs, want cancelled after 1", job.State, r.ran("nonsense"))
	}
}

// Triggers come while their key runs, fails and is retried. The last run of each
// key must have begun after its last trigger, and no subject may run twice at once.
func TestQueueLosesNoTrigger(t *testing.T) { onEachDatabase(t, queueLosesNoTrigger) }

func queueLosesNoTrigger(t *testing.T, here func(*queueOptions)) {
	const keys, triggers = 6, 60
	var world, seen [keys]atomic.Int64
	var busy [keys / 2]atomic.Int32
	var tries atomic.Int64
	r := &fakeReconciler{}
	index := func(key handlers.Key) int {
		var word string
		var n int
		if _, err := fmt.Sscanf(string(key), "%s %d", &word, &n); err != nil {
			t.Error(err)
		}
		i := 2 * (n - 1)
		if word == "pull" {
			i++
		}
		return i
	}
	r.onReconcile = func(_ context.Context, key handlers.Key) (handlers.Result, error) {
		i := index(key)
		if busy[i/2].Add(1) != 1 {
			t.Errorf("%q runs twice at once", key.Subject())
		}
		defer busy[i/2].Add(-1)
		version := world[i].Load()
		time.Sleep(2 * time.Millisecond)
		if tries.Add(1)%5 == 0 {
			return handlers.Result{}, errors.New("a passing fault")
		}
		seen[i].Store(version)
		return handlers.Result{}, nil
	}
	q := testQueue(t, r, here, func(o *queueOptions) {
		o.Workers = 8
		o.Retries = slices.Repeat([]time.Duration{time.Millisecond}, 50)
	})
	var senders sync.WaitGroup
	for i := range keys {
		senders.Add(1)
		go func() {
			defer senders.Done()
			key := handlers.IssueKey(i/2 + 1)
			if i%2 == 1 {
				key = handlers.PullKey(i/2 + 1)
			}
			for n := range triggers {
				world[i].Add(1)
				guid := fmt.Sprintf("guid-%04d-%04d", i, n)
				if _, err := q.Store(context.Background(), "", guid, "issues", []handlers.Key{key}); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	senders.Wait()
	settle(t, q)
	for i := range keys {
		if world[i].Load() != seen[i].Load() {
			t.Errorf("key %d: last seen at trigger %d of %d", i, seen[i].Load(), world[i].Load())
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t.Logf("%d triggers, %d runs", keys*triggers, len(r.runs))
	if len(r.runs) >= keys*triggers {
		t.Errorf("%d runs for %d triggers: none was covered by another", len(r.runs), keys*triggers)
	}
}

func TestQueueStopFinishesOrReturnsJobs(t *testing.T) {
	onEachDatabase(t, queueStopFinishesOrReturnsJobs)
}

func queueStopFinishesOrReturnsJobs(t *testing.T, here func(*queueOptions)) {
	begun := make(chan bool, 2)
	var finished atomic.Bool
	r := &fakeReconciler{onReconcile: func(ctx context.Context, key handlers.Key) (handlers.Result, error) {
		begun <- true
		if key == handlers.IssueKey(1) { // ends in time
			time.Sleep(100 * time.Millisecond)
			finished.Store(true)
			return handlers.Result{Next: []handlers.Key{handlers.PublishKey}}, nil
		}
		<-ctx.Done() // does not
		return handlers.Result{}, ctx.Err()
	}}
	o := queueOptions{SweepEvery: -1, Log: quiet(testLog(t))}
	here(&o)
	q, err := openQueue(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	if err := q.Enqueue(t.Context(), handlers.IssueKey(1), handlers.IssueKey(2)); err != nil {
		t.Fatal(err)
	}
	<-begun
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if err := q.Stop(ctx); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if !finished.Load() {
		t.Error("the job that needed 100 ms was not let finish")
	}
	after := &fakeReconciler{}
	q = testQueue(t, after, here)
	settle(t, q)
	if after.ran(handlers.IssueKey(1)) != 0 || after.ran(handlers.IssueKey(2)) != 1 || after.ran(handlers.PublishKey) != 1 {
		t.Errorf("after the restart ran %q, want what was interrupted and what followed from what was done", after.runs)
	}
	jobs, err := listJobs(t.Context(), q.client, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range jobs {
		if job.Attempt > 1 || len(job.Errors) > 0 {
			t.Errorf("%s: attempt %d, errors %v: the interruption counts as a failure", job.EncodedArgs, job.Attempt, job.Errors)
		}
	}
}

func TestQueueIsServedOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "my queue #1 50%?.db")
	first := testQueue(t, &fakeReconciler{}, func(o *queueOptions) { o.Path = path })
	second, err := openQueue(t.Context(), queueOptions{Path: path, SweepEvery: -1, LockWithin: 50 * time.Millisecond, Log: quiet(testLog(t))})
	if err != nil {
		t.Fatalf("a second process can't even look: %v", err)
	}
	if err := second.Start(t.Context(), &fakeReconciler{}, nil); !errors.Is(err, ErrServedElsewhere) {
		t.Errorf("Start of a second process: %v, want %v", err, ErrServedElsewhere)
	}
	stopQueue(t, second)
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the queue is elsewhere: %v", err)
	}
	if err := first.Enqueue(t.Context(), handlers.IssueKey(1)); err != nil {
		t.Errorf("the first process was disturbed: %v", err)
	}
	settle(t, first)
}

// River gives the end of a job up when the disk is full; the job must not hang.
func TestQueueStrandedJobsComeBack(t *testing.T) {
	t.Parallel()
	r := &fakeReconciler{}
	q := testQueue(t, r)
	_, err := q.db.Exec(`INSERT INTO river_job (args, kind, max_attempts, state, attempt, attempted_at, attempted_by, queue)
		VALUES ('{"key":"issue 1"}', 'reconcile', 3, 'running', 1, '2020-01-01 00:00:00', json_array(?), 'default')`, q.process)
	if err != nil {
		t.Fatal(err)
	}
	n, err := q.db.giveBackStranded(t.Context(), q.process, time.Now(), func(int64) bool { return true })
	if n != 0 || err != nil {
		t.Errorf("took back %d jobs that are worked on, %v", n, err)
	}
	n, err = q.db.giveBackStranded(t.Context(), q.process, time.Now(), q.activity.working)
	if n != 1 || err != nil {
		t.Fatalf("gave back %d jobs, %v; want 1", n, err)
	}
	settle(t, q)
	if r.ran(handlers.IssueKey(1)) != 1 {
		t.Error("the stranded job did not run")
	}
}

func TestRetryDelays(t *testing.T) {
	policy := retryPolicy{delays: retryDelays}
	for attempt, want := range map[int]time.Duration{1: 2 * time.Second, 2: 10 * time.Second, 4: 2 * time.Minute, 8: time.Hour, 9: time.Hour, 12: time.Hour} {
		got := time.Until(policy.NextRetry(&rivertype.JobRow{Attempt: attempt}))
		if got < want-time.Second || got > want+want/10+time.Second {
			t.Errorf("after attempt %d: %v, want about %v", attempt, got, want)
		}
	}
}
