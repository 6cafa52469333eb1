package main

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
)

// The queue looks by itself, from the start on, and judges what is found; a
// question asked of it in another way makes the next looks come soon.
func TestQueueLooksByItself(t *testing.T) {
	t.Parallel()
	f := newFakeLooks("a", "b")
	r := &fakeReconciler{}
	q, err := openQueue(t.Context(), queueOptions{
		Path: filepath.Join(t.TempDir(), "queue.db"), SweepEvery: -1, Log: slog.New(slog.DiscardHandler),
		Look: LookConfig{FeedsPerSecond: 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	q.Watch(f)
	if err := q.Start(t.Context(), r, nil); err != nil {
		t.Fatal(err)
	}
	defer stopQueue(t, q)
	look := handlers.LookKey(fakeRepository("a"))
	for deadline := time.Now().Add(storyPatience); r.ran(look) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing was looked at: asked for %v", f.asked)
		}
	}
	settle(t, q)
	if err := q.Enqueue(t.Context(), handlers.RepositoryKey(fakeRepository("b"))); err != nil {
		t.Fatal(err)
	}
	settle(t, q)
	due, err := q.looks.table.due(t.Context(), time.Now().Add(q.looks.pace.Least+time.Minute), 10)
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for _, s := range due {
		asked[s.Repository.String()] = !s.Asked.IsZero()
	}
	if asked[fakeRepository("a").String()] || !asked[fakeRepository("b").String()] {
		t.Errorf("asked for: %v; want b alone", asked)
	}
}
