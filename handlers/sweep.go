package handlers

import (
	"context"
	"errors"
	"sync"
	"time"
)

// closedWithin is how long a sweep looks at closed issues for webhooks that never
// came. Closing ends what there is to do: GitHub closes an issue itself when the
// pull request is merged that names it, and its author may withdraw it.
const closedWithin = 24 * time.Hour

// Sweep lists the keys of everything that is under way, so that a lost webhook
// costs minutes and never a submission. What cannot be listed does not hold up the
// rest: with the error come the keys of what could.
func (h *Handlers) Sweep(ctx context.Context) ([]Key, error) {
	keys := []Key{PublishKey}
	open, openErr := h.threads.OpenIssues(ctx)
	closed, closedErr := h.threads.ClosedIssues(ctx, h.listedSince(closedWithin))
	for _, i := range h.settled.without(append(open, closed...)) {
		keys = append(keys, IssueKey(i.Number))
	}
	pulls, pullsErr := h.pulls.OpenPulls(ctx)
	for _, n := range pulls {
		keys = append(keys, PullKey(n))
	}
	rechecks, commentsErr := h.unheardRechecks(ctx)
	return append(keys, rechecks...), errors.Join(openErr, closedErr, pullsErr, commentsErr)
}

// listedSince is a time that is at least so long ago: a whole hour, so that an
// unchanged list is asked for by the same address.
func (h *Handlers) listedSince(d time.Duration) time.Time {
	return h.now().Add(-d).Truncate(time.Hour)
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
