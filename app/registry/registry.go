package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Source is where the data comes from.
type Source interface {
	// Refresh brings the files up to date and returns a name for their state, such
	// as a commit. After an error the files may be of two states; they are not
	// served until a later Refresh succeeds.
	Refresh(ctx context.Context, files *Files) (version string, err error)
}

// ErrBusy says that someone is writing the data just now: it is looked at again
// soon, and nothing is wrong.
var ErrBusy = errors.New("the data is being written")

// errVanished is a source that has lost everything: more likely a disk or a
// folder that went away than a registry that was given up.
var errVanished = errors.New("there is no provider and no module in the data any more")

// Options are what a Registry needs. Source is needed, the rest has defaults.
type Options struct {
	Source Source
	// WebURL is where modules are cloned from, https://github.com if empty.
	WebURL string
	// Cache bounds the rendered answers that are kept, in bytes; 48 MiB if 0.
	Cache   int
	Metrics prometheus.Registerer
	Log     *slog.Logger
}

// Registry answers the registry API from memory. It is an http.Handler, and safe
// for concurrent use. Until the first Reload it answers 503.
//
// Requests never wait for new data: each is answered from what was current when
// it came.
type Registry struct {
	source     Source
	renderer   registrydata.Renderer
	discovery  registrydata.Object
	discovered *answer
	cache      *cache
	metrics    *metrics
	log        *slog.Logger

	current atomic.Pointer[snapshot]

	reloading sync.Mutex // guards files and told
	files     *Files
	told      map[string]string // faults that the log has
}

// New makes a registry. It reads nothing yet.
func New(o Options) (*Registry, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if o.Cache == 0 {
		o.Cache = defaultCache
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	r := &Registry{
		source: o.Source, renderer: registrydata.Renderer{WebURL: o.WebURL}, cache: newCache(o.Cache),
		metrics: m, log: o.Log, files: newFiles(), told: map[string]string{},
	}
	r.discovery = r.renderer.Discovery()
	r.discovered = newAnswer(nil, kindDiscovery, r.discovery)
	return r, nil
}

// Reload looks for new data and serves it. Where that fails, what was served
// stays. Several calls run one after the other.
func (r *Registry) Reload(ctx context.Context) error {
	r.reloading.Lock()
	defer r.reloading.Unlock()
	start := time.Now()
	version, err := r.source.Refresh(ctx, r.files)
	if errors.Is(err, ErrBusy) {
		return err
	}
	old := r.current.Load()
	if old == nil {
		old = &snapshot{}
	}
	var next *snapshot
	if err == nil {
		if next = r.files.snapshot(version, old); len(next.entities) == 0 && len(old.entities) > 0 {
			err = errVanished
		}
	}
	if err != nil {
		r.metrics.reloads.WithLabelValues("failed").Inc()
		return fmt.Errorf("load the registry's data: %w", err)
	}
	r.tell(ctx, next.faults)
	changed := r.current.Load() == nil || next.version != old.version || !maps.Equal(next.entities, old.entities)
	outcome := "same"
	if r.current.Store(next); changed {
		outcome = "changed"
		r.log.InfoContext(ctx, "registry data loaded", "entities", len(next.entities), "faults", len(next.faults),
			"version", version, "ms", time.Since(start).Milliseconds())
	}
	r.metrics.serving(next)
	r.metrics.reloads.WithLabelValues(outcome).Inc()
	r.metrics.lastReload.SetToCurrentTime()
	return nil
}

// tell writes each new fault to the log, once.
func (r *Registry) tell(ctx context.Context, faults map[string]error) {
	now := make(map[string]string, len(faults))
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		now[name] = faults[name].Error()
		if r.told[name] != now[name] {
			r.log.ErrorContext(ctx, "a file of the registry's data cannot be read: what was served of it stays", "path", name, "error", now[name])
		}
	}
	r.told = now
}

// Loaded tells whether there is anything to serve yet.
func (r *Registry) Loaded() bool { return r.current.Load() != nil }

// Version names the state of the data that is served; "" before the first.
func (r *Registry) Version() string {
	if s := r.current.Load(); s != nil {
		return s.version
	}
	return ""
}

// Faults are the files that cannot be read, by path.
func (r *Registry) Faults() map[string]error {
	if s := r.current.Load(); s != nil {
		return maps.Clone(s.faults)
	}
	return nil
}
