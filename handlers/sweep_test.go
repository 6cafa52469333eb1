package handlers

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/forge"
)

// lists are GitHub's lists of what is under way.
type lists struct {
	Threads
	Pulls
	open, closed []IssueRef
	comments     []forge.CommentRef
	fails        error // of the closed issues
}

func (l *lists) RecentComments(context.Context, time.Time) ([]forge.CommentRef, error) {
	return l.comments, nil
}

func (l *lists) OpenIssues(context.Context) ([]IssueRef, error) { return l.open, nil }
func (l *lists) OpenPulls(context.Context) ([]int, error)       { return []int{7}, nil }

func (l *lists) ClosedIssues(context.Context, time.Time) ([]IssueRef, error) {
	if l.fails != nil {
		return nil, l.fails
	}
	return l.closed, nil
}

// A sweep lists the issues that a run has not found settled as they are now, and
// what it can list although it cannot list all.
func TestSweep(t *testing.T) {
	then := time.Unix(1700000000, 0)
	l := &lists{
		open:   []IssueRef{{Number: 1, Updated: then}, {Number: 2, Updated: then}},
		closed: []IssueRef{{Number: 3, Updated: then}, {Number: 4, Updated: then}},
	}
	h := New(Options{Threads: l, Pulls: l})
	expect := func(fails error, want ...Key) {
		t.Helper()
		l.fails = fails
		if keys, err := h.Sweep(t.Context()); !slices.Equal(keys, want) || !errors.Is(err, fails) {
			t.Errorf("%q, %v; want %q", keys, err, want)
		}
	}
	expect(nil, PublishKey, IssueKey(1), IssueKey(2), IssueKey(3), IssueKey(4), PullKey(7))
	h.settled.note(Issue{Number: 1, Updated: then})
	h.settled.note(Issue{Number: 3, Updated: then})
	expect(nil, PublishKey, IssueKey(2), IssueKey(4), PullKey(7))
	l.open[0].Updated = then.Add(time.Second)
	expect(nil, PublishKey, IssueKey(1), IssueKey(2), IssueKey(4), PullKey(7))
	expect(errors.New("502"), PublishKey, IssueKey(1), IssueKey(2), PullKey(7))
}

// Of the requests to look again, a sweep hears those that were written a while
// ago and that nobody has answered.
func TestSweepHearsRequests(t *testing.T) {
	now := time.Now()
	asked := forge.CommentRef{ID: 1, Issue: 5, FirstLine: "/recheck please", Created: now.Add(-time.Minute)}
	for name, c := range map[string]struct {
		change func(*forge.CommentRef)
		heard  bool
	}{
		"unanswered":        {func(*forge.CommentRef) {}, true},
		"liked by people":   {func(c *forge.CommentRef) { c.Reactions = map[string]int{"+1": 2, recheckDone: 0} }, true},
		"answered":          {func(c *forge.CommentRef) { c.Reactions = map[string]int{recheckDone: 1} }, false},
		"denied":            {func(c *forge.CommentRef) { c.Reactions = map[string]int{recheckDenied: 1} }, false},
		"a moment ago":      {func(c *forge.CommentRef) { c.Created = now.Add(-time.Second) }, false},
		"edited since":      {func(c *forge.CommentRef) { c.Edited = true }, false},
		"an App's":          {func(c *forge.CommentRef) { c.ByBot = true }, false},
		"about the command": {func(c *forge.CommentRef) { c.FirstLine = "try /recheck" }, false},
	} {
		comment := asked
		c.change(&comment)
		l := &lists{comments: []forge.CommentRef{comment}}
		keys, err := New(Options{Threads: l, Pulls: l, Now: func() time.Time { return now }}).Sweep(t.Context())
		if heard := slices.Contains(keys, RecheckKey(5, 1)); err != nil || heard != c.heard {
			t.Errorf("%s: heard %v, %v", name, heard, err)
		}
	}
}
