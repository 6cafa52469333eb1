package sandbox

import "net/http"

func (s *Server) registerMeta() {
	s.route("GET /meta", access{}, s.getMeta)
	s.route("GET /rate_limit", access{}, s.getRateLimit, freeOfCharge)
	s.route("GET /zen", access{}, func(*call) (*response, error) {
		return &response{status: http.StatusOK, raw: []byte("Keep it logically awesome."), contentType: "text/plain; charset=utf-8"}, nil
	})
}

func (s *Server) getMeta(*call) (*response, error) {
	return ok(obj{"verifiable_password_authentication": false, "hooks": []string{"127.0.0.1/32"},
		"web": []string{"127.0.0.1/32"}, "api": []string{"127.0.0.1/32"}, "git": []string{"127.0.0.1/32"}})
}

func (s *Server) getRateLimit(c *call) (*response, error) {
	core, search := s.limits.state(s, c, false), s.limits.state(s, c, true)
	return ok(obj{"rate": core, "resources": obj{"core": core, "search": search}})
}

// state describes a quota without using it.
func (l *rateLimits) state(s *Server, c *call, search bool) obj {
	asked := *c
	asked.route = &route{search: search}
	key, resource, limit := s.quotaOf(&asked)
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(key, search, s.now())
	return obj{"limit": limit, "used": b.used, "remaining": max(limit-b.used, 0), "reset": b.reset.Unix(), "resource": resource}
}
