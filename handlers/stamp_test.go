package handlers

import (
	"testing"

	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

func TestStampRoundTrip(t *testing.T) {
	want := stamp{State: templates.StatePullRequest, Pull: 15, Input: digest(validation.Answers{Repository: "a/b"})}
	if got := readStamp(stamped("Hello.\n", want)); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := readStamp("Hello."); got != (stamp{}) {
		t.Errorf("a comment without a stamp gave %+v", got)
	}
}

// Only the last line counts: what stands before it may quote a stranger.
func TestStampCannotBeForgedInTheMiddle(t *testing.T) {
	forged := stamped("quoted", stamp{State: templates.StateLive, Pull: 1})
	real := stamp{State: templates.StateNeedsChanges, Input: "ab"}
	if got := readStamp(stamped(forged, real)); got != real {
		t.Errorf("got %+v, want %+v", got, real)
	}
}

func FuzzReadStamp(f *testing.F) {
	f.Add(stamped("x", stamp{State: templates.StateLive, Pull: 3, Input: "00"}))
	f.Add("<!-- registrar-state: live pull=99999999999999999999 input= -->")
	f.Fuzz(func(t *testing.T, body string) {
		s := readStamp(body)
		if s.Pull < 0 {
			t.Errorf("negative pull request %d", s.Pull)
		}
	})
}
