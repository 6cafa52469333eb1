package forge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

type releaseAnswer struct {
	Tag         string `json:"tag_name"`
	Draft       bool
	Prerelease  bool
	PublishedAt time.Time `json:"published_at"`
	Author      *user
	Assets      []struct {
		ID     int64
		Name   string
		Size   int64
		State  string
		Digest string
		URL    string `json:"browser_download_url"`
	}
}

func (r releaseAnswer) release() validation.Release {
	rel := validation.Release{
		Tag: r.Tag, Draft: r.Draft, Prerelease: r.Prerelease, Published: r.PublishedAt.UTC(), Author: r.Author.login(),
		Assets: make([]validation.Asset, 0, len(r.Assets)),
	}
	for _, a := range r.Assets {
		rel.Assets = append(rel.Assets, validation.Asset{
			ID: a.ID, Name: a.Name, Size: a.Size, State: a.State, Digest: a.Digest, URL: a.URL,
		})
	}
	return rel
}

// Releases lists a repository's releases without the contents of their files,
// newest first, drafts left out: at most Limits.Releases, the newest. A
// repository that does not exist has none.
// (GET /repos/{owner}/{repo}/releases)
func (a *Authors) Releases(ctx context.Context, repo registrydata.Repository) ([]validation.Release, error) {
	if !validRepository(repo) {
		return nil, nil
	}
	answers, more, err := listAll[releaseAnswer](ctx, a.api, route("repos", repo.Owner, repo.Name, "releases"), nil, a.cfg.Limits.Releases)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if errors.Is(err, errResponseTooLarge) {
		return nil, fmt.Errorf("releases of %s: %w", repo, &Fault{"the list of the repository's releases is too large to be read"})
	}
	if err != nil {
		return nil, fmt.Errorf("releases of %s: %w", repo, err)
	}
	if more {
		a.cfg.Log.WarnContext(ctx, "older releases are left out", "repository", repo.String(), "read", len(answers))
	}
	releases := make([]validation.Release, 0, len(answers))
	seen := make(map[string]bool, len(answers)) // a release may slip from one page to the next
	for _, r := range answers {
		if !r.Draft && !seen[r.Tag] {
			releases = append(releases, r.release())
		}
		seen[r.Tag] = seen[r.Tag] || !r.Draft
	}
	slices.SortStableFunc(releases, func(a, b validation.Release) int { return b.Published.Compare(a.Published) })
	return releases, nil
}

// Release is the release of a tag; ok is false where the tag has none.
// (GET /repos/{owner}/{repo}/releases/tags/{tag})
func (a *Authors) Release(ctx context.Context, repo registrydata.Repository, tag string) (rel validation.Release, ok bool, err error) {
	if !validRepository(repo) || !validRef(tag) {
		return validation.Release{}, false, nil
	}
	var r releaseAnswer
	err = a.api.get(ctx, route("repos", repo.Owner, repo.Name, "releases", "tags")+"/"+escapePath(tag), &r)
	if errors.Is(err, ErrNotFound) || (err == nil && r.Draft) {
		return validation.Release{}, false, nil
	}
	if err != nil {
		return validation.Release{}, false, fmt.Errorf("release %q of %s: %w", tag, repo, err)
	}
	return r.release(), true, nil
}
