package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

const (
	// auditNewest and auditInTurn are how many versions one audit looks at: the
	// newest, and others that take turns from one audit to the next. Those that
	// differed before are looked at each time.
	auditNewest = 2
	auditInTurn = 8
	// auditArchives is of how many archives one audit asks whether they are there.
	auditArchives = 120
	// auditEvery is how often an entity is audited by itself, if the options do
	// not say.
	auditEvery = 30 * 24 * time.Hour
)

// reconcileAudit compares what is recorded of an entity with what its author
// publishes now. What differs is told on the alert and in the figures; nothing
// that is recorded is ever changed by it.
func (h *Handlers) reconcileAudit(ctx context.Context, rest string) (Result, error) {
	path, tag, _ := strings.Cut(rest, " ")
	e, ok := registrydata.EntityFromPath(path)
	if !ok || e.Path() != path {
		return Result{}, fmt.Errorf("%w: %q is no data file", ErrMalformedKey, path)
	}
	a, ok, err := h.observeRecorded(ctx, e)
	if err != nil || !ok {
		return Result{}, err
	}
	if len(a.tags) == 0 {
		// The repository is not there, for strangers at least: that is another story.
		return Result{Next: []Key{MovedKey(a.repo)}}, nil
	}
	if e.Kind == registrydata.KindModule {
		return Result{}, h.auditModule(ctx, a)
	}
	conditions, err := h.auditProvider(ctx, a, tag)
	if err != nil {
		return Result{}, fmt.Errorf("audit %s %s: %w", e.Kind, e, err)
	}
	h.differences(path, len(conditions))
	return Result{}, h.settleAlertAmong(ctx, a.alerts, e, a.repo, templates.AlertRecorded, conditions)
}

// recorded is what was observed for an audit or a backfill.
type recorded struct {
	entity registrydata.Entity
	repo   registrydata.Repository
	head   Commit
	file   registrydata.DataFile
	now    []byte // the data file
	tags   []validation.Tag
	alerts []Issue
}

// observeRecorded reads an entity's data file and its repository's tags, without
// the API's quota; false where the entity is not registered.
func (h *Handlers) observeRecorded(ctx context.Context, e registrydata.Entity) (r recorded, ok bool, err error) {
	r.entity = e
	if r.head, err = h.snapshots.Head(ctx); err != nil {
		return r, false, err
	}
	if r.now, ok, err = h.snapshots.File(ctx, r.head.SHA, e.Path()); err != nil || !ok {
		return r, false, err
	}
	if r.file, err = followedFile(e, r.now); err != nil {
		return r, false, fmt.Errorf("%s: %w", e.Path(), err)
	}
	al, err := h.aliasesAt(ctx, r.head.SHA)
	if err != nil {
		return r, false, err
	}
	r.repo = e.Repository(al)
	err = together(ctx,
		func(ctx context.Context) (err error) { r.tags, err = h.authors.Tags(ctx, r.repo); return err },
		func(ctx context.Context) (err error) { r.alerts, err = h.threads.AlertIssues(ctx); return err },
	)
	return r, true, err
}

// alerted are the tags of which the entity's alert tells something that a source
// has found.
func (r recorded) alerted(source templates.AlertSource) []string {
	marker := templates.AlertMarker(kindOf(r.entity), r.entity.String())
	for _, issue := range r.alerts {
		if templates.HasMarker(issue.Body, marker) {
			return templates.AlertedTags(issue.Body, source)
		}
	}
	return nil
}

// auditModule looks for tags that are gone or point elsewhere. The latter is
// what a look at the repository finds too, and told in its place.
func (h *Handlers) auditModule(ctx context.Context, a recorded) error {
	_, findings := validation.ModuleVersions(a.file.Module, a.tags, registrydata.Blacklist{}, a.entity.Module(), h.now().UTC())
	moved := tagConditions(findings)
	var gone []templates.AlertCondition
	for _, f := range validation.AuditTags(a.file.Module, a.tags) {
		gone = append(gone, templates.AlertCondition{Tag: f.Field, Findings: []validation.Finding{f}})
	}
	h.differences(a.entity.Path(), len(moved)+len(gone))
	if err := h.settleAlertAmong(ctx, a.alerts, a.entity, a.repo, templates.AlertTags, moved); err != nil {
		return err
	}
	return h.settleAlertAmong(ctx, a.alerts, a.entity, a.repo, templates.AlertRecorded, gone)
}

// auditProvider compares the releases whose turn it is; if a tag is named, that
// one alone, beside those that differed before.
func (h *Handlers) auditProvider(ctx context.Context, a recorded, tag string) ([]templates.AlertCondition, error) {
	versions := a.file.Provider.Versions
	chosen := auditTurn(versions, a.alerted(templates.AlertRecorded), tag, int(h.now().UnixNano()/int64(h.auditEvery)))
	archives := auditArchives
	asked := make([]int, len(chosen)) // how many archives of each are asked for
	for i, v := range chosen {
		asked[i] = min(len(versions[v].Targets), archives)
		archives -= asked[i]
	}
	order := make([]int, len(chosen))
	for i := range order {
		order[i] = i
	}
	all, err := each(ctx, order, func(ctx context.Context, i int) (templates.AlertCondition, error) {
		v := versions[chosen[i]]
		now := validation.RecordedNow{Version: v, Tag: tagOf(v)}
		var err error
		now.Checksums, err = h.authors.FileAgain(ctx, v.ShasumsURL, checksumsLimit)
		if err = asFault(err, &now.Fault); err != nil {
			return templates.AlertCondition{}, err
		}
		for _, t := range first(v.Targets, asked[i]) {
			there, err := h.authors.There(ctx, t.DownloadURL)
			var fault *forge.Fault
			if err != nil && !errors.As(err, &fault) {
				return templates.AlertCondition{}, err
			}
			if !there {
				now.Missing = append(now.Missing, t.Filename)
			}
		}
		return templates.AlertCondition{Tag: now.Tag, Findings: validation.AuditVersion(now)}, nil
	})
	return slices.DeleteFunc(all, func(c templates.AlertCondition) bool { return len(c.Findings) == 0 }), err
}

// auditTurn chooses versions by their place in the file: the tag that is named,
// or the newest and those whose turn it is in this round; and those that are
// alerted.
func auditTurn(versions []registrydata.ProviderVersion, alerted []string, tag string, round int) []int {
	var out []int
	turn := map[int]bool{}
	if n := len(versions); tag == "" && n > 0 {
		for i := range min(auditInTurn, n) {
			turn[(round%n*auditInTurn+i)%n] = true
		}
	}
	for i, v := range versions {
		t := tagOf(v)
		if t == tag || slices.Contains(alerted, t) || tag == "" && (i < auditNewest || turn[i]) {
			out = append(out, i)
		}
	}
	return out
}
