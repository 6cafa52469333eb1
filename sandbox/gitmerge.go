package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// mergeResult is what merging head into base gives.
type mergeResult struct {
	base, head plumbing.Hash // commits it was made for
	tree       plumbing.Hash
	clean      bool
}

// errConflict says that two sides changed the same thing differently.
var errConflict = errors.New("merge conflict")

// mergeCommits makes the tree that merging head into base gives.
func (g *gitStore) mergeCommits(base, head plumbing.Hash) (mergeResult, error) {
	result := mergeResult{base: base, head: head}
	d, err := g.compare(base, head)
	if err != nil {
		return result, err
	}
	var trees [3]plumbing.Hash
	for i, h := range []plumbing.Hash{d.mergeBase, base, head} {
		if h.IsZero() {
			continue
		}
		c, err := g.commit(h)
		if err != nil {
			return result, err
		}
		trees[i] = c.TreeHash
	}
	result.tree, err = g.mergeTrees(trees[0], trees[1], trees[2])
	if errors.Is(err, errConflict) {
		return result, nil
	}
	result.clean = err == nil
	return result, err
}

// mergeTrees merges three ways, entry by entry, folder by folder.
func (g *gitStore) mergeTrees(ancestor, ours, theirs plumbing.Hash) (plumbing.Hash, error) {
	switch {
	case ours == theirs || ancestor == theirs:
		return ours, nil
	case ancestor == ours:
		return theirs, nil
	}
	var sides [3]map[string]object.TreeEntry
	for i, h := range []plumbing.Hash{ancestor, ours, theirs} {
		t, err := g.tree(h)
		if err != nil {
			return ours, err
		}
		sides[i] = map[string]object.TreeEntry{}
		for _, e := range t.Entries {
			sides[i][e.Name] = e
		}
	}
	merged := map[string]object.TreeEntry{}
	for name := range union(sides[:]) {
		e, err := g.mergeEntry(sides[0][name], sides[1][name], sides[2][name])
		if err != nil {
			return ours, err
		}
		if !e.Hash.IsZero() && e.Hash != emptyTree {
			e.Name = name
			merged[name] = e
		}
	}
	return g.putTree(merged)
}

func union(sides []map[string]object.TreeEntry) map[string]bool {
	names := map[string]bool{}
	for _, side := range sides {
		for name := range side {
			names[name] = true
		}
	}
	return names
}

// mergeEntry merges one name; a zero entry means that there is none.
func (g *gitStore) mergeEntry(ancestor, ours, theirs object.TreeEntry) (object.TreeEntry, error) {
	same := func(a, b object.TreeEntry) bool { return a.Hash == b.Hash && a.Mode == b.Mode }
	switch {
	case same(ours, theirs) || same(ancestor, theirs):
		return ours, nil
	case same(ancestor, ours):
		return theirs, nil
	}
	isTree := func(e object.TreeEntry) bool { return e.Hash.IsZero() || !e.Mode.IsFile() }
	if isTree(ancestor) && isTree(ours) && isTree(theirs) {
		h, err := g.mergeTrees(ancestor.Hash, ours.Hash, theirs.Hash)
		if ours.Hash.IsZero() {
			ours = theirs
		}
		ours.Hash = h
		return ours, err
	}
	if ours.Hash.IsZero() || theirs.Hash.IsZero() || ancestor.Hash.IsZero() ||
		!ours.Mode.IsRegular() || !theirs.Mode.IsRegular() || !ancestor.Mode.IsRegular() {
		return ours, errConflict
	}
	h, err := g.mergeFiles(ancestor.Hash, ours.Hash, theirs.Hash)
	ours.Hash = h
	return ours, err
}

// mergeFiles merges the lines of a file that both sides changed, with git
// merge-file.
func (g *gitStore) mergeFiles(ancestor, ours, theirs plumbing.Hash) (plumbing.Hash, error) {
	dir, err := os.MkdirTemp("", "sandbox-merge-")
	if err != nil {
		return ours, fmt.Errorf("merge: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	names := []string{"ours", "ancestor", "theirs"}
	for i, h := range []plumbing.Hash{ours, ancestor, theirs} {
		data, err := g.blob(h)
		if err != nil {
			return ours, err
		}
		if err := os.WriteFile(filepath.Join(dir, names[i]), data, 0o600); err != nil {
			return ours, fmt.Errorf("merge: %w", err)
		}
	}
	cmd := exec.CommandContext(context.Background(), "git", "merge-file", "-p", "--quiet", names[0], names[1], names[2])
	cmd.Dir = dir
	merged, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) { // the number of conflicts, or 255 for a binary file
		return ours, errConflict
	}
	if err != nil {
		return ours, fmt.Errorf("git merge-file: %w", err)
	}
	return g.putBlob(merged)
}
