package handlers

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// kept is a decision log in memory, which fails after so many lines.
type kept struct {
	lines []Decision
	room  int
}

func (k *kept) Record(_ context.Context, d Decision) error {
	if len(k.lines) >= k.room {
		return errors.New("no space left")
	}
	k.lines = append(k.lines, d)
	return nil
}

// The longest decision that strangers can bring about fits into a line, and says
// that it was cut; a short one is kept as it is.
func TestDecisionIsBounded(t *testing.T) {
	long := strings.Repeat("\x01", 10_000)
	d := Decision{Did: DidJudge, Asked: "ada"}
	for range 5000 {
		d.About, d.Keys, d.Approved = append(d.About, long), append(d.Keys, long), append(d.Approved, long)
		d.Findings = append(d.Findings, DecisionFinding{Code: "c", Severity: validation.Error, Field: long, Message: long})
		d.Versions = append(d.Versions, DecisionVersion{Version: long, Of: long, Outcome: "taken"})
	}
	b, err := json.Marshal(d.bounded().identified())
	if err != nil || len(b) > 1<<20-1000 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
	if !d.bounded().Cut || d.Findings[0].Message != long {
		t.Error("it was cut in silence, or in place")
	}
	short := Decision{Did: DidJudge, About: []string{"provider acme/demo"}, Findings: []DecisionFinding{{Code: "c", Message: "m"}}}
	if got := short.bounded(); got.Cut || got.Findings[0].Message != "m" {
		t.Errorf("%+v", got)
	}
}

func TestDecisionID(t *testing.T) {
	a := Decision{Did: DidMerge, Pull: 2, Time: time.Unix(1, 0)}.identified()
	b := Decision{Did: DidMerge, Pull: 2, Time: time.Unix(2, 0), ID: "x"}.identified()
	c := Decision{Did: DidMerge, Pull: 3}.identified()
	if a.ID != b.ID || a.ID == c.ID || len(a.ID) != 16 {
		t.Errorf("%s %s %s", a.ID, b.ID, c.ID)
	}
}

// What every try of a job finds again is said once; what could not be written is
// said again.
func TestDecisionOnce(t *testing.T) {
	k := &kept{room: 1}
	l := &decisionLog{port: k, now: time.Now}
	ctx := context.Background()
	for _, fails := range []bool{false, false} {
		if err := l.recordOnce(ctx, Decision{Did: DidHoldBack, Commit: "a"}); (err != nil) != fails {
			t.Errorf("%v", err)
		}
	}
	for range 2 {
		if l.recordOnce(ctx, Decision{Did: DidHoldBack, Commit: "b"}) == nil {
			t.Error("a full disk is no error")
		}
	}
	k.room = 3
	if err := l.recordOnce(ctx, Decision{Did: DidHoldBack, Commit: "b"}); err != nil || len(k.lines) != 2 {
		t.Errorf("%v, %d lines", err, len(k.lines))
	}
}

// noWrites is a forge on which nothing can be written: a call is a panic.
type noWrites struct {
	Branches
	Pulls
	Checks
	Threads
}

// Nothing is done that can't be written down: no pull request, no check, no
// comment.
func TestNothingIsDoneWithoutItsLine(t *testing.T) {
	h := New(Options{
		Branches: noWrites{}, Pulls: noWrites{}, Checks: noWrites{}, Threads: noWrites{}, Decisions: &kept{},
		Policy: Policy{Merge: templates.MergeAutomatic},
	})
	ctx := context.Background()
	s := observed(func(s *submission) { s.judged = accepted() })
	s.tip = &Commit{SHA: "tip"}
	check := CheckRun{Conclusion: "success"}
	errs := map[string]error{
		"branch":  h.applyPull(ctx, &s, submissionPlan{check: &check, pull: &PullDraft{}, decision: judgedDecision(s)}),
		"comment": h.applyComment(ctx, s, h.submissionComment(s, templates.StateNeedsChanges)),
		"alert": h.applyAlert(ctx, templates.Alert{Kind: validation.KindProvider, Address: "acme/demo"},
			alertPlan{issue: &Issue{Number: 1}, text: "x", open: true}),
	}
	pull := Pull{Number: 2, Own: true, HeadBranch: releaseBranches.of(registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}.Entity())}
	h.policy.Releases = templates.MergeAutomatic
	_, errs["merge"] = h.mergeByPolicy(ctx, pull, check)
	for what, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "decision log: no space left") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestAboutOfSubmissions(t *testing.T) {
	for _, c := range []struct {
		report validation.Report
		want   string
	}{
		{validation.Report{Kind: validation.KindProvider, Namespace: "Acme", Name: "demo"}, "provider acme/demo"},
		{validation.Report{Kind: validation.KindModule, Namespace: "acme", Name: "net", Target: "demo"}, "module acme/net/demo"},
		{validation.Report{Kind: validation.KindProviderKey, Namespace: "acme"}, "provider-key acme"},
		{validation.Report{Kind: validation.KindProvider}, ""},
	} {
		if got := strings.Join(aboutReport(c.report, nil), ","); got != c.want {
			t.Errorf("%+v: %s", c.report, got)
		}
	}
}
