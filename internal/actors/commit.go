package actors

import (
	"context"

	"github.com/google/go-github/v57/github"
)

// FileChange is what a commit does to one path.
type FileChange struct {
	Path    string
	Content string // of the file; of a link, where it leads
	Link    bool   // a symbolic link
	Delete  bool
}

// Push puts one commit on the default branch, as git does for those who may
// write.
func (p *Person) Push(ctx context.Context, r Repo, message string, changes ...FileChange) error {
	repo, _, err := p.gh.Repositories.Get(ctx, r.Owner, r.Name)
	if err != nil {
		return wrap(err, "read %s", r)
	}
	head, _, err := p.gh.Git.GetRef(ctx, r.Owner, r.Name, "heads/"+repo.GetDefaultBranch())
	if err != nil {
		return wrap(err, "read the head of %s", r)
	}
	entries := make([]*github.TreeEntry, len(changes))
	for i, c := range changes {
		entry := &github.TreeEntry{Path: github.String(c.Path), Mode: github.String("100644"), Type: github.String("blob")}
		if c.Link {
			entry.Mode = github.String("120000")
		}
		if !c.Delete {
			entry.Content = github.String(c.Content)
		}
		entries[i] = entry
	}
	tree, _, err := p.gh.Git.CreateTree(ctx, r.Owner, r.Name, head.GetObject().GetSHA(), entries)
	if err != nil {
		return wrap(err, "make a tree of %s", r)
	}
	commit, _, err := p.gh.Git.CreateCommit(ctx, r.Owner, r.Name, &github.Commit{
		Message: &message, Tree: tree, Parents: []*github.Commit{{SHA: head.GetObject().SHA}},
	}, nil)
	if err != nil {
		return wrap(err, "make a commit of %s", r)
	}
	head.Object.SHA = commit.SHA
	_, _, err = p.gh.Git.UpdateRef(ctx, r.Owner, r.Name, head, false)
	return wrap(err, "push to %s", r)
}
