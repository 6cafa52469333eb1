package validation

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

func attempt(version, message string, at time.Time) registrydata.VersionError {
	return registrydata.VersionError{Version: version, Message: message, UTCTime: at.Format(time.RFC3339Nano)}
}

// TestNextTry: 15 minutes times the square of how many attempts there were,
// after the last one (spec §5.4).
func TestNextTry(t *testing.T) {
	var a Attempts
	if got := a.NextTry("1.0.0"); !got.IsZero() {
		t.Errorf("never tried: %s", got)
	}
	for n, want := range []time.Duration{15 * time.Minute, time.Hour, 135 * time.Minute, 4 * time.Hour} {
		now := testNow.Add(time.Duration(n) * 24 * time.Hour)
		a = a.Fail("v1.0.0", "no", now)
		if got := a.NextTry("1.0.0").Sub(now); got != want {
			t.Errorf("after %d attempts: %s, want %s", n+1, got, want)
		}
	}
	if a.Versions()[0] != "1.0.0" || len(a.Of("V1.0.0")) != 0 || len(a.Of("v1.0.0")) != 4 {
		t.Errorf("%v", a)
	}
	if got := (Attempts{{Version: "1.0.0", UTCTime: "yesterday"}}).NextTry("1.0.0"); !got.IsZero() {
		t.Errorf("a time that is none: %s", got)
	}
	many := make(Attempts, 40_000)
	for i := range many {
		many[i] = attempt("1.0.0", "no", testNow)
	}
	if got := many.NextTry("1.0.0"); !got.After(testNow) {
		t.Errorf("after very many: %s", got)
	}
}

// TestFail: what says nothing new is not noted, so that a second run writes
// nothing, and nobody fills a file.
func TestFail(t *testing.T) {
	a := Attempts{}.Fail("1.0.0", "one", testNow)
	if got := a.Fail("1.0.0", "one", testNow.Add(time.Minute)); !got.Same(a) {
		t.Errorf("before its time: %v", got)
	}
	if got := a.Fail("1.0.0", "two", testNow.Add(time.Minute)); len(got) != 2 {
		t.Errorf("another message: %v", got)
	}
	if got := a.Fail("1.0.0", "one", testNow.Add(15*time.Minute)); len(got) != 2 || got[1].UTCTime != "2026-03-01T12:15:00Z" {
		t.Errorf("at its time: %v", got)
	}
	for i := range 100 {
		a = a.Fail("1.0.0", fmt.Sprint(i), testNow.Add(time.Minute))
	}
	if len(a) != maxToldTwice {
		t.Errorf("%d attempts within a minute", len(a))
	}
}

// TestAttemptOrder: by version descending, then time ascending (spec §1.4).
func TestAttemptOrder(t *testing.T) {
	a := Attempts{attempt("1.10.0", "b", testNow.Add(time.Hour)), attempt("1.9.0", "x", testNow)}
	a = a.Fail("v2.0.0-rc1", "y", testNow).Fail("2.0.0", "z", testNow).With(Attempts{attempt("1.10.0", "a", testNow), attempt("1.9.0", "x", testNow)})
	var got []string
	for _, e := range a {
		got = append(got, e.Version+e.Message)
	}
	if want := "2.0.0z 2.0.0-rc1y 1.10.0a 1.10.0b 1.9.0x"; strings.Join(got, " ") != want {
		t.Errorf("got %v", got)
	}
	if left := a.Keep(func(v string) bool { return v == "1.9.0" }); len(left) != 1 || len(a) != 5 {
		t.Errorf("left %v of %v", left, a)
	}
}

// TestAttemptsAgain: what failed lately is tried again by itself, the next one
// first; what is old waits for something to happen.
func TestAttemptsAgain(t *testing.T) {
	a := Attempts{attempt("2.0.0", "x", testNow.Add(-10*time.Minute)), attempt("1.0.0", "x", testNow)}
	if got := a.Again(testNow); got != 5*time.Minute {
		t.Errorf("next in %s", got)
	}
	if got := a.Again(testNow.Add(time.Hour)); got != time.Second {
		t.Errorf("overdue in %s", got)
	}
	if got := a.Again(testNow.Add(30 * 24 * time.Hour)); got != 0 {
		t.Errorf("old in %s", got)
	}
}

func TestFailureMessage(t *testing.T) {
	findings := []Finding{{Severity: Warning, Message: "Beware."}, {Severity: Error, Message: "It is no zip."}, {Severity: Error, Message: "It is too large."}}
	if got := FailureMessage(findings); got != "It is no zip. It is too large." {
		t.Errorf("got %q", got)
	}
	long := FailureMessage([]Finding{{Severity: Error, Message: strings.Repeat("ä", 1000)}})
	if len(long) > maxAttemptText+3 || !strings.HasSuffix(long, "ä…") {
		t.Errorf("%d bytes, %q", len(long), long[len(long)-8:])
	}
}

func TestWanted(t *testing.T) {
	no := false
	for version, want := range map[string]bool{"1.0.0": true, "0.9.0": false, "2.0.0-rc1": false, "2.0.0+b1": true, "1.0.0-rc1": false} {
		if got := Wanted(registrydata.Upkeep{MinimumVersion: "v1.0.0", Prereleases: &no}, version); got != want {
			t.Errorf("%s: %v", version, got)
		}
		if !Wanted(registrydata.Upkeep{}, version) {
			t.Errorf("%s is not wanted where nothing is said", version)
		}
	}
}

// TestWorthTelling: the author is told of what was released since the provider is
// registered, and of what is above all that is recorded.
func TestWorthTelling(t *testing.T) {
	file := &registrydata.Provider{Versions: []registrydata.ProviderVersion{
		{Version: "2.0.0", Discovered: testNow.Add(time.Hour).Format(time.RFC3339Nano)},
		{Version: "1.0.0", Discovered: testNow.Add(900 * time.Millisecond).Format(time.RFC3339Nano)}, {Version: "0.9.0"},
	}}
	for _, c := range []struct {
		version   string
		published time.Time
		want      bool
	}{
		{"1.5.0", testNow.Add(-time.Hour), false},
		{"1.5.0", testNow.Add(time.Hour), true},
		{"1.5.0", testNow, true}, // in the same second
		{"2.1.0", testNow.Add(-time.Hour), true},
	} {
		if got := WorthTelling(file, c.version, c.published); got != c.want {
			t.Errorf("%s of %s: %v", c.version, c.published, got)
		}
	}
	old := &registrydata.Provider{Versions: []registrydata.ProviderVersion{{Version: "1.0.0"}}}
	if WorthTelling(old, "0.9.0", testNow) || !WorthTelling(old, "1.1.0", testNow) {
		t.Error("a file that does not say when it began")
	}
}
