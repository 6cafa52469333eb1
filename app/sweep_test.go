package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
)

func TestSweepEnqueuesWhatDoesNotWait(t *testing.T) { onEachDatabase(t, sweepEnqueuesWhatDoesNotWait) }

func sweepEnqueuesWhatDoesNotWait(t *testing.T, here func(*queueOptions)) {
	r := &fakeReconciler{
		onSweep: func() ([]handlers.Key, error) {
			return []handlers.Key{handlers.PublishKey, handlers.IssueKey(1), handlers.IssueKey(2), handlers.IssueKey(3)}, nil
		},
		onReconcile: failure,
	}
	q := testQueue(t, r, here, func(o *queueOptions) { o.Retries = []time.Duration{time.Hour} })
	// Issue 1 waits for its next try, issue 3 for a time that it asked for.
	if err := q.Enqueue(t.Context(), handlers.IssueKey(1)); err != nil {
		t.Fatal(err)
	}
	settle(t, q)
	onlyJob(t, q)
	if err := q.EnqueueIn(t.Context(), handlers.IssueKey(3), time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := q.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	settle(t, q)
	for key, want := range map[handlers.Key]int{handlers.PublishKey: 1, handlers.IssueKey(1): 1, handlers.IssueKey(2): 1, handlers.IssueKey(3): 1} {
		if r.ran(key) != want {
			t.Errorf("%q ran %d times, want %d", key, r.ran(key), want)
		}
	}
}

func TestSweepAsksForLostDeliveries(t *testing.T) {
	t.Parallel()
	d := &fakeDeliveries{failed: []forge.Delivery{ // newest first, as GitHub lists them
		{ID: 5, Status: 502}, {ID: 4, Status: 413}, {ID: 3, Status: 400}, {ID: 2, Status: 401}, {ID: 1, Status: 0},
	}}
	q := testQueue(t, &fakeReconciler{})
	q.deliveries = d
	if err := q.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.sent, []int64{1, 2, 5}) {
		t.Errorf("asked for %v, want 1, 2, 5: the oldest first, and none that we refused for good", d.sent)
	}
	if back := time.Since(d.since[0]); back < oldestDelivery {
		t.Errorf("the first sweep looks back %v, want as far as GitHub remembers", back)
	}
}

// One redelivery that GitHub refuses does not hold up the others; where it refuses
// all of them it is left alone.
func TestSweepGoesOnAfterARefusedRedelivery(t *testing.T) {
	for _, c := range []struct {
		refused []int64
		sent    []int64
	}{
		{[]int64{2}, []int64{1, 2, 3, 4, 5}},
		{[]int64{1, 2, 3, 4, 5}, []int64{1, 2, 3}},
	} {
		d := &fakeDeliveries{failed: []forge.Delivery{{ID: 5}, {ID: 4}, {ID: 3}, {ID: 2}, {ID: 1}}, fails: func(id int64) error {
			if slices.Contains(c.refused, id) {
				return errors.New("500 Server Error")
			}
			return nil
		}}
		q := testQueue(t, &fakeReconciler{})
		q.deliveries = d
		if err := q.sweepDeliveries(t.Context()); err == nil || !slices.Equal(d.sent, c.sent) {
			t.Errorf("refused %v: asked for %v, %v", c.refused, d.sent, err)
		}
	}
}

func TestSweepRunsAtStartAndLooksBackToTheLast(t *testing.T) {
	onEachDatabase(t, sweepRunsAtStartAndLooksBackToTheLast)
}

func sweepRunsAtStartAndLooksBackToTheLast(t *testing.T, here func(*queueOptions)) {
	r := &fakeReconciler{onSweep: func() ([]handlers.Key, error) { return []handlers.Key{handlers.PublishKey}, nil }}
	d := &fakeDeliveries{}
	o := queueOptions{SweepEvery: time.Hour, Log: quiet(testLog(t))}
	here(&o)
	q, err := openQueue(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(t.Context(), r, d); err != nil {
		t.Fatal(err)
	}
	defer stopQueue(t, q)
	for range 1000 {
		if r.ran(handlers.PublishKey) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	settle(t, q)
	if r.ran(handlers.PublishKey) != 1 {
		t.Fatalf("the sweep at the start ran %d keys, want 1", r.ran(handlers.PublishKey))
	}
	for range 100 { // the end of a job is written a little later
		if last, err := q.lastSweep(t.Context()); err != nil {
			t.Fatal(err)
		} else if time.Since(last) < time.Minute {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err := q.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if back := time.Since(d.since[1]); back > 2*deliverySlack || back < deliverySlack {
		t.Errorf("the second sweep looks back %v, want little more than to the first", back)
	}
}

func TestSweepOfKeysFailsDeliveriesAreAskedFor(t *testing.T) {
	t.Parallel()
	r := &fakeReconciler{onSweep: func() ([]handlers.Key, error) { return nil, errors.New("GitHub is down") }}
	q := testQueue(t, r)
	d := &fakeDeliveries{failed: []forge.Delivery{{ID: 1}}}
	q.deliveries = d
	if err := q.sweep(t.Context()); err == nil || len(d.sent) != 1 {
		t.Errorf("sweep: %v, asked for %v; want the error and delivery 1", err, d.sent)
	}
}
