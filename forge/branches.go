package forge

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"
)

// ownBranches are the beginnings of the names of branches that the App may
// move and delete; it refuses to touch any other.
var ownBranches = []string{"submission/", "release/", "warning/", "backfill/"}

// maxInline is the largest file that goes into a tree as text; a larger one, or
// one that is no UTF-8, becomes a blob first.
const maxInline = 1 << 20

func ownBranch(name string) error {
	for _, prefix := range ownBranches {
		if strings.HasPrefix(name, prefix) && validRef(name) {
			return nil
		}
	}
	return fmt.Errorf("branch %q is not the App's own (want one that begins with %s)", name, strings.Join(ownBranches, " or "))
}

// readBranch is the commit at the tip of a branch.
// (GET /repos/{owner}/{repo}/branches/{branch})
func (m *Metadata) readBranch(ctx context.Context, name string) (Commit, error) {
	var answer struct {
		Commit struct {
			SHA    string
			Author *user
			Commit struct {
				Tree      struct{ SHA string }
				Committer struct{ Date time.Time }
			}
			// The first parent comes first.
			Parents []struct{ SHA string }
		}
	}
	if err := m.api.get(ctx, m.route("branches", name), &answer); err != nil {
		return Commit{}, err
	}
	c := Commit{SHA: answer.Commit.SHA, Tree: answer.Commit.Commit.Tree.SHA, Author: answer.Commit.Author.login(), Date: answer.Commit.Commit.Committer.Date}
	if len(answer.Commit.Parents) > 0 {
		c.Parent = answer.Commit.Parents[0].SHA
	}
	if !shaPattern.MatchString(c.SHA) || !shaPattern.MatchString(c.Tree) {
		return Commit{}, fmt.Errorf("branch %s: GitHub gives no commit", name)
	}
	m.rememberCommit(c)
	return c, nil
}

// Branch is the commit at the tip of a branch; ok is false where there is none.
func (m *Metadata) Branch(ctx context.Context, name string) (c Commit, ok bool, err error) {
	if !validRef(name) {
		return Commit{}, false, nil
	}
	c, err = m.readBranch(ctx, name)
	if errors.Is(err, ErrNotFound) {
		return Commit{}, false, nil
	}
	if err != nil {
		return Commit{}, false, fmt.Errorf("branch %s: %w", name, err)
	}
	return c, true, nil
}

// PutBranch makes one of the App's own branches one commit on top of the base;
// a branch that is there already is moved, with force. Author and committer are
// the App, both dated b.Date, so that the same draft gives the same commit. A
// file to delete that the base does not have is passed over.
// (POST git/trees, git/commits, git/refs of /repos/{owner}/{repo})
func (m *Metadata) PutBranch(ctx context.Context, b BranchDraft) (Commit, error) {
	if err := ownBranch(b.Name); err != nil {
		return Commit{}, err
	}
	if b.Date.IsZero() || !shaPattern.MatchString(b.Base.SHA) {
		return Commit{}, fmt.Errorf("branch %s: the draft lacks its date or base", b.Name)
	}
	c, err := m.makeCommit(ctx, b)
	if err == nil {
		err = m.point(ctx, b.Name, c.SHA)
	}
	if err != nil {
		return Commit{}, fmt.Errorf("branch %s: %w", b.Name, err)
	}
	// What is remembered of its pull request stands at the new commit, too.
	for _, w := range m.pulls.all(func(w pullAnswer) bool { return w.Head.Ref == b.Name }) {
		w.Head.SHA = c.SHA
		m.pulls.put(w.Number, w)
	}
	return c, nil
}

// makeCommit writes the draft's tree and commit, which are named by their content:
// writing them twice is harmless.
func (m *Metadata) makeCommit(ctx context.Context, b BranchDraft) (Commit, error) {
	ctx = mark(ctx, keyRepeatable)
	tree, err := m.writeTree(ctx, b)
	if err != nil {
		return Commit{}, err
	}
	id, err := m.f.Identity(ctx)
	if err != nil {
		return Commit{}, err
	}
	who := map[string]string{"name": id.Login, "email": id.Email, "date": b.Date.UTC().Format(time.RFC3339)}
	in := map[string]any{
		"message": b.Message, "tree": tree, "parents": []string{b.Base.SHA}, "author": who, "committer": who,
	}
	var answer struct{ SHA string }
	if _, err := m.api.call(ctx, http.MethodPost, m.route("git", "commits"), in, &answer); err != nil {
		return Commit{}, err
	}
	c := Commit{SHA: answer.SHA, Tree: tree, Parent: b.Base.SHA, Author: id.Login, Date: b.Date}
	m.rememberCommit(c)
	return c, nil
}

// treeEntry is an entry of a tree to write: content, the id of a blob, or null,
// which deletes.
type treeEntry struct {
	Path    string  `json:"path"`
	Mode    string  `json:"mode"`
	Type    string  `json:"type"`
	Content *string `json:"content,omitempty"`
	SHA     any     `json:"sha,omitempty"`
}

// null is written as JSON null even with omitempty.
type null struct{}

func (null) MarshalJSON() ([]byte, error) { return []byte("null"), nil }

func (m *Metadata) writeTree(ctx context.Context, b BranchDraft) (string, error) {
	base := b.Base.Tree
	if base == "" {
		var err error
		if base, err = m.treeOf(ctx, b.Base.SHA); err != nil {
			return "", err
		}
	}
	entries, err := m.treeEntries(ctx, b)
	if err != nil {
		return "", err
	}
	if len(entries) == 0 {
		return base, nil
	}
	in := map[string]any{"base_tree": base, "tree": entries}
	var answer struct{ SHA string }
	_, err = m.api.call(ctx, http.MethodPost, m.route("git", "trees"), in, &answer)
	return answer.SHA, err
}

// treeEntries are the draft's files in the order of their paths.
func (m *Metadata) treeEntries(ctx context.Context, b BranchDraft) ([]treeEntry, error) {
	paths := make([]string, 0, len(b.Files))
	for path, content := range b.Files {
		if err := checkPlace(b.Base.SHA, path); err != nil || path == "" {
			return nil, fmt.Errorf("%q is no path of a file", path)
		}
		if content == nil {
			_, there, err := m.File(ctx, b.Base.SHA, path)
			if err != nil {
				return nil, err
			}
			if !there {
				continue
			}
		}
		paths = append(paths, path)
	}
	slices.Sort(paths)
	entries := make([]treeEntry, len(paths))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(treeParallel)
	for i, path := range paths {
		group.Go(func() (err error) {
			entries[i], err = m.treeEntry(ctx, path, b.Files[path])
			return err
		})
	}
	return entries, group.Wait()
}

func (m *Metadata) treeEntry(ctx context.Context, path string, content []byte) (treeEntry, error) {
	e := treeEntry{Path: path, Mode: "100644", Type: "blob"}
	if content == nil {
		e.SHA = null{}
		return e, nil
	}
	m.blobs.put(blobID(content), slices.Clone(content), int64(len(content)))
	if len(content) <= maxInline && utf8.Valid(content) {
		text := string(content)
		e.Content = &text
		return e, nil
	}
	in := map[string]string{"content": base64.StdEncoding.EncodeToString(content), "encoding": "base64"}
	var answer struct{ SHA string }
	if _, err := m.api.call(ctx, http.MethodPost, m.route("git", "blobs"), in, &answer); err != nil {
		return treeEntry{}, err
	}
	e.SHA = answer.SHA
	return e, nil
}

// point makes a branch point to a commit: creates it, or moves it where it is
// there already.
func (m *Metadata) point(ctx context.Context, name, sha string) error {
	in := map[string]string{"ref": "refs/heads/" + name, "sha": sha}
	_, err := m.api.call(ctx, http.MethodPost, m.route("git", "refs"), in, nil)
	if err == nil || (doubtful(ctx, err) && m.pointsTo(ctx, name, sha)) {
		return nil
	}
	if statusOf(err) != http.StatusUnprocessableEntity || !strings.Contains(err.Error(), "already exists") {
		return err
	}
	move := map[string]any{"sha": sha, "force": true}
	_, err = m.api.call(ctx, http.MethodPatch, m.route("git", "refs", "heads")+"/"+escapePath(name), move, nil)
	if doubtful(ctx, err) && m.pointsTo(ctx, name, sha) {
		return nil
	}
	return err
}

func (m *Metadata) pointsTo(ctx context.Context, name, sha string) bool {
	c, err := m.readBranch(ctx, name)
	return err == nil && c.SHA == sha
}

// DeleteBranch deletes one of the App's own branches, if it is there.
// (DELETE /repos/{owner}/{repo}/git/refs/{ref})
func (m *Metadata) DeleteBranch(ctx context.Context, name string) error {
	if err := ownBranch(name); err != nil {
		return err
	}
	_, err := m.api.call(ctx, http.MethodDelete, m.route("git", "refs", "heads")+"/"+escapePath(name), nil, nil)
	gone := errors.Is(err, ErrNotFound) ||
		(statusOf(err) == http.StatusUnprocessableEntity && strings.Contains(err.Error(), "does not exist"))
	if err != nil && !gone {
		return fmt.Errorf("delete branch %s: %w", name, err)
	}
	return nil
}
