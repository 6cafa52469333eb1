package publish

import (
	"bytes"
	"io"
	"net/http"
	"time"
)

// reply is what cloudflare-go does not pass on of an answer.
type reply struct {
	status     int // 0 where no answer came
	retryAfter time.Duration
}

type replyKey struct{}

// maxReply bounds an answer of Cloudflare's API, in bytes.
const maxReply = 1 << 20

// recorder notes the reply in the request's context. It reads the body whole,
// within bounds, because cloudflare-go leaves those of failures open.
type recorder struct{ next http.RoundTripper }

func (r recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return nil, err
	}
	if got, ok := req.Context().Value(replyKey{}).(*reply); ok {
		got.status, got.retryAfter = resp.StatusCode, retryAfter(resp.Header, time.Now())
	}
	whole := *resp
	whole.Body = io.NopCloser(bytes.NewReader(body))
	return &whole, nil
}
