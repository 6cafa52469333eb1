package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/registrydata"
)

// recordingPurger keeps the orders that it takes, and refuses some.
type recordingPurger struct {
	mu     sync.Mutex
	orders []Stale
	refuse func(n int, s Stale) error // n counts from 1
	n      int
}

func (r *recordingPurger) Purge(_ context.Context, s Stale) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	if r.refuse != nil {
		if err := r.refuse(r.n, s); err != nil {
			return err
		}
	}
	r.orders = append(r.orders, s)
	return nil
}

// covers tells whether everything of these paths was ordered to be forgotten.
func (r *recordingPurger) missing(paths []string) (missing []string) {
	var all Stale
	for _, o := range r.orders {
		all = all.with(o)
	}
	for _, path := range paths {
		prefixed := slices.ContainsFunc(all.Prefixes, func(p string) bool { return strings.HasPrefix(path, p) })
		if !prefixed && !slices.Contains(all.Paths, path) {
			missing = append(missing, path)
		}
	}
	return missing
}

func pending(t *testing.T, target Target) []string {
	t.Helper()
	names, err := target.List(context.Background(), purgeDir)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// What changed, what is new (its miss may be cached) and what is gone is purged,
// and nothing else.
func TestPurgeWhatChanged(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		target, ctx := p.open(t)(), context.Background()
		purger := &recordingPurger{}
		pub := New(target, WithPurger(purger))
		for _, u := range []Update{rendered("a", "1.0.0", "1.1.0"), rendered("a", "1.1.0", "1.2.0")} {
			purger.orders = nil
			if err := pub.Publish(ctx, u); err != nil {
				t.Fatal(err)
			}
			if err := pub.SetPublished(ctx, u.Sources[demo.Path()]); err != nil {
				t.Fatal(err)
			}
		}
		dir := "v1/providers/acme/demo/"
		want := []Stale{{Paths: []string{
			dir + "1.0.0/download/linux/amd64", dir + "1.0.0/download/linux/arm64",
			dir + "1.2.0/download/linux/amd64", dir + "1.2.0/download/linux/arm64", dir + "versions",
		}}}
		if diff := cmp.Diff(want, purger.orders); diff != "" {
			t.Errorf("orders (-want +got):\n%s", diff)
		}
		if left := pending(t, target); len(left) > 0 {
			t.Errorf("still recorded: %v", left)
		}
		purger.orders = nil
		if err := pub.Purge(ctx); err != nil || len(purger.orders) > 0 {
			t.Errorf("purged again: %v, %v", purger.orders, err)
		}
	})
}

// The order of things: files, then the record of what to purge, then the
// manifest; the purge last. Nothing is recorded where there is no cache.
func TestPurgeOrder(t *testing.T) {
	memory := newMemory()
	f := &faulty{Target: memory}
	if err := New(f, WithPurger(&recordingPurger{})).Publish(context.Background(), rendered("a", "1.0.0")); err != nil {
		t.Fatal(err)
	}
	n := len(f.writes)
	if n < 4 || f.writes[n-1] != "put "+manifestPath(demo) || !strings.HasPrefix(f.writes[n-2], "put "+purgeDir) || f.writes[n-3] != "put "+listPath(demo) {
		t.Errorf("writes: %q", f.writes)
	}
	publish(t, memory, rendered("b", "1.0.0"))
	if left := pending(t, memory); len(left) != 1 {
		t.Errorf("recorded: %v", left)
	}
}

// Wherever a run is cut off, everything that it touched is purged by the time
// that the next one has ended, also when the next one wants something else.
func TestPurgeAfterCrashAnywhere(t *testing.T) {
	before, next := rendered("a", "1.0.0", "1.1.0"), rendered("b", "1.1.0", "1.2.0")
	for _, then := range []Update{next, before, rendered("")} {
		for _, after := range []bool{false, true} {
			for n := 1; ; n++ {
				when := fmt.Sprintf("write %d, done %v, then %d objects", n, after, len(then.Objects))
				memory, purger, ctx := newMemory(), &recordingPurger{}, context.Background()
				publish(t, memory, before)
				broken := New(&faulty{Target: memory, failAt: n, after: after}, WithPurger(purger))
				err := broken.Publish(ctx, next)
				if err == nil {
					err = broken.SetPublished(ctx, "next")
				}
				crashed := err != nil
				stale := map[string]string{} // what a cache has of the moment of the crash
				for path, body := range live(t, memory) {
					stale[path] = body
				}
				pub := New(memory, WithPurger(purger), impatient)
				if err := pub.Publish(ctx, then); err != nil {
					t.Fatal(err)
				}
				if err := pub.SetPublished(ctx, "then"); err != nil {
					t.Fatal(err)
				}
				now := live(t, memory)
				var must []string
				for _, o := range slices.Concat(before.Objects, next.Objects) {
					was := stale[o.Path]
					if old := bodyOf(before, o.Path); now[o.Path] != was || now[o.Path] != old {
						must = append(must, o.Path)
					}
				}
				if missing := purger.missing(must); len(missing) > 0 {
					t.Errorf("%s: not purged: %v", when, missing)
				}
				if left := pending(t, memory); len(left) > 0 {
					t.Errorf("%s: still recorded: %v", when, left)
				}
				if !crashed {
					if n < 10 {
						t.Errorf("only %d writes were made to fail", n-1)
					}
					break
				}
			}
		}
	}
}

func bodyOf(u Update, path string) string {
	for _, o := range u.Objects {
		if o.Path == path {
			return string(o.Body)
		}
	}
	return ""
}

// busyTarget lets another process purge after every write, and keeps what was
// written when.
type busyTarget struct {
	*memory
	other  *Publisher
	purger *recordingPurger
	last   map[string]int // number of orders at the last write of a path
	mu     sync.Mutex
}

func (b *busyTarget) note(t context.Context, path string) error {
	b.purger.mu.Lock()
	b.last[path] = len(b.purger.orders)
	b.purger.mu.Unlock()
	return b.other.Purge(t)
}

func (b *busyTarget) Put(ctx context.Context, path string, f File) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.memory.Put(ctx, path, f); err != nil {
		return err
	}
	return b.note(ctx, path)
}

func (b *busyTarget) Delete(ctx context.Context, path string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.memory.Delete(ctx, path); err != nil {
		return err
	}
	return b.note(ctx, path)
}

// Another process that purges in the middle of a run does not take away what
// the run itself has yet to purge.
func TestPurgeBesideAnother(t *testing.T) {
	ctx := context.Background()
	memory, purger := newMemory(), &recordingPurger{}
	before, next := rendered("a", "1.0.0", "1.1.0"), rendered("b", "1.1.0", "1.2.0")
	publish(t, memory, before)
	busy := &busyTarget{memory: memory, other: New(memory, WithPurger(purger)), purger: purger, last: map[string]int{}}
	pub := New(busy, WithPurger(purger))
	o := registrydata.Object{Path: ".well-known/terraform.json", Body: []byte("{}"), Kind: registrydata.Discovery}
	if err := pub.PutStatic(ctx, o); err != nil {
		t.Fatal(err)
	}
	if err := pub.Publish(ctx, next); err != nil {
		t.Fatal(err)
	}
	if err := New(memory, WithPurger(purger)).Purge(ctx); err != nil {
		t.Fatal(err)
	}
	touched := 0
	for path, at := range busy.last {
		if strings.HasPrefix(path, stateDir) {
			continue
		}
		touched++
		after := &recordingPurger{orders: purger.orders[at:]}
		if missing := after.missing([]string{path}); len(missing) > 0 {
			t.Errorf("%s was not purged after its last write", path)
		}
	}
	if touched != 8 {
		t.Errorf("%d paths were written or deleted, want 8", touched)
	}
}

// A purge that is refused is done by the next run, and the commit is not
// recorded before.
func TestPurgeRefused(t *testing.T) {
	memory, ctx := newMemory(), context.Background()
	limit := &RateLimitError{Service: "test", RetryAfter: 7}
	purger := &recordingPurger{refuse: func(n int, _ Stale) error {
		if n == 1 {
			return limit
		}
		return nil
	}}
	pub := New(memory, WithPurger(purger))
	u := rendered("a", "1.0.0")
	if err := pub.Publish(ctx, u); err != nil {
		t.Fatal(err)
	}
	var got *RateLimitError
	if err := pub.SetPublished(ctx, "abc"); !errors.As(err, &got) || got.RetryAfter != 7 {
		t.Errorf("SetPublished = %v", err)
	}
	if commit, _ := pub.Published(ctx); commit != "" {
		t.Errorf("the commit %q was recorded before its purge", commit)
	}
	again := New(memory, WithPurger(purger)) // another process
	if err := again.Publish(ctx, u); err != nil {
		t.Fatal(err)
	}
	if err := again.SetPublished(ctx, "abc"); err != nil {
		t.Fatal(err)
	}
	if missing := purger.missing([]string{listPath(demo)}); len(missing) > 0 || len(pending(t, memory)) > 0 {
		t.Errorf("missing %v, recorded %v", missing, pending(t, memory))
	}
}

// Orders are full, and an order that fails costs only itself.
func TestPurgeBatches(t *testing.T) {
	memory, ctx := newMemory(), context.Background()
	purger := &recordingPurger{}
	pub := New(memory, WithPurger(purger))
	var all []string
	for i := range 120 {
		s := Stale{Paths: []string{fmt.Sprintf("v1/a/%03d/x", i), fmt.Sprintf("v1/a/%03d/y", i)}}
		if i%10 == 0 {
			s = Stale{Prefixes: []string{fmt.Sprintf("v1/p/%03d/", i)}}
		}
		all = append(all, slices.Concat(s.Paths, s.Prefixes)...)
		if err := pub.remember(ctx, s); err != nil {
			t.Fatal(err)
		}
	}
	purger.refuse = func(n int, _ Stale) error {
		if n == 2 {
			return errCrash
		}
		return nil
	}
	if err := pub.Purge(ctx); !errors.Is(err, errCrash) {
		t.Fatalf("Purge = %v", err)
	}
	if left := len(pending(t, memory)); left == 0 || left >= 120 {
		t.Errorf("%d records are left, want those of the orders that failed", left)
	}
	if err := pub.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	if missing := purger.missing(all); len(missing) > 0 {
		t.Errorf("not purged: %v", missing)
	}
	if len(purger.orders) > 4 {
		t.Errorf("%d orders for 216 files and 12 prefixes", len(purger.orders))
	}
	for _, o := range purger.orders {
		if len(o.Paths) > purgeBatch || len(o.Prefixes) > purgeBatch {
			t.Errorf("an order of %d and %d", len(o.Paths), len(o.Prefixes))
		}
	}
}

func TestPurgePrefixes(t *testing.T) {
	memory, ctx := newMemory(), context.Background()
	purger := &recordingPurger{}
	pub := New(memory, WithPurger(purger))
	var versions []string
	for i := range 60 {
		versions = append(versions, fmt.Sprintf("1.%d.0", i))
	}
	if err := pub.Publish(ctx, rendered("a", versions...)); err != nil {
		t.Fatal(err)
	}
	if err := pub.Purge(ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Stale{{Prefixes: []string{"v1/providers/acme/demo/"}}}, purger.orders); diff != "" {
		t.Errorf("orders of 121 files (-want +got):\n%s", diff)
	}
}

// With very many records, and with one that makes no sense, the whole registry
// is purged.
func TestPurgeEverything(t *testing.T) {
	ctx := context.Background()
	for _, broken := range []string{"", "not json", `{"paths":["../x"]}`, `{"prefixes":["/"]}`} {
		memory, purger := newMemory(), &recordingPurger{}
		pub := New(memory, WithPurger(purger))
		if broken != "" {
			_ = memory.Put(ctx, purgeDir+"x.json", File{Body: []byte(broken)})
		} else {
			for i := range mostRecords + 1 {
				if err := pub.remember(ctx, Stale{Paths: []string{fmt.Sprint("v1/", i)}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := pub.Purge(ctx); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]Stale{everything}, purger.orders); diff != "" || len(pending(t, memory)) > 0 {
			t.Errorf("%q: %d left, orders (-want +got):\n%s", broken, len(pending(t, memory)), diff)
		}
	}
}

func TestPurgeStatic(t *testing.T) {
	o := registrydata.Object{Path: ".well-known/terraform.json", Body: []byte("{}"), Kind: registrydata.Discovery}
	for n := 1; n <= 4; n++ { // a crash at each write; the last run has none
		memory, purger, ctx := newMemory(), &recordingPurger{}, context.Background()
		err := New(&faulty{Target: memory, failAt: n, after: true}, WithPurger(purger)).PutStatic(ctx, o)
		if (err != nil) != (n < 4) {
			t.Fatalf("write %d: %v", n, err)
		}
		pub := New(memory, WithPurger(purger))
		if err := pub.PutStatic(ctx, o); err != nil {
			t.Fatal(err)
		}
		if err := pub.Purge(ctx); err != nil {
			t.Fatal(err)
		}
		if missing := purger.missing([]string{o.Path}); len(missing) > 0 {
			t.Errorf("write %d: not purged", n)
		}
	}
}
