package sandbox

import (
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"
)

// staleReads plays GitHub's replicas, which are a while behind: a GET that was
// answered before the last changes to a repository, and not longer ago than a
// replica lags, is answered the same again, be it that there is no such thing.
type staleReads struct {
	mu      sync.Mutex
	changes map[int64][]time.Time // by repository: the last ones, in order
	seen    map[string]oldAnswer
}

// mostChanges is how many changes of a repository are remembered. An answer from
// before them is taken for one that no replica gives any more.
const mostChanges = 1000

type oldAnswer struct {
	repo int64
	at   time.Time
	resp *response
	err  error // not found
}

// lookup returns the old answer when the knob is on and a replica may give it.
func (r *staleReads) lookup(s *Server, c *call) (resp *response, stale bool, err error) {
	window := s.knobs.staleFor(c.Request)
	if window <= 0 || c.Method != http.MethodGet {
		return nil, false, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old, found := r.seen[staleKey(c)]
	if !found {
		return nil, false, nil
	}
	overtaken, ok := r.overtaken(old)
	if !ok || s.now().Sub(overtaken) >= window {
		return nil, false, nil
	}
	return old.resp, true, old.err
}

// overtaken is when the repository changed first after an answer: from then on
// that may be wrong. ok is false where it still holds.
func (r *staleReads) overtaken(old oldAnswer) (at time.Time, ok bool) {
	changes := r.changes[old.repo]
	i, _ := slices.BinarySearchFunc(changes, old.at, time.Time.Compare)
	switch {
	case i == len(changes):
		return time.Time{}, false
	case i == 0 && len(changes) == mostChanges:
		return time.Time{}, true
	}
	return changes[i], true
}

// staleFor is how long reads may be stale that this request makes.
func (k *Knobs) staleFor(r *http.Request) time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	none := 0
	if k.settings.SparePeople && fromPerson(r) ||
		k.settings.StaleProbability > 0 && !k.chance(&none, k.settings.StaleProbability) {
		return 0
	}
	return time.Duration(k.settings.StaleReads)
}

// remember keeps answers and notes changes, only while the knob is on.
func (r *staleReads) remember(s *Server, c *call, resp *response, err error) {
	missing := isNotFound(err)
	if s.knobs.Get().StaleReads <= 0 || c.repo == nil || resp == nil && !missing {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.seen == nil {
		r.seen, r.changes = map[string]oldAnswer{}, map[int64][]time.Time{}
	}
	if c.Method != http.MethodGet {
		changes := append(r.changes[c.repo.id], s.now())
		r.changes[c.repo.id] = changes[max(0, len(changes)-mostChanges):]
		return
	}
	r.seen[staleKey(c)] = oldAnswer{repo: c.repo.id, at: s.now(), resp: resp, err: err}
}

func isNotFound(err error) bool {
	var answer *apiError
	return errors.As(err, &answer) && answer.status == http.StatusNotFound
}

func staleKey(c *call) string {
	return c.actor.name() + " " + c.URL.RequestURI() + " " + c.Header.Get("Accept")
}
