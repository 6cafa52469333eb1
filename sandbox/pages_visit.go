package sandbox

import (
	"net/http"
	"strings"
)

// visit is one request for a page.
type visit struct {
	*http.Request
	s    *Server
	who  *account    // nil: not signed in
	repo *repository // when the path names one
	full string      // its name, "owner/name", as it was when the request came
}

func (s *Server) newVisit(r *http.Request) *visit {
	v := &visit{Request: r, s: s}
	if cookie, err := r.Cookie(whoCookie); err == nil {
		if a := s.account(cookie.Value); a != nil && a.kind == kindUser {
			v.who = a
		}
	}
	return v
}

// actor is who acts: a person, or an anonymous visitor.
func (v *visit) actor() *actor { return actorFor(v.who) }

// findRepository sets the repository that the path names. A former name
// redirects to the present one.
func (v *visit) findRepository() error {
	owner, name := v.PathValue("owner"), v.PathValue("repo")
	if owner == "" || name == "" {
		return nil
	}
	v.repo = v.s.findRepo(owner, name)
	if v.repo == nil {
		former := v.s.formerRepo(owner, name)
		if former == nil || !v.s.canSee(v.actor(), former) {
			return notFound()
		}
		rest := strings.SplitN(strings.TrimPrefix(v.URL.EscapedPath(), "/"), "/", 3)
		to := "/" + former.fullName()
		if len(rest) == 3 {
			to += "/" + rest[2]
		}
		return &movedPage{to: to}
	}
	if !v.s.canSee(v.actor(), v.repo) {
		v.repo = nil
		return notFound()
	}
	v.full = v.repo.fullName()
	return nil
}

// movedPage is the answer that something is found elsewhere.
type movedPage struct{ to string }

func (m *movedPage) Error() string { return "moved to " + m.to }
