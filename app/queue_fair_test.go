package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// However much one sender sends, the others do not wait for it; and those who
// send much have their turns.
func TestQueueIsFairToSenders(t *testing.T) { onEachDatabase(t, queueIsFair) }

func queueIsFair(t *testing.T, here func(*queueOptions)) {
	begun, wait := make(chan bool), make(chan bool)
	var first atomic.Bool
	r := &fakeReconciler{onReconcile: func(context.Context, handlers.Key) (handlers.Result, error) {
		if first.CompareAndSwap(false, true) {
			close(begun)
			<-wait
		}
		return handlers.Result{}, nil
	}}
	q := testQueue(t, r, here, func(o *queueOptions) { o.Workers = 1 })
	number, of := 0, map[handlers.Key]string{}
	send := func(sender string, n int) {
		for range n {
			number++
			key := handlers.IssueKey(number)
			of[key] = sender
			if _, err := q.Store(t.Context(), sender, fmt.Sprintf("guid-%06d", number), "issues", []handlers.Key{key}); err != nil {
				t.Fatal(err)
			}
		}
	}
	send("grace", 1)
	<-begun // the only worker is busy
	for range 2 * fairBurst {
		send("mallory", 1)
		send("Trudy", 1)
	}
	send("ada", 3)
	close(wait)
	settle(t, q)
	var order []string
	for _, key := range r.runs {
		order = append(order, of[key])
	}
	if len(order) != number {
		t.Fatalf("%d of %d ran", len(order), number)
	}
	if last := 1 + len(order) - 1 - slices.Index(reversed(order), "ada"); last > 1+2*(fairBurst+2)+3 {
		t.Errorf("ada's last of 3 jobs was number %d, want before what mallory and Trudy sent beyond %d each", last, fairBurst)
	}
	much := order[len(order)-80 : len(order)-20]
	for i := range much[1:] {
		if much[i] == much[i+1] {
			t.Fatalf("among those who send much the order is %q, want turns", much)
		}
	}
}

func reversed(s []string) []string {
	s = slices.Clone(s)
	slices.Reverse(s)
	return s
}

func TestFairnessForgets(t *testing.T) {
	f, now := newFairness(), time.Now()
	for i := range maxSenders + 500 {
		f.next(fmt.Sprintf("sender-%d", i), now)
	}
	if len(f.last) > maxSenders {
		t.Errorf("%d senders are remembered, want at most %d", len(f.last), maxSenders)
	}
	for range 3 * fairBurst {
		f.next("mallory", now)
	}
	if _, much := f.next("mallory", now); !much {
		t.Error("who sends much is like everyone")
	}
	if _, much := f.next("mallory", now.Add(time.Hour)); much {
		t.Error("an hour later it still counts")
	}
	for range 100_000 {
		f.next("trudy", now)
	}
	if at, _ := f.next("trudy", now); at.After(now) {
		t.Errorf("a place in the future, %v", at)
	}
}

// hangingAuthors are owners one of whom answers nothing.
type hangingAuthors struct {
	handlers.Authors
	hanging, most *atomic.Int32
}

func (h hangingAuthors) Repository(ctx context.Context, repo registrydata.Repository) (validation.RepositoryFacts, error) {
	if repo.Owner == "mallory" {
		h.most.Store(max(h.most.Load(), h.hanging.Add(1)))
		<-ctx.Done()
		return validation.RepositoryFacts{}, ctx.Err()
	}
	return validation.RepositoryFacts{}, nil
}

// One owner whose repositories hang holds a part of the workers, and no more.
func TestQueueSharesWorkers(t *testing.T) {
	t.Parallel()
	var hanging, most atomic.Int32
	authors := sharedAuthors{hangingAuthors{hanging: &hanging, most: &most}}
	r := &fakeReconciler{onReconcile: func(ctx context.Context, key handlers.Key) (handlers.Result, error) {
		name := strings.TrimPrefix(string(key), "repository ")
		owner, repo, _ := strings.Cut(name, "/")
		_, err := authors.Repository(ctx, registrydata.Repository{Owner: owner, Name: repo})
		return handlers.Result{}, err
	}}
	q := testQueue(t, r, func(o *queueOptions) { o.Workers = 8 })
	key := func(owner string, i int) handlers.Key {
		return handlers.RepositoryKey(registrydata.Repository{Owner: owner, Name: fmt.Sprintf("terraform-provider-p%d", i)})
	}
	for i := range 40 {
		if err := q.Enqueue(t.Context(), key("mallory", i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		if err := q.Enqueue(t.Context(), key("ada", i)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 20 {
		for n := 0; r.ran(key("ada", i)) == 0; n++ {
			if n > 2000 {
				t.Fatalf("ada's run %d waits for mallory's", i)
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	if n := most.Load(); n != 2 {
		t.Errorf("%d of 8 runs hang at mallory's, want 2", n)
	}
	brief, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_ = q.client.StopAndCancel(brief) // those that hang
}

// A run that has a share keeps it, whatever it asks for; others step back, and
// come when it is free.
func TestSharesClaim(t *testing.T) {
	t.Parallel()
	s := newShares(4) // one each
	first, end := s.begin(t.Context(), "issue 1")
	second, endSecond := s.begin(t.Context(), "issue 2")
	defer endSecond()
	for _, owner := range []string{"acme", "Acme", "other"} {
		if err := claim(first, owner); err != nil {
			t.Fatal(err)
		}
	}
	var crowded *crowdedError
	if err := claim(second, "acme"); !errors.As(err, &crowded) {
		t.Errorf("a second run: %v, want it to step back", err)
	}
	if !s.crowded("issue 2") || s.crowded("issue 3") {
		t.Error("the run that stepped back would ask GitHub again, or one that did not would not")
	}
	end()
	if s.crowded("issue 2") {
		t.Error("the share is free, and the run that stepped back does not come")
	}
	if err := claim(second, "acme"); err != nil {
		t.Errorf("the share is free: %v", err)
	}
	if err := claim(t.Context(), "acme"); err != nil {
		t.Errorf("what is no run: %v", err)
	}
	endSecond()
	if len(s.running)+len(s.waits)+len(s.waiting)+len(s.freed)+len(s.holding) > 0 {
		t.Errorf("something is left: %+v", s)
	}
}

// Deliveries that come at once are written together, and the fault of one is its
// own.
func TestQueueStoresTogether(t *testing.T) { onEachDatabase(t, queueStoresTogether) }

func queueStoresTogether(t *testing.T, here func(*queueOptions)) {
	q := testQueue(t, &fakeReconciler{}, here)
	delivery := func(guid string) *storing {
		d := &storing{done: make(chan struct{})}
		job := q.job(handlers.IssueKey(1), priorityWebhook)
		args := job.Args.(reconcileArgs)
		args.GUID = guid
		job.Args = args
		job.InsertOpts.UniqueOpts.ByArgs = true
		d.jobs = append(d.jobs, job)
		return d
	}
	bad := delivery("guid-bad")
	bad.jobs[0].InsertOpts.Priority = 9 // refused
	batch := []*storing{delivery("guid-0001"), bad, delivery("guid-0002"), delivery("guid-0001")}
	q.writeStores(t.Context(), batch)
	var added []int
	for _, d := range batch {
		<-d.done
		added = append(added, d.added)
	}
	if !slices.Equal(added, []int{1, 0, 1, 0}) || bad.err == nil || batch[0].err != nil || batch[3].err != nil {
		t.Errorf("new jobs %v, errors %v %v %v; want one bad delivery, and one that is known", added, batch[0].err, bad.err, batch[3].err)
	}
}
