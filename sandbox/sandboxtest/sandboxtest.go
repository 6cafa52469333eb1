// Package sandboxtest starts a sandbox for a test and holds every REST
// exchange of that test against GitHub's own description of its API.
//
// It owns the connection between the sandbox and package githubspec. It is for
// tests only: production code must never import it.
package sandboxtest

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/tofu-registrar/registrar/internal/githubspec"
	"github.com/tofu-registrar/registrar/sandbox"
)

// config is what options change.
type config struct {
	options sandbox.Options
	unknown bool
}

// An Option changes how New starts the sandbox.
type Option func(*config)

// WithOptions starts the sandbox with these options.
func WithOptions(options sandbox.Options) Option {
	return func(c *config) { c.options = options }
}

// WithUnknownRoutes lets the test send requests that the sandbox has no route
// for, which fail the test otherwise.
func WithUnknownRoutes() Option {
	return func(c *config) { c.unknown = true }
}

// New starts a sandbox on a free port of this machine and stops it when the
// test ends. The test fails if an exchange was not as GitHub describes it, or
// if a request had no route.
func New(t testing.TB, options ...Option) *sandbox.Server {
	t.Helper()
	var c config
	for _, option := range options {
		option(&c)
	}
	if c.options.Dir == "" {
		c.options.Dir = t.TempDir()
	}
	s, err := sandbox.New(c.options)
	if err != nil {
		t.Fatalf("start the sandbox: %v", err)
	}
	watch(t, s, c.unknown)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stop the sandbox: %v", err)
		}
	})
	if _, err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatalf("start the sandbox: %v", err)
	}
	return s
}

// Watch checks the exchanges of a sandbox that the test made itself. Call it
// before the first request.
func Watch(t testing.TB, s *sandbox.Server) {
	t.Helper()
	watch(t, s, false)
}

func watch(t testing.TB, s *sandbox.Server, unknown bool) {
	t.Helper()
	w := newWatcher(t)
	s.Observe(w.see)
	t.Cleanup(func() {
		for _, fault := range w.report() {
			t.Errorf("not as GitHub: %s", fault)
		}
		if unknown {
			return
		}
		for _, request := range s.Unknown() {
			t.Errorf("the sandbox has no route for: %s", request)
		}
	})
}

// watcher collects faults while requests run; they are reported at the end,
// because a test may not fail from the goroutine of a server that outlives it.
type watcher struct {
	spec *githubspec.Spec

	mu    sync.Mutex
	count map[string]int
	order []string
}

func newWatcher(t testing.TB) *watcher {
	t.Helper()
	spec, err := githubspec.Load()
	if err != nil {
		t.Fatalf("load GitHub's description: %v", err)
	}
	return &watcher{spec: spec, count: map[string]int{}}
}

func (w *watcher) see(x sandbox.Exchange) {
	faults := w.spec.Check(x.Request.Method, x.Request.URL.RequestURI(), x.Request.Header, x.RequestBody, x.Status, x.Header, x.ResponseBody)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, fault := range faults {
		if w.count[fault]++; w.count[fault] == 1 {
			w.order = append(w.order, fault)
		}
	}
}

// report lists each fault once, with how often it was seen.
func (w *watcher) report() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines := slices.Clone(w.order)
	for i, fault := range lines {
		if n := w.count[fault]; n > 1 {
			lines[i] = fmt.Sprintf("%s (%d times)", fault, n)
		}
	}
	return lines
}
