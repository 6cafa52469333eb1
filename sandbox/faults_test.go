package sandbox_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-github/v57/github"

	"github.com/tofu-registrar/registrar/sandbox"
)

// TestLimitFaults: refusals that a client takes for GitHub's rate limits.
func TestLimitFaults(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	w.set(sandbox.Settings{Faults: []sandbox.Fault{{Limit: "secondary", Times: 1, For: sandbox.Duration(3 * time.Second)}}})
	var second *github.AbuseRateLimitError
	if err := w.open(w.as("acme")); !errors.As(err, &second) || second.GetRetryAfter() != 3*time.Second {
		t.Errorf("secondary limit: %v, %v", err, second.GetRetryAfter())
	}
	w.set(sandbox.Settings{Faults: []sandbox.Fault{{Limit: "primary", Times: 1}}})
	var first *github.RateLimitError
	if err := w.open(w.as("acme")); !errors.As(err, &first) || time.Until(first.Rate.Reset.Time) > 2*time.Second {
		t.Errorf("primary limit: %v", err)
	}
	w.set(sandbox.Settings{})
	if n := w.count(); n != 0 {
		t.Errorf("%d issues, want none of those that were refused", n)
	}
}

// TestSparePeople: only Apps meet the faults.
func TestSparePeople(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	_, bot := w.bot("acme")
	w.set(sandbox.Settings{SparePeople: true, Faults: []sandbox.Fault{{Method: "POST", Path: "/issues$"}}})
	if err := w.open(w.as("acme")); err != nil {
		t.Errorf("a person: %v", err)
	}
	w.refused(w.open(bot), 502, "")
}

// TestStaleMissing: what was not there is not there for a while yet.
func TestStaleMissing(t *testing.T) {
	t.Parallel()
	var clock clock
	w := start(t, withClock(&clock))
	w.repo("acme", "r")
	w.set(sandbox.Settings{StaleReads: sandbox.Duration(time.Second)})
	c := w.as("acme")
	read := func() error {
		_, _, err := c.Issues.Get(w.ctx, "acme", "r", 1)
		return err
	}
	w.refused(read(), 404, "")
	if err := w.open(c); err != nil {
		t.Fatal(err)
	}
	w.refused(read(), 404, "")
	clock.advance(2 * time.Second)
	if err := read(); err != nil {
		t.Errorf("later: %v", err)
	}
}

// TestLateDeliveries: one comes after those that came after it.
func TestLateDeliveries(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	w.bot("acme")
	w.take()
	w.set(sandbox.Settings{Deliveries: sandbox.DeliveryFaults{Late: 1, LateBy: sandbox.Duration(300 * time.Millisecond)}})
	w.say("a")
	w.say("b")
	if got := w.titles(); got != "b a" {
		t.Errorf("late: %s", got)
	}
	w.set(sandbox.Settings{Deliveries: sandbox.DeliveryFaults{Late: 1, LateBy: sandbox.Duration(time.Hour)}})
	w.say("c")
	w.say("d")
	for w.heard() == 0 {
		time.Sleep(time.Millisecond)
	}
	w.s.DeliverLate()
	if got := w.titles(); got != "d c" {
		t.Errorf("an hour late: %s", got)
	}
}

// heard is how many deliveries came since the last look.
func (w *world) heard() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.hooks)
}
