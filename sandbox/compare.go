package sandbox

import (
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// getCompare serves compare/BASE...HEAD, where either may be "owner:branch" of
// a fork.
func (s *Server) getCompare(c *call) (*response, error) {
	baseName, headName, found := strings.Cut(c.PathValue("basehead"), "...")
	if !found {
		return nil, notFound()
	}
	base, found := s.comparable(c, baseName)
	if !found {
		return nil, notFound()
	}
	head, found := s.comparable(c, headName)
	if !found {
		return nil, notFound()
	}
	g := c.repo.git
	d, err := g.compare(base.Hash, head.Hash)
	if err != nil {
		return nil, err
	}
	if d.mergeBase.IsZero() {
		return nil, fail(404, "No common ancestor between "+baseName+" and "+headName+".")
	}
	start, err := g.commit(d.mergeBase)
	if err != nil {
		return nil, err
	}
	files, err := g.diff(start.TreeHash, head.TreeHash, maxDiffFiles)
	if err != nil {
		return nil, err
	}
	return s.answerCompare(c, base, start, head, d, files)
}

func (s *Server) answerCompare(c *call, base, start, head *object.Commit, d divergence, files []fileDiff) (*response, error) {
	p := c.page()
	if c.query("per_page") == "" {
		p.size = 250
	}
	from, to := p.bounds(len(d.ahead))
	commits, err := s.commitsJSON(c.repo, d.ahead[from:to])
	if err != nil {
		return nil, err
	}
	web := s.repoWeb(c.repo) + "/compare/" + c.PathValue("basehead")
	self := s.repoURL(c.repo) + "/compare/" + c.PathValue("basehead")
	body := obj{"url": self, "html_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch",
		"permalink_url": s.repoWeb(c.repo) + "/compare/" + base.Hash.String() + "..." + head.Hash.String(),
		"base_commit":   s.commitJSON(c.repo, base), "merge_base_commit": s.commitJSON(c.repo, start),
		"status": compareStatus(len(d.ahead), d.behind), "ahead_by": len(d.ahead), "behind_by": d.behind,
		"total_commits": len(d.ahead), "commits": commits}
	if p.number == 1 {
		body["files"] = s.filesJSON(c.repo, head.Hash, files)
	}
	resp := &response{status: 200, body: body}
	if link := c.link(p, len(d.ahead)); link != "" {
		resp.header = map[string][]string{"Link": {link}}
	}
	return resp, nil
}

func compareStatus(ahead, behind int) string {
	switch {
	case ahead > 0 && behind > 0:
		return "diverged"
	case ahead > 0:
		return "ahead"
	case behind > 0:
		return "behind"
	}
	return "identical"
}

// comparable finds one side, bringing objects over from a fork if need be.
func (s *Server) comparable(c *call, name string) (*object.Commit, bool) {
	owner, ref, cross := strings.Cut(name, ":")
	if !cross {
		return c.repo.git.findCommit(name)
	}
	other := s.inNetwork(c.repo, owner)
	if other == nil || !s.canSee(c.actor, other) {
		return nil, false
	}
	commit, found := other.git.findCommit(ref)
	if !found || copyHistory(other.git, c.repo.git, commit.Hash) != nil {
		return nil, false
	}
	return commit, true
}

// inNetwork finds the repository of owner in the family of forks of r.
func (s *Server) inNetwork(r *repository, owner string) *repository {
	root := r
	for root.parent != nil {
		root = root.parent
	}
	family := []*repository{root}
	for len(family) > 0 {
		f := family[0]
		if !f.deleted && strings.EqualFold(f.owner.login, owner) {
			return f
		}
		family = append(family[1:], f.forks...)
	}
	return nil
}

// copyHistory copies a commit and all that it needs, as far as to has not got
// it already. Parents come before children, so that a commit which is there has
// all that it needs there, however a copy ended.
func copyHistory(from, to *gitStore, h plumbing.Hash) error {
	if from == to {
		return nil
	}
	todo := []plumbing.Hash{h}
	for len(todo) > 0 {
		h = todo[len(todo)-1]
		if to.has(h) {
			todo = todo[:len(todo)-1]
			continue
		}
		c, err := from.commit(h)
		if err != nil {
			return err
		}
		waiting := false
		for _, p := range c.ParentHashes {
			if !to.has(p) {
				todo, waiting = append(todo, p), true
			}
		}
		if waiting {
			continue
		}
		if err := copyTree(from, to, c.TreeHash); err != nil {
			return err
		}
		if err := copyObject(from, to, h); err != nil {
			return err
		}
	}
	return nil
}

func copyTree(from, to *gitStore, h plumbing.Hash) error {
	if to.has(h) {
		return nil
	}
	t, err := from.tree(h)
	if err != nil {
		return err
	}
	for _, e := range t.Entries {
		switch entryKind(e.Mode) {
		case "tree":
			err = copyTree(from, to, e.Hash)
		case "blob":
			err = copyObject(from, to, e.Hash)
		}
		if err != nil {
			return err
		}
	}
	return copyObject(from, to, h)
}

func copyObject(from, to *gitStore, h plumbing.Hash) error {
	if to.has(h) {
		return nil
	}
	o, err := from.EncodedObject(plumbing.AnyObject, h)
	if err != nil {
		return err
	}
	_, err = to.SetEncodedObject(o)
	return err
}
