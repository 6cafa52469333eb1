package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/go-github/v57/github"
	"github.com/palantir/go-githubapp/githubapp"
	"golang.org/x/sync/errgroup"
)

// Forge is one GitHub, seen as one App that is installed on one metadata
// repository. It is safe for concurrent use.
type Forge struct {
	cfg      Config
	creator  githubapp.ClientCreator
	app      *api // as the App itself
	repo     *api // as its installation on the metadata repository
	metadata *Metadata
	authors  *Authors

	mu       sync.Mutex
	identity Identity
	known    bool // identity is complete
	asked    time.Time
	install  *github.Client
	// lasting is for how long an identity is not asked for again: one that is
	// refused at once will be refused again.
	lasting time.Duration
}

// Identity is who the App is on GitHub.
type Identity struct {
	Slug  string // "registrar"
	Login string // "registrar[bot]", the author of its comments
	// Email is what ties its commits to its account.
	Email string
	// Installation is the id of the App's installation on the metadata
	// repository.
	Installation int64
}

// New checks the configuration, all of it at once, and sends nothing: the App's
// identity is asked for at the first need, so that a service starts while
// GitHub is down. Identity tells at once whether it holds.
func New(_ context.Context, cfg Config) (*Forge, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, fmt.Errorf("GitHub configuration: %w", err)
	}
	f := &Forge{cfg: cfg, lasting: 10 * time.Second}
	creator, err := newClientCreator(cfg)
	if err != nil {
		return nil, err
	}
	f.creator = creator
	appClient, err := creator.NewAppClient()
	if err != nil {
		return nil, fmt.Errorf("the GitHub App's private key: %w", err)
	}
	f.app = &api{client: func(context.Context) (*github.Client, error) { return appClient, nil }}
	f.repo = &api{client: f.installationClient, forget: f.forget}
	f.metadata = newMetadata(f)
	if f.authors, err = newAuthors(cfg, f.repo); err != nil {
		return nil, err
	}
	return f, nil
}

// newClientCreator stacks the transports: retry, conditional requests, the
// App's credentials (by go-githubapp), log, and the bounds next to the wire.
func newClientCreator(cfg Config) (githubapp.ClientCreator, error) {
	base, err := newBaseTransport(cfg)
	if err != nil {
		return nil, err
	}
	retry := func(next http.RoundTripper) http.RoundTripper {
		return &retryTransport{next: next, pause: 100 * time.Millisecond}
	}
	conditional := func(next http.RoundTripper) http.RoundTripper {
		return &conditionalTransport{next: next, kept: newLRU[keptAnswer](cfg.Limits.Cache / 4)}
	}
	return githubapp.NewClientCreator(cfg.APIURL, cfg.APIURL+"/graphql", cfg.AppID, cfg.PrivateKey,
		githubapp.WithClientUserAgent(cfg.UserAgent),
		githubapp.WithClientTimeout(cfg.Timeout),
		githubapp.WithClientMiddleware(retry, conditional),
		githubapp.WithTransport(&logTransport{next: base, log: cfg.Log}),
	), nil
}

// Metadata reads and writes the metadata repository.
func (f *Forge) Metadata() *Metadata { return f.metadata }

// Authors reads everyone else's repositories.
func (f *Forge) Authors() *Authors { return f.authors }

// Bot is the login that the App's comments and pull requests carry.
func (f *Forge) Bot(ctx context.Context) (string, error) {
	id, err := f.Identity(ctx)
	return id.Login, err
}

// Identity asks GitHub once who the App is and where it is installed.
// ErrUnauthorized means a wrong App id or key, or an App that is not installed
// on the metadata repository.
func (f *Forge) Identity(ctx context.Context) (Identity, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known {
		return f.identity, nil
	}
	id, client, err := f.identify(ctx)
	if err != nil {
		return Identity{}, err
	}
	f.identity, f.install, f.known, f.asked = id, client, true, time.Now()
	return id, nil
}

func (f *Forge) identify(ctx context.Context) (Identity, *github.Client, error) {
	var app, installation struct {
		ID   int64  `json:"id"`
		Slug string `json:"slug"`
	}
	repo := f.cfg.Metadata
	group, gctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		err := f.app.get(gctx, "app", &app)
		if errors.Is(err, ErrNotFound) {
			return fmt.Errorf("%w: there is no App with the id %d", ErrUnauthorized, f.cfg.AppID)
		}
		return err
	})
	group.Go(func() error {
		err := f.app.get(gctx, route("repos", repo.Owner, repo.Name, "installation"), &installation)
		if errors.Is(err, ErrNotFound) {
			return fmt.Errorf("%w: the App is not installed on %s", ErrUnauthorized, repo)
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return Identity{}, nil, err
	}
	client, err := f.creator.NewInstallationClient(installation.ID)
	if err != nil {
		return Identity{}, nil, fmt.Errorf("installation %d: %w", installation.ID, err)
	}
	id := Identity{Slug: app.Slug, Login: app.Slug + "[bot]", Installation: installation.ID}
	id.Email, err = botEmail(ctx, client, id.Login)
	return id, client, err
}

// botEmail is the address that GitHub itself gives the commits of a bot, which
// needs the id of the bot's user account.
func botEmail(ctx context.Context, client *github.Client, login string) (string, error) {
	as := &api{client: func(context.Context) (*github.Client, error) { return client, nil }}
	var user struct {
		ID int64 `json:"id"`
	}
	err := as.get(ctx, route("users", login), &user)
	if errors.Is(err, ErrNotFound) {
		return login + "@users.noreply.github.com", nil
	}
	return fmt.Sprintf("%d+%s@users.noreply.github.com", user.ID, login), err
}

func (f *Forge) installationClient(ctx context.Context) (*github.Client, error) {
	if _, err := f.Identity(ctx); err != nil {
		return nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.install, nil
}

// forget makes the next call ask for the installation and a token again: the
// App may have been installed anew, its token revoked, or more been permitted.
func (f *Forge) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.asked) >= f.lasting {
		f.known = false
	}
}
