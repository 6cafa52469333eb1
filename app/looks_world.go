package main

import (
	"context"
	"fmt"
	"hash/maphash"
	"io"
	"strings"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// lookWorld is what looks see: *gitHubLooks.
type lookWorld interface {
	// Sources are the repositories of everything that is registered, and the
	// commit that says so.
	Sources(ctx context.Context) (commit string, sources []handlers.Source, err error)
	// Recorded are the versions that the data files of a commit record.
	Recorded(ctx context.Context, commit string, sources []handlers.Source) (*recordedVersions, error)
	Feed(ctx context.Context, repo registrydata.Repository, kind forge.FeedKind, last forge.FeedMark) (forge.Feed, error)
	LookTags(ctx context.Context, repo registrydata.Repository) (tags []validation.Tag, there bool, err error)
}

// gitHubLooks looks at GitHub.
type gitHubLooks struct {
	*forge.Authors
	*handlers.Registered
	metadata *forge.Metadata
}

func newGitHubLooks(f *forge.Forge) *gitHubLooks {
	return &gitHubLooks{Authors: f.Authors(), Registered: handlers.NewRegistered(f.Metadata()), metadata: f.Metadata()}
}

// Recorded reads the data files out of the repository's archive: one request,
// however many entries there are.
func (g *gitHubLooks) Recorded(ctx context.Context, commit string, sources []handlers.Source) (*recordedVersions, error) {
	of := make(map[string]handlers.Source, len(sources))
	for _, s := range sources {
		for _, path := range s.Paths {
			of[path] = s
		}
	}
	r := newRecordedVersions()
	err := g.metadata.Archive(ctx, commit, func(f forge.ArchiveFile) error {
		source, registered := of[f.Path]
		if !registered || f.Link || f.Size > registrydata.MaxFileSize {
			return nil
		}
		content, err := io.ReadAll(io.LimitReader(f.Content, registrydata.MaxFileSize))
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		r.add(source.Repository, source.Kind, content)
		return nil
	})
	return r, err
}

// recordedVersions are the versions of all entries, by their repositories: a few
// bytes for each, of a quarter of a million.
type recordedVersions struct {
	seed maphash.Seed
	all  map[uint64]struct{}
}

func newRecordedVersions() *recordedVersions {
	return &recordedVersions{seed: maphash.MakeSeed(), all: map[uint64]struct{}{}}
}

// add takes in a data file. One that cannot be read records nothing: its
// repository is then looked at by its handler, which says what is wrong.
func (r *recordedVersions) add(repo registrydata.Repository, kind registrydata.Kind, content []byte) {
	file, err := registrydata.ParseDataFile(kind, content)
	if err != nil {
		return
	}
	for _, version := range file.Versions() {
		r.all[r.key(repo, version)] = struct{}{}
	}
}

// has tells whether a tag's version is recorded.
func (r *recordedVersions) has(repo registrydata.Repository, tag string) bool {
	_, ok := r.all[r.key(repo, tag)]
	return ok
}

func (r *recordedVersions) key(repo registrydata.Repository, tag string) uint64 {
	version, _ := registrydata.VersionKey(tag)
	return maphash.String(r.seed, strings.ToLower(repo.String())+" "+version)
}
