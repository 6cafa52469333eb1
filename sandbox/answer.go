package sandbox

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// response is what a handler answers: a JSON body, or a stream.
type response struct {
	status      int
	body        any
	header      http.Header
	contentType string // of raw
	raw         []byte
}

func ok(body any) (*response, error) { return &response{status: http.StatusOK, body: body}, nil }
func created(body any) (*response, error) {
	return &response{status: http.StatusCreated, body: body}, nil
}
func accepted(body any) (*response, error) {
	return &response{status: http.StatusAccepted, body: body}, nil
}
func noContent() (*response, error) { return &response{status: http.StatusNoContent}, nil }

func redirect(status int, to string) (*response, error) {
	return &response{status: status, header: http.Header{"Location": {to}}, body: obj{
		"message": http.StatusText(status), "url": to, "documentation_url": docsURL}}, nil
}

// answer writes what the handler said with GitHub's headers.
func (s *Server) answer(c *call, w http.ResponseWriter, resp *response, err error) {
	h := w.Header()
	h.Set("Server", "github.com")
	h.Set("X-GitHub-Request-Id", c.id)
	h.Set("X-GitHub-Media-Type", "github.v3; format=json")
	h.Set("X-GitHub-Api-Version-Selected", "2022-11-28")
	h.Set("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With")
	if err != nil {
		s.answerError(c, w, err)
		return
	}
	data, contentType, err := resp.bytes()
	if err != nil {
		s.answerError(c, w, err)
		return
	}
	for k, v := range resp.header {
		h[k] = v
	}
	free := false
	if c.Method == http.MethodGet && resp.status == http.StatusOK {
		tag := etag(data)
		h.Set("ETag", tag)
		h.Set("Cache-Control", "private, max-age=60, s-maxage=60")
		if sameETag(c.Header.Get("If-None-Match"), tag) {
			free, resp = true, &response{status: http.StatusNotModified}
			data = nil
		}
	}
	s.limits.headers(s, c, h, free)
	if data != nil && resp.status != http.StatusNoContent {
		h.Set("Content-Type", contentType)
	}
	w.WriteHeader(resp.status)
	if resp.status != http.StatusNoContent && resp.status != http.StatusNotModified {
		_, _ = w.Write(data) // the client is gone when this fails
	}
}

func (r *response) bytes() (data []byte, contentType string, err error) {
	if r.raw != nil {
		return r.raw, r.contentType, nil
	}
	if r.body == nil {
		return nil, "", nil
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r.body); err != nil {
		return nil, "", err
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), "application/json; charset=utf-8", nil
}

func (s *Server) answerError(c *call, w http.ResponseWriter, err error) {
	var bad *apiError
	if !errors.As(err, &bad) {
		s.log.Error("sandbox: request failed", "method", c.Method, "path", c.URL.Path, "err", err)
		bad = fail(http.StatusInternalServerError, "Server Error: "+err.Error())
	}
	s.limits.headers(s, c, w.Header(), false)
	for k, v := range bad.header {
		w.Header()[k] = v
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(bad.status)
	_, _ = w.Write(bad.body())
}

func etag(data []byte) string {
	sum := sha256.Sum256(data)
	return `W/"` + hex.EncodeToString(sum[:]) + `"`
}

// sameETag compares weakly, as If-None-Match does (RFC 9110 §13.1.2).
func sameETag(header, tag string) bool {
	for part := range strings.SplitSeq(header, ",") {
		part = strings.TrimPrefix(strings.TrimSpace(part), "W/")
		if part == "*" || (part != "" && part == strings.TrimPrefix(tag, "W/")) {
			return true
		}
	}
	return false
}

func (s *Server) api(path string, parts ...string) string {
	return s.base + "/api/v3" + path + escapeJoin(parts)
}
func (s *Server) webURL(path string) string { return s.base + path }

func escapeJoin(parts []string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(strings.ReplaceAll(url.PathEscape(p), "%2F", "/"))
	}
	return b.String()
}

// stamp writes a time as GitHub does; the zero time is null.
func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// orNull turns an empty string into JSON's null.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// extend adds the fields of more to out.
func extend(out, more obj) obj {
	for k, v := range more {
		out[k] = v
	}
	return out
}

// extendBy adds what build makes; nil builds nothing.
func extendBy(out obj, build func() obj) obj {
	if build == nil {
		return out
	}
	return extend(out, build())
}
