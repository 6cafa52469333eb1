package sandbox

import (
	"net/http"
	"sync"
	"time"
)

// staleReads plays GitHub's replicas: for a while after a change to a
// repository, a GET that was answered before is answered the same again.
type staleReads struct {
	mu      sync.Mutex
	changed map[int64]time.Time // by repository
	seen    map[string]oldAnswer
}

type oldAnswer struct {
	repo int64
	at   time.Time
	resp *response
}

// lookup returns the old answer when the knob is on and the change is fresh.
func (r *staleReads) lookup(s *Server, c *call) *response {
	window := time.Duration(s.knobs.Get().StaleReads)
	if window <= 0 || c.Method != http.MethodGet {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	old, found := r.seen[staleKey(c)]
	changed := r.changed[old.repo]
	if !found || old.at.After(changed) || s.now().Sub(changed) >= window {
		return nil
	}
	return old.resp
}

// remember keeps answers and notes changes, only while the knob is on.
func (r *staleReads) remember(s *Server, c *call, resp *response) {
	if s.knobs.Get().StaleReads <= 0 || resp == nil || c.repo == nil {
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
	r.seen[staleKey(c)] = oldAnswer{repo: c.repo.id, at: s.now(), resp: resp}
}

func staleKey(c *call) string {
	return c.actor.name() + " " + c.URL.RequestURI() + " " + c.Header.Get("Accept")
}
