package handlers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// closedWithin is how long a sweep looks at closed issues for webhooks that never
// came. Closing ends what there is to do: GitHub closes an issue itself when the
// pull request is merged that names it, and its author may withdraw it.
const closedWithin = 24 * time.Hour

// readsLag is more than GitHub's reads are behind its writes: what is found later
// than that after a change is what it led to.
const readsLag = time.Minute

// Sweep lists the keys of everything that is under way, so that a lost webhook
// costs minutes and never a submission.
func (h *Handlers) Sweep(ctx context.Context) ([]Key, error) {
	keys := []Key{PublishKey}
	issues, err := h.threads.OpenIssues(ctx)
	if err != nil {
		return nil, fmt.Errorf("list open issues: %w", err)
	}
	for _, n := range issues {
		keys = append(keys, IssueKey(n))
	}
	// Whole hours, so that an unchanged list is asked for by the same address.
	since := h.now().Add(-closedWithin).Truncate(time.Hour)
	closed, err := h.threads.ClosedIssues(ctx, since)
	if err != nil {
		return nil, fmt.Errorf("list closed issues: %w", err)
	}
	for _, i := range h.closed.changed(closed, since) {
		keys = append(keys, IssueKey(i.Number))
	}
	pulls, err := h.pulls.OpenPulls(ctx)
	if err != nil {
		return nil, fmt.Errorf("list open pull requests: %w", err)
	}
	for _, n := range pulls {
		keys = append(keys, PullKey(n))
	}
	return keys, nil
}

// latelyClosed remembers the closed issues that a run found as they should be, by
// when they changed last: a sweep need not have a day's issues looked at again.
type latelyClosed struct {
	mu   sync.Mutex
	done map[int]time.Time
}

// settled remembers an issue.
func (l *latelyClosed) settled(i Issue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.done == nil {
		l.done = map[int]time.Time{}
	}
	l.done[i.Number] = i.Updated
}

// changed are the issues that are not remembered as they are; those from before
// a time are forgotten.
func (l *latelyClosed) changed(issues []Issue, since time.Time) []Issue {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.done, func(_ int, at time.Time) bool { return at.Before(since) })
	return slices.DeleteFunc(slices.Clone(issues), func(i Issue) bool {
		at, ok := l.done[i.Number]
		return ok && at.Equal(i.Updated)
	})
}
