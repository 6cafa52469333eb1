package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// newPull is the request of POST pulls.
type newPull struct {
	Title     string `json:"title"`
	Body      string `json:"body"`
	Head      string `json:"head"`
	Base      string `json:"base"`
	Draft     bool   `json:"draft"`
	CanModify *bool  `json:"maintainer_can_modify"`
}

// createPull opens a pull request. Call with refsMu and the lock held.
func (s *Server) createPull(by *actor, r *repository, in newPull) (*issue, error) {
	head, branch, err := s.pullHead(by, r, in)
	if err != nil {
		return nil, err
	}
	if err := checkText("PullRequest", in.Title, in.Body); err != nil {
		return nil, err
	}
	base, found := r.git.ref("refs/heads/" + in.Base)
	if !found {
		return nil, invalidField("PullRequest", "base")
	}
	tip, found := head.git.ref("refs/heads/" + branch)
	if !found {
		return nil, invalidField("PullRequest", "head")
	}
	if open := r.openPull(head, branch, in.Base); open != nil {
		return nil, customError("PullRequest", "A pull request already exists for "+head.owner.login+":"+branch+".")
	}
	if err := copyHistory(head.git, r.git, tip); err != nil {
		return nil, err
	}
	d, err := r.git.compare(base, tip)
	if err != nil {
		return nil, err
	}
	if len(d.ahead) == 0 {
		return nil, customError("PullRequest", "No commits between "+in.Base+" and "+branch)
	}
	return s.openNewPull(by, r, in, &pull{id: s.nextID(), headRepo: head, headOwner: head.owner, headRef: branch,
		headSHA: tip.String(), baseRef: in.Base, baseSHA: base.String(), draft: in.Draft,
		canModify: head != r && (in.CanModify == nil || *in.CanModify)})
}

func (s *Server) openNewPull(by *actor, r *repository, in newPull, p *pull) (*issue, error) {
	i := s.addIssue(by, r, in.Title, in.Body)
	i.pull = p
	if err := s.refreshPull(i); err != nil {
		return nil, err
	}
	s.emitPull(by, i, "opened", nil)
	return i, nil
}

// pullHead reads "branch" or "owner:branch" and judges whether the actor may
// open a pull request from there.
func (s *Server) pullHead(by *actor, r *repository, in newPull) (*repository, string, error) {
	owner, branch, cross := strings.Cut(in.Head, ":")
	if !cross {
		owner, branch = r.owner.login, in.Head
	}
	switch {
	case in.Head == "" || branch == "":
		return nil, "", missingField("PullRequest", "head")
	case in.Base == "":
		return nil, "", missingField("PullRequest", "base")
	}
	head := s.inNetwork(r, owner)
	if head == nil || !s.canSee(by, head) {
		return nil, "", invalidField("PullRequest", "head")
	}
	if !s.may(by, head, "contents", roleWrite) && !s.may(by, r, "pull_requests", roleWrite) {
		if by.inst != nil {
			return nil, "", notForIntegration()
		}
		return nil, "", fail(http.StatusForbidden, "Must have push access to the head or base repository.")
	}
	return head, branch, nil
}

// openPull finds the open pull request from a branch into another.
func (r *repository) openPull(head *repository, headRef, baseRef string) *issue {
	for n := len(r.issues) - 1; n >= 0; n-- {
		i := r.issues[n]
		if p := i.pull; p != nil && !i.closed && p.headRepo == head && p.headRef == headRef && p.baseRef == baseRef {
			return i
		}
	}
	return nil
}

// refreshPull recounts a pull request after its head or base moved and keeps
// refs/pull/N/head, which anybody may fetch.
func (s *Server) refreshPull(i *issue) error {
	p, g := i.pull, i.repo.git
	head, base := plumbing.NewHash(p.headSHA), plumbing.NewHash(p.baseSHA)
	d, err := g.compare(base, head)
	if err != nil {
		return err
	}
	p.stats = pullStats{commits: len(d.ahead)}
	if files, err := s.pullFiles(i); err == nil {
		counted := countDiff(files)
		counted.commits = len(d.ahead)
		p.stats = counted
	}
	if err := g.setRef("refs/pull/"+strconv.Itoa(i.number)+"/head", head); err != nil {
		return fmt.Errorf("pull request %d: %w", i.number, err)
	}
	return nil
}

// pullFiles compares the head with the merge base.
func (s *Server) pullFiles(i *issue) ([]fileDiff, error) {
	p, g := i.pull, i.repo.git
	d, err := g.compare(plumbing.NewHash(p.baseSHA), plumbing.NewHash(p.headSHA))
	if err != nil {
		return nil, err
	}
	head, err := g.commit(plumbing.NewHash(p.headSHA))
	if err != nil {
		return nil, err
	}
	var start plumbing.Hash
	if !d.mergeBase.IsZero() {
		c, err := g.commit(d.mergeBase)
		if err != nil {
			return nil, err
		}
		start = c.TreeHash
	}
	return g.diff(start, head.TreeHash, maxPullFiles)
}

// pullEdit is the request of PATCH pulls.
type pullEdit struct {
	Title     *string `json:"title"`
	Body      *string `json:"body"`
	State     *string `json:"state"`
	Base      *string `json:"base"`
	CanModify *bool   `json:"maintainer_can_modify"`
}

func (s *Server) editPull(by *actor, i *issue, in pullEdit) error {
	if !(by.inst == nil && by.user == i.user) && !s.may(by, i.repo, "pull_requests", roleTriage) {
		return needsAdmin()
	}
	if err := s.editText(by, i, in.Title, in.Body); err != nil {
		return err
	}
	if in.CanModify != nil {
		i.pull.canModify = *in.CanModify && i.pull.headRepo != i.repo
	}
	if in.Base != nil && *in.Base != i.pull.baseRef {
		if err := s.changeBase(by, i, *in.Base); err != nil {
			return err
		}
	}
	if in.State != nil {
		return s.setState(by, i, *in.State, "")
	}
	return nil
}

func (s *Server) changeBase(by *actor, i *issue, branch string) error {
	base, found := i.repo.git.ref("refs/heads/" + branch)
	if !found {
		return invalidField("PullRequest", "base")
	}
	if i.closed {
		return customError("PullRequest", "Cannot change the base branch of a closed pull request.")
	}
	oldRef, oldSHA := i.pull.baseRef, i.pull.baseSHA
	i.pull.baseRef, i.pull.baseSHA, i.updated = branch, base.String(), s.now()
	if err := s.refreshPull(i); err != nil {
		return err
	}
	s.emitPull(by, i, "edited", func() obj {
		return obj{"changes": obj{"base": obj{"ref": obj{"from": oldRef}, "sha": obj{"from": oldSHA}}}}
	})
	return nil
}

// reopenPull reopens, if the branch is still there and nothing stands in the
// way.
func (s *Server) reopenPull(by *actor, i *issue) error {
	p := i.pull
	if p.merged {
		return customError("PullRequest", "state cannot be changed. The pull request is merged.")
	}
	if p.headRepo == nil || p.headRepo.deleted {
		return customError("PullRequest", "state cannot be changed. The repository that submitted this pull request has been deleted.")
	}
	tip, found := p.headRepo.git.ref("refs/heads/" + p.headRef)
	if !found {
		return customError("PullRequest", "state cannot be changed. The "+p.headRef+" branch has been deleted.")
	}
	if i.repo.openPull(p.headRepo, p.headRef, p.baseRef) != nil {
		return customError("PullRequest", "state cannot be changed. There is already an open pull request from "+
			p.headOwner.login+":"+p.headRef+" to "+p.baseRef+".")
	}
	base, found := i.repo.git.ref("refs/heads/" + p.baseRef)
	if !found {
		return customError("PullRequest", "state cannot be changed. The base branch has been deleted.")
	}
	if err := copyHistory(p.headRepo.git, i.repo.git, tip); err != nil {
		return err
	}
	p.headSHA, p.baseSHA = tip.String(), base.String()
	if err := s.refreshPull(i); err != nil {
		return err
	}
	s.markOpen(i)
	s.emitPull(by, i, "reopened", nil)
	return nil
}

// pullsAfterPush follows a moved branch: pull requests from it are synchronized
// or, when it is gone, closed; pull requests into it learn the new base, and
// count as merged when the push contains them.
func (s *Server) pullsAfterPush(by *actor, r *repository, branch string, after plumbing.Hash, fresh []plumbing.Hash) error {
	brought := make(map[string]bool, len(fresh))
	for _, h := range fresh {
		brought[h.String()] = true
	}
	for _, i := range r.issues {
		if i.pull == nil || i.closed || i.pull.baseRef != branch {
			continue
		}
		if err := s.baseMoved(by, i, after, brought); err != nil {
			return err
		}
	}
	for _, base := range []*repository{r, r.parent} {
		if base == nil || base.deleted {
			continue
		}
		for _, i := range base.issues {
			if i.pull == nil || i.closed || i.pull.headRepo != r || i.pull.headRef != branch {
				continue
			}
			if err := s.headMoved(by, i, after); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Server) baseMoved(by *actor, i *issue, after plumbing.Hash, brought map[string]bool) error {
	if after.IsZero() {
		s.closeIssue(by, i, "")
		return nil
	}
	i.pull.baseSHA = after.String()
	if brought[i.pull.headSHA] {
		s.markMerged(by, i, after.String())
		return nil
	}
	return nil
}

func (s *Server) headMoved(by *actor, i *issue, after plumbing.Hash) error {
	if after.IsZero() {
		s.closeIssue(by, i, "")
		return nil
	}
	if err := copyHistory(i.pull.headRepo.git, i.repo.git, after); err != nil {
		return err
	}
	before := i.pull.headSHA
	i.pull.headSHA, i.updated = after.String(), s.now()
	if err := s.refreshPull(i); err != nil {
		return err
	}
	s.emitPull(by, i, "synchronize", func() obj { return obj{"before": before, "after": after.String()} })
	return nil
}

// emitPull sends a pull_request event.
func (s *Server) emitPull(by *actor, i *issue, action string, more func() obj) {
	s.emit(by, i.repo, "pull_request", action, func() obj {
		out := obj{"number": i.number, "pull_request": s.fullPullJSON(i, nil)}
		return extendBy(out, more)
	})
}
