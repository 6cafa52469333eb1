package handlers

import (
	"slices"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// observed is a submission of acme's provider as it stands at first sight.
func observed(change func(*submission)) submission {
	s := submission{
		issue:   Issue{Number: 12, Title: "Provider: acme/demo", Author: "ada", Open: true, Labels: []string{"provider", "submission"}, Created: time.Unix(1700000000, 0)},
		answers: validation.Answers{Kind: validation.KindProvider, Repository: "acme/terraform-provider-demo"},
		head:    Commit{SHA: "head", Tree: "tree"},
	}
	s.input = digest(s.answers)
	if change != nil {
		change(&s)
	}
	return s
}

func accepted() *judgement {
	return &judgement{
		Report: validation.Report{Kind: validation.KindProvider, Namespace: "acme", Name: "demo", Verdict: validation.Accept},
		path:   "providers/a/acme/demo.json", files: map[string][]byte{"providers/a/acme/demo.json": []byte("{}")},
	}
}

func withPull(s *submission, open, merged bool) {
	s.tip = &Commit{SHA: "tip", Parent: "head"}
	s.pull = &Pull{Number: 15, Open: open, Merged: merged, HeadSHA: "tip", HeadBranch: "submission/issue-12"}
	s.stamp = stamp{State: templates.StatePullRequest, Pull: 15, Input: s.input}
	s.comment = &Comment{ID: 3}
}

func TestDecideSubmission(t *testing.T) {
	for _, c := range []struct {
		rule  string
		s     submission
		state templates.State // of the comment; "" for none
		check func(t *testing.T, p submissionPlan)
	}{
		{"a pull request is no submission", observed(func(s *submission) { s.issue.IsPull = true; s.judged = accepted() }), "", isEmpty},
		{"nothing new, nothing to do", observed(nil), "", isEmpty},
		{"an accepted one gets branch, pull request and check", observed(func(s *submission) { s.judged = accepted() }), templates.StatePullRequest,
			func(t *testing.T, p submissionPlan) {
				if p.branch == nil || p.branch.Name != "submission/issue-12" || p.branch.Base.SHA != "head" ||
					!p.branch.Date.Equal(time.Unix(1700000000, 0)) || string(p.branch.Files["providers/a/acme/demo.json"]) != "{}" {
					t.Errorf("branch %+v", p.branch)
				}
				if p.pull == nil || p.check == nil || p.check.Conclusion != "success" || p.drop || p.closing != "" {
					t.Errorf("plan %+v", p)
				}
			}},
		{"one that needs changes loses its pull request", observed(func(s *submission) {
			withPull(s, true, false)
			s.judged = &judgement{Report: validation.Report{Kind: validation.KindProvider, Verdict: validation.NeedsChanges}}
		}), templates.StateNeedsChanges, func(t *testing.T, p submissionPlan) {
			if !p.drop || p.branch != nil || p.closing != "" {
				t.Errorf("plan %+v", p)
			}
		}},
		{"what is registered already is closed", observed(func(s *submission) {
			s.judged = &judgement{Report: validation.Report{Kind: validation.KindProvider, Verdict: validation.NeedsChanges}, already: true}
		}), templates.StateAlreadyRegistered, func(t *testing.T, p submissionPlan) {
			if p.closing != "not_planned" {
				t.Errorf("closing %q", p.closing)
			}
		}},
		{"a module in the provider form is relabelled", observed(func(s *submission) {
			s.judged = accepted()
			s.judged.Kind = validation.KindModule
		}), templates.StatePullRequest, func(t *testing.T, p submissionPlan) {
			if !slices.Equal(p.labels, []string{"module"}) || !slices.Equal(p.unlabel, []string{"provider"}) {
				t.Errorf("add %q, remove %q", p.labels, p.unlabel)
			}
		}},
		{"a version request is for a person", observed(func(s *submission) {
			s.judged = &judgement{Report: validation.Report{Kind: validation.KindVersionReindex, Verdict: validation.Accept}}
		}), templates.StateRequestReceived, nil},
		{"merged, not served yet", observed(func(s *submission) { withPull(s, false, true) }), templates.StatePublishing,
			func(t *testing.T, p submissionPlan) {
				if p.again == 0 || p.closing != "completed" {
					t.Errorf("again %s, closing %q", p.again, p.closing)
				}
			}},
		{"merged and served", observed(func(s *submission) { withPull(s, false, true); s.live = true; s.issue.Open = false }), templates.StateLive,
			func(t *testing.T, p submissionPlan) {
				if p.again != 0 || p.closing != "" {
					t.Errorf("again %s, closing %q", p.again, p.closing)
				}
			}},
		{"told that it is live: done", observed(func(s *submission) {
			withPull(s, false, true)
			s.issue.Open, s.stamp.State, s.tip = false, templates.StateLive, nil
		}), "", isEmpty},
		{"a closed issue withdraws", observed(func(s *submission) { withPull(s, true, false); s.issue.Open = false }), templates.StateWithdrawn,
			func(t *testing.T, p submissionPlan) {
				if !p.drop {
					t.Error("the pull request stays")
				}
			}},
		{"the issue follows a pull request that a maintainer closed", observed(func(s *submission) { withPull(s, false, false) }), templates.StateClosedUnmerged,
			func(t *testing.T, p submissionPlan) {
				if p.closing != "not_planned" || !p.drop {
					t.Errorf("plan %+v", p)
				}
			}},
		{"reopened after that, it starts anew", observed(func(s *submission) {
			withPull(s, false, false)
			s.stamp.State, s.tip, s.judged = templates.StateClosedUnmerged, nil, accepted()
		}), templates.StatePullRequest, func(t *testing.T, p submissionPlan) {
			if p.branch == nil || p.pull == nil || p.closing != "" {
				t.Errorf("plan %+v", p)
			}
		}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			p := testHandlers().decideSubmission(c.s)
			var state templates.State
			if p.comment != nil {
				state = p.comment.State
			}
			if state != c.state {
				t.Errorf("the comment says %q, want %q", state, c.state)
			}
			if c.check != nil {
				c.check(t, p)
			}
		})
	}
}

func isEmpty(t *testing.T, p submissionPlan) {
	t.Helper()
	if !p.empty() || p.again != 0 {
		t.Errorf("wanted nothing to do, got %+v", p)
	}
}

// TestDecideRedaction: a private key goes out of the issue, and nothing else is
// done with it.
func TestDecideRedaction(t *testing.T) {
	body := "### Provider GPG Key\n\n-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQ+secret\n-----END PGP PRIVATE KEY BLOCK-----\n"
	s := observed(func(s *submission) {
		s.issue.Body, s.answers.PrivateKey = body, true
	})
	p := testHandlers().decideSubmission(s)
	if p.redacted == nil || *p.redacted == body || p.branch != nil || p.pull != nil || p.comment.State != templates.StatePrivateKey {
		t.Fatalf("plan %+v", p)
	}
	after := observed(func(s *submission) {
		s.answers = testHandlers().answers(s.issue.Title, s.issue.Labels, *p.redacted)
		s.stamp, s.comment = stamp{State: templates.StatePrivateKey, Input: p.input}, &Comment{ID: 1}
		s.input = digest(s.answers)
	})
	if after.answers.PrivateKey || after.needsVerdict(false) {
		t.Errorf("the redacted issue is judged again: %+v", after.answers)
	}
}

func TestNeedsVerdict(t *testing.T) {
	for _, c := range []struct {
		rule string
		s    submission
		want bool
	}{
		{"at first sight", observed(nil), true},
		{"not for an issue that asks for nothing", observed(func(s *submission) { s.answers.Kind = validation.KindNone }), false},
		{"not when all is in place", observed(func(s *submission) { withPull(s, true, false) }), false},
		{"after an edit", observed(func(s *submission) { withPull(s, true, false); s.input = "other" }), true},
		{"when the branch was moved by another hand", observed(func(s *submission) { withPull(s, true, false); s.tip.SHA = "else" }), true},
		{"after a failure of ours", observed(func(s *submission) {
			s.comment, s.stamp = &Comment{}, stamp{State: templates.StateOperatorFailure, Input: s.input}
		}), true},
		{"not while it waits for its author", observed(func(s *submission) {
			s.comment, s.stamp = &Comment{}, stamp{State: templates.StateNeedsChanges, Input: s.input}
		}), false},
		{"not once it is merged", observed(func(s *submission) { withPull(s, false, true) }), false},
		{"not when it is closed", observed(func(s *submission) { s.issue.Open = false }), false},
	} {
		if got := c.s.needsVerdict(false); got != c.want {
			t.Errorf("%s: got %v", c.rule, got)
		}
	}
	waiting := observed(func(s *submission) {
		s.comment, s.stamp = &Comment{}, stamp{State: templates.StateNeedsChanges, Input: s.input}
	})
	if !waiting.needsVerdict(true) {
		t.Error("someone who asks again gets a new verdict")
	}
}
