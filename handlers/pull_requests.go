package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// pullKeys: a pull request on the metadata branch is checked when its content
// changes. One that is closed moves the submission it came from. What the App
// opened itself it has checked already.
func (h *Handlers) pullKeys(e event) []Key {
	if !e.Repository.is(h.metadata) || e.PullRequest.Number <= 0 || e.PullRequest.Base.Ref != h.branch {
		return nil
	}
	switch {
	case e.Action == "closed":
		return h.closedKeys(e)
	case oneOf(e.Action, "opened", "synchronize", "reopened", "ready_for_review") && !h.own(e):
		return []Key{PullKey(e.PullRequest.Number)}
	}
	return nil
}

func (h *Handlers) closedKeys(e event) []Key {
	head := e.PullRequest.Head
	if !head.Repo.is(h.metadata) {
		return nil
	}
	if key, ok := branchKey(head.Ref); ok {
		return []Key{key}
	}
	if head.Ref == batchBranch {
		return []Key{BatchKey}
	}
	return nil
}

// reviewKeys: an approval may merge.
func (h *Handlers) reviewKeys(e event) []Key {
	if !e.Repository.is(h.metadata) || e.PullRequest.Number <= 0 || !oneOf(e.Action, "submitted", "dismissed") {
		return nil
	}
	return []Key{PullKey(e.PullRequest.Number)}
}

// checkKeys: someone pressed "Re-run" beside a check.
func (h *Handlers) checkKeys(e event) []Key {
	if !e.Repository.is(h.metadata) || e.Action != "rerequested" {
		return nil
	}
	var keys []Key
	for _, p := range append(e.CheckRun.PullRequests, e.CheckSuite.PullRequests...) {
		if p.Number > 0 {
			keys = append(keys, CheckKey(p.Number))
		}
	}
	return keys
}

// submissionIssue is the issue whose submission a branch holds.
func submissionIssue(branch string) (int, bool) {
	text, ok := strings.CutPrefix(branch, "submission/issue-")
	n, err := strconv.Atoi(text)
	return n, ok && err == nil && n > 0
}

// reconcilePull checks a pull request, and merges it where the policy says so.
// One with new versions that waits is made anew where the metadata branch has
// changed the same file.
func (h *Handlers) reconcilePull(ctx context.Context, number int) (Result, error) {
	result, err := h.checkPull(ctx, number, false)
	if err != nil || len(result.Next) > 0 {
		return result, err
	}
	result.Next, err = h.overtakenRelease(ctx, number)
	return result, err
}

// checkPull judges the files of a pull request unless its head has been judged,
// or anew if force says so.
func (h *Handlers) checkPull(ctx context.Context, number int, force bool) (Result, error) {
	pull, err := h.pulls.Pull(ctx, number)
	if err != nil {
		return Result{}, fmt.Errorf("observe pull request %d: %w", number, err)
	}
	if pull.BaseBranch != h.branch {
		return Result{}, nil
	}
	if !pull.Open {
		return h.followClosed(pull), nil
	}
	check, done, err := h.checks.Check(ctx, pull.HeadSHA, checkName)
	if err != nil {
		return Result{}, err
	}
	if !done || check.Conclusion == "" || force {
		fresh, decision, touches, err := h.judgePull(ctx, pull)
		if err != nil || !touches {
			return Result{}, err
		}
		fresh.ID, fresh.SHA = check.ID, pull.HeadSHA
		if !done || !sameCheck(check, fresh) {
			if err := h.decisions.record(ctx, decision); err != nil {
				return Result{}, err
			}
			if err := h.checks.PutCheck(ctx, fresh); err != nil {
				return Result{}, fmt.Errorf("write check run of pull request %d: %w", number, err)
			}
		}
		check = fresh
	}
	return h.mergeByPolicy(ctx, pull, check)
}

// sameCheck tells whether a check run says the same already.
func sameCheck(a, b CheckRun) bool {
	return a.Conclusion == b.Conclusion && a.Title == b.Title && sameText(a.Summary, b.Summary) && sameText(a.Text, b.Text)
}

// followClosed hands a closed pull request to the submission it came from.
func (h *Handlers) followClosed(pull Pull) Result {
	if issue, ok := submissionIssue(pull.HeadBranch); ok && pull.Own && !pull.FromFork {
		return Result{Next: []Key{IssueKey(issue)}}
	}
	return Result{}
}

// mergeByPolicy merges one of the App's own pull requests whose check is green.
func (h *Handlers) mergeByPolicy(ctx context.Context, pull Pull, check CheckRun) (Result, error) {
	if !pull.Own || pull.FromFork || check.Conclusion != "success" {
		return Result{}, nil
	}
	issue, isSubmission := submissionIssue(pull.HeadBranch)
	policy, err := h.mergePolicy(ctx, pull, isSubmission)
	if err != nil {
		return Result{}, err
	}
	if policy == templates.MergeBatch {
		return Result{Next: []Key{BatchKey}}, nil
	}
	merge, approved, err := h.mayMerge(ctx, policy, pull)
	if err != nil || !merge {
		return Result{}, err
	}
	err = h.merge(ctx, pull, mergeDecision(pull, policy, approved))
	if errors.Is(err, forge.ErrNotMergeable) {
		return h.followUnmergeable(pull), nil
	}
	if err != nil {
		return Result{}, err
	}
	next := []Key{PublishKey}
	if isSubmission {
		next = append(next, IssueKey(issue))
	}
	return Result{Next: next}, nil
}

// merge merges a pull request, after the decision is written down.
func (h *Handlers) merge(ctx context.Context, pull Pull, d Decision) error {
	if err := h.decisions.record(ctx, d); err != nil {
		return err
	}
	title := fmt.Sprintf("%s (#%d)", pull.Title, pull.Number)
	if err := h.pulls.Merge(ctx, pull.Number, pull.HeadSHA, title, ""); err != nil {
		return fmt.Errorf("merge pull request %d: %w", pull.Number, err)
	}
	return nil
}

// mergePolicy is who merges one of the App's own pull requests. What takes
// something out of the registry wants a maintainer's approval, whatever the
// policy says.
func (h *Handlers) mergePolicy(ctx context.Context, pull Pull, isSubmission bool) (templates.Merge, error) {
	_, isWarning := warningBranches.entity(pull.HeadBranch)
	if _, isBackfill := backfillBranches.entity(pull.HeadBranch); isBackfill {
		return h.policy.upkeep(), nil
	}
	if !isSubmission && !isWarning {
		return h.policy.Releases, nil
	}
	changes, err := h.pulls.PullChanges(ctx, pull.Number)
	switch {
	case err != nil:
		return "", err
	case removes(changes):
		return templates.MergeApproved, nil
	case isWarning:
		return h.warningPolicy(slices.ContainsFunc(changes, func(c registrydata.Change) bool { return c.Kind == registrydata.Added })), nil
	}
	return h.policy.Merge, nil
}

// followUnmergeable makes the branch anew on top of what has changed: by the
// submission's issue, or by another look at the repository.
func (h *Handlers) followUnmergeable(pull Pull) Result {
	h.log.Warn("pull request cannot be merged now", "pull", pull.Number, "branch", pull.HeadBranch)
	if key, ok := branchKey(pull.HeadBranch); ok {
		return Result{Next: []Key{key}}
	}
	return Result{}
}

// mayMerge asks the policy: automatic, or the approval of someone who has write
// permission now, given for the very commit that would be merged. approved are
// those who gave theirs.
func (h *Handlers) mayMerge(ctx context.Context, policy templates.Merge, pull Pull) (merge bool, approved []string, err error) {
	switch policy {
	case templates.MergeAutomatic:
		return true, nil, nil
	case templates.MergeApproved:
	default:
		return false, nil, nil
	}
	reviews, err := h.pulls.Reviews(ctx, pull.Number)
	if err != nil {
		return false, nil, err
	}
	for login, state := range lastReviews(reviews, pull.HeadSHA) {
		if state == "COMMENTED" {
			continue
		}
		writes, err := h.threads.CanWrite(ctx, login)
		if err != nil {
			return false, nil, err
		}
		if writes && state == "CHANGES_REQUESTED" {
			return false, nil, nil
		}
		if writes && state == "APPROVED" {
			approved = append(approved, login)
		}
	}
	return len(approved) > 0, approved, nil
}

// lastReviews is each reviewer's last word: an approval of an older head does
// not count, a request for changes holds until it is withdrawn.
func lastReviews(reviews []Review, head string) map[string]string {
	last := map[string]string{}
	for _, r := range reviews {
		if r.State == "COMMENTED" || r.State == "APPROVED" && r.SHA != head {
			continue
		}
		last[r.Author] = r.State
	}
	return last
}

// judgePull judges the files of a pull request by the same rules as a
// submission. touches is false where it changes no data.
func (h *Handlers) judgePull(ctx context.Context, pull Pull) (check CheckRun, d Decision, touches bool, err error) {
	changes, err := h.pulls.PullChanges(ctx, pull.Number)
	if err != nil {
		return CheckRun{}, Decision{}, false, err
	}
	var data []registrydata.Change
	for _, c := range changes {
		if isData(c.Path) || isData(c.OldPath) {
			data = append(data, c)
		}
	}
	if len(data) == 0 {
		return CheckRun{}, Decision{}, false, nil
	}
	author, err := h.responsible(ctx, pull)
	if err != nil {
		return CheckRun{}, Decision{}, false, err
	}
	files, err := each(ctx, data, func(ctx context.Context, c registrydata.Change) (templates.CheckedFile, error) {
		return h.judgeChange(ctx, pull, author, c)
	})
	if err != nil {
		return CheckRun{}, Decision{}, false, fmt.Errorf("judge pull request %d: %w", pull.Number, err)
	}
	d = pullDecision(pull, author, files)
	failed := d.Verdict != validation.Accept
	return checkRun(templates.CheckRunText(templates.CheckRun{Site: h.site, Files: files, Own: pull.Own}), failed), d, true, nil
}

func isData(path string) bool {
	return path == registrydata.BlacklistPath || strings.HasPrefix(path, "providers/") || strings.HasPrefix(path, "modules/") || strings.HasPrefix(path, "keys/")
}

// responsible is whose rights count for a pull request: its author's, or for a
// submission those of the issue's author.
func (h *Handlers) responsible(ctx context.Context, pull Pull) (string, error) {
	number, ok := submissionIssue(pull.HeadBranch)
	if !ok || !pull.Own || pull.FromFork {
		return pull.Author, nil
	}
	issue, err := h.threads.Issue(ctx, number)
	if err != nil {
		return "", err
	}
	return issue.Author, nil
}
