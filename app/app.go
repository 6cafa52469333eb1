package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
)

// App is the bot: a server that takes webhooks in and a queue that works on
// them. The command serve runs one, and so do the demo and the tests.
//
//	app, err := NewApp(ctx, cfg)  // opens the queue, sends nothing
//	err = app.Start(ctx)          // returns when webhooks are taken in
//	err = app.Stop(ctx)           // running jobs end or go back to the queue
type App struct {
	// Handlers are set from Start on. They may be called from anywhere.
	Handlers *handlers.Handlers
	// Queue is for looking at and for Idle.
	Queue *Queue

	cfg      Config
	log      *slog.Logger
	metrics  *metrics
	health   *health
	server   *server
	listener net.Listener
	retries  []time.Duration
	now      func() time.Time // of the handlers; nil is time.Now
	rebuild  bool
	ready    chan struct{}
	failed   chan error

	forge      *forge.Forge
	published  io.Closer
	decisions  *decisions   // nil until Start, and where no handlers are made
	registry   *ownRegistry // nil where the configuration wants none
	registryAt net.Listener
	reconciler Reconciler
	deliveries Deliveries
}

// Option changes how an App is made.
type Option func(*App)

// WithLog sends the log somewhere else than slog.Default().
func WithLog(log *slog.Logger) Option { return func(a *App) { a.log = log } }

// WithListener takes requests from a listener that is open already. The App
// closes it.
func WithListener(l net.Listener) Option { return func(a *App) { a.listener = l } }

// WithRegistryListener makes the registry that the App serves itself take its
// requests from a listener that is open already. The App closes it.
func WithRegistryListener(l net.Listener) Option { return func(a *App) { a.registryAt = l } }

// WithReconciler replaces the handlers, and with them GitHub and the registry,
// for tests of the server and the queue.
func WithReconciler(r Reconciler, d Deliveries) Option {
	return func(a *App) { a.reconciler, a.deliveries = r, d }
}

// WithRetries replaces the pauses between the tries of a job, for tests that
// cannot wait for the real ones.
func WithRetries(pauses ...time.Duration) Option { return func(a *App) { a.retries = pauses } }

// WithClock gives the handlers another clock, for stories in which time passes.
func WithClock(now func() time.Time) Option { return func(a *App) { a.now = now } }

// WithRebuild forgets the queue at Start, and finds anew on GitHub what there is
// to do.
func WithRebuild() Option { return func(a *App) { a.rebuild = true } }

// NewApp checks the configuration and opens the queue. It sends nothing and
// listens to nothing.
func NewApp(ctx context.Context, cfg Config, opts ...Option) (*App, error) {
	cfg = cfg.withDefaults()
	a := &App{
		cfg: cfg, log: slog.Default(), metrics: newMetrics(), health: &health{checkEvery: 2 * time.Second},
		ready: make(chan struct{}), failed: make(chan error, 1),
	}
	for _, opt := range opts {
		opt(a)
	}
	var errs []error
	for _, fault := range cfg.Faults() {
		errs = append(errs, fault)
	}
	if len(errs) > 0 {
		return nil, fmt.Errorf("configuration: %w", errors.Join(errs...))
	}
	if a.reconciler == nil {
		if err := a.connect(ctx); err != nil {
			return nil, err
		}
	}
	if err := a.makeRegistry(ctx); err != nil {
		return nil, err
	}
	if err := a.openQueue(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *App) openQueue(ctx context.Context) error {
	q, err := openQueue(ctx, queueOptions{
		Path: string(a.cfg.Queue.Database), Workers: a.cfg.Queue.Workers, SweepEvery: a.cfg.Queue.SweepEvery,
		Look: a.cfg.Look, Audit: a.cfg.Audit, Backfill: a.cfg.Backfill, Retries: a.retries, Rebuild: a.rebuild, Log: a.log, Metrics: a.metrics, Contacted: a.health.contacted,
	})
	if err != nil {
		return err
	}
	a.Queue = q
	a.metrics.registry.MustRegister(newQueueCollector(q.db))
	if q.looks != nil {
		a.metrics.registry.MustRegister(newLookCollector(q.looks.table))
	}
	a.health.check = q.Check
	if q.o.SweepEvery > 0 {
		a.health.contactWithin = 3 * q.o.SweepEvery
	}
	a.server = newServer(a.health, a.metrics, a.log)
	return nil
}

// Start listens, and returns when GitHub knows us and webhooks are taken in.
// While GitHub cannot be reached it waits, and answers probes with 503. An error
// is final: the address is in use, the queue is served elsewhere, GitHub refuses
// the App.
func (a *App) Start(ctx context.Context) error {
	if err := a.listen(ctx); err != nil {
		return err
	}
	if err := a.registry.start(ctx); err != nil {
		return err
	}
	if a.reconciler == nil {
		if err := a.meetGitHub(ctx); err != nil {
			return err
		}
	}
	if a.forge != nil {
		a.Queue.Watch(newGitHubLooks(a.forge))
	}
	if err := a.Queue.Start(ctx, a.reconciler, a.deliveries); err != nil {
		return err
	}
	if a.Handlers != nil {
		a.server.setups.Store(newSetup(a.Handlers.Setup, a.now, a.log))
	}
	a.server.webhooks.Store(newWebhook(a.cfg.GitHub.WebhookSecrets, a.reconciler, a.Queue, a.metrics, a.log))
	a.health.contacted()
	a.health.setStarted()
	close(a.ready)
	a.log.InfoContext(ctx, "ready", "listen", a.Addr(), "metadata", a.cfg.Metadata.Repository.String(), "version", versionText())
	return nil
}

// listen takes requests for webhooks, health and metrics.
func (a *App) listen(ctx context.Context) error {
	if a.listener == nil {
		l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", a.cfg.Server.Listen)
		if err != nil {
			return fmt.Errorf("listen on %s: %w", a.cfg.Server.Listen, err)
		}
		a.listener = l
	}
	go func() {
		if err := a.server.serve(a.listener); err != nil {
			a.failed <- err
		}
	}()
	return nil
}

// Stop takes no more webhooks, lets running jobs end until the context does, and
// returns the others to the queue. It may be called whatever Start returned.
func (a *App) Stop(ctx context.Context) error {
	a.health.setStopping()
	var errs []error
	if a.listener != nil {
		brief, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		errs = append(errs, a.server.stop(brief), ignoreClosed(a.listener.Close()))
	}
	errs = append(errs, a.registry.stop(ctx), a.Queue.Stop(ctx), a.decisions.Close())
	if a.published != nil {
		errs = append(errs, a.published.Close())
	}
	return errors.Join(errs...)
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Run starts, works until the context ends, and stops. Being told to stop while
// it starts is no error.
func (a *App) Run(ctx context.Context) error {
	err := a.Start(ctx)
	if ctx.Err() != nil {
		err = nil
	}
	if err == nil {
		select {
		case <-ctx.Done():
			a.log.InfoContext(ctx, "stopping", "within", a.cfg.Server.StopWithin)
		case err = <-a.failed:
		case err = <-a.registry.failed():
		}
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.Server.StopWithin)
	defer cancel()
	return errors.Join(err, a.Stop(stopping))
}

// Ready is closed when webhooks are taken in.
func (a *App) Ready() <-chan struct{} { return a.ready }

// Addr is the address that the App listens on, once Start has been called.
func (a *App) Addr() string {
	if a.listener == nil {
		return ""
	}
	return a.listener.Addr().String()
}

// Idle waits until no job runs and none is to run within a time.
func (a *App) Idle(ctx context.Context, within time.Duration) error {
	return a.Queue.Idle(ctx, within)
}
