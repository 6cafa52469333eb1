package validation

import (
	"testing"
	"time"
)

// TestSettling walks a release through its checks: each look says when the next
// one is due, whenever it comes.
func TestSettling(t *testing.T) {
	at := func(d time.Duration) time.Time { return testNow.Add(d) }
	for _, c := range []struct {
		name    string
		now     time.Time
		wait    time.Duration
		settles bool
	}{
		{"at once", at(0), 30 * time.Second, true},
		{"by a clock that is behind", at(-time.Hour), 30 * time.Second, true},
		{"before the first check", at(10 * time.Second), 20 * time.Second, true},
		{"at the first check", at(30 * time.Second), time.Minute, true},
		{"at the second", at(90 * time.Second), 2 * time.Minute, true},
		{"at the third", at(210 * time.Second), 5 * time.Minute, true},
		{"at the fourth", at(510 * time.Second), 15 * time.Minute, true},
		{"between the last two", at(20 * time.Minute), 3*time.Minute + 30*time.Second, true},
		{"at the last", at(1410 * time.Second), 0, false},
		{"a year later", at(365 * 24 * time.Hour), 0, false},
	} {
		if wait, settles := Settling(testNow, c.now); wait != c.wait || settles != c.settles {
			t.Errorf("%s: %s, %v; want %s, %v", c.name, wait, settles, c.wait, c.settles)
		}
	}
	if _, settles := Settling(time.Time{}, testNow); settles {
		t.Error("what was never published settles")
	}
	looks := 0
	for now := testNow; ; looks++ {
		wait, settles := Settling(testNow, now)
		if !settles {
			break
		}
		now = now.Add(wait)
	}
	if looks != 5 {
		t.Errorf("%d looks", looks)
	}
}

func TestUnfinished(t *testing.T) {
	for code, want := range map[string]bool{
		"asset-missing": true, "checksums-missing": true, "signature-missing": true, "file-unreadable": true, "other-file-missing": true,
		"signature-bad": false, "checksums-blank-line": false, "zip-unusable": false,
	} {
		if got := (TagResult{Findings: []Finding{{Code: code}}}).Unfinished(); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
}
