package sandbox

import (
	"net/http"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

func (s *Server) registerHistory() {
	s.route("GET "+repoPath+"/branches", reads("contents"), s.listBranches)
	s.route("GET "+repoPath+"/branches/{branch...}", reads("contents"), s.getBranch)
	s.route("GET "+repoPath+"/tags", reads("contents"), s.listTags)
	s.route("GET "+repoPath+"/commits", reads("contents"), s.listCommits)
	s.route("GET "+repoPath+"/commits/{ref...}", reads("contents"), s.getCommit)
	s.route("GET "+repoPath+"/compare/{basehead...}", reads("contents"), s.getCompare)
}

func (s *Server) commitURL(r *repository, h plumbing.Hash) string {
	return s.repoURL(r) + "/commits/" + h.String()
}

// commitJSON is GitHub's "commit", which wraps the git commit.
func (s *Server) commitJSON(r *repository, c *object.Commit) obj {
	self, web := s.commitURL(r, c.Hash), s.repoWeb(r)+"/commit/"
	inner := s.gitCommitJSON(r, c)
	for _, drop := range []string{"sha", "node_id", "html_url", "parents"} {
		delete(inner, drop)
	}
	inner["comment_count"] = 0
	parents := make([]any, 0, len(c.ParentHashes))
	for _, p := range c.ParentHashes {
		parents = append(parents, obj{"sha": p.String(), "url": s.commitURL(r, p), "html_url": web + p.String()})
	}
	return obj{"sha": c.Hash.String(), "node_id": nodeID("C", r.id) + c.Hash.String(), "url": self,
		"html_url": web + c.Hash.String(), "comments_url": self + "/comments", "commit": inner, "parents": parents,
		"author": s.user(s.accountByEmail(c.Author.Email)), "committer": s.user(s.accountByEmail(c.Committer.Email))}
}

func (s *Server) commitsJSON(r *repository, list []plumbing.Hash) ([]any, error) {
	out := make([]any, 0, len(list))
	for _, h := range list {
		c, err := r.git.commit(h)
		if err != nil {
			return nil, err
		}
		out = append(out, s.commitJSON(r, c))
	}
	return out, nil
}

func (s *Server) listBranches(c *call) (*response, error) {
	return paginate(c, c.repo.git.refsUnder("refs/heads/"), func(ref gitRef) any {
		return obj{"name": strings.TrimPrefix(ref.name, "refs/heads/"), "protected": false,
			"commit": obj{"sha": ref.hash.String(), "url": s.commitURL(c.repo, ref.hash)}}
	})
}

func (s *Server) getBranch(c *call) (*response, error) {
	name := c.PathValue("branch")
	h, found := c.repo.git.ref("refs/heads/" + name)
	if !found {
		return nil, fail(http.StatusNotFound, "Branch not found")
	}
	commit, err := c.repo.git.commit(h)
	if err != nil {
		return nil, err
	}
	self := s.api("/repos", c.repo.owner.login, c.repo.name, "branches", name)
	return ok(obj{"name": name, "commit": s.commitJSON(c.repo, commit), "protected": false,
		"_links":     obj{"self": self, "html": s.repoWeb(c.repo) + "/tree/" + name},
		"protection": obj{"enabled": false}, "protection_url": self + "/protection"})
}

// listTags lists in reverse order of the names, about as GitHub does.
func (s *Server) listTags(c *call) (*response, error) {
	refs := c.repo.git.refsUnder("refs/tags/")
	for i, j := 0, len(refs)-1; i < j; i, j = i+1, j-1 {
		refs[i], refs[j] = refs[j], refs[i]
	}
	self := s.repoURL(c.repo)
	return paginate(c, refs, func(ref gitRef) any {
		name := strings.TrimPrefix(ref.name, "refs/tags/")
		commit, err := c.repo.git.peel(ref.hash)
		if err != nil {
			commit = ref.hash
		}
		return obj{"name": name, "zipball_url": self + "/zipball/refs/tags/" + name,
			"tarball_url": self + "/tarball/refs/tags/" + name, "node_id": nodeID("REF", c.repo.id) + "_" + ref.name,
			"commit": obj{"sha": commit.String(), "url": s.commitURL(c.repo, commit)}}
	})
}

// listCommits reads sha, path, author, since and until.
func (s *Server) listCommits(c *call) (*response, error) {
	if err := c.notEmpty(); err != nil {
		return nil, err
	}
	from, found := c.repo.git.findCommit(c.query("sha"))
	if !found {
		return nil, notFound()
	}
	keep, err := s.commitFilter(c)
	if err != nil {
		return nil, err
	}
	list, err := c.repo.git.log(from.Hash, 0, keep)
	if err != nil {
		return nil, err
	}
	return s.pageOfCommits(c, c.repo, list)
}

func (s *Server) pageOfCommits(c *call, r *repository, list []plumbing.Hash) (*response, error) {
	var failed error
	resp, err := paginate(c, list, func(h plumbing.Hash) any {
		commit, err := r.git.commit(h)
		if err != nil {
			failed = err
			return nil
		}
		return s.commitJSON(r, commit)
	})
	if failed != nil {
		return nil, failed
	}
	return resp, err
}

func (s *Server) commitFilter(c *call) (func(*commitMeta) (bool, error), error) {
	bounds := map[string]time.Time{}
	for _, name := range []string{"since", "until"} {
		if text := c.query(name); text != "" {
			t, err := time.Parse(time.RFC3339, text)
			if err != nil {
				return nil, invalidField("Commit", name)
			}
			bounds[name] = t
		}
	}
	at, author := strings.Trim(c.query("path"), "/"), c.query("author")
	return func(m *commitMeta) (bool, error) {
		if t, set := bounds["since"]; set && m.when.Before(t) {
			return false, nil
		}
		if t, set := bounds["until"]; set && m.when.After(t) {
			return false, nil
		}
		if author != "" {
			commit, err := c.repo.git.commit(m.hash)
			if err != nil || (commit.Author.Email != author && !isNamed(s.accountByEmail(commit.Author.Email), author)) {
				return false, err
			}
		}
		if at != "" {
			return c.repo.git.touches(m, at)
		}
		return true, nil
	}, nil
}

// touches tells whether a commit changed a path against all its parents.
func (g *gitStore) touches(m *commitMeta, path string) (bool, error) {
	entryIn := func(h plumbing.Hash) (plumbing.Hash, error) {
		c, err := g.commit(h)
		if err != nil {
			return h, err
		}
		e, found := g.entryAt(c.TreeHash, path)
		if !found {
			return plumbing.ZeroHash, nil
		}
		return e.Hash, nil
	}
	now, err := entryIn(m.hash)
	if err != nil {
		return false, err
	}
	if len(m.parents) == 0 {
		return !now.IsZero(), nil
	}
	for _, p := range m.parents {
		before, err := entryIn(p)
		if err != nil || before == now {
			return false, err
		}
	}
	return true, nil
}

func (s *Server) getCommit(c *call) (*response, error) {
	if err := c.notEmpty(); err != nil {
		return nil, err
	}
	commit, found := c.repo.git.findCommit(c.PathValue("ref"))
	if !found {
		return nil, unprocessable("No commit found for SHA: " + c.PathValue("ref"))
	}
	if c.accepts(".sha") {
		return &response{status: http.StatusOK, raw: []byte(commit.Hash.String()),
			contentType: "application/vnd.github.sha; charset=utf-8"}, nil
	}
	var parent plumbing.Hash
	if len(commit.ParentHashes) > 0 {
		p, err := c.repo.git.commit(commit.ParentHashes[0])
		if err != nil {
			return nil, err
		}
		parent = p.TreeHash
	}
	files, err := c.repo.git.diff(parent, commit.TreeHash, maxDiffFiles)
	if err != nil {
		return nil, err
	}
	out := s.commitJSON(c.repo, commit)
	stats := countDiff(files)
	out["stats"] = obj{"additions": stats.additions, "deletions": stats.deletions, "total": stats.additions + stats.deletions}
	out["files"] = s.filesJSON(c.repo, commit.Hash, files)
	return ok(out)
}

func countDiff(files []fileDiff) pullStats {
	stats := pullStats{files: len(files)}
	for _, f := range files {
		stats.additions += f.additions
		stats.deletions += f.deletions
	}
	return stats
}

func (s *Server) fileJSON(r *repository, at plumbing.Hash, f fileDiff) obj {
	path := escapeJoin([]string{f.path})
	out := obj{"sha": f.sha.String(), "filename": f.path, "status": f.status, "additions": f.additions,
		"deletions": f.deletions, "changes": f.additions + f.deletions,
		"blob_url":     s.repoWeb(r) + "/blob/" + at.String() + path,
		"raw_url":      s.repoWeb(r) + "/raw/" + at.String() + path,
		"contents_url": s.repoURL(r) + "/contents" + path + "?ref=" + at.String()}
	if f.patch != "" {
		out["patch"] = f.patch
	}
	if f.previous != "" {
		out["previous_filename"] = f.previous
	}
	return out
}

func (s *Server) filesJSON(r *repository, at plumbing.Hash, files []fileDiff) []any {
	out := make([]any, 0, len(files))
	for _, f := range files {
		out = append(out, s.fileJSON(r, at, f))
	}
	return out
}
