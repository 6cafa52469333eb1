package handlers

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
)

// entityBranches are the App's own branches of one purpose, one for each entity:
// release/provider-acme/demo. Namespaces hold no slash, so that no two entities
// share one.
type entityBranches string

const (
	releaseBranches  entityBranches = "release"  // new versions
	warningBranches  entityBranches = "warning"  // what follows from a move
	backfillBranches entityBranches = "backfill" // sizes and hashes
)

// of is the branch of an entity.
func (b entityBranches) of(e registrydata.Entity) string {
	return string(b) + "/" + e.Kind.String() + "-" + e.String()
}

// entity is the entity of such a branch.
func (b entityBranches) entity(branch string) (registrydata.Entity, bool) {
	rest, ok := strings.CutPrefix(branch, string(b)+"/")
	kind, address, found := strings.Cut(rest, "-")
	if !ok || !found {
		return registrydata.Entity{}, false
	}
	return entityNamed(kind, address)
}

// branchEntity is the entity that one of the App's own branches is about.
func branchEntity(branch string) (e registrydata.Entity, of entityBranches, ok bool) {
	for _, b := range []entityBranches{releaseBranches, warningBranches, backfillBranches} {
		if e, ok := b.entity(branch); ok {
			return e, b, true
		}
	}
	return registrydata.Entity{}, "", false
}

// branchKey is what makes one of the App's own branches anew, or clears it away.
func branchKey(branch string) (Key, bool) {
	if issue, ok := submissionIssue(branch); ok {
		return IssueKey(issue), true
	}
	e, of, ok := branchEntity(branch)
	if !ok {
		return "", false
	}
	switch of {
	case releaseBranches:
		return RepositoryKey(repositoryOf(e)), true
	case warningBranches:
		return MovedKey(repositoryOf(e)), true
	}
	return BackfillKey(e), true
}

// ownBranch is one of the App's own branches: its tip, nil where there is none,
// and its pull requests, newest first.
func (h *Handlers) ownBranch(ctx context.Context, name string) (tip *Commit, pulls []Pull, err error) {
	err = together(ctx,
		func(ctx context.Context) (err error) { pulls, err = h.pulls.PullsByBranch(ctx, name); return err },
		func(ctx context.Context) error {
			at, ok, err := h.branches.Branch(ctx, name)
			if ok {
				tip = &at
			}
			return err
		})
	return tip, pulls, err
}

// newestPull is the first of the pull requests; nil where there is none.
func newestPull(pulls []Pull) *Pull {
	if len(pulls) == 0 {
		return nil
	}
	return &pulls[0]
}

// refusedPull tells whether a maintainer closed a pull request, and not the App.
func refusedPull(p *Pull) bool {
	return p != nil && !p.Open && !p.Merged && !templates.PullWithdrawn(p.Body)
}

// errOvertaken: the metadata branch went on after a run had read it, by a merge
// of which the run knows from elsewhere. It is to be made anew.
var errOvertaken = errors.New("the metadata branch went on while it was looked at")

// upToDate fails with errOvertaken where the pull request before this proposal
// was merged a moment ago, and the files were read as they were before: else
// they would be proposed once more.
func (h *Handlers) upToDate(ctx context.Context, head Commit, pull *Pull, paths ...string) error {
	if pull == nil || !pull.Merged || h.now().Sub(pull.Updated) > forge.ReadsLag {
		return nil
	}
	now, err := h.snapshots.Head(ctx)
	if err != nil || now.SHA == head.SHA {
		return err
	}
	for _, path := range paths {
		changed, err := h.changedBetween(ctx, path, head.SHA, now.SHA)
		if err != nil {
			return err
		}
		if changed {
			return errOvertaken
		}
	}
	return nil
}

// proposalSettles is how old a proposal is before it is taken back because its
// reason is not seen any more: the read that does not show it may be from before
// the one that did.
const proposalSettles = 10 * time.Second

// takeBackSettled is takeBack for a proposal whose reason may only seem to be
// gone.
func (h *Handlers) takeBackSettled(ctx context.Context, branch string, pull *Pull, tip *Commit) (Result, error) {
	if tip != nil && (pull == nil || !pull.Merged || pull.HeadSHA != tip.SHA) {
		if wait := proposalSettles - h.now().Sub(tip.Date); wait > 0 {
			return Result{Again: min(wait, proposalSettles)}, nil // another machine's clock may be ahead
		}
	}
	return Result{}, h.takeBack(ctx, branch, pull, tip)
}

// takeBack clears away what is left of a proposal when there is nothing to
// propose: its branch after the merge, and a pull request whose reason is gone.
// That says that it was the App, so that no maintainer is taken to have refused.
func (h *Handlers) takeBack(ctx context.Context, branch string, pull *Pull, tip *Commit) error {
	if pull != nil && pull.Open {
		// The list of pull requests may be from before the merge.
		now, err := h.pulls.Pull(ctx, pull.Number)
		if err != nil {
			return err
		}
		if now.Open {
			closed, body := "closed", templates.WithdrawnPullBody(now.Body)
			if err := h.pulls.EditPull(ctx, pull.Number, PullEdit{State: &closed, Body: &body}); err != nil {
				return err
			}
		}
	}
	if tip == nil {
		return nil
	}
	return h.branches.DeleteBranch(ctx, branch)
}
