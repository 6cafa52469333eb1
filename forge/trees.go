package forge

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// treeParallel bounds how many trees are read at the same time.
const treeParallel = 8

// gitTree is the answer of GET /repos/{owner}/{repo}/git/trees/{tree_sha}.
type gitTree struct {
	SHA       string
	Truncated bool
	Tree      []struct {
		Path, Mode, Type, SHA string
		Size                  int64
	}
}

// modeLink is git's mode of a symbolic link.
const modeLink = "120000"

func (t gitTree) entries() []Entry {
	entries := make([]Entry, 0, len(t.Tree))
	for _, e := range t.Tree {
		if e.Type == "blob" || e.Type == "tree" { // "commit" is a submodule
			entries = append(entries, Entry{Name: e.Path, Blob: e.SHA, Dir: e.Type == "tree", Link: e.Mode == modeLink, Size: e.Size})
		}
	}
	sortEntries(entries)
	return entries
}

// treeOf is the root tree of a commit.
// (GET /repos/{owner}/{repo}/git/commits/{commit_sha})
func (m *Metadata) treeOf(ctx context.Context, commit string) (string, error) {
	c, err := m.commit(ctx, commit)
	return c.Tree, err
}

// commit is a commit without its author.
func (m *Metadata) commit(ctx context.Context, sha string) (Commit, error) {
	if c, ok := m.commits.get(sha); ok {
		return c, nil
	}
	return m.readCommit(ctx, sha)
}

func (m *Metadata) readCommit(ctx context.Context, sha string) (Commit, error) {
	var answer struct {
		SHA       string
		Tree      struct{ SHA string }
		Parents   []struct{ SHA string }
		Committer struct{ Date time.Time }
	}
	if err := m.api.get(mark(ctx, keyImmutable), m.route("git", "commits", sha), &answer); err != nil {
		return Commit{}, fmt.Errorf("commit %.7s: %w", sha, err)
	}
	c := Commit{SHA: answer.SHA, Tree: answer.Tree.SHA, Date: answer.Committer.Date}
	if len(answer.Parents) > 0 {
		c.Parent = answer.Parents[0].SHA
	}
	m.rememberCommit(c)
	return c, nil
}

func (m *Metadata) rememberCommit(c Commit) {
	if c.SHA != "" && c.Tree != "" {
		c.Author = ""
		m.commits.put(c.SHA, c, 128)
	}
}

// tree lists one level of a tree; the tree must exist.
func (m *Metadata) tree(ctx context.Context, sha string) ([]Entry, error) {
	if entries, ok := m.trees.get(sha); ok {
		return entries, nil
	}
	var answer gitTree
	if err := m.api.get(mark(ctx, keyImmutable), m.route("git", "trees", sha), &answer); err != nil {
		return nil, fmt.Errorf("tree %.7s: %w", sha, err)
	}
	if answer.Truncated {
		return nil, fmt.Errorf("tree %.7s has more entries than GitHub lists", sha)
	}
	entries := answer.entries()
	m.trees.put(sha, entries, sizeOf(entries))
	return entries, nil
}

// walk descends from a commit's root to a folder, tree by tree; ok is false and
// the list empty where there is none.
func (m *Metadata) walk(ctx context.Context, commit, path string) (entries []Entry, ok bool, err error) {
	sha, err := m.folder(ctx, commit, path)
	if err != nil || sha == "" {
		return nil, false, err
	}
	entries, err = m.tree(ctx, sha)
	return entries, err == nil, err
}

// folder is the tree of a folder; "" where there is none.
func (m *Metadata) folder(ctx context.Context, commit, path string) (string, error) {
	sha, err := m.treeOf(ctx, commit)
	if err != nil || path == "" {
		return sha, err
	}
	for _, name := range strings.Split(path, "/") {
		entries, err := m.tree(ctx, sha)
		if err != nil {
			return "", err
		}
		if sha = subtree(entries, name); sha == "" {
			return "", nil
		}
	}
	return sha, nil
}

func subtree(entries []Entry, name string) string {
	for _, e := range entries {
		if e.Dir && e.Name == name {
			return e.Blob
		}
	}
	return ""
}

// Files lists every file below a folder ("" is the root) with its whole path,
// sorted; none where the folder does not exist.
func (m *Metadata) Files(ctx context.Context, commit, path string) ([]Entry, error) {
	if err := checkPlace(commit, path); err != nil {
		return nil, err
	}
	sha, err := m.folder(ctx, commit, path)
	if err != nil || sha == "" {
		return nil, err
	}
	files, err := m.filesOf(ctx, sha, path)
	if err != nil {
		return nil, fmt.Errorf("files below %q at %.7s: %w", path, commit, err)
	}
	return files, nil
}

// filesOf lists every file of a tree, with the folder in front of its path.
func (m *Metadata) filesOf(ctx context.Context, sha, folder string) ([]Entry, error) {
	var answer gitTree
	if err := m.api.get(mark(ctx, keyImmutable), m.route("git", "trees", sha)+"?recursive=1", &answer); err != nil {
		return nil, err
	}
	if answer.Truncated {
		return m.filesByLevel(ctx, sha, folder)
	}
	var files []Entry
	for _, e := range answer.entries() {
		if !e.Dir {
			e.Name = join(folder, e.Name)
			files = append(files, e)
		}
	}
	return files, nil
}

// filesByLevel is filesOf for a tree that GitHub does not list at once (over
// 100,000 entries or 7 MB): its subtrees are listed one by one.
func (m *Metadata) filesByLevel(ctx context.Context, sha, folder string) ([]Entry, error) {
	entries, err := m.tree(ctx, sha)
	if err != nil {
		return nil, err
	}
	var (
		mu    sync.Mutex
		files []Entry
	)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(treeParallel)
	for _, e := range entries {
		name := join(folder, e.Name)
		if !e.Dir {
			e.Name = name
			files = append(files, e)
			continue
		}
		group.Go(func() error {
			below, err := m.filesOf(ctx, e.Blob, name)
			mu.Lock()
			defer mu.Unlock()
			files = append(files, below...)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	sortEntries(files)
	return files, nil
}

func join(folder, name string) string {
	if folder == "" {
		return name
	}
	return folder + "/" + name
}

func unmarshal(raw []byte, out any) error { return json.Unmarshal(raw, out) }
