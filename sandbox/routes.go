package sandbox

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// locking says which locks the handler of a route runs with.
type locking int

const (
	lockNone  locking = iota // the handler locks by itself
	lockRead                 // Server.mu for reading
	lockWrite                // Server.mu for writing
	lockRefs                 // the repository's refsMu, then Server.mu for writing
)

// route is one REST route.
type route struct {
	access  access
	locking locking
	streams bool // the body is left unread for the handler
	prepare func(*call) error
	handle  func(*call) (*response, error)
	search  bool // counted against the search quota
	free    bool // costs no quota
}

// match finds the route. A request that has none is answered with all of
// itself, and remembered.
func (s *Server) match(c *call) error {
	if inner := s.stripAPI(c.Request); inner != nil {
		if rt := s.rest.find(inner); rt != nil {
			c.route, c.Request = rt, inner
			return nil
		}
	}
	return s.observation.unknownRoute(c.Request)
}

// stripAPI makes /api/v3/x into /x and /api/uploads/x into /uploads/x, and
// replaces /repositories/{id}/… by the repository's present name.
func (s *Server) stripAPI(r *http.Request) *http.Request {
	escaped, found := strings.CutPrefix(r.URL.EscapedPath(), "/api/v3")
	if !found {
		escaped, found = strings.CutPrefix(r.URL.EscapedPath(), "/api")
		if !found || !strings.HasPrefix(escaped, "/uploads/") {
			return nil
		}
	}
	if rest, byID := strings.CutPrefix(escaped, "/repositories/"); byID {
		id, tail, _ := strings.Cut(rest, "/")
		escaped = s.pathOfID(id, tail)
	}
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return nil
	}
	inner := r.Clone(r.Context())
	inner.URL.Path, inner.URL.RawPath = path, escaped
	return inner
}

func (s *Server) pathOfID(id, tail string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, _ := strconv.ParseInt(id, 10, 64)
	full := "-/-" // no repository is called so: not found
	if r := s.repos[n]; r != nil {
		full = r.fullName()
	}
	return strings.TrimSuffix("/repos/"+full+"/"+tail, "/")
}

// resolve finds the repository that the route names. A former name answers
// with a redirect to the repository's number, as GitHub does after a rename.
// Call with the lock held.
func (s *Server) resolve(c *call) (*repository, error) {
	owner, name := c.PathValue("owner"), c.PathValue("repo")
	if owner == "" || name == "" {
		return nil, nil
	}
	if r := s.findRepo(owner, name); r != nil {
		return r, nil
	}
	r := s.formerRepo(owner, name)
	if r == nil || !s.canSee(c.actor, r) {
		return nil, notFound()
	}
	segments := strings.SplitN(strings.TrimPrefix(c.URL.EscapedPath(), "/"), "/", 4)
	to := s.api("/repositories/" + strconv.FormatInt(r.id, 10))
	if len(segments) == 4 {
		to += "/" + segments[3]
	}
	if c.URL.RawQuery != "" {
		to += "?" + c.URL.RawQuery
	}
	status := http.StatusMovedPermanently
	if c.Method != http.MethodGet && c.Method != http.MethodHead {
		status = http.StatusTemporaryRedirect
	}
	return nil, &apiError{status: status, message: "Moved Permanently",
		header: http.Header{"Location": {to}}, extra: obj{"url": to}}
}

type routeOption func(*route)

func withRefs(rt *route)     { rt.locking = lockRefs }
func streaming(rt *route)    { rt.locking, rt.streams = lockNone, true }
func searching(rt *route)    { rt.search = true }
func freeOfCharge(rt *route) { rt.free = true }

func prepared(f func(*call) error) routeOption {
	return func(rt *route) { rt.prepare = f }
}

// route adds one route. GET handlers run with the lock held for reading, others
// for writing, if no option says otherwise.
func (s *Server) route(pattern string, a access, h func(*call) (*response, error), options ...routeOption) {
	rt := &route{access: a, handle: h, locking: lockWrite}
	if strings.HasPrefix(pattern, "GET ") {
		rt.locking = lockRead
	}
	for _, o := range options {
		o(rt)
	}
	s.rest.add(pattern, rt)
}

// The usual demands. Names of permissions are those of GitHub Apps.
func reads(permissions string) access {
	return access{permissions: permissions, role: roleRead}
}

func pushes(permissions string) access {
	return access{permissions: permissions, role: roleWrite, write: true}
}

func triages(permissions string) access {
	return access{permissions: permissions, role: roleTriage, write: true, denied: http.StatusForbidden}
}

// contributes is what any signed-in person may do on a public repository.
func contributes(permissions string) access {
	return access{caller: signedIn, permissions: permissions, role: roleRead, write: true}
}

func administers() access {
	return access{permissions: "administration", role: roleAdmin, write: true,
		denied: http.StatusForbidden, whenArchived: true}
}

const repoPath = "/repos/{owner}/{repo}"

// registerREST builds the table of REST routes.
func (s *Server) registerREST() {
	s.registerMeta()
	s.registerApps()
	s.registerAccounts()
	s.registerRepositories()
	s.registerContents()
	s.registerGitData()
	s.registerHistory()
	s.registerIssues()
	s.registerLabels()
	s.registerPulls()
	s.registerChecks()
	s.registerReleases()
	s.registerSearch()
	s.registerArchives()
}
