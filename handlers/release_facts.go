package handlers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// release is what was observed about a registered entity and its repository.
type release struct {
	entity registrydata.Entity
	repo   registrydata.Repository
	head   Commit
	tip    *Commit
	pull   *Pull
	check  *CheckRun

	content  []byte // what the data file should be; nil: nothing to add
	results  []validation.TagResult
	findings []validation.Finding
	keys     []string
	date     time.Time // of the newest release that is added
	proposed []byte    // the file on the branch, or on the last pull request's head
	base     []byte    // the file that the branch was made from
	now      []byte    // the file on the metadata branch

	facts  validation.RepositoryFacts
	alerts []Issue // all that are open
	// follow tells that the repository is not where it was.
	follow bool
}

// observeRelease reads the data file, the branch that may hold versions
// already, and the repository.
func (h *Handlers) observeRelease(ctx context.Context, head Commit, e registrydata.Entity, repo registrydata.Repository) (release, error) {
	r := release{entity: e, repo: repo, head: head}
	branch := releaseBranch(e)
	var pulls []Pull
	var tags []validation.Tag
	err := together(ctx,
		func(ctx context.Context) (err error) {
			r.now, _, err = h.snapshots.File(ctx, head.SHA, e.Path())
			return err
		},
		func(ctx context.Context) (err error) { pulls, err = h.pulls.PullsByBranch(ctx, branch); return err },
		func(ctx context.Context) (err error) { tags, err = h.authors.Tags(ctx, repo); return err },
		func(ctx context.Context) (err error) { r.facts, err = h.authors.Repository(ctx, repo); return err },
		func(ctx context.Context) (err error) { r.alerts, err = h.threads.AlertIssues(ctx); return err },
		func(ctx context.Context) error {
			tip, ok, err := h.branches.Branch(ctx, branch)
			if ok {
				r.tip = &tip
			}
			return err
		})
	if err != nil {
		return r, err
	}
	if len(pulls) > 0 {
		r.pull = &pulls[0]
	}
	if frozen, err := h.frozen(ctx, &r); frozen || err != nil {
		return r, err
	}
	if err := h.observeProposal(ctx, &r); err != nil {
		return r, err
	}
	if e.Kind == registrydata.KindModule {
		return r, h.observeModuleRelease(ctx, &r, tags)
	}
	return r, h.observeProviderRelease(ctx, &r, tags)
}

// observeProposal reads what was proposed before: versions on an open pull
// request need not be downloaded again, and those that a maintainer refused by
// closing it are not proposed again.
func (h *Handlers) observeProposal(ctx context.Context, r *release) error {
	if r.pull == nil || r.pull.Merged {
		return nil
	}
	head, base := r.pull.HeadSHA, r.pull.BaseSHA
	if r.tip != nil && r.pull.Open {
		head, base = r.tip.SHA, r.tip.Parent
	}
	return together(ctx,
		func(ctx context.Context) (err error) {
			r.proposed, _, err = h.snapshots.File(ctx, head, r.entity.Path())
			return err
		},
		func(ctx context.Context) (err error) {
			r.base, _, err = h.snapshots.File(ctx, base, r.entity.Path())
			return err
		},
		func(ctx context.Context) error {
			c, ok, err := h.checks.Check(ctx, head, checkName)
			if ok {
				r.check = &c
			}
			return err
		})
}

// observeModuleRelease adds the tags that are new versions.
func (h *Handlers) observeModuleRelease(ctx context.Context, r *release, tags []validation.Tag) error {
	file, err := registrydata.ParseModule(r.now)
	if err != nil {
		return fmt.Errorf("%s: %w", r.entity.Path(), err)
	}
	list, err := h.blacklist(ctx, r.head.SHA)
	if err != nil {
		return err
	}
	added, findings := validation.ModuleVersions(file, tags, list, r.entity.Module(), h.now().UTC())
	r.findings = findings
	for _, v := range added {
		if err := file.Add(v); err != nil {
			return fmt.Errorf("add %s: %w", v.Version, err)
		}
		r.results = append(r.results, validation.TagResult{Tag: v.Version, Version: strings.TrimPrefix(v.Version, "v"), Taken: true, Verified: true})
	}
	if len(added) > 0 {
		keepDiscoveredModule(file, r.proposed)
		remember(&file.Upkeep, r.facts)
		r.content, r.date = file.Bytes(), h.now()
	}
	return nil
}

// observeProviderRelease downloads and judges the releases that are not
// recorded. One that fails is left out, and does not hold up the others.
func (h *Handlers) observeProviderRelease(ctx context.Context, r *release, tags []validation.Tag) error {
	file, err := registrydata.ParseProvider(r.now)
	if err != nil {
		return fmt.Errorf("%s: %w", r.entity.Path(), err)
	}
	a := r.entity.Provider()
	keys, err := h.keysFor(ctx, r.head.SHA, a)
	if err != nil {
		return err
	}
	list, err := h.blacklist(ctx, r.head.SHA)
	if err != nil {
		return err
	}
	r.keys = keyIDs(keys)
	s := subject{address: a, repository: r.repo, keys: keys, blacklist: list}
	if r.results, err = h.judgeNew(ctx, s, file, r.proposed, tags); err != nil {
		return err
	}
	for _, result := range r.results {
		if !result.Taken {
			h.log.Warn("release not published", "provider", a, "tag", result.Tag, "findings", result.Findings)
			continue
		}
		if err := file.Add(result.Data); err != nil {
			return fmt.Errorf("add %s: %w", result.Version, err)
		}
		remember(&file.Upkeep, r.facts)
		r.content, r.date = file.Bytes(), h.now()
	}
	return nil
}

// judgeNew judges every release of a version that the file does not have. A
// version that an open pull request proposes already was downloaded then.
func (h *Handlers) judgeNew(ctx context.Context, s subject, file *registrydata.Provider, proposed []byte, tags []validation.Tag) ([]validation.TagResult, error) {
	versions, _ := validation.NewestFirst(tags)
	waiting, _ := registrydata.ParseProvider(proposed)
	var fresh []validation.Tag
	var results []validation.TagResult
	for _, t := range first(versions, mostVersions) {
		key, _ := registrydata.VersionKey(t.Name)
		if _, recorded := file.Version(key); recorded {
			continue
		}
		if waiting != nil {
			if v, ok := waiting.Version(key); ok {
				results = append(results, validation.TagResult{Tag: t.Name, Version: key, Taken: true, Verified: true, Data: *v})
				continue
			}
		}
		fresh = append(fresh, t)
	}
	judged, err := each(ctx, fresh, func(ctx context.Context, t validation.Tag) (validation.TagResult, error) {
		rel, ok, err := h.authors.Release(ctx, s.repository, t.Name)
		if err != nil || !ok {
			return validation.NoRelease(t.Name), err
		}
		return h.judgeRelease(ctx, s, rel, true)
	})
	return append(results, judged...), err
}
