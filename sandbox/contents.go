package sandbox

import (
	"net/http"
	"path"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

const rawType = "application/vnd.github.raw; charset=utf-8"

// GitHub gives files of up to 1 MB inside JSON, of up to 100 MB raw.
const (
	maxInline = 1 << 20
	maxRaw    = 100 << 20
)

func (s *Server) registerContents() {
	one := repoPath + "/contents/{path...}"
	s.route("GET "+repoPath+"/contents", reads("contents"), s.getContents)
	s.route("GET "+repoPath+"/contents/", reads("contents"), s.getContents)
	s.route("GET "+repoPath+"/readme", reads("contents"), s.getReadme)
	s.route("GET "+one, reads("contents"), s.getContents)
	s.route("PUT "+one, pushes("contents"), s.putContents, withRefs)
	s.route("DELETE "+one, pushes("contents"), s.deleteContents, withRefs)
}

func (c *call) acceptsRaw() bool {
	return c.accepts("application/vnd.github.raw") || c.accepts("application/vnd.github.v3.raw") ||
		c.accepts("application/vnd.github.VERSION.raw")
}

func (s *Server) getContents(c *call) (*response, error) {
	return s.contentsAt(c, strings.Trim(c.PathValue("path"), "/"))
}

func (s *Server) getReadme(c *call) (*response, error) {
	commit, found := c.repo.git.findCommit(c.query("ref"))
	if !found {
		return nil, notFound()
	}
	t, err := c.repo.git.tree(commit.TreeHash)
	if err != nil {
		return nil, err
	}
	for _, e := range t.Entries {
		if strings.HasPrefix(strings.ToLower(e.Name), "readme") && e.Mode.IsFile() {
			return s.contentsAt(c, e.Name)
		}
	}
	return nil, notFound()
}

// contentsAt answers a file or the list of a folder.
func (s *Server) contentsAt(c *call, at string) (*response, error) {
	ref := c.query("ref")
	commit, found := c.repo.git.findCommit(ref)
	switch {
	case !found && ref == "":
		return nil, fail(http.StatusNotFound, "This repository is empty.")
	case !found:
		return nil, fail(http.StatusNotFound, "No commit found for the ref "+ref)
	}
	if ref == "" {
		ref = c.repo.defaultBranch
	}
	entry, found := c.repo.git.entryAt(commit.TreeHash, at)
	if !found {
		return nil, notFound()
	}
	if entry.Mode == filemode.Dir {
		return s.folderContents(c, entry.Hash, at, ref)
	}
	return s.fileContents(c, entry, at, ref)
}

func (s *Server) folderContents(c *call, h plumbing.Hash, at, ref string) (*response, error) {
	t, err := c.repo.git.tree(h)
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(t.Entries))
	for _, e := range t.Entries[:min(len(t.Entries), 1000)] {
		out = append(out, s.contentJSON(c.repo, e, path.Join(at, e.Name), ref))
	}
	return ok(out)
}

func (s *Server) fileContents(c *call, e object.TreeEntry, at, ref string) (*response, error) {
	out := s.contentJSON(c.repo, e, at, ref)
	size, _ := out["size"].(int64)
	if size > maxRaw {
		return nil, &apiError{status: http.StatusForbidden, message: "This API returns blobs up to 100 MB in size. " +
			"The requested blob is too large to fetch via the API.",
			errors: []fieldError{{Resource: "Blob", Field: "data", Code: "too_large"}}}
	}
	data, err := c.repo.git.blob(e.Hash)
	if err != nil {
		return nil, err
	}
	if c.acceptsRaw() {
		return &response{status: http.StatusOK, raw: data, contentType: rawType}, nil
	}
	out["content"], out["encoding"] = wrapBase64(data), "base64"
	if size > maxInline {
		out["content"], out["encoding"] = "", "none"
	}
	return ok(out)
}

// contentJSON describes a file or folder without its bytes.
func (s *Server) contentJSON(r *repository, e object.TreeEntry, at, ref string) obj {
	kind, gitKind, size := "file", "blob", int64(0)
	switch e.Mode {
	case filemode.Dir:
		kind, gitKind = "dir", "tree"
	case filemode.Symlink:
		kind = "symlink"
	case filemode.Submodule:
		kind, gitKind = "submodule", "tree"
	}
	if gitKind == "blob" {
		size, _ = r.git.EncodedObjectSize(e.Hash)
	}
	self := s.api("/repos", r.owner.login, r.name, "contents", at) + "?ref=" + ref
	html := s.repoWeb(r) + "/" + gitKind + "/" + ref + escapeJoin([]string{at})
	git := s.gitURL(r, gitKind, e.Hash)
	out := obj{"name": path.Base(at), "path": at, "sha": e.Hash.String(), "size": size, "type": kind, "url": self,
		"html_url": html, "git_url": git, "download_url": nil, "_links": obj{"self": self, "git": git, "html": html}}
	if gitKind == "blob" {
		out["download_url"] = s.repoWeb(r) + "/raw/" + ref + escapeJoin([]string{at})
	}
	return out
}

// contentChange is the request of PUT and DELETE contents.
type contentChange struct {
	Message   string  `json:"message"`
	Content   *string `json:"content"`
	SHA       string  `json:"sha"`
	Branch    string  `json:"branch"`
	Author    *person `json:"author"`
	Committer *person `json:"committer"`
}

// putContents makes or replaces one file in a commit of its own.
func (s *Server) putContents(c *call) (*response, error) {
	var in contentChange
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Content == nil || in.Message == "" {
		return nil, unprocessable("Invalid request.\n\n\"message\" and \"content\" weren't supplied.")
	}
	data, err := decodeBase64(*in.Content)
	if err != nil {
		return nil, unprocessable("content is not valid Base64")
	}
	at := c.PathValue("path")
	old, err := in.check(c.repo, at)
	if err != nil {
		return nil, err
	}
	h, err := c.repo.git.putBlob(data)
	if err != nil {
		return nil, err
	}
	commit, err := s.commitChange(c.actor, c.repo, in, at, treeChange{filemode.Regular, h})
	if err != nil {
		return nil, err
	}
	entry := object.TreeEntry{Name: path.Base(at), Mode: filemode.Regular, Hash: h}
	body := obj{"content": s.contentJSON(c.repo, entry, at, in.branch(c.repo)), "commit": s.gitCommitJSON(c.repo, commit)}
	if old {
		return ok(body)
	}
	return created(body)
}

func (s *Server) deleteContents(c *call) (*response, error) {
	var in contentChange
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.SHA == "" || in.Message == "" {
		return nil, unprocessable("Invalid request.\n\n\"sha\" and \"message\" weren't supplied.")
	}
	at := c.PathValue("path")
	old, err := in.check(c.repo, at)
	if err != nil {
		return nil, err
	}
	if !old {
		return nil, notFound()
	}
	commit, err := s.commitChange(c.actor, c.repo, in, at, treeChange{})
	if err != nil {
		return nil, err
	}
	return ok(obj{"content": nil, "commit": s.gitCommitJSON(c.repo, commit)})
}

func (in contentChange) branch(r *repository) string {
	if in.Branch == "" {
		return r.defaultBranch
	}
	return strings.TrimPrefix(in.Branch, "refs/heads/")
}

// check compares the sha that the caller saw with what is there now. old tells
// whether there is a file.
func (in contentChange) check(r *repository, at string) (old bool, err error) {
	if !goodPath(at) {
		return false, unprocessable("path contains a malformed path component")
	}
	tip, found := r.git.ref("refs/heads/" + in.branch(r))
	if !goodRef("refs/heads/" + in.branch(r)) {
		return false, invalidField("Content", "branch")
	}
	if !found && len(r.git.refsUnder("refs/heads/")) > 0 {
		return false, fail(http.StatusNotFound, "Branch "+in.branch(r)+" not found")
	}
	if !found {
		return false, nil
	}
	commit, err := r.git.commit(tip)
	if err != nil {
		return false, err
	}
	entry, old := r.git.entryAt(commit.TreeHash, at)
	switch {
	case old && in.SHA == "":
		return old, unprocessable("Invalid request.\n\n\"sha\" wasn't supplied.")
	case old && in.SHA != entry.Hash.String():
		return old, fail(http.StatusConflict, at+" does not match "+in.SHA)
	case !old && in.SHA != "":
		return old, fail(http.StatusConflict, at+" does not match "+in.SHA)
	}
	return old, nil
}

// commitChange commits one change to a branch, which may be the first one.
func (s *Server) commitChange(by *actor, r *repository, in contentChange, at string, change treeChange) (*object.Commit, error) {
	name := "refs/heads/" + in.branch(r)
	var tree plumbing.Hash
	var parents []plumbing.Hash
	tip, found := r.git.ref(name)
	if found {
		old, err := r.git.commit(tip)
		if err != nil {
			return nil, err
		}
		tree, parents = old.TreeHash, []plumbing.Hash{tip}
	}
	tree, err := r.git.changeTree(tree, map[string]treeChange{at: change})
	if err != nil {
		return nil, err
	}
	author := in.Author.signature(by.user.signature(s.now()))
	committer := githubSignature(s.now())
	if in.Committer != nil {
		committer = in.Committer.signature(author)
	}
	h, err := r.git.putCommit(tree, parents, in.Message, author, committer)
	if err != nil {
		return nil, err
	}
	if err := r.git.setRef(name, h); err != nil {
		return nil, err
	}
	if err := s.refMoved(by, r, name, tip, h); err != nil {
		return nil, err
	}
	return r.git.commit(h)
}
