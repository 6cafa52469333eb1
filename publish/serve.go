package publish

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"
)

// Handler serves a target as a registry: the way a cache in front of a bucket
// does it, for `demo` and for registries that need nothing more.
//
// Addresses are compared in lower case. A module's download carries
// X-Terraform-Get beside its JSON, which Terraform needs and OpenTofu ignores.
// What Registrar keeps for itself is not served.
func Handler(target Target) http.Handler { return &server{target: target} }

type server struct{ target Target }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "ETag, X-Terraform-Get")
	h.Set("X-Content-Type-Options", "nosniff")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		s.serve(w, r)
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET, HEAD")
		h.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
	default:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		answerError(w, http.StatusMethodNotAllowed, "method not allowed")
	}
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	path := strings.ToLower(strings.TrimPrefix(r.URL.Path, "/"))
	if !servable(path) {
		notFound(w)
		return
	}
	f, err := s.target.Get(r.Context(), path)
	switch {
	case errors.Is(err, ErrNotExist):
		notFound(w)
		return
	case err != nil:
		w.Header().Set("Cache-Control", "no-store")
		answerError(w, http.StatusInternalServerError, "the registry cannot read this now")
		return
	}
	h := w.Header()
	h.Set("Content-Type", or(f.ContentType, jsonType))
	h.Set("Cache-Control", or(f.CacheControl, cacheControl(path)))
	h.Set("ETag", f.ETag)
	if location := moduleLocation(path, f.Body); location != "" {
		h.Set("X-Terraform-Get", location)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.Body))
}

// servable keeps hidden files private, but for the service discovery.
func servable(path string) bool {
	if CheckPath(path) != nil {
		return false
	}
	if rest, ok := strings.CutPrefix(path, ".well-known/"); ok {
		path = rest
	}
	return path[0] != '.' && !strings.Contains(path, "/.")
}

// moduleLocation is what a module's download answer points to; "" for any other
// answer.
func moduleLocation(path string, body []byte) string {
	if !strings.HasPrefix(path, "v1/modules/") || !strings.HasSuffix(path, "/download") {
		return ""
	}
	var answer struct {
		Location string `json:"location"`
	}
	if json.Unmarshal(body, &answer) != nil || strings.ContainsAny(answer.Location, "\r\n\x00") {
		return ""
	}
	return answer.Location
}

func notFound(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", cacheAbsent)
	answerError(w, http.StatusNotFound, "not found")
}

// answerError writes an error as the registry protocol has it.
func answerError(w http.ResponseWriter, status int, message string) {
	body, err := json.Marshal(map[string][]string{"errors": {message}})
	if err != nil {
		body = []byte(`{"errors":[]}`)
	}
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func or(v, def string) string {
	if v == "" {
		return def
	}
	return v
}
