package actors

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-github/v57/github"
)

// Person is someone with an account, who acts through the REST API.
type Person struct {
	Login string
	gh    *github.Client
}

// New signs a person in with a personal access token. webURL is GitHub's web
// address; its API is at webURL/api/v3, as on GitHub Enterprise Server.
func New(webURL, login, token string) (*Person, error) {
	base := strings.TrimSuffix(webURL, "/")
	gh, err := github.NewClient(&http.Client{Timeout: 5 * time.Minute}).WithAuthToken(token).WithEnterpriseURLs(base, base)
	if err != nil {
		return nil, fmt.Errorf("client of %s: %w", login, err)
	}
	return &Person{Login: login, gh: gh}, nil
}

// Repo is a repository by owner and name.
type Repo struct{ Owner, Name string }

func (r Repo) String() string { return r.Owner + "/" + r.Name }

// CreateRepository makes a public repository with a first commit, in an
// organization or, where the owner is the person, in their own account.
func (p *Person) CreateRepository(ctx context.Context, r Repo) error {
	org := r.Owner
	if strings.EqualFold(org, p.Login) {
		org = ""
	}
	_, _, err := p.gh.Repositories.Create(ctx, org, &github.Repository{
		Name: github.String(r.Name), AutoInit: github.Bool(true),
	})
	return wrap(err, "create repository %s", r)
}

// PutFile commits a file to the default branch.
func (p *Person) PutFile(ctx context.Context, r Repo, path string, content []byte) error {
	opts := &github.RepositoryContentFileOptions{
		Message: github.String("Add " + path), Content: content,
	}
	if have, _, _, err := p.gh.Repositories.GetContents(ctx, r.Owner, r.Name, path, nil); err == nil && have != nil {
		opts.SHA = have.SHA
	}
	_, _, err := p.gh.Repositories.CreateFile(ctx, r.Owner, r.Name, path, opts)
	return wrap(err, "write %s of %s", path, r)
}

// Tag tags the head of the default branch.
func (p *Person) Tag(ctx context.Context, r Repo, tag string) error {
	repo, _, err := p.gh.Repositories.Get(ctx, r.Owner, r.Name)
	if err != nil {
		return wrap(err, "read %s", r)
	}
	head, _, err := p.gh.Git.GetRef(ctx, r.Owner, r.Name, "heads/"+repo.GetDefaultBranch())
	if err != nil {
		return wrap(err, "read the head of %s", r)
	}
	_, _, err = p.gh.Git.CreateRef(ctx, r.Owner, r.Name, &github.Reference{
		Ref: github.String("refs/tags/" + tag), Object: &github.GitObject{SHA: head.Object.SHA},
	})
	return wrap(err, "tag %s of %s", tag, r)
}

// OpenIssue files an issue and returns its number.
func (p *Person) OpenIssue(ctx context.Context, r Repo, title, body string, labels ...string) (int, error) {
	labels = append([]string{}, labels...) // GitHub refuses null
	issue, _, err := p.gh.Issues.Create(ctx, r.Owner, r.Name, &github.IssueRequest{
		Title: &title, Body: &body, Labels: &labels,
	})
	return issue.GetNumber(), wrap(err, "open an issue on %s", r)
}

// EditIssue replaces the text of an issue.
func (p *Person) EditIssue(ctx context.Context, r Repo, number int, title, body string) error {
	_, _, err := p.gh.Issues.Edit(ctx, r.Owner, r.Name, number, &github.IssueRequest{Title: &title, Body: &body})
	return wrap(err, "edit issue %d of %s", number, r)
}

// SetIssueState opens or closes an issue.
func (p *Person) SetIssueState(ctx context.Context, r Repo, number int, state string) error {
	_, _, err := p.gh.Issues.Edit(ctx, r.Owner, r.Name, number, &github.IssueRequest{State: &state})
	return wrap(err, "set issue %d of %s to %s", number, r, state)
}

// Issue reads an issue.
func (p *Person) Issue(ctx context.Context, r Repo, number int) (*github.Issue, error) {
	issue, _, err := p.gh.Issues.Get(ctx, r.Owner, r.Name, number)
	return issue, wrap(err, "read issue %d of %s", number, r)
}

// Comment writes a comment and returns its id.
func (p *Person) Comment(ctx context.Context, r Repo, number int, body string) (int64, error) {
	c, _, err := p.gh.Issues.CreateComment(ctx, r.Owner, r.Name, number, &github.IssueComment{Body: &body})
	return c.GetID(), wrap(err, "comment on issue %d of %s", number, r)
}

// Comments are the texts of an issue's comments, oldest first.
func (p *Person) Comments(ctx context.Context, r Repo, number int) ([]string, error) {
	list, _, err := p.gh.Issues.ListComments(ctx, r.Owner, r.Name, number, &github.IssueListCommentsOptions{
		ListOptions: github.ListOptions{PerPage: 100},
	})
	var out []string
	for _, c := range list {
		out = append(out, c.GetBody())
	}
	return out, wrap(err, "read the comments of issue %d of %s", number, r)
}

// PullFrom is the newest pull request from a branch of the repository; nil
// where there is none.
func (p *Person) PullFrom(ctx context.Context, r Repo, branch string) (*github.PullRequest, error) {
	list, _, err := p.gh.PullRequests.List(ctx, r.Owner, r.Name, &github.PullRequestListOptions{
		State: "all", Head: r.Owner + ":" + branch,
	})
	if err != nil || len(list) == 0 {
		return nil, wrap(err, "look for a pull request from %s", branch)
	}
	return list[0], nil
}

// CheckConclusion is the conclusion of the newest check run on a commit, ""
// while there is none that is completed.
func (p *Person) CheckConclusion(ctx context.Context, r Repo, sha string) (string, error) {
	list, _, err := p.gh.Checks.ListCheckRunsForRef(ctx, r.Owner, r.Name, sha, nil)
	if err != nil || len(list.CheckRuns) == 0 {
		return "", wrap(err, "read the checks of %s", sha)
	}
	return list.CheckRuns[0].GetConclusion(), nil
}

// Merge merges a pull request.
func (p *Person) Merge(ctx context.Context, r Repo, number int) error {
	_, _, err := p.gh.PullRequests.Merge(ctx, r.Owner, r.Name, number, "", nil)
	return wrap(err, "merge pull request %d of %s", number, r)
}

// ClosePull closes a pull request without merging it.
func (p *Person) ClosePull(ctx context.Context, r Repo, number int) error {
	_, _, err := p.gh.PullRequests.Edit(ctx, r.Owner, r.Name, number, &github.PullRequest{State: github.String("closed")})
	return wrap(err, "close pull request %d of %s", number, r)
}

// Approve submits an approving review.
func (p *Person) Approve(ctx context.Context, r Repo, number int) error {
	_, _, err := p.gh.PullRequests.CreateReview(ctx, r.Owner, r.Name, number, &github.PullRequestReviewRequest{
		Event: github.String("APPROVE"),
	})
	return wrap(err, "approve pull request %d of %s", number, r)
}

// ErrTimeout is what Until returns when the time is up.
var ErrTimeout = errors.New("it did not happen in time")

// Until asks again and again until the answer is yes.
func Until(ctx context.Context, within time.Duration, what string, ask func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		ok, err := ask(ctx)
		if ok {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w (%s)", what, ErrTimeout, within)
		case <-time.After(25 * time.Millisecond):
		}
	}
}

func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

// File is a file of the default branch; "" where there is none.
func (p *Person) File(ctx context.Context, r Repo, path string) (string, error) {
	file, _, resp, err := p.gh.Repositories.GetContents(ctx, r.Owner, r.Name, path, nil)
	if resp != nil && resp.StatusCode == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", wrap(err, "read %s of %s", path, r)
	}
	text, err := file.GetContent()
	return text, wrap(err, "read %s of %s", path, r)
}
