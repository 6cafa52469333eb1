package sandbox

import (
	"regexp"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// badRefName finds what git check-ref-format refuses.
var badRefName = regexp.MustCompile(`\.\.|[\x00-\x20\x7f~^:?*\[\\]|@\{|//|^/|/$|\.$|\.lock(/|$)|(^|/)\.`)

// goodRef tells whether a full ref name is one that a client may write.
func goodRef(name string) bool {
	return strings.HasPrefix(name, "refs/") && strings.Count(name, "/") >= 2 && !badRefName.MatchString(name)
}

// createRef makes a new ref. Call with refsMu and the lock held, as for all
// that follows.
func (s *Server) createRef(by *actor, r *repository, name string, h plumbing.Hash) error {
	if !goodRef(name) || strings.HasPrefix(name, "refs/pull/") {
		return unprocessable("Reference name is invalid")
	}
	if _, found := r.git.ref(name); found {
		return unprocessable("Reference already exists")
	}
	if other, taken := r.git.inTheWay(name); taken {
		return unprocessable("Reference update failed: '" + other + "' exists; cannot create '" + name + "'")
	}
	if !r.git.has(h) {
		return unprocessable("Object does not exist")
	}
	if err := r.git.setRef(name, h); err != nil {
		return err
	}
	return s.refMoved(by, r, name, plumbing.ZeroHash, h)
}

// updateRef moves a ref forward, or anywhere with force.
func (s *Server) updateRef(by *actor, r *repository, name string, h plumbing.Hash, force bool) error {
	before, found := r.git.ref(name)
	if !found {
		return unprocessable("Reference does not exist")
	}
	if !r.git.has(h) {
		return unprocessable("Object does not exist")
	}
	if before == h {
		return nil
	}
	if !force {
		forward, err := r.git.isAncestor(before, h)
		if err != nil || !forward {
			return unprocessable("Update is not a fast forward")
		}
	}
	if err := r.git.setRef(name, h); err != nil {
		return err
	}
	return s.refMoved(by, r, name, before, h)
}

// deleteRef removes a ref; the default branch stays.
func (s *Server) deleteRef(by *actor, r *repository, name string) error {
	before, found := r.git.ref(name)
	if !found || strings.HasPrefix(name, "refs/pull/") {
		return unprocessable("Reference does not exist")
	}
	if name == "refs/heads/"+r.defaultBranch {
		return unprocessable("Cannot delete the default branch")
	}
	if err := r.git.removeRef(name); err != nil {
		return err
	}
	return s.refMoved(by, r, name, before, plumbing.ZeroHash)
}

// refMoved does what GitHub does after a ref came to name after instead of
// before: the create, delete and push events, and what becomes of the pull
// requests and issues that the branch has to do with.
func (s *Server) refMoved(by *actor, r *repository, name string, before, after plumbing.Hash) error {
	branch, isBranch := strings.CutPrefix(name, "refs/heads/")
	tag, isTag := strings.CutPrefix(name, "refs/tags/")
	if !isBranch && !isTag {
		return nil
	}
	r.pushed = s.now()
	kind, short := "branch", branch
	if isTag {
		kind, short = "tag", tag
	}
	fresh, err := s.freshCommits(r, name, before, after)
	if err != nil {
		return err
	}
	if before.IsZero() {
		s.emitRef(by, r, "create", kind, short)
	}
	s.emitPush(by, r, name, before, after, fresh)
	if after.IsZero() {
		s.emitRef(by, r, "delete", kind, short)
	}
	if !isBranch {
		return nil
	}
	if !after.IsZero() {
		s.requestSuites(by, r, branch, before, after)
	}
	if branch == r.defaultBranch {
		s.closeByCommits(by, r, fresh)
	}
	return s.pullsAfterPush(by, r, branch, after, fresh)
}

// freshCommits lists what a push brought, oldest first: what was not on the
// branch before or, for a new branch, not on the default branch.
func (s *Server) freshCommits(r *repository, name string, before, after plumbing.Hash) ([]plumbing.Hash, error) {
	if after.IsZero() || !strings.HasPrefix(name, "refs/heads/") {
		return nil, nil
	}
	if before.IsZero() {
		base, found := r.git.ref("refs/heads/" + r.defaultBranch)
		if !found || name == "refs/heads/"+r.defaultBranch {
			all, err := r.git.log(after, 0, nil)
			slices.Reverse(all)
			return all, err
		}
		before = base
	}
	d, err := r.git.compare(before, after)
	return d.ahead, err
}

// closing finds "Closes #12" and its like
// (docs.github.com: "Linking a pull request to an issue").
var closing = regexp.MustCompile(`(?i)\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+(?:([\w.-]+/[\w.-]+))?#(\d+)\b`)

// closeReferenced closes the issues that a text says it closes.
func (s *Server) closeReferenced(by *actor, r *repository, text string) {
	for _, m := range closing.FindAllStringSubmatch(text, -1) {
		if m[1] != "" && !strings.EqualFold(m[1], r.fullName()) {
			continue
		}
		number := int64(0)
		for _, digit := range m[2] {
			number = min(number*10+int64(digit-'0'), 1<<40)
		}
		if i := r.findIssue(number); i != nil && i.pull == nil && !i.closed {
			s.closeIssue(by, i, "completed")
		}
	}
}

func (s *Server) closeByCommits(by *actor, r *repository, fresh []plumbing.Hash) {
	for _, h := range fresh {
		if c, err := r.git.commit(h); err == nil {
			s.closeReferenced(by, r, c.Message)
		}
	}
}

// emitRef sends a create or delete event.
func (s *Server) emitRef(by *actor, r *repository, event, kind, short string) {
	s.emit(by, r, event, "", func() obj {
		out := obj{"ref": short, "ref_type": kind, "pusher_type": "user"}
		if event == "create" {
			out["master_branch"], out["description"] = r.defaultBranch, orNull(r.description)
		}
		return out
	})
}
