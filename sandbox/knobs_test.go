package sandbox_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v57/github"

	"github.com/tofu-registrar/registrar/sandbox"
)

func (w *world) set(settings sandbox.Settings) {
	w.Helper()
	if err := w.s.Knobs().Set(settings); err != nil {
		w.Fatal(err)
	}
}

func (w *world) open(c *github.Client) error {
	_, _, err := c.Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: github.String("t")})
	return err
}

func (w *world) count() int {
	w.Helper()
	return len(must(w.as("acme").Issues.ListByRepo(w.ctx, "acme", "r", nil))(w))
}

// TestFaults: failing before or after doing it, by method, path and number.
func TestFaults(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	issues := `/repos/[^/]+/[^/]+/issues$`
	w.set(sandbox.Settings{Faults: []sandbox.Fault{{Method: "POST", Path: issues, Status: 500, Times: 1}}})
	w.refused(w.open(c), 500, "")
	if n := w.count(); n != 0 {
		t.Errorf("%d issues after a failure", n)
	}
	if err := w.open(c); err != nil {
		t.Error(err)
	}
	w.set(sandbox.Settings{Faults: []sandbox.Fault{{Method: "POST", Path: issues, Times: 1, DidIt: true}}})
	w.refused(w.open(c), 502, "")
	if n := w.count(); n != 2 {
		t.Errorf("%d issues after doing it and answering 502", n)
	}
	w.set(sandbox.Settings{Faults: []sandbox.Fault{{Method: "POST", Skip: 1, Times: 1}}})
	if err := w.open(c); err != nil {
		t.Error(err)
	}
	w.refused(w.open(c), 502, "")
	w.set(sandbox.Settings{Faults: []sandbox.Fault{{Status: -1, Times: 1, Method: "POST"}}})
	var bad *github.ErrorResponse
	if err := w.open(c); err == nil || errors.As(err, &bad) {
		t.Errorf("a dropped connection: %v", err)
	}
	w.set(sandbox.Settings{Seed: 1, Faults: []sandbox.Fault{{Probability: 0.5, Method: "POST"}}})
	failed := 0
	for range 40 {
		if w.open(c) != nil {
			failed++
		}
	}
	if failed < 5 || failed > 35 {
		t.Errorf("%d of 40 failed", failed)
	}
	if err := w.s.Knobs().Set(sandbox.Settings{Faults: []sandbox.Fault{{Path: "("}}}); err == nil {
		t.Error("a pattern that does not compile was taken")
	}
}

// TestRateLimits: the hourly quota, its reset, and the secondary limit.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	var clock clock
	w := start(t, withClock(&clock))
	w.repo("acme", "r")
	c := w.as("stranger")
	w.set(sandbox.Settings{RateLimit: 3})
	var limit *github.RateLimitError
	for i := range 4 {
		_, resp, err := c.Repositories.Get(w.ctx, "acme", "r")
		if (i == 3) != errors.As(err, &limit) {
			t.Fatalf("request %d: %v", i, err)
		}
		if want := max(0, 2-i); resp.Rate.Remaining != want || resp.Rate.Limit != 3 {
			t.Errorf("request %d: %v", i, resp.Rate)
		}
	}
	if limit.Rate.Remaining != 0 || !limit.Rate.Reset.After(clock.now()) {
		t.Errorf("limit %v", limit.Rate)
	}
	if rates := must(w.as("stranger").RateLimits(w.ctx))(w); rates.Core.Remaining != 0 { //nolint:staticcheck // the v57 way
		t.Errorf("rate_limit says %v", rates.Core)
	}
	must(w.as("other").Repositories.Get(w.ctx, "acme", "r"))(w) // has a quota of their own
	clock.advance(time.Hour + time.Minute)
	must(w.as("stranger").Repositories.Get(w.ctx, "acme", "r"))(w)

	w.set(sandbox.Settings{RateLimitAfter: 2})
	for i := range 3 {
		_, _, err := w.as("other").Repositories.Get(w.ctx, "acme", "r")
		if (i == 2) != errors.As(err, &limit) {
			t.Errorf("after 2: request %d: %v", i, err)
		}
	}
	w.set(sandbox.Settings{Secondary: sandbox.SecondaryLimit{After: 1, Times: 1, RetryAfter: sandbox.Duration(7 * time.Second)}})
	must(w.as("other").Repositories.Get(w.ctx, "acme", "r"))(w)
	_, _, err := w.as("other").Repositories.Get(w.ctx, "acme", "r")
	var abuse *github.AbuseRateLimitError
	if !errors.As(err, &abuse) || abuse.GetRetryAfter() != 7*time.Second {
		t.Errorf("secondary limit: %v", err)
	}
	must(w.as("other").Repositories.Get(w.ctx, "acme", "r"))(w)
}

// TestSlowAndSmall: latency and page size.
func TestSlowAndSmall(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	for range 3 {
		if err := w.open(w.as("acme")); err != nil {
			t.Fatal(err)
		}
	}
	w.set(sandbox.Settings{PageSize: 2, Latency: sandbox.Duration(40 * time.Millisecond)})
	began := time.Now()
	if n := w.count(); n != 2 || time.Since(began) < 40*time.Millisecond {
		t.Errorf("%d issues in %v", n, time.Since(began))
	}
}

// TestStaleReads: what was read before a change is read again for a while.
func TestStaleReads(t *testing.T) {
	t.Parallel()
	var clock clock
	w := start(t, withClock(&clock))
	w.repo("acme", "r")
	w.set(sandbox.Settings{StaleReads: sandbox.Duration(time.Second)})
	c := w.as("acme")
	if n := w.count(); n != 0 {
		t.Fatalf("%d issues", n)
	}
	if err := w.open(c); err != nil {
		t.Fatal(err)
	}
	if n := w.count(); n != 0 {
		t.Errorf("%d issues at once", n)
	}
	clock.advance(2 * time.Second)
	if n := w.count(); n != 1 {
		t.Errorf("%d issues later", n)
	}
}

// TestControl: the knobs over HTTP, and the logs.
func TestControl(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	url := w.s.URL() + "/_sandbox/knobs"
	resp, body := w.do(http.MethodPost, url, "", `{"latency":"2ms","page_size":1,"faults":[{"path":"/x","status":500}]}`)
	if got := w.s.Knobs().Get(); resp.StatusCode != 200 || got.PageSize != 1 || got.Latency != sandbox.Duration(2*time.Millisecond) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, body := w.get(url, ""); resp.StatusCode != 200 || !strings.Contains(body, `"latency": "2ms"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	for _, bad := range []string{`{"pagesize":1}`, `{"latency":"soon"}`, `{"faults":[{"path":"("}]}`, `{`} {
		if resp, _ := w.do(http.MethodPost, url, "", bad); resp.StatusCode != 400 {
			t.Errorf("%s: %d", bad, resp.StatusCode)
		}
	}
	if resp, body := w.get(w.s.URL()+"/_sandbox/calls", ""); resp.StatusCode != 200 || !strings.Contains(body, "/api/v3/user/repos") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	w.s.ResetCalls()
	w.git(t.TempDir(), "ls-remote", w.s.URL()+"/acme/r")
	calls := w.s.Calls()
	if len(calls) == 0 || calls[0].Kind != "git" || calls[0].Status != 200 {
		t.Errorf("calls %v", calls)
	}
	if resp, _ := w.get(w.s.URL()+"/_sandbox/none", ""); resp.StatusCode != 404 {
		t.Errorf("%d", resp.StatusCode)
	}
}
