package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/sandbox"
)

// TestWebFaults: feeds and git go wrong where a knob says so, and as often.
func TestWebFaults(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	w.release(w.as("acme"), "v1.0.0")
	const feed = "/acme/r/releases.atom"
	set := func(f sandbox.WebFault) {
		t.Helper()
		f.Path, f.Times = "r/releases.atom", 1
		if err := w.s.Knobs().Set(sandbox.Settings{WebFaults: []sandbox.WebFault{f}}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		fault  sandbox.WebFault
		status int
		media  string
		bytes  int
	}{
		{sandbox.WebFault{Serve: "html"}, 200, "text/html", 20},
		{sandbox.WebFault{Serve: "malformed"}, 200, "application/atom+xml", 20},
		{sandbox.WebFault{Serve: "deep"}, 200, "application/atom+xml", 300_000},
		{sandbox.WebFault{Serve: "huge", Bytes: 3 << 20}, 200, "application/atom+xml", 3 << 20},
		{sandbox.WebFault{Status: 429, RetryAfter: sandbox.Duration(90 * time.Second)}, 429, "text/plain", 1},
		{sandbox.WebFault{}, 502, "text/plain", 1},
	} {
		set(c.fault)
		resp, body := w.get(w.s.URL()+feed, "")
		if resp.StatusCode != c.status || !strings.HasPrefix(resp.Header.Get("Content-Type"), c.media) || len(body) < c.bytes {
			t.Errorf("%+v: %d %s, %d bytes", c.fault, resp.StatusCode, resp.Header.Get("Content-Type"), len(body))
		}
		if c.fault.RetryAfter > 0 && resp.Header.Get("Retry-After") != "90" {
			t.Errorf("Retry-After %q", resp.Header.Get("Retry-After"))
		}
		if resp, body := w.get(w.s.URL()+feed, ""); resp.StatusCode != 200 || !strings.Contains(body, "v1.0.0") {
			t.Errorf("after %+v: %d", c.fault, resp.StatusCode)
		}
	}
	if err := w.s.Knobs().Set(sandbox.Settings{WebFaults: []sandbox.WebFault{{Serve: "soup"}}}); err == nil {
		t.Error("soup is served")
	}
	if err := w.s.Knobs().Set(sandbox.Settings{WebFaults: []sandbox.WebFault{{Path: "("}}}); err == nil {
		t.Error("a pattern that does not compile")
	}
}
