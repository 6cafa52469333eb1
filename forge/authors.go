package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/go-github/v57/github"
	"golang.org/x/oauth2"
	"golang.org/x/sync/semaphore"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// Authors reads the repositories that authors publish. It is safe for
// concurrent use.
//
// Repositories and releases are read over the API, with the quota of the
// metadata repository's installation; tags over git and files over plain
// downloads, which cost no quota and carry no credentials.
type Authors struct {
	cfg   Config
	api   *api
	hosts *hosts
	web   *http.Client // downloads and git

	// spool bounds the bytes of archives on disk at one time.
	spool *semaphore.Weighted
	// What an asset holds never changes: an upload in its place is another
	// asset with another id.
	files *lru[[]byte]
	zips  *lru[validation.ZipFacts]
	// again is what was read by address, for another look at it.
	again *lru[keptFile]
}

func newAuthors(cfg Config, as *api) (*Authors, error) {
	h, err := newHosts(cfg)
	if err != nil {
		return nil, err
	}
	return &Authors{
		cfg: cfg, api: as, hosts: h, web: newWebClient(cfg, h),
		spool: semaphore.NewWeighted(cfg.Limits.Spool),
		files: newLRU[[]byte](cfg.Limits.Cache / 4),
		zips:  newLRU[validation.ZipFacts](4 << 20),
		again: newLRU[keptFile](cfg.Limits.Cache / 8),
	}, nil
}

// AnonymousAuthors reads authors' repositories without an App, for commands on
// a person's machine: with the person's token, or without any, which GitHub
// allows 60 requests an hour. Empty addresses are GitHub's own; allowedHosts are
// as in Config.
func AnonymousAuthors(webURL, apiURL, token string, allowedHosts ...string) (*Authors, error) {
	cfg := Config{WebURL: webURL, APIURL: apiURL, AllowedHosts: allowedHosts}.withDefaults()
	if err := cfg.checkURLs(); err != nil {
		return nil, fmt.Errorf("GitHub address: %w", err)
	}
	base, err := newBaseTransport(cfg)
	if err != nil {
		return nil, err
	}
	var next http.RoundTripper = &logTransport{next: base, log: cfg.Log}
	if token != "" {
		next = &oauth2.Transport{Source: oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}), Base: next}
	}
	next = &conditionalTransport{next: next, kept: newLRU[keptAnswer](cfg.Limits.Cache / 4)}
	next = &retryTransport{next: next, pause: 100 * time.Millisecond}
	root, err := url.Parse(cfg.APIURL + "/")
	if err != nil {
		return nil, fmt.Errorf("GitHub address: %w", err)
	}
	client := github.NewClient(&http.Client{Transport: next, Timeout: cfg.Timeout})
	client.BaseURL, client.UserAgent = root, cfg.UserAgent
	return newAuthors(cfg, &api{client: func(context.Context) (*github.Client, error) { return client, nil }})
}

// Repository asks what GitHub says of a repository, following renames. One that
// is not there, or that is private and not readable, has Exists false.
// (GET /repos/{owner}/{repo})
func (a *Authors) Repository(ctx context.Context, repo registrydata.Repository) (validation.RepositoryFacts, error) {
	if !validRepository(repo) {
		return validation.RepositoryFacts{}, nil
	}
	type owner struct{ Login, Type string }
	var answer struct {
		ID            int64
		Name          string
		Owner         owner
		Private       bool
		Archived      bool
		Fork          bool
		Disabled      bool
		DefaultBranch string `json:"default_branch"`
		Parent        *struct {
			Name  string
			Owner owner
		}
	}
	err := a.api.get(ctx, route("repos", repo.Owner, repo.Name), &answer)
	if errors.Is(err, ErrNotFound) {
		return validation.RepositoryFacts{}, nil
	}
	if err != nil {
		return validation.RepositoryFacts{}, fmt.Errorf("repository %s: %w", repo, err)
	}
	facts := validation.RepositoryFacts{
		Exists: true, ID: answer.ID,
		Repository: registrydata.Repository{Owner: answer.Owner.Login, Name: answer.Name},
		Private:    answer.Private, Archived: answer.Archived, Fork: answer.Fork,
		OwnerIsAnOrg: answer.Owner.Type == "Organization", DefaultBranch: answer.DefaultBranch,
	}
	if p := answer.Parent; p != nil {
		facts.Parent = registrydata.Repository{Owner: p.Owner.Login, Name: p.Name}
	}
	return facts, nil
}

// IsPublicMember tells whether a user shows membership of an organization in
// public. (GET /orgs/{org}/public_members/{username})
func (a *Authors) IsPublicMember(ctx context.Context, org, user string) (bool, error) {
	if !ownerPattern.MatchString(org) || !ownerPattern.MatchString(user) {
		return false, nil
	}
	err := a.api.get(ctx, route("orgs", org, "public_members", user), nil)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("public membership of %s in %s: %w", user, org, err)
	}
	return true, nil
}
