package forge

import (
	"context"
	"errors"
	"fmt"
)

// Head is the newest commit of the metadata branch. One that this process has
// seen to be followed by another a moment ago is not.
// (GET /repos/{owner}/{repo}/branches/{branch})
func (m *Metadata) Head(ctx context.Context) (Commit, error) {
	c, err := m.readBranch(ctx, m.f.cfg.Branch)
	if err != nil {
		return Commit{}, fmt.Errorf("head of %s: %w", m.repo, err)
	}
	return m.newestKnown(c), nil
}

// hasMerged remembers which commit of the metadata branch a merge followed, so
// that this one is not taken for the head any more.
func (m *Metadata) hasMerged(ctx context.Context, sha string) error {
	if !shaPattern.MatchString(sha) {
		return nil
	}
	c, err := m.commit(ctx, sha)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil // not seen yet either
	case err != nil:
		return fmt.Errorf("what was merged: %w", err)
	}
	m.next.put(c.Parent, c)
	return nil
}

// newestKnown is the newest of the commits that are known to follow one.
func (m *Metadata) newestKnown(c Commit) Commit {
	m.next.put(c.Parent, c)
	for {
		next, ok := m.next.get(c.SHA)
		if !ok {
			return c
		}
		c = next
	}
}
