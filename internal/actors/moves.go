package actors

import (
	"context"
	"errors"

	"github.com/google/go-github/v57/github"
)

// Rename gives a repository another name.
func (p *Person) Rename(ctx context.Context, r Repo, name string) error {
	_, _, err := p.gh.Repositories.Edit(ctx, r.Owner, r.Name, &github.Repository{Name: &name})
	return wrap(err, "rename %s to %s", r, name)
}

// Transfer gives a repository to another owner.
func (p *Person) Transfer(ctx context.Context, r Repo, owner string) error {
	_, _, err := p.gh.Repositories.Transfer(ctx, r.Owner, r.Name, github.TransferRequest{NewOwner: owner})
	var accepted *github.AcceptedError
	if errors.As(err, &accepted) {
		err = nil
	}
	return wrap(err, "transfer %s to %s", r, owner)
}

// SetPrivate hides a repository, or shows it again.
func (p *Person) SetPrivate(ctx context.Context, r Repo, private bool) error {
	_, _, err := p.gh.Repositories.Edit(ctx, r.Owner, r.Name, &github.Repository{Private: &private})
	return wrap(err, "set %s private: %v", r, private)
}

// Archive makes a repository read-only.
func (p *Person) Archive(ctx context.Context, r Repo) error {
	_, _, err := p.gh.Repositories.Edit(ctx, r.Owner, r.Name, &github.Repository{Archived: github.Bool(true)})
	return wrap(err, "archive %s", r)
}

// DeleteRepository deletes a repository.
func (p *Person) DeleteRepository(ctx context.Context, r Repo) error {
	_, err := p.gh.Repositories.Delete(ctx, r.Owner, r.Name)
	return wrap(err, "delete %s", r)
}

// IssuesWith lists the issues with a label, open or not, newest first.
func (p *Person) IssuesWith(ctx context.Context, r Repo, label string) ([]*github.Issue, error) {
	list, _, err := p.gh.Issues.ListByRepo(ctx, r.Owner, r.Name, &github.IssueListByRepoOptions{Labels: []string{label}, State: "all"})
	return list, wrap(err, "list issues of %s", r)
}
