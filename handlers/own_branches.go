package handlers

import (
	"context"
	"strings"

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

// takeBack clears away what is left of a proposal when there is nothing to
// propose: its branch after the merge, and a pull request whose reason is gone.
// That says that it was the App, so that no maintainer is taken to have refused.
func (h *Handlers) takeBack(ctx context.Context, branch string, pull *Pull, tip *Commit) error {
	if pull != nil && pull.Open {
		closed, body := "closed", templates.WithdrawnPullBody(pull.Body)
		if err := h.pulls.EditPull(ctx, pull.Number, PullEdit{State: &closed, Body: &body}); err != nil {
			return err
		}
	}
	if tip == nil {
		return nil
	}
	return h.branches.DeleteBranch(ctx, branch)
}
