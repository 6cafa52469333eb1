package sandbox

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// defaultQuota is GitHub's hourly quota for a token.
const defaultQuota = 5000

// What GitHub says of its secondary limit, and by which clients know it.
const (
	secondaryMessage       = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
	secondaryDocumentation = "https://docs.github.com/free-pro-team@latest/rest/overview/" +
		"rate-limits-for-the-rest-api#about-secondary-rate-limits"
)

// rateLimits count requests per token and hour.
type rateLimits struct {
	mu      sync.Mutex
	buckets map[string]*bucket
}

type bucket struct {
	used  int
	reset time.Time
}

// quotaOf names the bucket of a call and its size.
func (s *Server) quotaOf(c *call) (key, resource string, limit int) {
	settings := s.knobs.Get()
	resource, limit = "core", defaultQuota
	if settings.RateLimit > 0 {
		limit = settings.RateLimit
	}
	if c.route != nil && c.route.search {
		resource, limit = "search", min(limit, 30)
	}
	switch {
	case c.actor == nil || c.actor.anonymous():
		key = "anonymous"
		if settings.AnonymousRateLimit > 0 {
			limit = settings.AnonymousRateLimit
		}
	case c.actor.inst != nil:
		key = "installation:" + strconv.FormatInt(c.actor.inst.id, 10)
	default:
		key = c.actor.name()
	}
	return resource + "/" + key, resource, limit
}

// take counts a request and refuses it when the quota is used up, or when a
// knob says so.
func (l *rateLimits) take(s *Server, c *call) error {
	if c.route.free {
		return nil
	}
	if err := s.knobs.refuse(); err != nil {
		return err
	}
	key, _, limit := s.quotaOf(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key, c.route.search, s.now())
	if b.used >= limit {
		return &apiError{status: http.StatusForbidden, message: "API rate limit exceeded for " + c.actor.name() + "."}
	}
	b.used++
	return nil
}

func (l *rateLimits) bucket(key string, search bool, now time.Time) *bucket {
	if l.buckets == nil {
		l.buckets = map[string]*bucket{}
	}
	b := l.buckets[key]
	if b == nil || !now.Before(b.reset) {
		window := time.Hour
		if search {
			window = time.Minute
		}
		b = &bucket{reset: now.Add(window).Truncate(time.Second)}
		l.buckets[key] = b
	}
	return b
}

// headers writes the quota's state; free gives back what a 304 did not cost.
func (l *rateLimits) headers(s *Server, c *call, h http.Header, free bool) {
	key, resource, limit := s.quotaOf(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key, resource == "search", s.now())
	if free && b.used > 0 {
		b.used--
	}
	remaining := max(limit-b.used, 0)
	if s.knobs.exhausted() {
		remaining = 0
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	h.Set("X-RateLimit-Used", strconv.Itoa(limit-remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(b.reset.Unix(), 10))
	h.Set("X-RateLimit-Resource", resource)
}

// exhausted tells whether RateLimitAfter has struck.
func (k *Knobs) exhausted() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.settings.RateLimitAfter > 0 && k.seen > k.settings.RateLimitAfter
}

// refuse plays RateLimitAfter and the secondary limit.
func (k *Knobs) refuse() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen++
	if n := k.settings.RateLimitAfter; n > 0 && k.seen > n {
		return &apiError{status: http.StatusForbidden, message: "API rate limit exceeded."}
	}
	second := k.settings.Secondary
	if second.Times == 0 || k.seen <= second.After || k.refused >= second.Times {
		return nil
	}
	k.refused++
	wait := max(int(time.Duration(second.RetryAfter).Seconds()), 1)
	return &apiError{status: http.StatusForbidden,
		message: secondaryMessage,
		header:  http.Header{"Retry-After": {strconv.Itoa(wait)}},
		extra:   obj{"documentation_url": secondaryDocumentation}}
}
