package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/templates"
)

// connect makes the parts that stand between the handlers and the world.
func (a *App) connect(ctx context.Context) error {
	f, err := forge.New(ctx, a.cfg.forge(a))
	if err != nil {
		return err
	}
	a.forge = f
	a.metrics.watchRateLimit(f)
	return nil
}

func (c Config) forge(a *App) forge.Config {
	hosts := c.GitHub.DownloadHosts
	if len(hosts) > 0 && c.GitHub.WebURL == forge.DefaultWebURL {
		hosts = append(slices.Clone(hosts), "*.githubusercontent.com")
	}
	return forge.Config{
		APIURL: c.GitHub.APIURL, WebURL: c.GitHub.WebURL,
		AppID: c.GitHub.AppID, PrivateKey: []byte(c.GitHub.PrivateKey),
		Metadata: c.Metadata.Repository, Branch: c.Metadata.Branch,
		AllowedHosts: hosts, UserAgent: "registrar", Log: a.log,
		Limits: forge.Limits{Look: c.Look.patience},
	}
}

// meetGitHub learns who we are there, which the handlers must know, and makes
// the handlers. It waits while GitHub cannot be reached.
func (a *App) meetGitHub(ctx context.Context) error {
	var err error
	if a.decisions, err = openDecisions(a.cfg.decisionsPath()); err != nil {
		return err
	}
	var bot string
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		var err error
		if bot, err = a.forge.Bot(ctx); err == nil {
			break
		}
		if errors.Is(err, forge.ErrUnauthorized) || ctx.Err() != nil {
			return fmt.Errorf("ask GitHub who we are: %w", err)
		}
		a.log.WarnContext(ctx, "GitHub does not answer, asking again", "error", err, "pause", wait)
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
	publisher, err := a.publisher()
	if err != nil {
		return err
	}
	metadata := a.forge.Metadata()
	a.Handlers = handlers.New(handlers.Options{
		Authors: sharedAuthors{a.forge.Authors()}, Snapshots: metadata, Archives: metadata, Threads: metadata, Pulls: metadata,
		Branches: metadata, Checks: metadata, Publisher: publisher, Installations: a.forge, Decisions: a.decisions,
		Policy: handlers.Policy{
			Merge:    templates.Merge(a.cfg.Policy.Merge),
			Releases: templates.Merge(a.cfg.Policy.Releases),
		},
		AuditEvery: a.cfg.Audit.Every, Differences: a.metrics.differences.found,
		MaxDelete: a.cfg.Publish.MaxDelete, Parallel: a.cfg.Publish.parallel(),
		Metadata: a.cfg.Metadata.Repository, Branch: a.cfg.Metadata.Branch,
		Site: a.cfg.site(bot), WebURL: a.cfg.GitHub.WebURL, Lock: a.Queue.Lock, Pause: pause, Now: a.now, Log: a.log,
	})
	a.reconciler, a.deliveries = a.Handlers, a.forge
	return nil
}

// publisher is where what was merged goes: a folder or a bucket, the registry that
// is served from here, or both.
func (a *App) publisher() (handlers.Publisher, error) {
	publisher, closer, err := a.cfg.Publish.publisher()
	if err != nil {
		return nil, err
	}
	a.published = closer
	if publisher == nil {
		return a.registry.publisher(nil), nil
	}
	return a.registry.publisher(publisher), nil
}

// site is the registry that the sentences speak for.
func (c Config) site(bot string) templates.Site {
	name := c.Publish.Name
	if u, err := url.Parse(c.Publish.BaseURL); name == "" && err == nil {
		name = u.Host
	}
	return templates.Site{
		Name: name, BaseURL: c.Publish.BaseURL, BotLogin: bot,
		RepositoryURL: strings.TrimSuffix(c.GitHub.WebURL, "/") + "/" + c.Metadata.Repository.String(),
	}
}
