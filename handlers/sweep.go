package handlers

import (
	"context"
	"fmt"
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
	// Whole hours, so that an unchanged list is asked for by the same address.
	closed, err := h.threads.ClosedIssues(ctx, h.now().Add(-closedWithin).Truncate(time.Hour))
	if err != nil {
		return nil, fmt.Errorf("list closed issues: %w", err)
	}
	for _, i := range h.settled.without(append(issues, closed...)) {
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

// settledIssues remembers the issues that a run found as they should be until
// someone acts, by when they changed last: a sweep need not have thousands of them
// looked at again.
type settledIssues struct {
	mu   sync.Mutex
	last map[int]time.Time
}

// note remembers an issue.
func (s *settledIssues) note(i Issue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last == nil {
		s.last = map[int]time.Time{}
	}
	s.last[i.Number] = i.Updated
}

// without are the issues that are not remembered as they are. Those that are not
// among them are forgotten.
func (s *settledIssues) without(issues []IssueRef) (changed []IssueRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := map[int]time.Time{}
	for _, i := range issues {
		if at, ok := s.last[i.Number]; ok && at.Equal(i.Updated) {
			last[i.Number] = at
		} else {
			changed = append(changed, i)
		}
	}
	s.last = last
	return changed
}
