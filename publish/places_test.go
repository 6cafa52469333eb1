package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// place is a kind of target that the tests of this package run on. open gives
// handles of a new, empty one, as many as there are processes at work.
type place struct {
	name string
	open func(t testing.TB) (handle func() Target)
	// slow ones get fewer rounds.
	slow bool
	// headers tells whether it keeps Content-Type and Cache-Control.
	headers bool
}

var places = []place{
	{name: "memory", headers: true, open: func(testing.TB) func() Target {
		m := newMemory()
		return func() Target { return m }
	}},
	{name: "folder", slow: true, open: func(t testing.TB) func() Target {
		dir := t.TempDir()
		return func() Target {
			f, err := OpenFolder(dir)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = f.Close() })
			return f
		}
	}},
	{name: "folder in bulk", slow: true, open: func(t testing.TB) func() Target {
		dir := t.TempDir()
		return func() Target { return openBulk(t, dir) }
	}},
	{name: "fake S3", slow: true, headers: true, open: func(t testing.TB) func() Target {
		fake := startFakeS3(t)
		fake.pageSize = 3
		return func() Target { return fake.open(t) }
	}},
	{name: "versitygw", slow: true, headers: true, open: newVersityBucket},
}

// everywhere runs a test on each kind of target.
func everywhere(t *testing.T, test func(t *testing.T, p place)) {
	t.Helper()
	for _, p := range places {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			test(t, p)
		})
	}
}

// impatient takes claims over soon: for runs that come after a crash.
func impatient(p *Publisher) { p.leases.patience = 5 * time.Millisecond }

// faulty fails at the n-th write, after or before doing it, and at all later
// ones; it records what was written.
type faulty struct {
	Target
	failAt int // 0: never
	after  bool

	mu     sync.Mutex
	writes []string
}

// lockedFaulty has the lock of the target that it breaks.
type lockedFaulty struct {
	*faulty
	Locker
}

// target is what to publish to.
func (f *faulty) target() Target {
	if l, ok := f.Target.(Locker); ok {
		return lockedFaulty{f, l}
	}
	return f
}

var errCrash = errors.New("crash")

func (f *faulty) write(name string, do func() error) error {
	f.mu.Lock()
	f.writes = append(f.writes, name)
	n := len(f.writes)
	f.mu.Unlock()
	if f.failAt > 0 && n >= f.failAt {
		if f.after && n == f.failAt {
			_ = do()
		}
		return errCrash
	}
	return do()
}

func (f *faulty) Put(ctx context.Context, path string, file File) error {
	return f.write("put "+path, func() error { return f.Target.Put(ctx, path, file) })
}

func (f *faulty) PutIf(ctx context.Context, path string, file File, etag string) (next string, err error) {
	err = f.write("put "+path, func() error {
		next, err = f.Target.PutIf(ctx, path, file, etag)
		return err
	})
	return next, err
}

func (f *faulty) Delete(ctx context.Context, path string) error {
	return f.write("delete "+path, func() error { return f.Target.Delete(ctx, path) })
}

const oddPath = "v1/modules/acme/net/aws/1.0.0-rc.1+build.7~x/it's (a) wörld & more=100%/download"

func TestTargetPutGetDelete(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		target, ctx := p.open(t)(), context.Background()
		for _, path := range []string{"v1/providers/acme/demo/versions", oddPath} {
			if _, err := target.Get(ctx, path); !errors.Is(err, ErrNotExist) {
				t.Fatalf("Get of nothing: %v", err)
			}
			for _, body := range []string{"one", "two", ""} {
				put := File{Body: []byte(body), ContentType: jsonType, CacheControl: cacheList}
				if err := target.Put(ctx, path, put); err != nil {
					t.Fatal(err)
				}
				got, err := target.Get(ctx, path)
				if err != nil || string(got.Body) != body || got.ETag == "" {
					t.Fatalf("Get = %q %q, %v; want %q", got.Body, got.ETag, err, body)
				}
				if p.headers && (got.ContentType != put.ContentType || got.CacheControl != put.CacheControl) {
					t.Errorf("headers = %q %q", got.ContentType, got.CacheControl)
				}
			}
			for range 2 {
				if err := target.Delete(ctx, path); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := target.Get(ctx, path); !errors.Is(err, ErrNotExist) {
				t.Fatalf("Get after Delete: %v", err)
			}
		}
	})
}

func TestTargetPutIf(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		target, ctx := p.open(t)(), context.Background()
		etag, err := target.PutIf(ctx, "a/b", File{Body: []byte("1")}, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := target.PutIf(ctx, "a/b", File{Body: []byte("2")}, ""); !errors.Is(err, ErrChanged) {
			t.Errorf("PutIf absent over a file: %v", err)
		}
		next, err := target.PutIf(ctx, "a/b", File{Body: []byte("2")}, etag)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := target.PutIf(ctx, "a/b", File{Body: []byte("3")}, etag); !errors.Is(err, ErrChanged) {
			t.Errorf("PutIf with an old ETag: %v", err)
		}
		if got, _ := target.Get(ctx, "a/b"); got.ETag != next || string(got.Body) != "2" {
			t.Errorf("Get = %q %s, want 2 %s", got.Body, got.ETag, next)
		}
		if err := target.Delete(ctx, "a/b"); err != nil {
			t.Fatal(err)
		}
		if _, err := target.PutIf(ctx, "a/b", File{Body: []byte("3")}, next); !errors.Is(err, ErrChanged) {
			t.Errorf("PutIf over a file that is gone: %v", err)
		}
	})
}

// Of many conditional writes at once exactly one is done.
func TestTargetPutIfAtTheSameTime(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		open := p.open(t)
		handles := []Target{open(), open()}
		etag := ""
		for round := range 5 {
			var group sync.WaitGroup
			won := make(chan string, 16)
			for i := range 16 {
				group.Go(func() {
					next, err := handles[i%2].PutIf(context.Background(), "a", File{Body: fmt.Appendf(nil, "%d-%d", round, i)}, etag)
					if err == nil {
						won <- next
					} else if !errors.Is(err, ErrChanged) {
						t.Error(err)
					}
				})
			}
			group.Wait()
			if len(won) != 1 {
				t.Fatalf("%d of 16 writes were done", len(won))
			}
			etag = <-won
		}
	})
}

func TestTargetList(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		target, ctx := p.open(t)(), context.Background()
		want := []string{"v1/a/" + "1.0.0+b/x", "v1/a/wörld", "v1/a/x", "v1/a/y/z"}
		for i := range 9 {
			want = append(want, fmt.Sprintf("v1/a/z%d", i))
		}
		slices.Sort(want)
		for _, name := range append(slices.Clone(want), "v1/ab/x", "v1/A/x") {
			if err := target.Put(ctx, name, File{Body: []byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := target.List(ctx, "v1/a/"); err != nil || !slices.Equal(got, want) {
			t.Errorf("List = %q, %v; want %q", got, err, want)
		}
		if got, err := target.List(ctx, "v1/none/"); err != nil || len(got) != 0 {
			t.Errorf("List of nothing = %v, %v", got, err)
		}
	})
}

func TestTargetRefusesPaths(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		if p.name == "memory" {
			return // takes what it gets
		}
		target, ctx := p.open(t)(), context.Background()
		for _, path := range []string{
			"", "/", "/etc/passwd", "../x", "a/../../x", "a//b", "a/./b", "a/", `a\b`, "c:x", "a\x00b", "a\nb",
			strings.Repeat("x", 256), strings.Repeat("x/", 600) + "x",
		} {
			if err := target.Put(ctx, path, File{Body: []byte("x")}); err == nil {
				t.Errorf("Put(%.50q) was allowed", path)
			}
			if _, err := target.PutIf(ctx, path, File{Body: []byte("x")}, ""); err == nil {
				t.Errorf("PutIf(%.50q) was allowed", path)
			}
			if _, err := target.Get(ctx, path); err == nil || errors.Is(err, ErrNotExist) {
				t.Errorf("Get(%.50q) = %v, want a refusal", path, err)
			}
			if err := target.Delete(ctx, path); err == nil {
				t.Errorf("Delete(%.50q) was allowed", path)
			}
		}
	})
}
