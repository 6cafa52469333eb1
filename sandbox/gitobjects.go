package sandbox

import (
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// githubSignature is the committer of what GitHub commits for people.
func githubSignature(when time.Time) object.Signature {
	return object.Signature{Name: "GitHub", Email: "noreply@github.com", When: when.UTC()}
}

func (a *account) signature(when time.Time) object.Signature {
	return object.Signature{Name: a.login, Email: a.email(), When: when.UTC()}
}

func blobObject(data []byte) *plumbing.MemoryObject {
	o := &plumbing.MemoryObject{}
	o.SetType(plumbing.BlobObject)
	_, _ = o.Write(data) // a memory object takes everything
	return o
}

func (g *gitStore) putBlob(data []byte) (plumbing.Hash, error) {
	return g.SetEncodedObject(blobObject(data))
}

func encodeObject(v object.Object) (*plumbing.MemoryObject, error) {
	o := &plumbing.MemoryObject{}
	if err := v.Encode(o); err != nil {
		return nil, fmt.Errorf("encode %s: %w", v.Type(), err)
	}
	return o, nil
}

func (g *gitStore) putObject(v object.Object) (plumbing.Hash, error) {
	o, err := encodeObject(v)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	return g.SetEncodedObject(o)
}

// putCommit writes a commit with the message as it is given.
func (g *gitStore) putCommit(tree plumbing.Hash, parents []plumbing.Hash, message string,
	author, committer object.Signature) (plumbing.Hash, error) {
	return g.putObject(&object.Commit{TreeHash: tree, ParentHashes: parents, Message: message,
		Author: author, Committer: committer})
}

func (g *gitStore) commit(h plumbing.Hash) (*object.Commit, error) {
	c, err := object.GetCommit(g, h)
	if err != nil {
		return nil, fmt.Errorf("read commit %s: %w", h, err)
	}
	return c, nil
}

func (g *gitStore) tree(h plumbing.Hash) (*object.Tree, error) {
	if h.IsZero() {
		return &object.Tree{}, nil
	}
	t, err := object.GetTree(g, h)
	if err != nil {
		return nil, fmt.Errorf("read tree %s: %w", h, err)
	}
	return t, nil
}

// blob reads a whole blob.
func (g *gitStore) blob(h plumbing.Hash) ([]byte, error) {
	o, err := g.EncodedObject(plumbing.BlobObject, h)
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", h, err)
	}
	r, err := o.Reader()
	if err != nil {
		return nil, fmt.Errorf("read blob %s: %w", h, err)
	}
	data, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read blob %s: %w", h, err)
	}
	return data, nil
}

// peel follows annotated tags to the commit they name.
func (g *gitStore) peel(h plumbing.Hash) (plumbing.Hash, error) {
	for range 10 {
		o, err := g.EncodedObject(plumbing.AnyObject, h)
		if err != nil {
			return h, fmt.Errorf("read object %s: %w", h, err)
		}
		if o.Type() != plumbing.TagObject {
			return h, nil
		}
		tag, err := object.GetTag(g, h)
		if err != nil {
			return h, fmt.Errorf("read tag %s: %w", h, err)
		}
		h = tag.Target
	}
	return h, fmt.Errorf("tag %s: nested too deep", h)
}

// findCommit reads what a person may write for a commit: a branch, a tag, a
// full ref, HEAD, a whole hash or at least seven digits of one.
func (g *gitStore) findCommit(name string) (*object.Commit, bool) {
	if name == "" || name == "HEAD" {
		name = g.head
	}
	for _, prefix := range []string{"refs/heads/", "refs/tags/", "refs/", ""} {
		if h, found := g.ref(prefix + name); found {
			return g.peeledCommit(h)
		}
	}
	if plumbing.IsHash(name) {
		return g.peeledCommit(plumbing.NewHash(name))
	}
	return nil, false
}

func (g *gitStore) peeledCommit(h plumbing.Hash) (*object.Commit, bool) {
	h, err := g.peel(h)
	if err != nil {
		return nil, false
	}
	c, err := object.GetCommit(g, h)
	return c, err == nil
}

// entryAt finds a path in a tree; ok is false when nothing is there.
func (g *gitStore) entryAt(tree plumbing.Hash, path string) (object.TreeEntry, bool) {
	entry := object.TreeEntry{Mode: filemode.Dir, Hash: tree}
	if path == "" {
		return entry, true
	}
	for segment := range strings.SplitSeq(path, "/") {
		if entry.Mode != filemode.Dir {
			return entry, false
		}
		t, err := g.tree(entry.Hash)
		if err != nil {
			return entry, false
		}
		next, found := findEntry(t, segment)
		if !found {
			return entry, false
		}
		entry = next
	}
	return entry, true
}

func findEntry(t *object.Tree, name string) (object.TreeEntry, bool) {
	for _, e := range t.Entries {
		if e.Name == name {
			return e, true
		}
	}
	return object.TreeEntry{}, false
}

// treeChange puts an entry at a path; a zero hash removes it.
type treeChange struct {
	mode filemode.FileMode
	hash plumbing.Hash
}

// changeTree writes a tree that is base with the changes made, path by path.
// Folders that become empty vanish.
func (g *gitStore) changeTree(base plumbing.Hash, changes map[string]treeChange) (plumbing.Hash, error) {
	t, err := g.tree(base)
	if err != nil {
		return base, err
	}
	entries := make(map[string]object.TreeEntry, len(t.Entries))
	for _, e := range t.Entries {
		entries[e.Name] = e
	}
	below := map[string]map[string]treeChange{}
	for path, change := range changes {
		name, rest, nested := strings.Cut(path, "/")
		if nested {
			if below[name] == nil {
				below[name] = map[string]treeChange{}
			}
			below[name][rest] = change
			continue
		}
		if change.hash.IsZero() {
			delete(entries, name)
		} else {
			entries[name] = object.TreeEntry{Name: name, Mode: change.mode, Hash: change.hash}
		}
	}
	for name, inner := range below {
		if err := g.changeFolder(entries, name, inner); err != nil {
			return base, err
		}
	}
	return g.putTree(entries)
}

func (g *gitStore) changeFolder(entries map[string]object.TreeEntry, name string, inner map[string]treeChange) error {
	var old plumbing.Hash
	if e, found := entries[name]; found && e.Mode == filemode.Dir {
		old = e.Hash
	}
	h, err := g.changeTree(old, inner)
	if err != nil {
		return err
	}
	if h == emptyTree {
		delete(entries, name)
		return nil
	}
	entries[name] = object.TreeEntry{Name: name, Mode: filemode.Dir, Hash: h}
	return nil
}

var emptyTree = plumbing.NewHash("4b825dc642cb6eb9a060e54bf8d69288fbee4904")

func (g *gitStore) putTree(entries map[string]object.TreeEntry) (plumbing.Hash, error) {
	t := &object.Tree{}
	for _, e := range entries {
		t.Entries = append(t.Entries, e)
	}
	sort.Sort(object.TreeEntrySorter(t.Entries))
	return g.putObject(t)
}
