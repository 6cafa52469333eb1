package handlers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
)

// batchBranch is the branch that holds the new versions of several entries. It
// has no "-", so that it is no entry's.
const batchBranch = "release/batch"

const (
	// batchPause is how long to wait for more of a burst, mostPauses how often.
	batchPause = 2 * time.Second
	mostPauses = 5
	// The bounds of one commit: more waits for the next.
	mostBatched    = 100
	mostBatchBytes = 10 << 20
	// mostRefused is how many batches that maintainers closed are remembered.
	mostRefused = 10
)

// waitingRelease is an entry whose new versions wait on a pull request of their
// own, green, and made from the data file that the metadata branch has.
type waitingRelease struct {
	entity  registrydata.Entity
	pull    Pull
	was, is []byte // its data file
}

// batch is what was observed of the releases that wait.
type batch struct {
	head      Commit
	waiting   []waitingRelease // by the numbers of their pull requests
	overtaken []Key            // entries whose branch is to be made anew, or cleared away
	more      bool             // there are more than one commit takes

	refused []Pull // batches that maintainers closed, the newest of them
	tip     *Commit
	pull    *Pull
	check   *CheckRun
	current bool // the branch holds what waits, on top of the metadata branch
}

func (b batch) open() bool { return b.pull != nil && b.pull.Open }

// reconcileBatch lets in the new versions that wait, by one commit for all. Each
// entry's own pull request is then closed by a look at its repository. One that
// waits alone is merged by its own.
func (h *Handlers) reconcileBatch(ctx context.Context) (Result, error) {
	if h.policy.Releases != templates.MergeBatch {
		return Result{}, nil
	}
	numbers, err := h.afterBurst(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("wait for a batch: %w", err)
	}
	b, err := h.observeBatch(ctx, numbers)
	if err != nil {
		return Result{}, fmt.Errorf("observe the batch: %w", err)
	}
	if len(b.waiting) < 2 {
		if err := h.takeBack(ctx, batchBranch, b.pull, b.tip); err != nil || len(b.waiting) == 0 {
			return Result{Next: b.overtaken}, err
		}
		alone := b.waiting[0]
		return h.mergeBatch(ctx, b, mergeDecision(alone.pull, templates.MergeBatch, nil), alone.pull)
	}
	files := b.files()
	if err := h.upToDate(ctx, b.head, b.pull, slices.Collect(maps.Keys(files))...); err != nil {
		return Result{}, err
	}
	changes, err := h.judgeData(ctx, b.head.SHA, files)
	if err != nil {
		return Result{}, fmt.Errorf("judge the batch: %w", err)
	}
	plan := h.decideBatch(b, changes)
	s := submission{tip: b.tip}
	if b.open() {
		s.pull = b.pull
	}
	if err := h.applyPull(ctx, &s, plan); err != nil {
		return Result{}, fmt.Errorf("pull request of the batch: %w", err)
	}
	if plan.check != nil && plan.check.Conclusion != "success" || plan.check == nil && b.check.Conclusion != "success" {
		return Result{Next: b.overtaken}, nil
	}
	s.pull.HeadSHA = s.tip.SHA
	b.pull, b.tip = s.pull, s.tip
	d := mergeDecision(*s.pull, templates.MergeBatch, nil)
	d.About = b.about()
	return h.mergeBatch(ctx, b, d, *s.pull)
}

// mergeBatch merges the pull request that brings what waits. What GitHub refuses
// is tried again on top of what the metadata branch has then.
func (h *Handlers) mergeBatch(ctx context.Context, b batch, d Decision, pull Pull) (Result, error) {
	err := h.merge(ctx, pull, d)
	if errors.Is(err, forge.ErrNotMergeable) {
		h.log.Warn("pull request cannot be merged now", "pull", pull.Number, "branch", pull.HeadBranch)
		return Result{Next: b.overtaken, Again: refusedPause}, nil
	}
	if err != nil {
		return Result{}, err
	}
	if pull.HeadBranch == batchBranch {
		if err := h.branches.DeleteBranch(ctx, batchBranch); err != nil {
			return Result{}, err
		}
	}
	next := append([]Key{PublishKey}, b.overtaken...)
	for _, w := range b.waiting {
		next = append(next, RepositoryKey(repositoryOf(w.entity)))
	}
	if b.more {
		next = append(next, BatchKey)
	}
	return Result{Next: next}, nil
}

// afterBurst lists the open pull requests when no more of them come, or after a
// few looks.
func (h *Handlers) afterBurst(ctx context.Context) ([]int, error) {
	numbers, err := h.pulls.OpenPulls(ctx)
	for range mostPauses {
		if err != nil || len(numbers) == 0 {
			break
		}
		if err := h.pause(ctx, batchPause); err != nil {
			return nil, err
		}
		before := numbers
		if numbers, err = h.pulls.OpenPulls(ctx); slices.Equal(numbers, before) {
			break
		}
	}
	return numbers, err
}

// observeBatch reads what waits, and what is left of the last batch.
func (h *Handlers) observeBatch(ctx context.Context, numbers []int) (b batch, err error) {
	if b.head, err = h.snapshots.Head(ctx); err != nil {
		return b, err
	}
	tip, pulls, err := h.ownBranch(ctx, batchBranch)
	if err != nil {
		return b, err
	}
	b.tip, b.pull = tip, newestPull(pulls)
	b.refused = first(slices.DeleteFunc(slices.Clone(pulls), func(p Pull) bool { return !refusedPull(&p) }), mostRefused)
	found, err := each(ctx, numbers, func(ctx context.Context, n int) (foundRelease, error) { return h.findRelease(ctx, b, n) })
	if err != nil {
		return b, err
	}
	b.choose(found)
	return b, h.observeBatchBranch(ctx, &b)
}

// choose takes what fits into one commit.
func (b *batch) choose(found []foundRelease) {
	slices.SortFunc(found, func(x, y foundRelease) int { return x.pull.Number - y.pull.Number })
	size := 0
	for _, f := range found {
		switch {
		case f.overtaken:
			b.overtaken = append(b.overtaken, RepositoryKey(repositoryOf(f.entity)))
		case !f.waits:
		case len(b.waiting) == mostBatched || len(b.waiting) > 0 && size+len(f.is) > mostBatchBytes:
			b.more = true
		default:
			size += len(f.is)
			b.waiting = append(b.waiting, f.waitingRelease)
		}
	}
}

// observeBatchBranch tells whether the branch is what it should be.
func (h *Handlers) observeBatchBranch(ctx context.Context, b *batch) error {
	if b.tip == nil || b.tip.Parent != b.head.SHA {
		return nil
	}
	changes, err := h.snapshots.Changes(ctx, b.head.SHA, b.tip.SHA)
	if err != nil {
		return err
	}
	files := b.files()
	if len(changes) != len(files) {
		return nil
	}
	for _, c := range changes {
		is, _, err := h.snapshots.File(ctx, b.tip.SHA, c.Path)
		if err != nil {
			return err
		}
		if want, ok := files[c.Path]; !ok || string(want) != string(is) {
			return nil
		}
	}
	b.current = true
	c, ok, err := h.checks.Check(ctx, b.tip.SHA, checkName)
	if ok {
		b.check = &c
	}
	return err
}

// foundRelease is an open pull request that may be one of those that wait.
type foundRelease struct {
	waitingRelease
	waits, overtaken bool
}

// findRelease looks whether a pull request is the App's own, of an entry's new
// versions, and green. Versions that a maintainer refused by closing a batch
// wait for a maintainer.
func (h *Handlers) findRelease(ctx context.Context, b batch, number int) (f foundRelease, err error) {
	if f.pull, err = h.pulls.Pull(ctx, number); err != nil {
		return f, err
	}
	e, ok := releaseBranches.entity(f.pull.HeadBranch)
	if !ok || !f.pull.Open || !f.pull.Own || f.pull.FromFork || f.pull.BaseBranch != h.branch {
		return f, nil
	}
	f.entity = e
	tip, ok, err := h.branches.Branch(ctx, f.pull.HeadBranch)
	if err != nil || !ok || tip.SHA != f.pull.HeadSHA {
		return f, err
	}
	var check CheckRun
	var base []byte
	read := func(into *[]byte, commit string) func(context.Context) error {
		return func(ctx context.Context) (err error) {
			*into, _, err = h.snapshots.File(ctx, commit, e.Path())
			return err
		}
	}
	err = together(ctx, read(&base, tip.Parent), read(&f.was, b.head.SHA), read(&f.is, tip.SHA),
		func(ctx context.Context) (err error) {
			check, _, err = h.checks.Check(ctx, tip.SHA, checkName)
			return err
		})
	if err != nil {
		return f, err
	}
	f.overtaken = string(base) != string(f.was)
	if f.overtaken || check.Conclusion != "success" || f.is == nil {
		return f, nil
	}
	refused, err := h.refusedInBatch(ctx, b, e.Path(), f.is)
	f.waits = !refused
	return f, err
}

// refusedInBatch tells whether this was part of a batch that a maintainer closed.
func (h *Handlers) refusedInBatch(ctx context.Context, b batch, path string, content []byte) (bool, error) {
	for _, p := range b.refused {
		closed, _, err := h.snapshots.File(ctx, p.HeadSHA, path)
		if err != nil || string(closed) == string(content) {
			return err == nil, err
		}
	}
	return false, nil
}
