package forge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// The bounds on what is read of a pull request and of the repository.
const (
	maxPulls       = 10_000
	maxPullChanges = 3000 // GitHub lists no more
	maxReviews     = 1000
)

// pullAnswer is a pull request in an answer of the API. Single holds what only
// GET of one pull request has.
type pullAnswer struct {
	Number      int
	Title, Body string
	User        *user
	State       string
	Merged      bool
	UpdatedAt   time.Time  `json:"updated_at"`
	MergedAt    *time.Time `json:"merged_at"`
	MergeSHA    string     `json:"merge_commit_sha"`
	MergedBy    *user      `json:"merged_by"`
	Head        pullBranch `json:"head"`
	Base        pullBranch `json:"base"`
	HTMLURL     string     `json:"html_url"`
}

type pullBranch struct {
	Ref  string
	SHA  string
	Repo *struct{ ID int64 } // nil where the fork is deleted
}

// fromFork tells whether the branch lies outside the metadata repository.
func (a pullAnswer) fromFork() bool {
	return a.Head.Repo == nil || a.Base.Repo == nil || a.Head.Repo.ID != a.Base.Repo.ID
}

// pull is the pull request of an answer, which is corrected by what this process
// did to it a moment ago.
func (m *Metadata) pull(ctx context.Context, a pullAnswer) (Pull, error) {
	a, err := m.asWritten(ctx, a)
	if err != nil {
		return Pull{}, err
	}
	own, err := m.own(ctx, a.User, nil)
	if err != nil {
		return Pull{}, err
	}
	p := Pull{
		Number: a.Number, Title: a.Title, Body: a.Body, Author: a.User.login(), Own: own,
		Open: a.State == "open", Merged: a.Merged || a.MergedAt != nil,
		HeadBranch: a.Head.Ref, HeadSHA: a.Head.SHA, FromFork: a.fromFork(),
		BaseBranch: a.Base.Ref, BaseSHA: a.Base.SHA, URL: a.HTMLURL, Updated: a.UpdatedAt.UTC(),
	}
	if !p.Merged {
		return p, nil
	}
	p.MergeSHA, p.MergedBy = a.MergeSHA, a.MergedBy.login() // before the merge it is a test merge's
	if p.BaseBranch == m.f.cfg.Branch && time.Since(p.Updated) < ReadsLag {
		return p, m.hasMerged(ctx, p.MergeSHA)
	}
	return p, nil
}

// asWritten corrects an answer by what this process did to the pull request a
// moment ago: the answer may be from before that.
func (m *Metadata) asWritten(ctx context.Context, a pullAnswer) (pullAnswer, error) {
	// Within the second that is the unit, someone else may have ended what was
	// written open.
	w, ok := m.pulls.get(a.Number)
	ended := a.State == "closed" && a.UpdatedAt.Equal(w.UpdatedAt)
	if ok && !a.UpdatedAt.After(w.UpdatedAt) && !ended {
		a = w
	}
	sha, did := m.merged.get(a.Number)
	if !did || a.Merged || a.MergedAt != nil {
		return a, nil
	}
	login, err := m.f.Bot(ctx)
	a.State, a.Merged, a.MergeSHA, a.MergedBy = "closed", true, sha, &user{Login: login, Type: "Bot"}
	return a, err
}

// withOpened is a list of pull requests from a branch, newest first, with those
// that this process opened a moment ago.
func (m *Metadata) withOpened(listed []pullAnswer, branch string) []pullAnswer {
	for _, w := range m.pulls.all(func(w pullAnswer) bool { return w.Head.Ref == branch }) {
		if !slices.ContainsFunc(listed, func(a pullAnswer) bool { return a.Number == w.Number }) {
			listed = append(listed, w)
		}
	}
	slices.SortFunc(listed, func(a, b pullAnswer) int { return cmp.Compare(b.Number, a.Number) })
	return listed
}

// Pull reads a pull request.
// (GET /repos/{owner}/{repo}/pulls/{pull_number})
func (m *Metadata) Pull(ctx context.Context, number int) (Pull, error) {
	var a pullAnswer
	if err := m.api.get(ctx, m.route("pulls", number), &a); err != nil {
		return Pull{}, fmt.Errorf("pull request %d: %w", number, err)
	}
	return m.pull(ctx, a)
}

// PullsByBranch are the pull requests, open or not, from a branch of the
// metadata repository itself, newest first.
// (GET /repos/{owner}/{repo}/pulls?head=)
func (m *Metadata) PullsByBranch(ctx context.Context, branch string) ([]Pull, error) {
	query := url.Values{
		"head": {m.repo.Owner + ":" + branch}, "state": {"all"}, "sort": {"created"}, "direction": {"desc"},
	}
	all, _, err := listAll[pullAnswer](ctx, m.api, m.route("pulls"), query, perPage)
	if err != nil {
		return nil, fmt.Errorf("pull requests from %s: %w", branch, err)
	}
	all = m.withOpened(all, branch)
	var pulls []Pull
	for _, a := range all {
		// GitHub ignores a head that it does not understand.
		if a.Head.Ref != branch || a.fromFork() {
			continue
		}
		p, err := m.pull(ctx, a)
		if err != nil {
			return nil, err
		}
		pulls = append(pulls, p)
	}
	return pulls, nil
}

// OpenPulls are the numbers of all open pull requests, oldest first.
func (m *Metadata) OpenPulls(ctx context.Context) ([]int, error) {
	query := url.Values{"state": {"open"}, "sort": {"created"}, "direction": {"asc"}}
	all, _, err := listAll[pullAnswer](ctx, m.api, m.route("pulls"), query, maxPulls)
	if err != nil {
		return nil, fmt.Errorf("open pull requests: %w", err)
	}
	var numbers []int
	for _, a := range all {
		numbers = append(numbers, a.Number)
	}
	return numbers, nil
}

// PullChanges are the files that a pull request changes, sorted by path: at
// most 3,000, as GitHub lists. A rename is a deletion and an addition.
// (GET /repos/{owner}/{repo}/pulls/{pull_number}/files)
func (m *Metadata) PullChanges(ctx context.Context, number int) ([]registrydata.Change, error) {
	type file struct {
		Filename string
		Status   string
		Previous string `json:"previous_filename"`
	}
	files, _, err := listAll[file](ctx, m.api, m.route("pulls", number, "files"), nil, maxPullChanges)
	if err != nil {
		return nil, fmt.Errorf("files of pull request %d: %w", number, err)
	}
	var changes []registrydata.Change
	add := func(path string, kind registrydata.ChangeKind) {
		changes = append(changes, registrydata.Change{Path: path, Kind: kind})
	}
	for _, f := range files {
		switch f.Status {
		case "added", "copied":
			add(f.Filename, registrydata.Added)
		case "removed":
			add(f.Filename, registrydata.Deleted)
		case "renamed":
			add(f.Previous, registrydata.Deleted)
			add(f.Filename, registrydata.Added)
		default: // "modified", "changed"
			add(f.Filename, registrydata.Modified)
		}
	}
	sortChanges(changes)
	return changes, nil
}

// CreatePull opens a pull request against the metadata branch. Where there is
// an open one from the branch already, that one is returned as it is.
// (POST /repos/{owner}/{repo}/pulls)
func (m *Metadata) CreatePull(ctx context.Context, p PullDraft) (Pull, error) {
	in := map[string]string{"title": p.Title, "body": p.Body, "head": p.Branch, "base": m.f.cfg.Branch}
	var a pullAnswer
	_, err := m.api.call(ctx, http.MethodPost, m.route("pulls"), in, &a)
	if err == nil {
		m.pulls.put(a.Number, a)
		return m.pull(ctx, a)
	}
	exists := statusOf(err) == http.StatusUnprocessableEntity && strings.Contains(err.Error(), "already exists")
	if exists || doubtful(ctx, err) {
		if found, ok := m.openPull(ctx, p.Branch); ok {
			return found, nil
		}
	}
	return Pull{}, fmt.Errorf("open a pull request from %s: %w", p.Branch, err)
}

func (m *Metadata) openPull(ctx context.Context, branch string) (Pull, bool) {
	pulls, err := m.PullsByBranch(ctx, branch)
	if err != nil {
		return Pull{}, false
	}
	for _, p := range pulls {
		if p.Open && p.BaseBranch == m.f.cfg.Branch {
			return p, true
		}
	}
	return Pull{}, false
}

// EditPull changes the fields that the edit has.
// (PATCH /repos/{owner}/{repo}/pulls/{pull_number})
func (m *Metadata) EditPull(ctx context.Context, number int, edit PullEdit) error {
	body := struct {
		Title *string `json:"title,omitempty"`
		Body  *string `json:"body,omitempty"`
		State *string `json:"state,omitempty"`
	}(edit)
	var written pullAnswer
	if _, err := m.api.call(ctx, http.MethodPatch, m.route("pulls", number), body, &written); err != nil {
		m.pulls.forget(number)
		return fmt.Errorf("edit pull request %d: %w", number, err)
	}
	m.pulls.put(number, written)
	return nil
}

// Reviews are the reviews of a pull request, oldest first.
// (GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews)
func (m *Metadata) Reviews(ctx context.Context, number int) ([]Review, error) {
	type review struct {
		User     *user
		State    string
		CommitID string `json:"commit_id"`
	}
	all, _, err := listAll[review](ctx, m.api, m.route("pulls", number, "reviews"), nil, maxReviews)
	if err != nil {
		return nil, fmt.Errorf("reviews of pull request %d: %w", number, err)
	}
	var reviews []Review
	for _, r := range all {
		reviews = append(reviews, Review{Author: r.User.login(), State: r.State, SHA: r.CommitID})
	}
	return reviews, nil
}

// Merge merges a pull request if its head is still sha; ErrNotMergeable where
// GitHub refuses. One that is merged already at that head is no error.
// (PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge)
func (m *Metadata) Merge(ctx context.Context, number int, sha, title, message string) error {
	in := map[string]string{
		"sha": sha, "commit_title": title, "commit_message": message, "merge_method": m.f.cfg.MergeMethod,
	}
	var answer struct{ SHA string }
	_, err := m.api.call(ctx, http.MethodPut, m.route("pulls", number, "merge"), in, &answer)
	if err == nil {
		m.merged.put(number, answer.SHA)
		// It is merged even if GitHub does not tell what the merge follows.
		_ = m.hasMerged(ctx, answer.SHA)
		return nil
	}
	refused := false
	switch statusOf(err) {
	case http.StatusMethodNotAllowed, http.StatusConflict, http.StatusUnprocessableEntity:
		refused = true
	}
	if refused || doubtful(ctx, err) {
		if p, lookErr := m.Pull(ctx, number); lookErr == nil && p.Merged && p.HeadSHA == sha {
			return nil
		}
	}
	if refused {
		err = errors.Join(ErrNotMergeable, err)
	}
	return fmt.Errorf("merge pull request %d: %w", number, err)
}
