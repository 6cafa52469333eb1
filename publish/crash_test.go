package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// checkList fails where the live list names a file that is not there.
func checkList(t *testing.T, target Target, when string) {
	t.Helper()
	f, err := target.Get(context.Background(), listPath(demo))
	if errors.Is(err, ErrNotExist) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	var list struct{ Versions []struct{ Version string } }
	if err := json.Unmarshal(f.Body, &list); err != nil {
		t.Fatalf("%s: half a list: %q", when, f.Body)
	}
	for _, v := range list.Versions {
		for _, arch := range []string{"amd64", "arm64"} {
			path := "v1/providers/acme/demo/" + v.Version + "/download/linux/" + arch
			if f, err := target.Get(context.Background(), path); err != nil || len(f.Body) == 0 {
				t.Errorf("%s: the list names %s, but: %v", when, path, err)
			}
		}
	}
}

// checkSettled fails unless exactly this update is live, and the manifest says so.
func checkSettled(t *testing.T, target Target, when string, wanted ...Update) {
	t.Helper()
	got := live(t, target)
	m, err := New(target).readManifest(context.Background(), demo)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for path, body := range got {
		sums[path] = digest([]byte(body))
	}
	if diff := cmp.Diff(sums, or0(m.Files)); diff != "" || len(m.Unsettled) > 0 || m.Claim != "" {
		t.Errorf("%s: the manifest does not tell what is live (-live +manifest), unsettled %v, claim %q:\n%s", when, m.Unsettled, m.Claim, diff)
	}
	for _, u := range wanted {
		if settledAs(t, target, u) && maps.Equal(m.Sources, u.Sources) {
			return
		}
	}
	t.Errorf("%s: live is none of the updates whole: %v, sources %v", when, got, m.Sources)
}

func or0(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// settledAs tells whether the live files are the update's.
func settledAs(t *testing.T, target Target, u Update) bool {
	t.Helper()
	want := map[string]string{}
	for _, o := range u.Objects {
		want[o.Path] = string(o.Body)
	}
	return maps.Equal(want, live(t, target))
}

// Every write is made to fail in turn, once before and once after it was done;
// at no time may the list name a file that is not there, and any next run, of
// the same update, of the one before, of another or of a removal, must come to
// its end.
func TestPublishCrashAnywhere(t *testing.T) {
	before := rendered("a", "1.0.0", "1.1.0")
	nexts := map[string]Update{
		"update": rendered("b", "1.1.0", "1.2.0"),
		"add":    rendered("a", "1.0.0", "1.1.0", "1.2.0"),
		"remove": rendered("a"),
	}
	everywhere(t, func(t *testing.T, p place) {
		for name, next := range nexts {
			if p.name == "versitygw" && name != "update" {
				continue // a real server takes its time
			}
			thens := []Update{next, before, rendered("c", "2.0.0"), rendered("")}
			if p.slow {
				thens = thens[:1]
			}
			for _, after := range []bool{false, true} {
				n := 1
				for crash(t, p, fmt.Sprintf("%s, write %d, done %v", name, n, after), before, next, thens, n, after) {
					n++
				}
				if n < 5 {
					t.Errorf("%s: only %d writes were made to fail", name, n-1)
				}
			}
		}
	})
}

// crash publishes before, then next with a failure at write n, and then each of
// several updates; it returns false where next has fewer writes than that.
func crash(t *testing.T, p place, when string, before, next Update, thens []Update, n int, after bool) (crashed bool) {
	t.Helper()
	for _, then := range thens {
		target := p.open(t)()
		publish(t, target, before)
		broken := &faulty{Target: target, failAt: n, after: after}
		err := New(broken.target(), WithPurger(&recordingPurger{})).Publish(context.Background(), next)
		if err == nil {
			return false
		}
		if !errors.Is(err, errCrash) {
			t.Fatalf("%s: %v", when, err)
		}
		checkList(t, target, when)
		sources, err := New(target).Sources(context.Background(), demo)
		if err != nil {
			t.Fatalf("%s: %v", when, err)
		}
		for _, u := range []Update{before, next} {
			if len(sources) > 0 && maps.Equal(sources, u.Sources) && !settledAs(t, target, u) {
				t.Errorf("%s: told to be rendered from %v, but is not", when, sources)
			}
		}
		if err := New(target, impatient).Publish(context.Background(), then); err != nil {
			t.Fatalf("%s: the next run: %v", when, err)
		}
		checkSettled(t, target, when, then)
	}
	return true
}

// Each single request of an update fails once, in every way that a server can
// fail, and the update is published all the same.
func TestS3FaultAnywhere(t *testing.T) {
	before, next := rendered("a", "1.0.0", "1.1.0"), rendered("b", "1.1.0", "1.2.0")
	faults := map[string]fault{
		"429":               {status: 429, code: "TooManyRequests", header: map[string]string{"Retry-After": "0"}},
		"503":               {status: 503, code: "SlowDown"},
		"500 but done":      {status: 500, code: "InternalError", after: true},
		"502 without body":  {status: 502},
		"connection broken": {drop: true},
		"done, then broken": {drop: true, after: true},
		"damaged":           {status: 400, code: "BadDigest"},
	}
	for name, x := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := 1; ; n++ {
				fake := startFakeS3(t)
				target := fake.open(t)
				publish(t, target, before)
				requests := 0
				fake.failWith(func(_ int, _ *http.Request) *fault {
					fake.mu.Lock()
					defer fake.mu.Unlock()
					if requests++; requests == n {
						return &x
					}
					return nil
				})
				publish(t, target, next)
				checkSettled(t, target, fmt.Sprintf("request %d", n), next)
				if requests < n {
					if n < 10 {
						t.Errorf("only %d requests were made to fail", n-1)
					}
					return
				}
			}
		})
	}
}

// The bucket goes away in the middle, for good.
func TestS3OutageAnywhere(t *testing.T) {
	before, next := rendered("a", "1.0.0", "1.1.0"), rendered("b", "1.1.0", "1.2.0")
	for n := 1; ; n++ {
		fake := startFakeS3(t)
		target := fake.open(t)
		publish(t, target, before)
		first := len(fake.log)
		var gone atomic.Bool // the server may still be busy with a request that was given up
		gone.Store(true)
		fake.failWith(func(write int, _ *http.Request) *fault {
			if gone.Load() && write-first >= n {
				return &fault{drop: true, after: write-first == n}
			}
			return nil
		})
		target.retries.attempts = 2
		err := New(target).Publish(context.Background(), next)
		gone.Store(false)
		if err == nil {
			if n < 5 {
				t.Errorf("only %d writes were made to fail", n-1)
			}
			return
		}
		checkList(t, target, fmt.Sprintf("write %d", n))
		if err := New(target, impatient).Publish(context.Background(), next); err != nil {
			t.Fatal(err)
		}
		checkSettled(t, target, fmt.Sprintf("write %d", n), next)
	}
}
