package sandbox

import (
	"net/http"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/object"
)

const pullPath = repoPath + "/pulls/{number}"

func (s *Server) registerPulls() {
	merging := pushesOr403("contents")
	s.route("GET "+repoPath+"/pulls", reads("pull_requests"), s.listPulls)
	s.route("POST "+repoPath+"/pulls", contributes("pull_requests"), s.postPull, withRefs)
	s.route("GET "+pullPath, reads("pull_requests"), s.getPull, prepared(s.prepareMerge))
	s.route("PATCH "+pullPath, contributes("pull_requests"), s.patchPull, withRefs)
	s.route("GET "+pullPath+"/files", reads("pull_requests"), s.listPullFiles)
	s.route("GET "+pullPath+"/commits", reads("pull_requests"), s.listPullCommits)
	s.route("GET "+pullPath+"/merge", reads("pull_requests"), s.isMerged)
	s.route("PUT "+pullPath+"/merge", merging, s.putMerge, withRefs, prepared(s.prepareMerge))
	s.route("GET "+repoPath+"/commits/{ref...}/pulls", reads("pull_requests"), s.pullsOfCommit)
	s.registerReviews()
}

// pullOf finds the pull request that the route names.
func (c *call) pullOf() (*issue, error) {
	i, err := c.issueOf()
	if err == nil && i.pull == nil {
		return nil, notFound()
	}
	return i, err
}

func (s *Server) postPull(c *call) (*response, error) {
	var in newPull
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	i, err := s.createPull(c.actor, c.repo, in)
	if err != nil {
		return nil, err
	}
	return created(s.fullPullJSON(i, c.actor))
}

// getPull answers JSON, or the diff when the Accept header asks for it.
func (s *Server) getPull(c *call) (*response, error) {
	i, err := c.pullOf()
	if err != nil {
		return nil, err
	}
	if c.accepts(".diff") {
		files, err := s.pullFiles(i)
		if err != nil {
			return nil, err
		}
		return &response{status: http.StatusOK, raw: unifiedDiff(files),
			contentType: "application/vnd.github.diff; charset=utf-8"}, nil
	}
	return ok(s.fullPullJSON(i, c.actor))
}

func unifiedDiff(files []fileDiff) []byte {
	var b strings.Builder
	for _, f := range files {
		old, now := "a/"+f.path, "b/"+f.path
		if f.previous != "" {
			old = "a/" + f.previous
		}
		b.WriteString("diff --git " + old + " " + now + "\n")
		switch f.status {
		case "added":
			old = "/dev/null"
		case "removed":
			now = "/dev/null"
		}
		b.WriteString("--- " + old + "\n+++ " + now + "\n" + f.patch + "\n")
	}
	return []byte(b.String())
}

func (s *Server) patchPull(c *call) (*response, error) {
	i, err := c.pullOf()
	if err != nil {
		return nil, err
	}
	var in pullEdit
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := s.editPull(c.actor, i, in); err != nil {
		return nil, err
	}
	return ok(s.fullPullJSON(i, c.actor))
}

func (s *Server) listPulls(c *call) (*response, error) {
	state := c.query("state")
	if state == "" {
		state = "open"
	}
	owner, branch, cross := strings.Cut(c.query("head"), ":")
	var out []*issue
	for _, i := range c.repo.issues {
		p := i.pull
		if p == nil || (state != "all" && i.state() != state) || (c.query("base") != "" && p.baseRef != c.query("base")) {
			continue
		}
		// Without "owner:" GitHub ignores the filter.
		if cross && (!strings.EqualFold(p.headOwner.login, owner) || p.headRef != branch) {
			continue
		}
		out = append(out, i)
	}
	sortIssues(out, c.query("sort"), c.query("direction"))
	return paginate(c, out, func(i *issue) any { return s.pullJSON(i, c.actor) })
}

func (s *Server) listPullFiles(c *call) (*response, error) {
	i, err := c.pullOf()
	if err != nil {
		return nil, err
	}
	files, err := s.pullFiles(i)
	if err != nil {
		return nil, err
	}
	sort.Slice(files, func(x, y int) bool { return files[x].path < files[y].path })
	return paginate(c, files, s.pullFileJSON(i))
}

func (s *Server) listPullCommits(c *call) (*response, error) {
	i, err := c.pullOf()
	if err != nil {
		return nil, err
	}
	commits, err := s.pullCommits(i)
	if err != nil {
		return nil, err
	}
	return paginate(c, commits[:min(len(commits), 250)], func(o *object.Commit) any { return s.commitJSON(c.repo, o) })
}

func (s *Server) isMerged(c *call) (*response, error) {
	i, err := c.pullOf()
	if err != nil {
		return nil, err
	}
	if !i.pull.merged {
		return nil, notFound()
	}
	return noContent()
}

func (s *Server) putMerge(c *call) (*response, error) {
	i, err := c.pullOf()
	if err != nil {
		return nil, err
	}
	var in mergeRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	h, err := s.mergePull(c.actor, i, in)
	if err != nil {
		return nil, err
	}
	return ok(obj{"sha": h.String(), "merged": true, "message": "Pull Request successfully merged"})
}

// pullsOfCommit lists pull requests that contain the commit, or have it as
// their merge.
func (s *Server) pullsOfCommit(c *call) (*response, error) {
	commit, found := c.repo.git.findCommit(c.PathValue("ref"))
	if !found {
		return nil, unprocessable("No commit found for SHA: " + c.PathValue("ref"))
	}
	var out []*issue
	for _, i := range c.repo.issues {
		if i.pull != nil && (i.pull.headSHA == commit.Hash.String() || i.pull.mergeCommit == commit.Hash.String()) {
			out = append(out, i)
		}
	}
	return paginate(c, out, func(i *issue) any { return s.pullJSON(i, c.actor) })
}
