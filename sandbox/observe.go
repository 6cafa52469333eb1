package sandbox

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// maxCalls bounds the log of calls; the oldest half goes when it is full.
const maxCalls = 50_000

// Call is one request that was answered.
type Call struct {
	// Kind is "rest", "upload", "git", "feed" or "download".
	Kind   string
	Method string
	// Path is as the client sent it, with its query.
	Path   string
	Status int
	At     time.Time
	// Actor is the login of who called, "app:slug" for an app's own token, ""
	// for a stranger.
	Actor string
}

// Exchange is a whole REST request and its answer. RequestBody is nil for
// uploads, whose bodies are not kept.
type Exchange struct {
	Request      *http.Request
	RequestBody  []byte
	Status       int
	Header       http.Header
	ResponseBody []byte
}

// observation remembers what was asked.
type observation struct {
	mu        sync.Mutex
	calls     []Call
	unknown   []string
	observers []func(Exchange)
}

// Observe has f called after every REST exchange, one at a time per request;
// requests run side by side, so f must be safe for that.
func (s *Server) Observe(f func(Exchange)) {
	o := &s.observation
	o.mu.Lock()
	defer o.mu.Unlock()
	o.observers = append(o.observers, f)
}

// Calls are the answered requests since the start or the last ResetCalls, the
// latest 25,000 to 50,000 of them.
func (s *Server) Calls() []Call {
	o := &s.observation
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Call(nil), o.calls...)
}

// ResetCalls forgets the calls.
func (s *Server) ResetCalls() {
	o := &s.observation
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = nil
}

// Unknown are the REST requests that no route took: "METHOD path?query". Tests
// want it empty.
func (s *Server) Unknown() []string {
	o := &s.observation
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]string(nil), o.unknown...)
}

func (o *observation) unknownRoute(r *http.Request) error {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 2048))
	line := r.Method + " " + r.URL.RequestURI()
	o.mu.Lock()
	if len(o.unknown) < 1000 {
		o.unknown = append(o.unknown, line)
	}
	o.mu.Unlock()
	return &apiError{status: http.StatusNotFound, message: "The sandbox has no route for this request",
		extra: obj{"request": obj{"line": line, "headers": withoutSecrets(r.Header), "body": string(body)}}}
}

func withoutSecrets(h http.Header) http.Header {
	h = h.Clone()
	if h.Get("Authorization") != "" {
		h.Set("Authorization", "(not shown)")
	}
	return h
}

func (o *observation) add(c Call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.calls) >= maxCalls {
		o.calls = append([]Call(nil), o.calls[maxCalls/2:]...)
	}
	o.calls = append(o.calls, c)
}

// record is a response writer that remembers one REST exchange.
type record struct {
	http.ResponseWriter
	o           *observation
	request     *http.Request
	at          time.Time
	actor       string
	status      int
	requestBody []byte
	observed    bool
	body        bytes.Buffer
}

func (o *observation) begin(w http.ResponseWriter, r *http.Request, at time.Time) *record {
	o.mu.Lock()
	defer o.mu.Unlock()
	return &record{ResponseWriter: w, o: o, request: r, at: at, status: http.StatusOK, observed: len(o.observers) > 0}
}

func (r *record) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *record) Write(p []byte) (int, error) {
	if r.observed {
		r.body.Write(p)
	}
	return r.ResponseWriter.Write(p)
}

// end logs the call and tells the observers.
func (r *record) end() {
	kind := "rest"
	if strings.HasPrefix(r.request.URL.Path, "/api/uploads/") {
		kind = "upload"
	}
	r.o.add(Call{Kind: kind, Method: r.request.Method, Path: r.request.URL.RequestURI(),
		Status: r.status, At: r.at, Actor: r.actor})
	if !r.observed {
		return
	}
	r.o.mu.Lock()
	observers := r.o.observers
	r.o.mu.Unlock()
	for _, f := range observers {
		f(Exchange{Request: r.request, RequestBody: r.requestBody, Status: r.status,
			Header: r.Header().Clone(), ResponseBody: r.body.Bytes()})
	}
}
