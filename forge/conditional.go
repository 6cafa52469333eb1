package forge

import (
	"bytes"
	"io"
	"net/http"
	"strings"
)

// maxConditional is the largest answer that is kept for conditional requests.
const maxConditional = 1 << 20

// conditionalTransport repeats GET requests with If-None-Match, which cost no
// quota where GitHub answers 304, and hands out the answer it kept.
// (docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api)
type conditionalTransport struct {
	next http.RoundTripper
	kept *lru[keptAnswer]
}

type keptAnswer struct {
	etag   string
	header http.Header
	body   []byte
}

func (t *conditionalTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodGet || marked(req.Context(), keyImmutable) || req.Header.Get("If-None-Match") != "" {
		return t.next.RoundTrip(req)
	}
	key := req.Header.Get("Accept") + " " + req.URL.String()
	kept, known := t.kept.get(key)
	if known {
		req = req.Clone(req.Context())
		req.Header.Set("If-None-Match", kept.etag)
	}
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	switch {
	case known && resp.StatusCode == http.StatusNotModified:
		return kept.answer(resp), nil
	case resp.StatusCode == http.StatusOK && resp.Header.Get("ETag") != "":
		return t.keep(key, resp)
	}
	return resp, nil
}

// answer is the kept answer with what the 304 says anew (the rate limit, the
// date).
func (k keptAnswer) answer(notModified *http.Response) *http.Response {
	_ = notModified.Body.Close()
	header := k.header.Clone()
	for name, values := range notModified.Header {
		if !strings.HasPrefix(name, "Content-") {
			header[name] = values
		}
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK,
		Proto: notModified.Proto, ProtoMajor: notModified.ProtoMajor, ProtoMinor: notModified.ProtoMinor,
		Header: header, Body: io.NopCloser(bytes.NewReader(k.body)), ContentLength: int64(len(k.body)),
		Request: notModified.Request,
	}
}

// keep reads an answer that is small enough and stores it.
func (t *conditionalTransport) keep(key string, resp *http.Response) (*http.Response, error) {
	if resp.ContentLength > maxConditional {
		return resp, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxConditional+1))
	if err != nil {
		_ = resp.Body.Close()
		return nil, err
	}
	if len(body) > maxConditional {
		resp.Body = &joinedBody{Reader: io.MultiReader(bytes.NewReader(body), resp.Body), Closer: resp.Body}
		return resp, nil
	}
	_ = resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	t.kept.put(key, keptAnswer{etag: resp.Header.Get("ETag"), header: resp.Header.Clone(), body: body}, int64(len(body))+1024)
	return resp, nil
}

type joinedBody struct {
	io.Reader
	io.Closer
}
