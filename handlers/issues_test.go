package handlers

import (
	"context"
	"testing"

	"github.com/tofu-registrar/registrar/templates"
)

// torn is GitHub at the moment of a merge: the list of pull requests was answered
// just before it, and the issue just after, when GitHub had closed it. Any write
// fails the test: there is no method for it.
type torn struct {
	Threads
	Snapshots
	Pulls
	Branches
	s submission
}

func (t torn) Issue(context.Context, int) (Issue, error) { return t.s.issue, nil }
func (t torn) OwnComments(context.Context, int) ([]Comment, error) {
	return []Comment{*t.s.comment}, nil
}
func (t torn) Head(context.Context) (Commit, error) { return t.s.head, nil }
func (t torn) PullsByBranch(context.Context, string) ([]Pull, error) {
	return []Pull{*t.s.pull}, nil
}
func (t torn) Branch(context.Context, string) (Commit, bool, error) { return *t.s.tip, true, nil }

func (t torn) Pull(context.Context, int) (Pull, error) {
	p := *t.s.pull
	p.Open, p.Merged = false, true
	return p, nil
}

// A submission that is merged is not withdrawn, although its issue is closed.
func TestMergedWhileRead(t *testing.T) {
	s := observed(func(s *submission) { withPull(s, true, false) })
	s.issue.Open = false
	s.tip.Parent = s.head.SHA
	s.comment.Body = stamped(templates.Marker(templates.MarkerSubmission, "issue=12"), s.stamp)
	w := torn{s: s}
	h := New(Options{Threads: w, Snapshots: w, Pulls: w, Branches: w})
	result, err := h.reconcileIssue(t.Context(), 12)
	if err != nil || result.Again != untilLive {
		t.Errorf("%+v, %v", result, err)
	}
}
