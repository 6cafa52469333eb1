package handlers

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// fragile is GitHub with one submission whose pull request is open. It lets so
// many writes happen, and then the bot's run ends.
type fragile struct {
	Threads
	Pulls
	Branches
	h       *Handlers
	s       submission
	already bool // what the rules say of it

	mu   sync.Mutex // of all that writes change
	left int
}

var errKilled = errors.New("killed")

func (f *fragile) write() error {
	if f.left == 0 {
		return errKilled
	}
	f.left--
	return nil
}

func (f *fragile) EditComment(_ context.Context, _ int64, body string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.write(); err != nil {
		return err
	}
	f.s.comment.Body, f.s.stamp = body, readStamp(body)
	return nil
}

func (f *fragile) DeleteComment(_ context.Context, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.write(); err != nil {
		return err
	}
	f.s.doubles = slices.DeleteFunc(slices.Clone(f.s.doubles), func(c Comment) bool { return c.ID == id })
	return nil
}

func (f *fragile) Pull(context.Context, int) (Pull, error) { return *f.s.pull, nil }

func (f *fragile) EditPull(_ context.Context, _ int, edit PullEdit) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.write(); err != nil {
		return err
	}
	f.s.pull.Open, f.s.pull.Body = *edit.State != "closed", *edit.Body
	return nil
}

func (f *fragile) DeleteBranch(context.Context, string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.write(); err != nil {
		return err
	}
	f.s.tip = nil
	return nil
}

func (f *fragile) EditIssue(_ context.Context, _ int, edit IssueEdit) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.write(); err != nil {
		return err
	}
	if edit.State != nil {
		f.s.issue.Open = false
	}
	if edit.Body != nil {
		f.s.issue.Body, f.s.answers.PrivateKey = *edit.Body, false
		f.s.input = digest(f.h.answers(f.s.issue.Title, f.s.issue.Labels, *edit.Body))
	}
	return nil
}

// run is one run of the issue, as reconcileSubmission does it.
func (f *fragile) run(report validation.Report) error {
	s := f.s
	pull, comment := *f.s.pull, *f.s.comment
	s.pull, s.comment, s.judged = &pull, &comment, nil
	if s.needsVerdict(false) {
		s.judged = &judgement{Report: report, already: f.already}
	}
	return f.h.applySubmission(context.Background(), &s, f.h.decideSubmission(s))
}

// A run that takes a pull request back may end between any two writes: the next
// one must not take it for a maintainer's no, nor forget the branch.
func TestTakenBackWhateverHappens(t *testing.T) {
	bad := validation.Report{Kind: validation.KindProvider, Verdict: validation.NeedsChanges}
	for _, c := range []struct {
		name string
		s    submission
		want templates.State
		open bool // the issue

		already bool
	}{
		{"withdrawn", observed(func(s *submission) { withPull(s, true, false); s.issue.Open = false }), templates.StateWithdrawn, false, false},
		{"edited", observed(func(s *submission) { withPull(s, true, false); s.input = "0123" }), templates.StateNeedsChanges, true, false},
		{"private key", observed(func(s *submission) {
			withPull(s, true, false)
			s.answers.PrivateKey = true
			s.issue.Body = "### Provider Repository\n\n-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQVYBGX\n-----END PGP PRIVATE KEY BLOCK-----\n"
		}), templates.StatePrivateKey, true, false},
		{"refused, and commented on twice", observed(func(s *submission) {
			withPull(s, false, false)
			s.doubles = []Comment{{ID: 8}, {ID: 9}}
		}), templates.StateClosedUnmerged, false, false},
		{"refused by a maintainer", observed(func(s *submission) { withPull(s, false, false) }), templates.StateClosedUnmerged, false, false},
		{"registered meanwhile", observed(func(s *submission) {
			withPull(s, true, false)
			s.input = "0123"
		}), templates.StateAlreadyRegistered, false, true},
		{"registered meanwhile, before there was a pull request", observed(func(s *submission) {
			withPull(s, false, false)
			s.tip, s.stamp.Pull, s.stamp.State = nil, 0, templates.StateNeedsChanges
			s.input = "0123"
		}), templates.StateAlreadyRegistered, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for writes := range 5 {
				f := &fragile{s: c.s, left: writes, already: c.already}
				pull, comment := *c.s.pull, *c.s.comment
				f.s.pull, f.s.comment = &pull, &comment
				f.h = New(Options{Threads: f, Pulls: f, Branches: f})
				if err := f.run(bad); err != nil && !errors.Is(err, errKilled) {
					t.Fatal(err)
				}
				for f.left = 100; ; {
					before := f.left
					if err := f.run(bad); err != nil {
						t.Fatal(err)
					}
					if f.left == before {
						break
					}
				}
				if f.s.stamp.State != c.want || f.s.issue.Open != c.open || f.s.pull.Open || f.s.tip != nil || len(f.s.doubles) > 0 {
					t.Errorf("killed after %d writes: the comment says %s, issue open %v, pull request open %v, branch %v, %d comments too many",
						writes, f.s.stamp.State, f.s.issue.Open, f.s.pull.Open, f.s.tip, len(f.s.doubles))
				}
			}
		})
	}
}
