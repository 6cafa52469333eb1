package registry

import (
	"encoding/json"
	"net/http"
	"strings"
)

// ServeHTTP answers the registry API, with the headers that package publish
// gives the same files.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	h := w.Header()
	h["Access-Control-Allow-Origin"] = corsOrigin
	h["Access-Control-Expose-Headers"] = corsExpose
	h["X-Content-Type-Options"] = noSniff
	switch req.Method {
	case http.MethodGet, http.MethodHead:
		r.get(w, req)
	case http.MethodOptions:
		h.Set("Access-Control-Allow-Methods", "GET, HEAD")
		h.Set("Access-Control-Max-Age", "86400")
		r.metrics.request(kindOther, http.StatusNoContent)
		w.WriteHeader(http.StatusNoContent)
	default:
		h.Set("Allow", "GET, HEAD, OPTIONS")
		r.fail(w, kindOther, http.StatusMethodNotAllowed, "method not allowed")
	}
}

// Header values that many answers share. Nothing may change them.
var (
	corsOrigin = []string{"*"}
	corsExpose = []string{"ETag, X-Terraform-Get"}
	noSniff    = []string{"nosniff"}
	jsonType   = []string{"application/json"}
	varies     = []string{"Accept-Encoding"}
	gzipCoded  = []string{"gzip"}
)

func (r *Registry) get(w http.ResponseWriter, req *http.Request) {
	now := r.current.Load()
	if now == nil {
		w.Header().Set("Retry-After", "5")
		w.Header().Set("Cache-Control", "no-store")
		r.fail(w, kindOther, http.StatusServiceUnavailable, "the registry is starting")
		return
	}
	path := strings.ToLower(strings.TrimPrefix(req.URL.Path, "/"))
	a, kind := r.answer(now, path)
	if a == nil {
		w.Header().Set("Cache-Control", cacheAbsent)
		r.fail(w, kind, http.StatusNotFound, "not found")
		return
	}
	r.metrics.request(kind, a.write(w, req))
}

// answer finds or renders the answer for a path; nil where there is none. Most
// requests are for an answer that is kept and was given of the same state before:
// they take one look-up.
func (r *Registry) answer(now *snapshot, path string) (*answer, kind) {
	if path == r.discovery.Path {
		return r.discovered, kindDiscovery
	}
	kept := r.cache.get(path)
	if kept != nil && kept.goodAt.Load() == now.number {
		return kept, kept.kind
	}
	name, rest, kind, ok := splitPath(path)
	if !ok {
		return nil, kindOther
	}
	e := now.entities[name]
	if e == nil {
		return nil, kind
	}
	if kept != nil && kept.from == e {
		kept.goodAt.Store(now.number)
		return kept, kind
	}
	o, ok := e.render(r.renderer, rest)
	if !ok {
		return nil, kind
	}
	a := newAnswer(e, kind, o)
	a.goodAt.Store(now.number)
	r.cache.put(path, a)
	return a, kind
}

// splitPath cuts "v1/providers/acme/demo/versions" into the name of the entity,
// "providers/acme/demo", and the rest.
func splitPath(path string) (name, rest string, k kind, ok bool) {
	path, ok = strings.CutPrefix(path, "v1/")
	if !ok || strings.Contains(path, "//") {
		return "", "", kindOther, false
	}
	parts := 3
	k = kindProviderDownload
	if strings.HasPrefix(path, "modules/") {
		parts, k = 4, kindModuleDownload
	} else if !strings.HasPrefix(path, "providers/") {
		return "", "", kindOther, false
	}
	end := 0
	for range parts {
		i := strings.IndexByte(path[end:], '/')
		if i < 0 {
			return "", "", kindOther, false
		}
		end += i + 1
	}
	name, rest = path[:end-1], path[end:]
	if rest == listSegment {
		k--
	}
	return name, rest, k, true
}

// write sends the answer, or the part of it that the request wants, and returns
// the status.
func (a *answer) write(w http.ResponseWriter, req *http.Request) int {
	h := w.Header()
	body, length, etag := a.body, a.length, a.etag
	if len(body) >= leastCompressed {
		h["Vary"] = varies
		if takesGzip(req.Header.Get("Accept-Encoding")) {
			if zipped, ok := a.gzipped(); ok {
				body, length, etag = zipped, a.zipLen, a.weakETag
				h["Content-Encoding"] = gzipCoded
			}
		}
	}
	h["Etag"] = etag
	h["Cache-Control"] = a.cacheControl
	if a.location != nil {
		h["X-Terraform-Get"] = a.location
	}
	if none := req.Header.Get("If-None-Match"); none != "" && matches(none, a.etag[0]) {
		delete(h, "Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return http.StatusNotModified
	}
	h["Content-Type"] = jsonType
	h["Content-Length"] = length
	if req.Method == http.MethodHead {
		w.WriteHeader(http.StatusOK)
		return http.StatusOK
	}
	_, _ = w.Write(body) //nolint:gosec // JSON, and sent as such; a client that has gone needs no answer
	return http.StatusOK
}

// takesGzip reads an Accept-Encoding header (RFC 9110, section 12.5.3).
func takesGzip(header string) bool {
	if header == "gzip" {
		return true
	}
	for coding := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(coding, ";")
		if name = strings.TrimSpace(name); !strings.EqualFold(name, "gzip") && !strings.EqualFold(name, "x-gzip") {
			continue
		}
		weight, ok := strings.CutPrefix(strings.ReplaceAll(strings.ToLower(params), " ", ""), "q=")
		return !ok || strings.Trim(weight, "0.") != ""
	}
	return false
}

// matches compares an If-None-Match header with an ETag, weakly (RFC 9110,
// section 13.1.2).
func matches(header, etag string) bool {
	if strings.TrimSpace(header) == "*" {
		return true
	}
	for candidate := range strings.SplitSeq(header, ",") {
		if strings.TrimPrefix(strings.TrimSpace(candidate), "W/") == etag {
			return true
		}
	}
	return false
}

// fail writes an error as the registry protocol has it.
func (r *Registry) fail(w http.ResponseWriter, k kind, status int, message string) {
	r.metrics.request(k, status)
	body, err := json.Marshal(map[string][]string{"errors": {message}})
	if err != nil {
		body = []byte(`{"errors":[]}`)
	}
	w.Header()["Content-Type"] = jsonType
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
