package handlers

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// checkName is the name of the App's check run on a pull request.
const checkName = "registrar"

// submission is what was observed about an issue.
type submission struct {
	issue   Issue
	answers validation.Answers
	input   string // digest of the answers
	comment *Comment
	doubles []Comment // of the comment
	stamp   stamp

	head Commit // of the metadata branch
	tip  *Commit
	pull *Pull // the newest from the submission's branch

	// judged is nil where nothing had to be judged at this run.
	judged *judgement
	// current: the branch holds what the judgement wants, on a base that still
	// fits.
	current bool
	check   *CheckRun // on the branch's tip
	// live: what the merged pull request brought is served; served is what
	// clients now find there.
	live   bool
	served sentences

	recorded bool // the verdict is in the decision log
}

// judgement is the verdict on a submission and what it wants in the data.
type judgement struct {
	validation.Report
	sentences                   // the facts as the templates show them
	path      string            // of the data file, or the first of them
	files     map[string][]byte // what it wants in the data; nil deletes
	already   bool              // registered, or on file, before this submission
	changes   []judgedChange    // of a removal
	facts     validation.RepositoryFacts
	isMember  bool // the author is the namespace, or a public member of it
}

// sentences are the sections that comment, pull request and check run share.
type sentences struct {
	provider *templates.ProviderCheck
	module   *templates.ModuleCheck
	key      *templates.KeyCheck
	removal  *templates.Removal
}

func submissionBranch(issue int) string { return fmt.Sprintf("submission/issue-%d", issue) }

// observeSubmission reads the issue and, where a verdict is due, everything
// that the verdict needs.
func (h *Handlers) observeSubmission(ctx context.Context, number int, force bool) (submission, error) {
	s, err := h.observeThread(ctx, number)
	if err == nil && !force {
		force, err = h.overtaken(ctx, s)
	}
	if err != nil || !s.needsVerdict(force) {
		if err == nil && s.merged() && s.stamp.State != templates.StateLive {
			err = h.observeMerged(ctx, &s)
		}
		return s, err
	}
	judged, err := h.judge(ctx, s)
	if err != nil {
		return s, err
	}
	s.judged = &judged
	if judged.Verdict == validation.Accept && s.tip != nil {
		err = h.observeBranch(ctx, &s)
	}
	return s, err
}

// observeThread is what every run looks at: five requests at once.
func (h *Handlers) observeThread(ctx context.Context, number int) (submission, error) {
	var s submission
	var comments []Comment
	err := together(ctx,
		func(ctx context.Context) (err error) { s.issue, err = h.threads.Issue(ctx, number); return err },
		func(ctx context.Context) (err error) { comments, err = h.threads.OwnComments(ctx, number); return err },
		func(ctx context.Context) (err error) { s.head, err = h.snapshots.Head(ctx); return err },
		func(ctx context.Context) error {
			tip, pulls, err := h.ownBranch(ctx, submissionBranch(number))
			s.tip, s.pull = tip, newestPull(pulls)
			return err
		},
	)
	if err != nil {
		return s, fmt.Errorf("observe issue %d: %w", number, err)
	}
	s.answers = h.answers(s.issue.Title, s.issue.Labels, s.issue.Body)
	s.input = digest(s.answers)
	marker := templates.Marker(templates.MarkerSubmission, fmt.Sprintf("issue=%d", number))
	for _, c := range comments {
		switch {
		case !templates.HasMarker(c.Body, marker):
		case s.comment == nil:
			s.comment, s.stamp = &c, readStamp(c.Body)
		default:
			s.doubles = append(s.doubles, c)
		}
	}
	return s, nil
}

// answers reads an issue. GitHub's web address is part of them: what stands on
// another host is no repository here.
func (h *Handlers) answers(title string, labels []string, body string) validation.Answers {
	a := templates.ParseIssue(title, labels, body)
	a.WebURL = h.webURL
	return a
}

func (s submission) merged() bool   { return s.pull != nil && s.pull.Merged }
func (s submission) pullOpen() bool { return s.pull != nil && s.pull.Open }

// leftover: there is a pull request to close, or a branch to delete.
func (s submission) leftover() bool { return s.pullOpen() || s.tip != nil }

// rejected: a maintainer closed the pull request that the comment speaks of.
func (s submission) rejected() bool {
	return refusedPull(s.pull) && s.stamp.State == templates.StatePullRequest && s.stamp.Pull == s.pull.Number
}

// needsVerdict tells whether the rules must be asked: at the first look, after
// an edit, when someone asks again, and after a failure of ours.
func (s submission) needsVerdict(force bool) bool {
	if s.issue.IsPull || !s.issue.Open || s.merged() || s.answers.PrivateKey || s.rejected() {
		return false
	}
	if s.answers.Kind == validation.KindNone && s.comment == nil {
		return false
	}
	settled := s.stamp.Input == s.input && s.settled()
	return force || !settled
}

// settled tells whether the comment's state is one that lasts until someone acts.
func (s submission) settled() bool {
	switch s.stamp.State {
	case templates.StatePrivateKey:
		return true
	case templates.StateNeedsChanges, templates.StateRequestReceived:
		return s.pull == nil || !s.pull.Open
	case templates.StatePullRequest:
		return s.pullOpen() && s.stamp.Pull == s.pull.Number && s.tip != nil && s.tip.SHA == s.pull.HeadSHA
	}
	return false
}

// overtaken tells whether the metadata branch has changed the very file that a
// waiting pull request wants to change: someone else's submission of the same
// thing was merged first.
func (h *Handlers) overtaken(ctx context.Context, s submission) (bool, error) {
	if !s.pullOpen() || s.tip == nil || s.tip.Parent == s.head.SHA {
		return false, nil
	}
	changes, err := h.pulls.PullChanges(ctx, s.pull.Number)
	if err != nil {
		return false, err
	}
	for _, c := range changes {
		changed, err := h.changedBetween(ctx, c.Path, s.tip.Parent, s.head.SHA)
		if err != nil || changed {
			return changed, err
		}
	}
	return false, nil
}

// judge gathers the facts for the kind of submission and asks the rules.
func (h *Handlers) judge(ctx context.Context, s submission) (judgement, error) {
	sub, findings := validation.ReadSubmission(s.answers)
	report := sub.Verdict(findings)
	if report.Verdict != validation.Accept {
		return judgement{Report: report}, nil
	}
	asked := question{Submission: sub, author: s.issue.Author, created: s.issue.Created, commit: s.head.SHA}
	if s.tip != nil {
		asked.branch = s.tip.SHA
	}
	switch sub.Kind {
	case validation.KindProvider, validation.KindModule:
		return h.judgeRepository(ctx, asked)
	case validation.KindProviderKey:
		return h.judgeKey(ctx, asked)
	case validation.KindVersionRemoval:
		return h.judgeRemoval(ctx, s.issue.Number, asked)
	}
	return judgement{Report: report}, nil
}

// question is a submission together with where to look for its facts.
type question struct {
	validation.Submission
	author  string
	created time.Time
	commit  string // of the metadata repository
	branch  string // the submission's own branch, "" if there is none yet
}

// observeBranch finds out whether the submission's branch is still right: it
// holds the wanted files, and those have not changed on the metadata branch
// since the branch was made.
func (h *Handlers) observeBranch(ctx context.Context, s *submission) error {
	paths := slices.Sorted(maps.Keys(s.judged.files))
	s.current = true
	same, err := each(ctx, paths, func(ctx context.Context, path string) (bool, error) {
		holds, fits, err := h.fileState(ctx, *s.tip, s.head, path, s.judged.files[path])
		return holds && fits, err
	})
	if err == nil {
		s.current = !slices.Contains(same, false)
		var check CheckRun
		var ok bool
		if check, ok, err = h.checks.Check(ctx, s.tip.SHA, checkName); ok {
			s.check = &check
		}
	}
	if err != nil {
		return fmt.Errorf("observe branch of issue %d: %w", s.issue.Number, err)
	}
	return nil
}

// fileState tells whether one of the App's branches holds what a file should be,
// and whether the file has not changed on the metadata branch since the branch
// was made.
func (h *Handlers) fileState(ctx context.Context, tip, head Commit, path string, want []byte) (holds, fits bool, err error) {
	f, err := h.filesAt(ctx, path, tip.SHA, tip.Parent, head.SHA)
	if err != nil {
		return false, false, err
	}
	return f[0].same(fileAt{want, want != nil}), f[1].same(f[2]), nil
}
