package sandbox

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// GitHub lists at most 100,000 entries of a recursive tree, and 7 MB of JSON,
// before it sets "truncated" (docs.github.com: "Get a tree").
const (
	maxTreeEntries = 100_000
	maxTreeBytes   = 7 << 20
)

// treeList is an answer to a tree request as it grows.
type treeList struct {
	entries []any
	bytes   int // about how much JSON that is
}

func (l *treeList) full() bool { return len(l.entries) >= maxTreeEntries || l.bytes >= maxTreeBytes }

// treeOf reads what GET git/trees takes: a tree, or whatever names a commit.
func (g *gitStore) treeOf(name string) (plumbing.Hash, bool) {
	if plumbing.IsHash(name) {
		if h := plumbing.NewHash(name); h == emptyTree || isTree(g, h) {
			return h, true
		}
	}
	c, found := g.findCommit(name)
	if !found {
		return plumbing.ZeroHash, false
	}
	return c.TreeHash, true
}

func isTree(g *gitStore, h plumbing.Hash) bool {
	_, err := g.EncodedObject(plumbing.TreeObject, h)
	return err == nil
}

// prepareTree reads the sizes of all files of a large answer at once, before
// the lock is taken.
func (s *Server) prepareTree(c *call) error {
	if c.query("recursive") == "" {
		return nil
	}
	if h, found := c.repo.git.treeOf(c.PathValue("sha")); found {
		return c.repo.git.readSizes(c.Context(), h)
	}
	return nil
}

func (s *Server) getTree(c *call) (*response, error) {
	if err := c.notEmpty(); err != nil {
		return nil, err
	}
	h, found := c.repo.git.treeOf(c.PathValue("sha"))
	if !found {
		return nil, notFound()
	}
	return s.answerTree(c, h, c.query("recursive") != "", ok)
}

func (s *Server) answerTree(c *call, h plumbing.Hash, deep bool, with func(any) (*response, error)) (*response, error) {
	list := &treeList{entries: []any{}}
	truncated, err := s.treeEntries(c.repo, h, "", deep, list)
	if err != nil {
		return nil, err
	}
	return with(obj{"sha": h.String(), "url": s.gitURL(c.repo, "tree", h), "tree": list.entries, "truncated": truncated})
}

func (s *Server) treeEntries(r *repository, h plumbing.Hash, prefix string, deep bool, out *treeList) (bool, error) {
	t, err := r.git.tree(h)
	if err != nil {
		return false, err
	}
	for _, e := range t.Entries {
		if deep && out.full() {
			return true, nil
		}
		entry := s.treeEntryJSON(r, prefix, e)
		url, _ := entry["url"].(string)
		out.entries, out.bytes = append(out.entries, entry), out.bytes+len(prefix)+len(e.Name)+len(url)+120
		if deep && e.Mode == filemode.Dir {
			truncated, err := s.treeEntries(r, e.Hash, prefix+e.Name+"/", deep, out)
			if truncated || err != nil {
				return truncated, err
			}
		}
	}
	return false, nil
}

func (s *Server) treeEntryJSON(r *repository, prefix string, e object.TreeEntry) obj {
	kind := entryKind(e.Mode)
	out := obj{"path": prefix + e.Name, "mode": fmt.Sprintf("%06o", uint32(e.Mode)), "type": kind, "sha": e.Hash.String()}
	if kind != "commit" {
		out["url"] = s.gitURL(r, kind, e.Hash)
	}
	if kind == "blob" {
		if size, err := r.git.EncodedObjectSize(e.Hash); err == nil {
			out["size"] = size
		}
	}
	return out
}

func entryKind(m filemode.FileMode) string {
	switch m {
	case filemode.Dir:
		return "tree"
	case filemode.Submodule:
		return "commit"
	}
	return "blob"
}

// treeItem is an entry of POST git/trees. SHA tells apart what is missing, what
// is null (delete) and what is given.
type treeItem struct {
	Path    string  `json:"path"`
	Mode    string  `json:"mode"`
	Type    string  `json:"type"`
	SHA     rawText `json:"sha"`
	Content *string `json:"content"`
}

// rawText is a JSON string or null that remembers whether it was there.
type rawText struct {
	given bool
	text  string
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *rawText) UnmarshalJSON(data []byte) error {
	t.given = true
	if string(data) == "null" {
		return nil
	}
	text, err := strconv.Unquote(string(data))
	t.text = text
	return err
}

func (s *Server) postTree(c *call) (*response, error) {
	var in struct {
		BaseTree string     `json:"base_tree"`
		Tree     []treeItem `json:"tree"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if len(in.Tree) == 0 {
		return nil, unprocessable("Invalid tree info")
	}
	var base plumbing.Hash
	if in.BaseTree != "" {
		var found bool
		if base, found = c.repo.git.treeOf(in.BaseTree); !found {
			return nil, unprocessable("base_tree is not a valid tree oid")
		}
	}
	changes := make(map[string]treeChange, len(in.Tree))
	for _, item := range in.Tree {
		change, err := item.change(c.repo.git, base)
		if err != nil {
			return nil, err
		}
		changes[item.Path] = change
	}
	h, err := c.repo.git.changeTree(base, changes)
	if err != nil {
		return nil, err
	}
	return s.answerTree(c, h, false, created)
}

// change judges one entry as GitHub does.
func (item treeItem) change(g *gitStore, base plumbing.Hash) (treeChange, error) {
	if !goodPath(item.Path) {
		return treeChange{}, unprocessable("tree.path contains a malformed path component")
	}
	mode, err := filemode.New(item.Mode)
	if err != nil || (mode != filemode.Regular && mode != filemode.Executable && mode != filemode.Dir &&
		mode != filemode.Symlink && mode != filemode.Submodule) {
		return treeChange{}, unprocessable("tree.mode must be one of 100644, 100755, 040000, 160000, 120000")
	}
	switch {
	case item.Content != nil:
		h, err := g.putBlob([]byte(*item.Content))
		return treeChange{mode, h}, err
	case !item.SHA.given:
		return treeChange{}, unprocessable("Must supply either tree.sha or tree.content.")
	case item.SHA.text == "":
		if _, found := g.entryAt(base, item.Path); !found {
			return treeChange{}, unprocessable("GitRPC::BadObjectState")
		}
		return treeChange{mode: mode}, nil
	}
	h := plumbing.NewHash(item.SHA.text)
	if !plumbing.IsHash(item.SHA.text) || (mode != filemode.Submodule && h != emptyTree && !g.has(h)) {
		return treeChange{}, unprocessable("tree.sha " + item.SHA.text + " is not a valid " + entryKind(mode))
	}
	return treeChange{mode, h}, nil
}

// goodPath refuses what git can't check out safely.
func goodPath(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "" || segment == "." || segment == ".." || strings.EqualFold(segment, ".git") ||
			strings.ContainsAny(segment, "\x00") {
			return false
		}
	}
	return true
}
