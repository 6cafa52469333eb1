package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The bounds on what is read of one thread and of the repository.
const (
	maxComments       = 2500 // GitHub takes no more on one issue
	maxRecentComments = 1000
	// maxReactions: a comment that more people reacted to is reacted to once more,
	// which GitHub takes as done.
	maxReactions = 300
)

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

// listedComment is a comment in a list of the whole repository.
type listedComment struct {
	commentAnswer
	Body      firstLine
	Reactions map[string]any
}

// firstLine is the beginning of a text that may be 64 KiB.
type firstLine string

// UnmarshalJSON keeps at most 100 bytes.
func (l *firstLine) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	*l = firstLine(strings.Clone(line[:min(len(line), 100)]))
	return nil
}

// RecentComments are the comments on issues and pull requests that were written
// or changed since a time, newest first, the last thousand of them.
// (GET /repos/{owner}/{repo}/issues/comments)
func (m *Metadata) RecentComments(ctx context.Context, since time.Time) ([]CommentRef, error) {
	query := url.Values{"sort": {"created"}, "direction": {"desc"}, "since": {since.UTC().Format(time.RFC3339)}}
	all, _, err := listAll[listedComment](ctx, m.api, m.route("issues", "comments"), query, maxRecentComments)
	if err != nil {
		return nil, fmt.Errorf("recent comments: %w", err)
	}
	refs := make([]CommentRef, 0, len(all))
	for _, a := range all {
		c := a.comment()
		ref := CommentRef{
			ID: c.ID, Issue: c.Issue, FirstLine: string(a.Body), ByBot: c.ByBot, Edited: c.Edited, Created: c.Created,
			Reactions: map[string]int{},
		}
		for reaction, n := range a.Reactions { // among them is an address
			if n, ok := n.(float64); ok {
				ref.Reactions[reaction] = int(n)
			}
		}
		refs = append(refs, ref)
	}
	return refs, nil
}
