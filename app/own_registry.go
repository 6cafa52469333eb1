package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tofu-registrar/registrar/app/registry"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// ownRegistry is the registry that the program itself serves. A nil one does
// nothing.
type ownRegistry struct {
	registry *registry.Registry
	server   *registry.Server
	data     string // the folder; "" where the metadata repository is in memory
	cancel   context.CancelFunc
}

// makeRegistry makes the registry that the configuration wants.
func (a *App) makeRegistry(ctx context.Context) error {
	c := a.cfg.Server.Registry
	if c == nil {
		return nil
	}
	var source registry.Source
	switch {
	case c.Data != "":
		source = registry.NewFolder(c.Data)
	case a.forge != nil:
		source = registry.NewRepository(a.forge.Metadata())
	default:
		return errors.New("the registry has neither a folder nor GitHub to read from")
	}
	r, err := registry.New(registry.Options{Source: source, WebURL: a.cfg.GitHub.WebURL, Metrics: a.metrics.registry, Log: a.log})
	if err != nil {
		return err
	}
	o := registry.ServerOptions{Listen: c.Listen, Listener: a.registryAt, Refresh: c.Refresh, AccessLog: c.AccessLog, Log: a.log}
	if c.TLS != nil {
		o.Certificate, o.Key = c.TLS.Certificate, c.TLS.Key
	}
	s, err := registry.NewServer(ctx, r, o)
	if err != nil {
		return fmt.Errorf("server.registry: %w", err)
	}
	a.registry = &ownRegistry{registry: r, server: s, data: c.Data}
	return nil
}

// start listens. A folder is read before that: one that is not there is a
// mistake. GitHub may be down, and is waited for in the background.
func (o *ownRegistry) start(ctx context.Context) error {
	if o == nil {
		return nil
	}
	if o.data != "" {
		if err := o.registry.Reload(ctx); err != nil && !errors.Is(err, registry.ErrBusy) {
			return err
		}
	}
	if err := o.server.Start(ctx); err != nil {
		return err
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	watching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	o.cancel = cancel
	go func() {
		defer signal.Stop(hangups)
		for {
			select {
			case <-watching.Done():
				return
			case <-hangups:
				o.server.Again()
			}
		}
	}()
	return nil
}

// stop waits for requests under way, a few seconds at most.
func (o *ownRegistry) stop(ctx context.Context) error {
	if o == nil {
		return nil
	}
	if o.cancel != nil {
		o.cancel()
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return o.server.Stop(ctx)
}

// failed has the error that ended the server by itself.
func (o *ownRegistry) failed() <-chan error {
	if o == nil {
		return nil
	}
	return o.server.Failed()
}

// publisher is what the handlers publish through: to p, which may be nil, and
// with it to this registry.
func (o *ownRegistry) publisher(p handlers.Publisher) handlers.Publisher {
	switch {
	case o == nil:
		return p
	case p == nil:
		return servedOnly{o.registry}
	}
	return servedToo{Publisher: p, server: o.server}
}

// servedToo tells the registry of what was published.
type servedToo struct {
	handlers.Publisher
	server *registry.Server
}

func (s servedToo) SetPublished(ctx context.Context, commit string) error {
	err := s.Publisher.SetPublished(ctx, commit)
	s.server.Again()
	return err
}

// servedOnly publishes by serving: the registry reads the metadata repository
// itself, so that what is there is live as soon as it has been read.
type servedOnly struct{ registry *registry.Registry }

var _ handlers.Publisher = servedOnly{}

// Published brings the registry up to date first.
func (s servedOnly) Published(ctx context.Context) (string, error) {
	if err := s.registry.Reload(ctx); err != nil {
		return "", err
	}
	return s.registry.Version(), nil
}

// SetPublished is for a commit that came after Published looked.
func (s servedOnly) SetPublished(ctx context.Context, _ string) error { return s.registry.Reload(ctx) }

// Sources are not kept: nothing is left half published here.
func (s servedOnly) Sources(context.Context, registrydata.Entity) (map[string]string, error) {
	return nil, nil
}

// Change finds everything in place.
func (s servedOnly) Change(_ context.Context, u handlers.Update) (publish.Change, error) {
	return publish.Change{Entity: u.Entity, After: u.Objects, Settled: true}, nil
}

// Entities are not counted: nothing is removed here.
func (s servedOnly) Entities(context.Context) (int, error) { return 0, nil }

// Purge has no cache before it.
func (s servedOnly) Purge(context.Context) error { return nil }

// Publish has nothing to write.
func (s servedOnly) Publish(context.Context, handlers.Update) error { return nil }

// PutStatic has nothing to write.
func (s servedOnly) PutStatic(context.Context, registrydata.Object) error { return nil }

// serveRegistryOnly answers the registry API, health and metrics until the
// context ends, without the bot.
func serveRegistryOnly(ctx context.Context, cfg Config, log *slog.Logger) error {
	cfg = cfg.withDefaults()
	a := &App{cfg: cfg, log: log, metrics: newMetrics(), health: &health{}, failed: make(chan error, 1)}
	a.health.check = func(context.Context) error {
		if !a.registry.registry.Loaded() {
			return errors.New("no data yet")
		}
		return nil
	}
	a.server = newServer(a.health, a.metrics, log)
	if err := a.makeRegistry(ctx); err != nil {
		return err
	}
	if err := a.listen(ctx); err != nil {
		return err
	}
	err := a.registry.start(ctx)
	if err == nil {
		a.health.setStarted()
		log.InfoContext(ctx, "ready", "listen", a.Addr(), "registry", a.registry.server.Addr(), "version", versionText())
		select {
		case <-ctx.Done():
		case err = <-a.failed:
		case err = <-a.registry.failed():
		}
	}
	a.health.setStopping()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.Server.StopWithin)
	defer cancel()
	return errors.Join(err, a.registry.stop(stopping), a.server.stop(stopping))
}
