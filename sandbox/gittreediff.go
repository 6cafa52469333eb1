package sandbox

import (
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// treeDiff collects what differs between two trees. It goes down only where
// hashes differ, which go-git's own comparison does not.
type treeDiff struct {
	g        *gitStore
	from, to *object.Tree // roots: go-git reads files through them
	changes  object.Changes
}

// changedPaths compares two trees without reading files. A zero hash is the
// empty tree.
func (g *gitStore) changedPaths(from, to plumbing.Hash) (object.Changes, error) {
	d := &treeDiff{g: g}
	var err error
	if d.from, err = g.tree(from); err != nil {
		return nil, err
	}
	if d.to, err = g.tree(to); err != nil {
		return nil, err
	}
	err = d.folders(d.from, d.to, "")
	return d.changes, err
}

// changedFiles is changedPaths with renamed files found.
func (g *gitStore) changedFiles(from, to plumbing.Hash) (object.Changes, error) {
	changes, err := g.changedPaths(from, to)
	if err != nil {
		return nil, err
	}
	changes, err = object.DetectRenames(changes, renames)
	if err != nil {
		return nil, fmt.Errorf("find renamed files: %w", err)
	}
	return changes, nil
}

func (d *treeDiff) folders(from, to *object.Tree, prefix string) error {
	old := make(map[string]object.TreeEntry, len(from.Entries))
	for _, e := range from.Entries {
		old[e.Name] = e
	}
	for _, e := range to.Entries {
		before := old[e.Name]
		delete(old, e.Name)
		if before.Hash == e.Hash && before.Mode == e.Mode {
			continue
		}
		if err := d.entry(before, e, prefix+e.Name); err != nil {
			return err
		}
	}
	for _, e := range from.Entries {
		if _, gone := old[e.Name]; gone {
			if err := d.entry(e, object.TreeEntry{}, prefix+e.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// entry compares what is at one path; a zero entry means that nothing is.
func (d *treeDiff) entry(from, to object.TreeEntry, path string) error {
	if from.Mode == filemode.Dir || to.Mode == filemode.Dir {
		if err := d.below(from, to, path); err != nil {
			return err
		}
	}
	change := &object.Change{}
	if !from.Hash.IsZero() && from.Mode != filemode.Dir {
		change.From = object.ChangeEntry{Name: path, Tree: d.from, TreeEntry: from}
	}
	if !to.Hash.IsZero() && to.Mode != filemode.Dir {
		change.To = object.ChangeEntry{Name: path, Tree: d.to, TreeEntry: to}
	}
	if change.From.Name != "" || change.To.Name != "" {
		d.changes = append(d.changes, change)
	}
	return nil
}

// below compares the folders at one path; a file counts as an empty one.
func (d *treeDiff) below(from, to object.TreeEntry, path string) error {
	var trees [2]*object.Tree
	for i, e := range []object.TreeEntry{from, to} {
		trees[i] = &object.Tree{}
		if e.Mode == filemode.Dir {
			t, err := d.g.tree(e.Hash)
			if err != nil {
				return err
			}
			trees[i] = t
		}
	}
	return d.folders(trees[0], trees[1], path+"/")
}
