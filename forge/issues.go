package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The bounds on what is read of one thread and of the repository.
const (
	maxComments = 2500 // GitHub takes no more on one issue
	// maxReactions: a comment that more people reacted to is reacted to once more,
	// which GitHub takes as done.
	maxReactions = 300
	maxIssues    = 10_000
)

// user is an account in an answer of the API; nil for a deleted one.
type user struct {
	Login string
	Type  string // "User", "Bot", "Organization"
}

func (u *user) login() string {
	if u == nil {
		return ""
	}
	return u.Login
}

// viaApp is the App behind what it did; nil for what a person did.
type viaApp struct{ ID int64 }

// listedIssue is what is kept of an issue in a list.
type listedIssue struct {
	Number      int
	User        *user
	Labels      []struct{ Name string }
	UpdatedAt   time.Time `json:"updated_at"`
	PullRequest *struct{} `json:"pull_request"`
}

func (a listedIssue) labeled(name string) bool {
	return slices.ContainsFunc(a.Labels, func(l struct{ Name string }) bool { return l.Name == name })
}

type issueAnswer struct {
	listedIssue
	Title, Body   string
	State         string
	StateReason   string    `json:"state_reason"`
	CreatedAt     time.Time `json:"created_at"`
	HTMLURL       string    `json:"html_url"`
	RepositoryURL string    `json:"repository_url"`
}

func (a issueAnswer) issue() Issue {
	i := Issue{
		Number: a.Number, Title: a.Title, Body: a.Body, Author: a.User.login(), Open: a.State == "open",
		StateReason: a.StateReason, Created: a.CreatedAt.UTC(), Updated: a.UpdatedAt.UTC(), IsPull: a.PullRequest != nil, URL: a.HTMLURL,
	}
	for _, l := range a.Labels {
		i.Labels = append(i.Labels, l.Name)
	}
	return i
}

// Issue reads an issue or pull request. One that is deleted, or that was
// transferred to another repository, is ErrNotFound.
// (GET /repos/{owner}/{repo}/issues/{issue_number})
func (m *Metadata) Issue(ctx context.Context, number int) (Issue, error) {
	var a issueAnswer
	if err := m.api.get(ctx, m.route("issues", number), &a); err != nil {
		return Issue{}, fmt.Errorf("issue %d: %w", number, err)
	}
	// GitHub redirects a transferred issue to where it is now.
	if a.Number != number || !strings.HasSuffix(strings.ToLower(a.RepositoryURL), "/repos/"+m.repo.Key()) {
		return Issue{}, fmt.Errorf("issue %d is no longer in %s: %w", number, m.repo, ErrNotFound)
	}
	return a.issue(), nil
}

type commentAnswer struct {
	ID        int64
	Body      string
	User      *user
	App       *viaApp   `json:"performed_via_github_app"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	IssueURL  string    `json:"issue_url"`
}

// issue is the number of the issue or pull request that it stands on.
func (a commentAnswer) issue() int {
	number, _ := strconv.Atoi(a.IssueURL[strings.LastIndexByte(a.IssueURL, '/')+1:])
	return number
}

func (a commentAnswer) comment() Comment {
	return Comment{
		ID: a.ID, Issue: a.issue(), Author: a.User.login(), Body: a.Body,
		ByBot:   a.App != nil || (a.User != nil && a.User.Type == "Bot"),
		Edited:  a.UpdatedAt.After(a.CreatedAt),
		Created: a.CreatedAt.UTC(), Updated: a.UpdatedAt.UTC(),
	}
}

// own tells whether this App did it: told by its id, or by the login that only
// its account can have.
func (m *Metadata) own(ctx context.Context, u *user, app *viaApp) (bool, error) {
	if app != nil {
		return app.ID == m.f.cfg.AppID, nil
	}
	if u == nil || u.Type != "Bot" {
		return false, nil
	}
	login, err := m.f.Bot(ctx)
	return strings.EqualFold(u.Login, login), err
}

// OwnComments are the comments that this App wrote on an issue, oldest first.
// Those that this process wrote a moment ago are among them, whatever GitHub
// lists.
// (GET /repos/{owner}/{repo}/issues/{issue_number}/comments)
func (m *Metadata) OwnComments(ctx context.Context, number int) ([]Comment, error) {
	all, _, err := listAll[commentAnswer](ctx, m.api, m.route("issues", number, "comments"), nil, maxComments)
	if err != nil {
		return nil, fmt.Errorf("comments of issue %d: %w", number, err)
	}
	all = withWritten(all, m.comments.all(func(a commentAnswer) bool { return a.issue() == number }))
	var comments []Comment
	for _, a := range all {
		own, err := m.own(ctx, a.User, a.App)
		if err != nil {
			return nil, err
		}
		if own {
			comments = append(comments, a.comment())
		}
	}
	return comments, nil
}

// Comment is one comment of anyone's; ok is false once it is deleted.
// (GET /repos/{owner}/{repo}/issues/comments/{comment_id})
func (m *Metadata) Comment(ctx context.Context, id int64) (c Comment, ok bool, err error) {
	var a commentAnswer
	err = m.api.get(ctx, m.route("issues", "comments", id), &a)
	if errors.Is(err, ErrNotFound) {
		return Comment{}, false, nil
	}
	if err != nil {
		return Comment{}, false, fmt.Errorf("comment %d: %w", id, err)
	}
	return a.comment(), true, nil
}

// CreateComment comments on an issue. Where GitHub's answer leaves open whether
// it did, a comment of this App with the same body counts as the one.
// (POST /repos/{owner}/{repo}/issues/{issue_number}/comments)
func (m *Metadata) CreateComment(ctx context.Context, number int, body string) error {
	var written commentAnswer
	_, err := m.api.call(ctx, http.MethodPost, m.route("issues", number, "comments"), map[string]string{"body": body}, &written)
	if doubtful(ctx, err) {
		if own, lookErr := m.OwnComments(ctx, number); lookErr == nil && len(own) > 0 && own[len(own)-1].Body == body {
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("comment on issue %d: %w", number, err)
	}
	m.comments.put(written.ID, written)
	return nil
}

// EditComment replaces a comment's body.
// (PATCH /repos/{owner}/{repo}/issues/comments/{comment_id})
func (m *Metadata) EditComment(ctx context.Context, id int64, body string) error {
	var written commentAnswer
	if _, err := m.api.call(ctx, http.MethodPatch, m.route("issues", "comments", id), map[string]string{"body": body}, &written); err != nil {
		m.comments.forget(id)
		return fmt.Errorf("edit comment %d: %w", id, err)
	}
	m.comments.put(id, written)
	return nil
}

// DeleteComment deletes a comment, if it is there.
// (DELETE /repos/{owner}/{repo}/issues/comments/{comment_id})
func (m *Metadata) DeleteComment(ctx context.Context, id int64) error {
	m.comments.forget(id)
	_, err := m.api.call(ctx, http.MethodDelete, m.route("issues", "comments", id), nil, nil)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("delete comment %d: %w", id, err)
	}
	return nil
}

// EditIssue changes the fields that the edit has.
// (PATCH /repos/{owner}/{repo}/issues/{issue_number})
func (m *Metadata) EditIssue(ctx context.Context, number int, edit IssueEdit) error {
	body := struct {
		Title       *string `json:"title,omitempty"`
		Body        *string `json:"body,omitempty"`
		State       *string `json:"state,omitempty"`
		StateReason *string `json:"state_reason,omitempty"`
	}(edit)
	m.opened.forget(number)
	if _, err := m.api.call(ctx, http.MethodPatch, m.route("issues", number), body, nil); err != nil {
		return fmt.Errorf("edit issue %d: %w", number, err)
	}
	return nil
}

// CreateIssue opens an issue and returns its number. Where GitHub's answer
// leaves open whether it did, an issue of this App with the same title and body
// among the newest counts as the one.
// (POST /repos/{owner}/{repo}/issues)
func (m *Metadata) CreateIssue(ctx context.Context, title, body string, labels []string) (int, error) {
	in := struct {
		Title  string   `json:"title"`
		Body   string   `json:"body"`
		Labels []string `json:"labels,omitempty"`
	}{title, body, labels}
	var a issueAnswer
	_, err := m.api.call(ctx, http.MethodPost, m.route("issues"), in, &a)
	if doubtful(ctx, err) {
		if number, ok := m.createdIssue(ctx, title, body); ok {
			return number, nil
		}
	}
	if err != nil {
		return 0, fmt.Errorf("open an issue: %w", err)
	}
	m.opened.put(a.Number, a)
	return a.Number, nil
}

func (m *Metadata) createdIssue(ctx context.Context, title, body string) (int, bool) {
	query := url.Values{"state": {"open"}, "sort": {"created"}, "direction": {"desc"}}
	newest, _, err := listAll[issueAnswer](ctx, m.api, m.route("issues"), query, perPage)
	if err != nil {
		return 0, false
	}
	for _, a := range newest {
		own, err := m.own(ctx, a.User, nil)
		if err == nil && own && a.Title == title && a.Body == body {
			return a.Number, true
		}
	}
	return 0, false
}

// AddLabels adds labels; those that the issue has already stay.
// (POST /repos/{owner}/{repo}/issues/{issue_number}/labels)
func (m *Metadata) AddLabels(ctx context.Context, number int, labels []string) error {
	in := map[string][]string{"labels": labels}
	if _, err := m.api.call(mark(ctx, keyRepeatable), http.MethodPost, m.route("issues", number, "labels"), in, nil); err != nil {
		return fmt.Errorf("label issue %d: %w", number, err)
	}
	return nil
}

// RemoveLabel removes a label, if it is there.
// (DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name})
func (m *Metadata) RemoveLabel(ctx context.Context, number int, label string) error {
	_, err := m.api.call(ctx, http.MethodDelete, m.route("issues", number, "labels", label), nil, nil)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("remove a label of issue %d: %w", number, err)
	}
	return nil
}

// React adds a reaction ("eyes", "rocket", …) to a comment, unless this App has
// given it already.
// (GET and POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions)
func (m *Metadata) React(ctx context.Context, comment int64, reaction string) error {
	path := m.route("issues", "comments", comment, "reactions")
	given, _, err := listAll[struct{ User *user }](ctx, m.api, path, url.Values{"content": {reaction}}, maxReactions)
	if err != nil {
		return fmt.Errorf("read the reactions to comment %d: %w", comment, err)
	}
	for _, r := range given {
		own, err := m.own(ctx, r.User, nil)
		if err != nil {
			return err
		}
		if own {
			return nil
		}
	}
	if _, err := m.api.call(mark(ctx, keyRepeatable), http.MethodPost, path, map[string]string{"content": reaction}, nil); err != nil {
		return fmt.Errorf("react to comment %d: %w", comment, err)
	}
	return nil
}

// CanWrite tells whether a user has write permission or more now.
// (GET /repos/{owner}/{repo}/collaborators/{username}/permission)
func (m *Metadata) CanWrite(ctx context.Context, login string) (bool, error) {
	if !loginPattern.MatchString(login) {
		return false, nil
	}
	var answer struct{ Permission string }
	err := m.api.get(ctx, m.route("collaborators", login, "permission"), &answer)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("permission of %s: %w", login, err)
	}
	return answer.Permission == "admin" || answer.Permission == "write", nil
}

// OpenIssues are the open issues that are no pull requests and no alerts, oldest
// first.
// (GET /repos/{owner}/{repo}/issues)
func (m *Metadata) OpenIssues(ctx context.Context) ([]IssueRef, error) {
	query := url.Values{"state": {"open"}, "sort": {"created"}, "direction": {"asc"}}
	all, _, err := listAll[listedIssue](ctx, m.api, m.route("issues"), query, maxIssues)
	if err != nil {
		return nil, fmt.Errorf("open issues: %w", err)
	}
	return m.issueRefs(ctx, all)
}

// ClosedIssues are the closed issues that are no pull requests and no alerts and
// were changed since a time, at most a hundred of them, the newest first.
// (GET /repos/{owner}/{repo}/issues)
func (m *Metadata) ClosedIssues(ctx context.Context, since time.Time) ([]IssueRef, error) {
	query := url.Values{
		"state": {"closed"}, "sort": {"updated"}, "direction": {"desc"}, "per_page": {strconv.Itoa(perPage)},
		"since": {since.UTC().Format(time.RFC3339)},
	}
	var all []listedIssue
	if err := m.api.get(ctx, m.route("issues")+"?"+query.Encode(), &all); err != nil {
		return nil, fmt.Errorf("closed issues: %w", err)
	}
	return m.issueRefs(ctx, all)
}

// issueRefs leaves out the pull requests and the alerts.
func (m *Metadata) issueRefs(ctx context.Context, all []listedIssue) ([]IssueRef, error) {
	var refs []IssueRef
	for _, a := range all {
		alert, err := m.isAlert(ctx, a)
		if err != nil {
			return nil, err
		}
		if a.PullRequest == nil && !alert {
			refs = append(refs, IssueRef{Number: a.Number, Updated: a.UpdatedAt.UTC()})
		}
	}
	return refs, nil
}
