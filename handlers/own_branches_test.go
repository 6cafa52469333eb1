package handlers

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/templates"
)

// lagging is GitHub with one pull request of the App's and a metadata branch
// whose newest commit changed the entity's file.
type lagging struct {
	Pulls
	Branches
	Snapshots
	pull    Pull // as it is
	closed  bool // by the App
	deleted bool // the branch
}

func (l *lagging) Pull(context.Context, int) (Pull, error) { return l.pull, nil }

func (l *lagging) EditPull(_ context.Context, _ int, edit PullEdit) error {
	l.closed = *edit.State == "closed" && templates.PullWithdrawn(*edit.Body)
	return nil
}

func (l *lagging) DeleteBranch(context.Context, string) error {
	l.deleted = true
	return nil
}

func (l *lagging) Head(context.Context) (Commit, error) { return Commit{SHA: "merge"}, nil }

func (l *lagging) File(_ context.Context, commit, path string) ([]byte, bool, error) {
	if path == "providers/a/acme/demo.json" {
		return []byte(commit), true, nil
	}
	return nil, false, nil
}

// A read may be from before what the App knows already: what it made a moment
// ago is not taken back for that, and what is merged is not closed.
func TestTakeBack(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	open := Pull{Number: 7, Open: true, HeadSHA: "tip"}
	merged := Pull{Number: 7, Merged: true, HeadSHA: "tip"}
	ago := func(d time.Duration) *Commit { return &Commit{SHA: "tip", Date: now.Add(-d)} }
	for name, c := range map[string]struct {
		listed, is      *Pull
		tip             *Commit
		closed, deleted bool
		again           time.Duration
	}{
		"its reason is gone":                 {&open, &open, ago(time.Minute), true, true, 0},
		"made a moment ago":                  {&open, &open, ago(time.Second), false, false, 9 * time.Second},
		"whose pull request is not seen yet": {nil, &open, ago(time.Second), false, false, 9 * time.Second},
		"left without a pull request":        {nil, &open, ago(time.Minute), false, true, 0},
		"merged":                             {&merged, &merged, ago(time.Second), false, true, 0},
		"merged, and made anew":              {&merged, &merged, &Commit{SHA: "next", Date: now}, false, false, 10 * time.Second},
		"merged, which the list lacks":       {&open, &merged, ago(time.Minute), false, true, 0},
		"whose branch is deleted":            {&open, &open, nil, true, false, 0},
	} {
		github := &lagging{pull: *c.is}
		h := New(Options{Pulls: github, Branches: github, Now: func() time.Time { return now }})
		result, err := h.takeBackSettled(context.Background(), "release/module-acme/demo/aws", c.listed, c.tip)
		if err != nil || github.closed != c.closed || github.deleted != c.deleted || result.Again != c.again {
			t.Errorf("%s: closed %v, branch deleted %v, again after %s, %v", name, github.closed, github.deleted, result.Again, err)
		}
	}
}

// What was merged while the run looked, or before that without its head's
// knowing, is not proposed once more.
func TestUpToDate(t *testing.T) {
	now := time.Now()
	const path = "providers/a/acme/demo.json"
	merged := func(ago time.Duration) *Pull { return &Pull{Merged: true, Updated: now.Add(-ago)} }
	for name, c := range map[string]struct {
		head, path string
		pull       *Pull
		want       error
	}{
		"nothing proposed before":  {"base", path, nil, nil},
		"a pull request waits":     {"base", path, &Pull{Open: true, Updated: now}, nil},
		"read before the merge":    {"base", path, merged(time.Second), errOvertaken},
		"read after it":            {"merge", path, merged(time.Second), nil},
		"another file was changed": {"base", "modules/a/acme/demo/aws.json", merged(time.Second), nil},
		"merged long ago":          {"base", path, merged(time.Hour), nil},
	} {
		h := New(Options{Snapshots: &lagging{}, Now: func() time.Time { return now }})
		if err := h.upToDate(context.Background(), Commit{SHA: c.head}, c.pull, c.path); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
