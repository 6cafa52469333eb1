package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Publishers in two processes never interleave: after each round the files are
// those of one of them, whole, and the manifest tells so. Meanwhile the list
// names only what is there.
func TestPublishAtTheSameTime(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		open := p.open(t)
		rounds := 40
		if p.slow {
			rounds = 12
		}
		for round := range rounds {
			updates := []Update{
				rendered(fmt.Sprint("a", round), "1.0.0", "1.1.0"),
				rendered(fmt.Sprint("b", round), "1.1.0", "1.2.0"),
				rendered(fmt.Sprint("c", round), "1.1.0", "1.2.0", "1.3.0"),
			}[:2+round%2]
			if round%5 == 4 {
				updates[0] = rendered("") // a removal
			}
			var group sync.WaitGroup
			for _, u := range updates {
				target := open()
				group.Go(func() {
					if err := New(target).Publish(context.Background(), u); err != nil {
						t.Error(err)
					}
				})
			}
			group.Wait()
			checkSettled(t, open(), fmt.Sprint("round ", round), updates...)
		}
	})
}

// Two runs on different entities do not wait for each other.
func TestPublishDifferentEntitiesAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		target := p.open(t)()
		var group sync.WaitGroup
		for i := range 8 {
			u := rendered("a", "1.0.0")
			u.Entity.Name = fmt.Sprint("demo", i)
			for j := range u.Objects {
				u.Objects[j].Path = strings.Replace(u.Objects[j].Path, "/demo/", "/"+u.Entity.Name+"/", 1)
			}
			group.Go(func() {
				if err := New(target).Publish(context.Background(), u); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if got := live(t, target); len(got) != 24 {
			t.Errorf("%d files are live, want 24", len(got))
		}
	})
}

// stalling stops at a write of one path until it is let go, and does it then
// whatever became of its context: a machine that was paused.
type stalling struct {
	Target
	path    string
	reached chan struct{}
	resume  chan struct{}
	once    atomic.Bool
}

func (s *stalling) Put(ctx context.Context, path string, f File) error {
	if strings.HasSuffix(path, s.path) && s.once.CompareAndSwap(false, true) {
		close(s.reached)
		<-s.resume
		ctx = context.WithoutCancel(ctx)
	}
	return s.Target.Put(ctx, path, f)
}

// A run that is taken for dead and comes back finds that it has lost, and mends
// what it wrote in the meantime.
func TestPublishTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := newMemory()
		publish(t, memory, rendered("a", "1.0.0", "1.1.0"))
		slow := &stalling{Target: memory, path: "/1.1.0/download/linux/amd64", reached: make(chan struct{}), resume: make(chan struct{})}
		first, second := rendered("first", "1.1.0", "1.2.0"), rendered("second", "1.0.0", "1.1.0")
		ended := make(chan error)
		dead := New(slow)
		dead.leases.beat = 24 * time.Hour // a paused machine gives no sign of life
		go func() { ended <- dead.Publish(context.Background(), first) }()
		<-slow.reached

		began := time.Now()
		publish(t, memory, second)
		if took := time.Since(began); took < defaultLeases.patience || took > defaultLeases.patience+5*time.Second {
			t.Errorf("the claim was taken over after %s", took)
		}
		checkSettled(t, memory, "after the second", second)

		close(slow.resume)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		checkSettled(t, memory, "after the first", first)
	})
}

// A run that shows signs of life is waited for, however long it takes.
func TestPublishWaitsForTheLiving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := newMemory()
		slow := &stalling{Target: memory, path: "/1.1.0/download/linux/amd64", reached: make(chan struct{}), resume: make(chan struct{})}
		first, second := rendered("first", "1.1.0"), rendered("second", "1.1.0")
		var group sync.WaitGroup
		group.Go(func() { publish(t, slow, first) })
		<-slow.reached
		began := time.Now()
		group.Go(func() {
			publish(t, memory, second)
			if took := time.Since(began); took < 10*time.Minute {
				t.Errorf("the second run came in after %s", took)
			}
		})
		time.Sleep(10 * time.Minute)
		close(slow.resume)
		group.Wait()
		checkSettled(t, memory, "in the end", second)
	})
}

// A run that loses its claim while it writes goes on from what the winner left.
func TestPublishLoserGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := newMemory()
		publish(t, memory, rendered("a", "1.0.0", "1.1.0"))
		slow := &stalling{Target: memory, path: "/1.1.0/download/linux/amd64", reached: make(chan struct{}), resume: make(chan struct{})}
		first, second := rendered("first", "1.1.0", "1.2.0"), rendered("second", "1.0.0", "1.1.0")
		var group sync.WaitGroup
		group.Go(func() { publish(t, slow, first) })
		<-slow.reached
		hasty := New(memory, impatient) // does not see the signs of life
		if err := hasty.Publish(context.Background(), second); err != nil {
			t.Fatal(err)
		}
		close(slow.resume)
		group.Wait()
		checkSettled(t, memory, "in the end", first)
	})
}

// A target whose conditions never hold is given up.
func TestPublishGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := New(contrary{newMemory()}).Publish(context.Background(), rendered("a", "1.0.0"))
		if !errors.Is(err, ErrChanged) {
			t.Errorf("Publish = %v", err)
		}
	})
}

type contrary struct{ Target }

func (contrary) PutIf(context.Context, string, File, string) (string, error) {
	return "", ErrChanged
}
