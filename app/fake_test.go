package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
)

// fakeReconciler stands for the handlers in tests of the queue and the server.
// It translates as the handlers do where the test does not say otherwise.
type fakeReconciler struct {
	onKeys      func(event string, payload []byte) ([]handlers.Key, error)
	onReconcile func(ctx context.Context, key handlers.Key) (handlers.Result, error)
	onGiveUp    func(key handlers.Key, reference string) error
	onSweep     func() ([]handlers.Key, error)

	mu   sync.Mutex
	runs []handlers.Key
}

func (f *fakeReconciler) Keys(event string, payload []byte) ([]handlers.Key, error) {
	if f.onKeys != nil {
		return f.onKeys(event, payload)
	}
	var p struct {
		Issue struct{ Number int }
	}
	if err := json.Unmarshal(payload, &p); err != nil {
		return nil, err
	}
	if p.Issue.Number == 0 {
		return nil, nil
	}
	return []handlers.Key{handlers.IssueKey(p.Issue.Number)}, nil
}

func (f *fakeReconciler) Reconcile(ctx context.Context, key handlers.Key) (handlers.Result, error) {
	f.mu.Lock()
	f.runs = append(f.runs, key)
	f.mu.Unlock()
	if f.onReconcile == nil {
		return handlers.Result{}, nil
	}
	return f.onReconcile(ctx, key)
}

func (f *fakeReconciler) GiveUp(_ context.Context, key handlers.Key, reference string) error {
	if f.onGiveUp == nil {
		return nil
	}
	return f.onGiveUp(key, reference)
}

func (f *fakeReconciler) Sweep(context.Context) ([]handlers.Key, error) {
	if f.onSweep == nil {
		return nil, nil
	}
	return f.onSweep()
}

// ran is how often a key was run.
func (f *fakeReconciler) ran(key handlers.Key) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, k := range f.runs {
		if k == key {
			n++
		}
	}
	return n
}

// fakeDeliveries are webhooks that GitHub could not deliver.
type fakeDeliveries struct {
	mu     sync.Mutex
	failed []forge.Delivery
	since  []time.Time
	sent   []int64
	fails  func(id int64) error // of a redelivery; nil never
}

func (f *fakeDeliveries) ListFailedDeliveries(_ context.Context, since time.Time) ([]forge.Delivery, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.since = append(f.since, since)
	return f.failed, nil
}

func (f *fakeDeliveries) Redeliver(_ context.Context, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, id)
	if f.fails != nil {
		return f.fails(id)
	}
	return nil
}

// testQueue opens a queue that retries fast and does not sweep, in a folder of
// its own, and starts it.
func testQueue(t testing.TB, r Reconciler, change ...func(*queueOptions)) *Queue {
	t.Helper()
	o := queueOptions{
		Path: filepath.Join(t.TempDir(), "queue.db"), SweepEvery: -1, Log: slog.New(slog.DiscardHandler),
		Retries: []time.Duration{time.Millisecond, time.Millisecond}, Look: LookConfig{Off: true},
	}
	for _, f := range change {
		f(&o)
	}
	q, err := openQueue(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.Start(context.Background(), r, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopQueue(t, q) })
	return q
}

func stopQueue(t testing.TB, q *Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := q.Stop(ctx); err != nil {
		t.Errorf("stop the queue: %v", err)
	}
}

func settle(t testing.TB, q *Queue) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := q.Idle(ctx, time.Second); err != nil {
		t.Fatalf("the queue did not settle: %v", err)
	}
}

// failure is a run that fails as it does while GitHub is down.
func failure(context.Context, handlers.Key) (handlers.Result, error) {
	return handlers.Result{}, errors.New("GitHub is down")
}

// newFakeGitHub answers everything with a status and returns its address.
func newFakeGitHub(t testing.TB, status int) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, `{"message":"fake"}`)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func loopbackListener(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
