package sandbox

import (
	"errors"
	"net/http"
	"sync"
	"time"
)

// staleReads plays GitHub's replicas: for a while after a change to a
// repository, a GET that was answered before is answered the same again, be it
// that there is no such thing.
type staleReads struct {
	mu      sync.Mutex
	changed map[int64]time.Time // by repository
	seen    map[string]oldAnswer
}

type oldAnswer struct {
	repo int64
	at   time.Time
	resp *response
	err  error // not found
}

// lookup returns the old answer when the knob is on and the change is fresh.
func (r *staleReads) lookup(s *Server, c *call) (resp *response, stale bool, err error) {
	window := s.knobs.staleFor(c.Request)
	if window <= 0 || c.Method != http.MethodGet {
		return nil, false, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old, found := r.seen[staleKey(c)]
	changed := r.changed[old.repo]
	if !found || old.at.After(changed) || s.now().Sub(changed) >= window {
		return nil, false, nil
	}
	return old.resp, true, old.err
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
		r.seen, r.changed = map[string]oldAnswer{}, map[int64]time.Time{}
	}
	if c.Method != http.MethodGet {
		r.changed[c.repo.id] = s.now()
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
