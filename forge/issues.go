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

// maxIssues bounds what is listed of the repository.
const maxIssues = 10_000

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
