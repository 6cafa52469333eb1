package handlers

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

const (
	// mostAsked is how many releases are asked for one by one; for more of them
	// the list is read.
	mostAsked = 5
	// mostRetried is how many of the versions that failed before are judged again
	// when something happened in the repository: the newest.
	mostRetried = 20
	// mostFailed ends a run that finds nothing but failures. The next one goes on
	// behind them, because they are noted.
	mostFailed = 100
	// goOnAfter is when that next run is due.
	goOnAfter = time.Minute
)

// candidates are a provider's version tags that are not recorded, newest first,
// by what is to be done about them.
type candidates struct {
	proposed  []validation.TagResult // on the open pull request: judged when they came there
	judge     []validation.Tag       // to be judged now
	postponed []validation.Tag       // they failed, and wait for their next try
}

// recordedProvider is a data file as it is, and what is known beside it.
type recordedProvider struct {
	file      *registrydata.Provider
	proposed  *registrydata.Provider // nil where nothing was proposed
	attempts  validation.Attempts    // noted in either
	blacklist registrydata.Blacklist
	// patient: versions that failed wait for their next try.
	patient bool
}

// candidates sorts the tags. What the maintainers have barred and what the file
// does not want is none of them.
func (p recordedProvider) candidates(a registrydata.ProviderAddress, tags []validation.Tag, now time.Time) candidates {
	var c candidates
	versions, _ := validation.NewestFirst(tags)
	retried := 0
	for _, t := range first(versions, mostVersions) {
		version, _ := registrydata.VersionKey(t.Name)
		if _, recorded := p.file.Version(version); recorded || !validation.Wanted(p.file.Upkeep, version) {
			continue
		}
		if _, barred := p.blacklist.Provider(a, version); barred {
			continue
		}
		if p.proposed != nil {
			if v, ok := p.proposed.Version(version); ok {
				c.proposed = append(c.proposed, validation.TagResult{Tag: t.Name, Version: version, Taken: true, Verified: true, Data: *v})
				continue
			}
		}
		failed := len(p.attempts.Of(version)) > 0
		if failed && (p.patient && now.Before(p.attempts.NextTry(version)) || retried == mostRetried) {
			c.postponed = append(c.postponed, t)
			continue
		}
		if failed {
			retried++
		}
		c.judge = append(c.judge, t)
	}
	return c
}

// judged is the verdict on one tag.
type judged struct {
	validation.TagResult
	released  bool          // the tag has a release
	wait      time.Duration // > 0: it may still be uploaded
	published time.Time
	author    string
}

// judgeTags judges the releases of the tags, newest first, some at a time. more
// is true where it ended early because too many failed.
func (h *Handlers) judgeTags(ctx context.Context, s subject, tags []validation.Tag) (all []judged, more bool, err error) {
	find, err := h.releaseFinder(ctx, s.repository, len(tags))
	if err != nil {
		return nil, false, err
	}
	failed := 0
	for some := range slices.Chunk(tags, parallelism) {
		if failed >= mostFailed {
			return all, true, nil
		}
		verdicts, err := each(ctx, some, func(ctx context.Context, t validation.Tag) (judged, error) {
			rel, ok, err := find(ctx, t.Name)
			if err != nil || !ok {
				return judged{TagResult: validation.NoRelease(t.Name)}, err
			}
			return h.judgeSettled(ctx, s, rel)
		})
		if err != nil {
			return nil, false, err
		}
		for _, v := range verdicts {
			if v.released && v.wait == 0 && !v.Taken {
				failed++
			}
		}
		all = append(all, verdicts...)
	}
	return all, false, nil
}

// releaseFinder finds the releases of n tags: each by a request, or for many
// all by the list of releases.
func (h *Handlers) releaseFinder(ctx context.Context, repo registrydata.Repository, n int) (func(context.Context, string) (validation.Release, bool, error), error) {
	if n <= mostAsked {
		return func(ctx context.Context, tag string) (validation.Release, bool, error) {
			return h.authors.Release(ctx, repo, tag)
		}, nil
	}
	list, err := h.authors.Releases(ctx, repo)
	if err != nil {
		return nil, err
	}
	byTag := make(map[string]validation.Release, len(list))
	for _, r := range list {
		byTag[r.Tag] = r
	}
	return func(_ context.Context, tag string) (validation.Release, bool, error) {
		r, ok := byTag[tag]
		return r, ok, nil
	}, nil
}

// judgeSettled judges a release, unless files of it are missing and it may still
// be uploaded.
func (h *Handlers) judgeSettled(ctx context.Context, s subject, rel validation.Release) (judged, error) {
	v := judged{released: true, published: rel.Published, author: rel.Author}
	unfinished := func() bool {
		if !v.Unfinished() {
			return false
		}
		wait, settling := validation.Settling(rel.Published, h.now())
		v.wait = wait
		return settling
	}
	var err error
	if v.TagResult, err = h.judgeSmall(ctx, s, &rel); err != nil || unfinished() || !v.Taken {
		return v, err
	}
	if v.TagResult, err = h.judgeWhole(ctx, s, &rel); err == nil {
		unfinished()
	}
	return v, err
}

// observeProviderRelease downloads and judges the releases that are not
// recorded. One that fails is left out, and does not hold up the others.
func (h *Handlers) observeProviderRelease(ctx context.Context, r *release, tags []validation.Tag, patient bool) error {
	file, err := registrydata.ParseProvider(r.now)
	if err != nil {
		return fmt.Errorf("%s: %w", r.entity.Path(), err)
	}
	p := recordedProvider{file: file, attempts: file.VersionsErrors, blacklist: r.blacklist, patient: patient}
	if proposed, err := registrydata.ParseProvider(r.proposed); err == nil {
		p.proposed, p.attempts = proposed, p.attempts.With(proposed.VersionsErrors)
	}
	a, now := r.entity.Provider(), h.now().UTC()
	c := p.candidates(a, tags, now)
	verdicts, more, err := h.judgeTags(ctx, subject{address: a, repository: r.repo, keys: r.providerKeys, blacklist: r.blacklist}, c.judge)
	if err != nil {
		return err
	}
	r.keys = keyIDs(r.providerKeys)
	r.results = c.proposed
	r.conditions = h.releaseConditions(file, tags, c, verdicts, r.keys)
	attempts, gone := p.attempts, map[string]bool{}
	for _, v := range verdicts {
		switch {
		case !v.released:
			gone[v.Version] = true
		case v.wait > 0:
			r.waitFor(v.wait)
			h.log.Info("release is still being uploaded", "provider", a, "tag", v.Tag, "again", v.wait)
		case !v.Taken:
			h.log.Warn("release not published", "provider", a, "tag", v.Tag, "findings", v.Findings)
			attempts = attempts.Fail(v.Version, validation.FailureMessage(v.Findings), now)
		default:
			r.results = append(r.results, v.TagResult)
		}
	}
	r.nothingNew = len(r.results) > 0 && len(r.results) == len(c.proposed)
	for _, result := range r.results {
		if err := file.Add(result.Data); err != nil {
			return fmt.Errorf("add %s: %w", result.Version, err)
		}
	}
	attempts = attempts.Keep(stillMissing(file, tags, gone))
	h.noteAttempts(r, file, attempts)
	if more {
		r.waitFor(goOnAfter)
	}
	return nil
}

// stillMissing are the versions that have a tag and, as far as is known, a
// release, and that are not recorded.
func stillMissing(file *registrydata.Provider, tags []validation.Tag, gone map[string]bool) func(string) bool {
	tagged := map[string]bool{}
	for _, t := range tags {
		if version, ok := registrydata.VersionKey(t.Name); ok {
			tagged[lower(version)] = !gone[version]
		}
	}
	return func(version string) bool {
		_, recorded := file.Version(version)
		return tagged[lower(version)] && !recorded && validation.Wanted(file.Upkeep, version)
	}
}

// noteAttempts decides whether the attempts go into the file. Where a person
// merges, they come along with versions: nobody is to be asked to merge that
// something failed.
func (h *Handlers) noteAttempts(r *release, file *registrydata.Provider, attempts validation.Attempts) {
	was := validation.Attempts(file.VersionsErrors)
	changed := !attempts.Same(was)
	if len(r.results) == 0 && (!changed || h.policy.upkeep() != templates.MergeAutomatic) {
		return
	}
	for _, version := range attempts.Versions() {
		if !attempts.Of(version).Same(was.Of(version)) {
			r.failed = append(r.failed, version)
		}
	}
	if changed {
		file.VersionsErrors = attempts
	}
	remember(&file.Upkeep, r.facts)
	r.content, r.date = file.Bytes(), h.now()
	if again := attempts.Again(h.now()); again > 0 {
		r.waitFor(again)
	}
}

// releaseConditions are what the author has to mend: the releases that failed,
// newest first, and those that were not looked at.
func (h *Handlers) releaseConditions(file *registrydata.Provider, tags []validation.Tag, c candidates, verdicts []judged, keys []string) []templates.AlertCondition {
	failed := map[string]judged{}
	for _, v := range verdicts {
		if v.released && v.wait == 0 && !v.Taken && validation.WorthTelling(file, v.Version, v.published) {
			failed[v.Tag] = v
		}
	}
	var out []templates.AlertCondition
	versions, _ := validation.NewestFirst(tags)
	for _, t := range versions {
		if v, ok := failed[t.Name]; ok {
			out = append(out, templates.AlertCondition{
				Tag: t.Name, Findings: v.Findings, Signature: v.Signature, Issuers: v.Issuers, Keys: keys, Author: v.author,
			})
		} else if slices.Contains(c.postponed, t) {
			out = append(out, templates.AlertCondition{Tag: t.Name, Unchanged: true})
		}
	}
	return out
}
