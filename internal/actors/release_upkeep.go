package actors

import (
	"context"

	"github.com/google/go-github/v57/github"
)

// Upload adds files to a release that is published already.
func (p *Person) Upload(ctx context.Context, repo Repo, tag string, files map[string][]byte) error {
	rel, _, err := p.gh.Repositories.GetReleaseByTag(ctx, repo.Owner, repo.Name, tag)
	if err != nil {
		return wrap(err, "read release %s of %s", tag, repo)
	}
	for name, body := range files {
		if err := p.upload(ctx, repo, rel.GetID(), name, body); err != nil {
			return err
		}
	}
	return nil
}

// EditReleaseText changes what a release says, and nothing of its files.
func (p *Person) EditReleaseText(ctx context.Context, repo Repo, tag, text string) error {
	rel, _, err := p.gh.Repositories.GetReleaseByTag(ctx, repo.Owner, repo.Name, tag)
	if err != nil {
		return wrap(err, "read release %s of %s", tag, repo)
	}
	_, _, err = p.gh.Repositories.EditRelease(ctx, repo.Owner, repo.Name, rel.GetID(), &github.RepositoryRelease{Body: &text})
	return wrap(err, "edit release %s of %s", tag, repo)
}

// DeleteRelease takes a release away. Its tag stays.
func (p *Person) DeleteRelease(ctx context.Context, repo Repo, tag string) error {
	rel, _, err := p.gh.Repositories.GetReleaseByTag(ctx, repo.Owner, repo.Name, tag)
	if err != nil {
		return wrap(err, "read release %s of %s", tag, repo)
	}
	_, err = p.gh.Repositories.DeleteRelease(ctx, repo.Owner, repo.Name, rel.GetID())
	return wrap(err, "delete release %s of %s", tag, repo)
}

// MoveTag lets a tag point to the head of the default branch.
func (p *Person) MoveTag(ctx context.Context, r Repo, tag string) error {
	if _, err := p.gh.Git.DeleteRef(ctx, r.Owner, r.Name, "refs/tags/"+tag); err != nil {
		return wrap(err, "take the tag %s of %s away", tag, r)
	}
	return p.Tag(ctx, r, tag)
}

// Labelled are the newest issues with a label, open or not, newest first.
func (p *Person) Labelled(ctx context.Context, r Repo, label string) ([]*github.Issue, error) {
	list, _, err := p.gh.Issues.ListByRepo(ctx, r.Owner, r.Name, &github.IssueListByRepoOptions{
		State: "all", Labels: []string{label}, Sort: "created", Direction: "desc", ListOptions: github.ListOptions{PerPage: 100},
	})
	return list, wrap(err, "list the issues of %s with the label %s", r, label)
}
