package handlers

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
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

	blacklist    registrydata.Blacklist
	providerKeys []validation.Key

	content []byte // what the data file should be; nil: nothing to add
	results []validation.TagResult
	failed  []string // versions with failed attempts that are not recorded yet
	// nothingNew: all versions were proposed before.
	nothingNew bool
	findings   []validation.Finding
	keys       []string
	date       time.Time // of the newest release that is added
	proposed   []byte    // the file on the branch, or on the last pull request's head
	base       []byte    // the file that the branch was made from
	now        []byte    // the file on the metadata branch

	facts  validation.RepositoryFacts
	alerts []Issue // the open ones
	// follow tells that the repository is not where it was.
	follow bool

	judged     bool                       // its versions were looked at
	conditions []templates.AlertCondition // what the author has to mend in them
	again      time.Duration              // until the next look; 0: none is wanted
}

// waitFor wants another look after d, or sooner if that was wanted already.
func (r *release) waitFor(d time.Duration) {
	r.again = sooner(r.again, d)
}

// observeRelease reads the data file, the branch that may hold versions
// already, and the repository.
func (h *Handlers) observeRelease(ctx context.Context, head Commit, e registrydata.Entity, repo registrydata.Repository, patient bool) (release, error) {
	r := release{entity: e, repo: repo, head: head}
	var tags []validation.Tag
	err := together(ctx,
		func(ctx context.Context) (err error) {
			r.now, _, err = h.snapshots.File(ctx, head.SHA, e.Path())
			return err
		},
		func(ctx context.Context) (err error) { tags, err = h.authors.Tags(ctx, repo); return err },
		func(ctx context.Context) (err error) { r.facts, err = h.authors.Repository(ctx, repo); return err },
		func(ctx context.Context) (err error) { r.alerts, err = h.threads.AlertIssues(ctx); return err },
		func(ctx context.Context) (err error) { r.blacklist, err = h.blacklist(ctx, head.SHA); return err },
		func(ctx context.Context) (err error) {
			if e.Kind == registrydata.KindProvider {
				r.providerKeys, err = h.keysFor(ctx, head.SHA, e.Provider())
			}
			return err
		},
		func(ctx context.Context) error {
			tip, pulls, err := h.ownBranch(ctx, releaseBranches.of(e))
			r.tip, r.pull = tip, newestPull(pulls)
			return err
		})
	if err != nil {
		return r, err
	}
	if frozen, err := h.frozen(ctx, &r); frozen || err != nil {
		return r, err
	}
	if err := h.observeProposal(ctx, &r); err != nil {
		return r, err
	}
	r.judged = true
	if e.Kind == registrydata.KindModule {
		return r, h.observeModuleRelease(&r, tags)
	}
	return r, h.observeProviderRelease(ctx, &r, tags, patient)
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
func (h *Handlers) observeModuleRelease(r *release, tags []validation.Tag) error {
	file, err := registrydata.ParseModule(r.now)
	if err != nil {
		return fmt.Errorf("%s: %w", r.entity.Path(), err)
	}
	added, findings := validation.ModuleVersions(file, tags, r.blacklist, r.entity.Module(), h.now().UTC())
	r.findings, r.conditions = findings, tagConditions(findings)
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

// tagConditions are what the author of a module has to mend: tags that do not
// mean what was recorded.
func tagConditions(findings []validation.Finding) []templates.AlertCondition {
	var out []templates.AlertCondition
	for _, f := range findings {
		if f.Code == "tag-moved" || f.Code == "tag-same-version" && f.Severity == validation.Warning {
			out = append(out, templates.AlertCondition{Tag: f.Field, Findings: []validation.Finding{f}})
		}
	}
	return out
}
