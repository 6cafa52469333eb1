package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// mergeRequest is the request of PUT pulls/{number}/merge.
type mergeRequest struct {
	Title   string `json:"commit_title"`
	Message string `json:"commit_message"`
	SHA     string `json:"sha"`
	Method  string `json:"merge_method"`
}

// prepareMerge makes the merge of an open pull request before the lock is
// taken, because it may need the git binary. The result is kept with the pull
// request and valid as long as neither side moves.
func (s *Server) prepareMerge(c *call) error {
	s.mu.RLock()
	i, err := c.issueOf()
	if err != nil || i.pull == nil || i.closed || s.mergeKnown(i) {
		s.mu.RUnlock()
		return nil //nolint:nilerr // the handler answers what is wrong
	}
	base, head := plumbing.NewHash(i.pull.baseSHA), plumbing.NewHash(i.pull.headSHA)
	s.mu.RUnlock()
	result, err := i.repo.git.mergeCommits(base, head)
	if err != nil {
		return fmt.Errorf("merge pull request %d: %w", i.number, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i.pull.merge = result
	return nil
}

func (s *Server) mergeKnown(i *issue) bool {
	m := i.pull.merge
	return m.head.String() == i.pull.headSHA && m.base.String() == i.pull.baseSHA
}

// merged gives the merge of an open pull request, making it if it is not known.
func (s *Server) mergeOf(i *issue) (mergeResult, error) {
	if s.mergeKnown(i) {
		return i.pull.merge, nil
	}
	result, err := i.repo.git.mergeCommits(plumbing.NewHash(i.pull.baseSHA), plumbing.NewHash(i.pull.headSHA))
	if err == nil {
		i.pull.merge = result
	}
	return result, err
}

// mergePull merges an open pull request and returns the new commit of the base
// branch. Call with refsMu and the lock held.
func (s *Server) mergePull(by *actor, i *issue, in mergeRequest) (plumbing.Hash, error) {
	if err := s.mergeable(i, in); err != nil {
		return plumbing.ZeroHash, err
	}
	result, err := s.mergeOf(i)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if !result.clean {
		return plumbing.ZeroHash, fail(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	}
	h, err := s.commitMerge(by, i, in, result)
	if err != nil {
		return h, err
	}
	name := "refs/heads/" + i.pull.baseRef
	if err := i.repo.git.setRef(name, h); err != nil {
		return h, err
	}
	s.markMerged(by, i, h.String())
	return h, s.refMoved(by, i.repo, name, result.base, h)
}

func (s *Server) mergeable(i *issue, in mergeRequest) error {
	switch {
	case i.pull.merged:
		return fail(http.StatusMethodNotAllowed, "Pull Request is already merged")
	case i.closed || i.pull.draft:
		return fail(http.StatusMethodNotAllowed, "Pull Request is not mergeable")
	case in.SHA != "" && in.SHA != i.pull.headSHA:
		return fail(http.StatusConflict, "Head branch was modified. Review and try the merge again.")
	case in.Method != "" && in.Method != "merge" && in.Method != "squash" && in.Method != "rebase":
		return unprocessable("Invalid request.\n\nNo subschema in \"anyOf\" matched. merge_method is invalid.")
	}
	return nil
}

func (s *Server) commitMerge(by *actor, i *issue, in mergeRequest, m mergeResult) (plumbing.Hash, error) {
	author := by.user.signature(s.now())
	switch in.Method {
	case "rebase":
		return s.rebase(by, i, m)
	case "squash":
		if i.user != nil {
			author = i.user.signature(s.now())
		}
		return i.repo.git.putCommit(m.tree, []plumbing.Hash{m.base}, s.squashMessage(i, in), author, githubSignature(s.now()))
	}
	title, body := in.Title, in.Message
	if title == "" {
		title = fmt.Sprintf("Merge pull request #%d from %s/%s", i.number, i.pull.headOwner.login, i.pull.headRef)
	}
	if body == "" && in.Title == "" {
		body = i.title
	}
	return i.repo.git.putCommit(m.tree, []plumbing.Hash{m.base, m.head}, joinMessage(title, body), author, githubSignature(s.now()))
}

func joinMessage(title, body string) string {
	if body == "" {
		return title
	}
	return title + "\n\n" + body
}

// squashMessage is the commit's own for a single commit, else the title with
// the list of commits.
func (s *Server) squashMessage(i *issue, in mergeRequest) string {
	title, body := in.Title, in.Message
	commits, err := s.pullCommits(i)
	if title == "" {
		title = i.title
		if err == nil && len(commits) == 1 {
			title, _, _ = strings.Cut(commits[0].Message, "\n")
		}
		title += " (#" + strconv.Itoa(i.number) + ")"
	}
	if body == "" && err == nil && len(commits) > 1 {
		for _, c := range commits {
			body += "* " + strings.TrimSpace(c.Message) + "\n\n"
		}
	}
	return joinMessage(title, strings.TrimSpace(body))
}

// pullCommits lists the commits of a pull request, oldest first.
func (s *Server) pullCommits(i *issue) ([]*object.Commit, error) {
	d, err := i.repo.git.compare(plumbing.NewHash(i.pull.baseSHA), plumbing.NewHash(i.pull.headSHA))
	if err != nil {
		return nil, err
	}
	out := make([]*object.Commit, 0, len(d.ahead))
	for _, h := range d.ahead {
		c, err := i.repo.git.commit(h)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// rebase puts each commit of the pull request on the base anew.
func (s *Server) rebase(by *actor, i *issue, m mergeResult) (plumbing.Hash, error) {
	g := i.repo.git
	commits, err := s.pullCommits(i)
	if err != nil {
		return m.base, err
	}
	tip := m.base
	for _, c := range commits {
		if len(c.ParentHashes) != 1 {
			return m.base, fail(http.StatusMethodNotAllowed, "This branch can't be rebased")
		}
		parent, err := g.commit(c.ParentHashes[0])
		if err != nil {
			return m.base, err
		}
		onto, err := g.commit(tip)
		if err != nil {
			return m.base, err
		}
		tree, err := g.mergeTrees(parent.TreeHash, onto.TreeHash, c.TreeHash)
		if err != nil {
			return m.base, fail(http.StatusMethodNotAllowed, "This branch can't be rebased due to conflicts")
		}
		if tip, err = g.putCommit(tree, []plumbing.Hash{tip}, c.Message, c.Author, by.user.signature(s.now())); err != nil {
			return m.base, err
		}
	}
	return tip, nil
}

// markMerged closes a pull request as merged, and what it says it closes when
// it went into the default branch.
func (s *Server) markMerged(by *actor, i *issue, commit string) {
	p := i.pull
	p.merged, p.mergedAt, p.mergedBy, p.mergeCommit = true, s.now().Truncate(time.Second), by.user, commit
	if i.user != nil {
		if i.repo.contributors == nil {
			i.repo.contributors = map[int64]bool{}
		}
		i.repo.contributors[i.user.id] = true
	}
	s.closeIssue(by, i, "")
	if p.baseRef == i.repo.defaultBranch {
		s.closeReferenced(by, i.repo, i.body)
	}
}
