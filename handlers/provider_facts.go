package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

const (
	// fullyVerified is how many of the newest versions of a first submission are
	// downloaded before the pull request; the others are recorded from their
	// checksums and signature.
	fullyVerified = 5
	// mostVersions is how many version tags of one repository are looked at.
	mostVersions = 1000
	// Limits of the small files of a release, in bytes: the largest real ones
	// are a tenth of this.
	checksumsLimit = 1 << 20
	signatureLimit = 64 << 10
	manifestLimit  = 64 << 10
)

func lower(s string) string { return strings.ToLower(s) }

// judgeProvider gathers the facts of a provider submission and asks the rules.
func (h *Handlers) judgeProvider(ctx context.Context, q question, facts validation.RepositoryFacts) (judgement, error) {
	in := validation.ProviderInput{Submission: q.Submission, Author: q.author, Facts: facts, Now: h.now()}
	addresses := registeredUnder(q, facts, registrydata.ProviderFromRepository)
	if len(addresses) == 0 {
		return judgement{Report: validation.JudgeProvider(in).Report, facts: facts}, nil
	}
	address := addresses[0]
	var releases []validation.Release
	var keys []validation.Key
	var around surroundings
	err := together(ctx,
		func(ctx context.Context) (err error) {
			around, err = h.lookAround(ctx, q, facts, address.Entity())
			return err
		},
		func(ctx context.Context) (err error) {
			in.Tags, err = h.authors.Tags(ctx, facts.Repository)
			return err
		},
		func(ctx context.Context) (err error) {
			releases, err = h.authors.Releases(ctx, facts.Repository)
			return err
		},
		func(ctx context.Context) error {
			found, err := each(ctx, addresses, func(ctx context.Context, a registrydata.ProviderAddress) ([]registrydata.ProviderAddress, error) {
				return h.registeredProviders(ctx, q.commit, a)
			})
			in.Registered = slices.Concat(found...)
			return err
		},
		func(ctx context.Context) (err error) { keys, err = h.keysFor(ctx, q.commit, address); return err },
	)
	if err != nil {
		return judgement{}, fmt.Errorf("look at provider %s: %w", address, err)
	}
	in.HasKey, in.ParentRegistered, in.Newcomer = len(keys) > 0, around.parentRegistered, around.newcomer()
	wanted, others := validation.NewestFirst(in.Tags)
	if len(in.Registered) == 0 {
		in.Results, err = h.judgeReleases(ctx, subject{
			address: address, repository: facts.Repository, keys: keys, blacklist: around.blacklist, full: fullyVerified,
		}, first(wanted, mostVersions), releases)
		if err != nil {
			return judgement{}, err
		}
	}
	v := validation.JudgeProvider(in)
	j := judgement{Report: v.Report, already: v.AlreadyRegistered, facts: facts, isMember: around.authorIsMember}
	j.provider = &templates.ProviderCheck{
		Address: address, Repository: facts.Repository,
		Versions: v.Results, OtherTags: len(others), Keys: keyIDs(keys),
	}
	if v.File != nil {
		keepDiscoveredProvider(v.File, around.earlier)
		remember(&v.File.Upkeep, facts)
		j.path = v.Address.Path()
		j.files = map[string][]byte{j.path: v.File.Bytes()}
	}
	return j, nil
}

// registeredProviders are the addresses under which a provider's repository is
// registered: its own, its hashicorp/opentofu twin, an alias.
func (h *Handlers) registeredProviders(ctx context.Context, commit string, a registrydata.ProviderAddress) ([]registrydata.ProviderAddress, error) {
	al, err := h.aliasesAt(ctx, commit)
	if err != nil {
		return nil, err
	}
	ask := []registrydata.ProviderAddress{a}
	var found []registrydata.ProviderAddress
	for _, twin := range al.NamespacesServedBy(al.EffectiveNamespace(a.Namespace)) {
		if twin != a.Namespace {
			ask = append(ask, registrydata.ProviderAddress{Namespace: twin, Name: a.Name})
		}
	}
	there, err := each(ctx, ask, func(ctx context.Context, a registrydata.ProviderAddress) (bool, error) {
		_, ok, err := h.snapshots.File(ctx, commit, a.Path())
		return ok, err
	})
	for i, ok := range there {
		if ok {
			found = append(found, ask[i])
		}
	}
	return found, err
}

// subject is the provider whose releases are judged.
type subject struct {
	address    registrydata.ProviderAddress
	repository registrydata.Repository
	keys       []validation.Key
	blacklist  registrydata.Blacklist
	full       int // how many of the releases, from the first on, are downloaded whole
}

// judgeReleases judges the release of each tag, newest first. A release that is
// not among those listed has none.
func (h *Handlers) judgeReleases(ctx context.Context, s subject, tags []validation.Tag, releases []validation.Release) ([]validation.TagResult, error) {
	byTag := make(map[string]validation.Release, len(releases))
	for _, r := range releases {
		byTag[r.Tag] = r
	}
	full := make(map[string]bool, s.full)
	for _, t := range tags {
		if _, ok := byTag[t.Name]; ok && len(full) < s.full {
			full[t.Name] = true
		}
	}
	return each(ctx, tags, func(ctx context.Context, t validation.Tag) (validation.TagResult, error) {
		rel, ok := byTag[t.Name]
		if !ok {
			return validation.NoRelease(t.Name), nil
		}
		return h.judgeRelease(ctx, s, rel, full[t.Name])
	})
}

// judgeRelease downloads what judges one release and asks the rules.
func (h *Handlers) judgeRelease(ctx context.Context, s subject, rel validation.Release, full bool) (validation.TagResult, error) {
	result, err := h.judgeSmall(ctx, s, &rel)
	if err != nil || !full || !result.Taken {
		return result, err
	}
	return h.judgeWhole(ctx, s, &rel)
}

// judgeSmall judges a release by its small files, which it fills in. What fails
// there need not be downloaded.
func (h *Handlers) judgeSmall(ctx context.Context, s subject, rel *validation.Release) (validation.TagResult, error) {
	if err := h.readRelease(ctx, s.address, rel); err != nil {
		return validation.TagResult{}, fmt.Errorf("read release %s of %s: %w", rel.Tag, s.repository, err)
	}
	return h.judgeReleaseFiles(s, *rel, false), nil
}

// judgeWhole downloads the archives of a release whose small files are read.
func (h *Handlers) judgeWhole(ctx context.Context, s subject, rel *validation.Release) (validation.TagResult, error) {
	zips := validation.ZipsWanted(s.address, *rel)
	facts, err := each(ctx, zips, h.authors.Zip)
	if err != nil {
		return validation.TagResult{}, fmt.Errorf("read release %s of %s: %w", rel.Tag, s.repository, err)
	}
	rel.Zips = make(map[string]validation.ZipFacts, len(zips))
	for i, z := range zips {
		rel.Zips[z.Name] = facts[i]
	}
	return h.judgeReleaseFiles(s, *rel, true), nil
}

func (h *Handlers) judgeReleaseFiles(s subject, rel validation.Release, full bool) validation.TagResult {
	now := h.now().UTC()
	return validation.JudgeRelease(validation.ReleaseInput{
		Provider: s.address, Repository: s.repository, WebURL: h.webURL, Release: rel,
		Keys: s.keys, Blacklist: s.blacklist, Full: full, Discovered: now, Now: now,
	})
}

// readRelease fills in the contents of a release's small files.
func (h *Handlers) readRelease(ctx context.Context, a registrydata.ProviderAddress, rel *validation.Release) error {
	sums, sig, manifest := validation.ReleaseFiles(a, *rel)
	rel.Faults = map[string]string{}
	files := make([][]byte, 3)
	faults := make([]string, 3)
	read := func(i int, asset *validation.Asset, limit int64) func(context.Context) error {
		return func(ctx context.Context) (err error) {
			if asset == nil {
				return nil
			}
			files[i], err = h.authors.File(ctx, *asset, limit)
			return asFault(err, &faults[i])
		}
	}
	err := together(ctx, read(0, sums, checksumsLimit), read(1, sig, signatureLimit), read(2, manifest, manifestLimit))
	if err != nil {
		return err
	}
	for i, asset := range []*validation.Asset{sums, sig, manifest} {
		if faults[i] != "" {
			rel.Faults[asset.Name] = faults[i]
		}
	}
	rel.Checksums, rel.Signature, rel.Manifest = files[0], files[1], files[2]
	return nil
}

// keepDiscoveredProvider keeps the time at which an earlier run first saw a
// version, so that a second run gives the same bytes.
func keepDiscoveredProvider(file *registrydata.Provider, earlier []byte) {
	was, err := registrydata.ParseProvider(earlier)
	if err != nil {
		return
	}
	for i := range file.Versions {
		v := &file.Versions[i]
		if old, ok := was.Version(v.Version); ok && old.Discovered != "" {
			v.Discovered = old.Discovered
		}
	}
}

func first[T any](in []T, n int) []T { return in[:min(n, len(in))] }
