package actors

import (
	"context"

	"github.com/google/go-github/v57/github"
)

// Grant lets someone do something in a repository: "pull", "triage", "push",
// "maintain", "admin".
func (p *Person) Grant(ctx context.Context, r Repo, login, permission string) error {
	_, _, err := p.gh.Repositories.AddCollaborator(ctx, r.Owner, r.Name, login, &github.RepositoryAddCollaboratorOptions{Permission: permission})
	return wrap(err, "grant %s to %s in %s", permission, login, r)
}

// Revoke takes it back.
func (p *Person) Revoke(ctx context.Context, r Repo, login string) error {
	_, err := p.gh.Repositories.RemoveCollaborator(ctx, r.Owner, r.Name, login)
	return wrap(err, "revoke the rights of %s in %s", login, r)
}

// EditComment writes a comment anew, one's own or as a maintainer another's.
func (p *Person) EditComment(ctx context.Context, r Repo, id int64, body string) error {
	_, _, err := p.gh.Issues.EditComment(ctx, r.Owner, r.Name, id, &github.IssueComment{Body: &body})
	return wrap(err, "edit comment %d of %s", id, r)
}
