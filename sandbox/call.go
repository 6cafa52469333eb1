package sandbox

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// maxBody bounds a JSON request body; GitHub takes blobs of up to 40 MB, which
// arrive as base64.
const maxBody = 60 << 20

// maxURI bounds a request's address, as GitHub's front does: routes with a
// branch name in the middle try each way of cutting it.
const maxURI = 8 << 10

// call is one REST request on its way to its handler.
type call struct {
	*http.Request
	s     *Server
	id    string
	actor *actor
	repo  *repository // when the route names one
	route *route
	body  []byte
}

// serveREST takes a request below /api/ the whole way: fault, authentication,
// quota, route, lock, handler, headers, record.
func (s *Server) serveREST(w http.ResponseWriter, r *http.Request) {
	rec := s.observation.begin(w, r, s.now())
	defer rec.end()
	s.delay(r.Context())
	if fault := s.knobs.fault(r, false); fault != nil {
		rec.writeFault(fault)
		return
	}
	c := &call{Request: r, s: s, id: requestID()}
	resp, err := s.handle(c, rec)
	if fault := s.knobs.fault(r, true); fault != nil {
		rec.writeFault(fault)
		return
	}
	s.answer(c, rec, resp, err)
}

func requestID() string { return strings.ToUpper(uuid.NewString()[:23]) }

// handle finds the route and runs it.
func (s *Server) handle(c *call, rec *record) (*response, error) {
	if len(c.URL.RequestURI()) > maxURI {
		return nil, fail(http.StatusRequestURITooLong, "URI Too Long")
	}
	err := s.match(c)
	if err != nil {
		return nil, err
	}
	if c.actor, err = s.authenticate(c.Request); err != nil {
		return nil, err
	}
	rec.actor = c.actor.name()
	if err := s.limits.take(s, c); err != nil {
		return nil, err
	}
	if !c.route.streams {
		if c.body, err = readBody(c.Request); err != nil {
			return nil, err
		}
		rec.requestBody = c.body
	}
	if resp, stale, err := s.reads.lookup(s, c); stale {
		return resp, err
	}
	resp, err := s.runLocked(c)
	s.reads.remember(s, c, resp, err)
	return resp, err
}

func readBody(r *http.Request) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, fail(http.StatusBadRequest, "The request body could not be read")
	}
	if len(data) > maxBody {
		return nil, fail(http.StatusRequestEntityTooLarge, "Request body too large")
	}
	return data, nil
}

// runLocked resolves the repository, takes the locks that the route asks for,
// checks access and calls the handler.
func (s *Server) runLocked(c *call) (*response, error) {
	for {
		repo, err := s.findForCall(c)
		if err != nil {
			return nil, err
		}
		resp, again, err := s.runOn(c, repo)
		if !again {
			return resp, err
		}
	}
}

// runOn runs the handler on repo; again is set when the repository's name came
// to mean another one between finding and locking it.
func (s *Server) runOn(c *call, repo *repository) (resp *response, again bool, err error) {
	c.repo = repo
	if c.route.prepare != nil || c.route.locking == lockNone {
		if err := s.allowUnlocked(c); err != nil {
			return nil, false, err
		}
	}
	if c.route.prepare != nil {
		if err := c.route.prepare(c); err != nil {
			return nil, false, err
		}
	}
	if c.route.locking == lockNone {
		resp, err = c.route.handle(c)
		return resp, false, err
	}
	defer s.lockFor(c.route, repo)()
	now, err := s.resolve(c)
	if err != nil || now != repo {
		return nil, err == nil, err
	}
	if err := s.allow(c); err != nil {
		return nil, false, err
	}
	resp, err = c.route.handle(c)
	return resp, false, err
}

func (s *Server) lockFor(rt *route, repo *repository) (unlock func()) {
	switch rt.locking {
	case lockRead:
		s.mu.RLock()
		return s.mu.RUnlock
	case lockWrite:
		s.mu.Lock()
		return s.mu.Unlock
	case lockRefs:
		repo.refsMu.Lock()
		s.mu.Lock()
		return func() { s.mu.Unlock(); repo.refsMu.Unlock() }
	}
	return func() {}
}

// findForCall resolves the repository of a call outside the handler's lock.
func (s *Server) findForCall(c *call) (*repository, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.resolve(c)
}

// decode reads the JSON body into v. An empty body and null leave v as it is.
func (c *call) decode(v any) error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	err := json.Unmarshal(c.body, v)
	var wrongType *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrongType):
		return unprocessable("Invalid request.\n\nFor 'properties/" + wrongType.Field + "', " +
			wrongType.Value + " is not a " + wrongType.Type.String() + ".")
	case err != nil:
		return fail(http.StatusBadRequest, "Problems parsing JSON")
	}
	return nil
}

// number reads a numeric path segment; anything else is not found.
func (c *call) number(name string) (int64, error) {
	n, err := strconv.ParseInt(c.PathValue(name), 10, 64)
	if err != nil || n <= 0 {
		return 0, notFound()
	}
	return n, nil
}

func (c *call) query(name string) string { return c.URL.Query().Get(name) }

// accepts tells whether the Accept header names the media type given.
func (c *call) accepts(mediaType string) bool {
	return strings.Contains(strings.Join(c.Header.Values("Accept"), ","), mediaType)
}
