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
	// mostFilled is how many versions one pull request fills in.
	mostFilled = 3
	// fillAgain is the pause before the next few, and before another try while
	// another entity has its turn.
	fillAgain     = 10 * time.Minute
	fillAfterTurn = time.Minute
)

// reconcileBackfill records sizes and hashes of versions that were taken in
// without them, a few at a time and one entity at a time. An archive that does
// not have its recorded checksum any more is told on the alert, and nothing of
// its version is written.
//
// Modules' versions that have no commit stay without: it would be that of today,
// which nobody has seen when the version was taken in.
func (h *Handlers) reconcileBackfill(ctx context.Context, path string) (Result, error) {
	e, ok := registrydata.EntityFromPath(path)
	if !ok || e.Path() != path {
		return Result{}, fmt.Errorf("%w: %q is no data file", ErrMalformedKey, path)
	}
	if e.Kind != registrydata.KindProvider {
		return Result{}, nil
	}
	if !h.backfill.TryLock() {
		return Result{Again: fillAfterTurn}, nil
	}
	defer h.backfill.Unlock()
	b, ok, err := h.observeBackfill(ctx, e)
	if err != nil || !ok {
		return Result{}, err
	}
	result, err := h.fill(ctx, &b)
	if err != nil {
		return Result{}, fmt.Errorf("backfill %s: %w", e, err)
	}
	return result, nil
}

// backfill is what was observed of an entity for which something is not known.
type backfill struct {
	recorded
	tip      *Commit
	pull     *Pull
	check    *CheckRun
	proposed []byte // the file on the open pull request
	base     []byte // the file that it was made from

	filled []string // the versions that are filled in
	left   int      // versions for which something is missing still
}

func (b backfill) open() bool { return b.pull != nil && b.pull.Open }

// lacking are the versions, by their place in the file, of which a size or a
// hash is not known.
func lacking(p *registrydata.Provider) (out []int) {
	for i, v := range p.Versions {
		if slices.ContainsFunc(v.Targets, func(t registrydata.Target) bool { return t.H1 == "" || t.Size == 0 }) {
			out = append(out, i)
		}
	}
	return out
}

func (h *Handlers) observeBackfill(ctx context.Context, e registrydata.Entity) (b backfill, ok bool, err error) {
	if b.recorded, ok, err = h.observeRecorded(ctx, e); err != nil || !ok {
		return b, false, err
	}
	tip, pulls, err := h.ownBranch(ctx, backfillBranches.of(e))
	if err != nil {
		return b, false, err
	}
	b.tip, b.pull = tip, newestPull(pulls)
	if b.tip == nil || !b.open() {
		return b, true, nil
	}
	return b, true, together(ctx,
		func(ctx context.Context) (err error) {
			b.proposed, _, err = h.snapshots.File(ctx, b.tip.SHA, e.Path())
			return err
		},
		func(ctx context.Context) (err error) {
			b.base, _, err = h.snapshots.File(ctx, b.tip.Parent, e.Path())
			return err
		},
		func(ctx context.Context) error {
			c, ok, err := h.checks.Check(ctx, b.tip.SHA, checkName)
			if ok {
				b.check = &c
			}
			return err
		})
}

// fill takes the next step: what was merged is cleared away, what waits is kept
// up to date, and else the next few versions are downloaded.
func (h *Handlers) fill(ctx context.Context, b *backfill) (Result, error) {
	missing := lacking(b.file.Provider)
	switch {
	case !b.open() && b.tip != nil:
		if err := h.branches.DeleteBranch(ctx, backfillBranches.of(b.entity)); err != nil {
			return Result{}, err
		}
		return again(b.pull != nil && b.pull.Merged && len(missing) > 0, fillAgain), nil
	case refusedPull(b.pull):
		return Result{}, nil // a maintainer does not want it
	case len(missing) == 0:
		return Result{}, h.takeBack(ctx, backfillBranches.of(b.entity), b.pull, b.tip)
	}
	if err := h.upToDate(ctx, b.head, b.pull, b.entity.Path()); err != nil {
		return Result{}, err
	}
	if b.open() {
		b.reuse()
	} else {
		conditions, err := h.fillNext(ctx, b, missing)
		if err != nil {
			return Result{}, err
		}
		if err := h.settleAlertAmong(ctx, b.alerts, b.entity, b.repo, templates.AlertArchives, conditions); err != nil {
			return Result{}, err
		}
	}
	b.left = len(lacking(b.file.Provider))
	if len(b.filled) == 0 {
		return Result{}, h.takeBack(ctx, backfillBranches.of(b.entity), b.pull, b.tip)
	}
	return h.proposeBackfill(ctx, b)
}

func again(when bool, after time.Duration) Result {
	if when {
		return Result{Again: after}
	}
	return Result{}
}

// fillNext downloads the archives of the newest versions that lack something.
// Those that differed before come last: they are looked at again when nothing
// else is left.
func (h *Handlers) fillNext(ctx context.Context, b *backfill, missing []int) ([]templates.AlertCondition, error) {
	versions := b.file.Provider.Versions
	alerted := b.alerted(templates.AlertArchives)
	differed := func(i int) bool { return slices.Contains(alerted, tagOf(versions[i])) }
	slices.SortStableFunc(missing, func(x, y int) int {
		switch {
		case differed(x) == differed(y):
			return 0
		case differed(y):
			return -1
		}
		return 1
	})
	chosen := first(missing, mostFilled)
	var conditions []templates.AlertCondition
	for _, i := range missing {
		tag := tagOf(versions[i])
		if !slices.Contains(chosen, i) {
			if differed(i) {
				conditions = append(conditions, templates.AlertCondition{Tag: tag, Unchanged: true})
			}
			continue
		}
		archives, err := each(ctx, versions[i].Targets, func(ctx context.Context, t registrydata.Target) (validation.ArchiveNow, error) {
			zip, err := h.authors.Zip(ctx, validation.Asset{Name: t.Filename, Size: t.Size, URL: t.DownloadURL})
			return validation.ArchiveNow{Target: t, Zip: zip}, err
		})
		if err != nil {
			return nil, err
		}
		if findings := validation.AuditArchives(tag, archives); len(findings) > 0 {
			conditions = append(conditions, templates.AlertCondition{Tag: tag, Findings: findings})
			continue
		}
		for n := range archives {
			t := &versions[i].Targets[n]
			t.H1, t.Size = archives[n].Zip.H1, archives[n].Zip.Size
		}
		b.filled = append(b.filled, versions[i].Version)
	}
	return conditions, nil
}

// reuse takes what the open pull request has found for the file as it is now.
func (b *backfill) reuse() {
	was, err := registrydata.ParseProvider(b.proposed)
	if err != nil {
		return
	}
	known := map[[2]string]registrydata.Target{}
	for _, v := range was.Versions {
		for _, t := range v.Targets {
			known[[2]string{t.DownloadURL, t.Shasum}] = t
		}
	}
	for _, i := range lacking(b.file.Provider) {
		v := &b.file.Provider.Versions[i]
		whole := true
		for n := range v.Targets {
			t := &v.Targets[n]
			k := known[[2]string{t.DownloadURL, t.Shasum}]
			if whole = whole && k.H1 != "" && k.Size != 0; whole {
				t.H1, t.Size = k.H1, k.Size
			}
		}
		if whole {
			b.filled = append(b.filled, v.Version)
		}
	}
}
