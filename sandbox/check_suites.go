package sandbox

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
)

func (s *Server) registerChecks() {
	one := repoPath + "/check-runs/{id}"
	byApp := access{caller: installedApp, permissions: "checks", role: roleWrite, write: true}
	s.route("POST "+repoPath+"/check-runs", byApp, s.postCheckRun)
	s.route("PATCH "+one, byApp, s.patchCheckRun)
	s.route("GET "+one, reads("checks"), s.getCheckRun)
	s.route("GET "+one+"/annotations", reads("checks"), s.listAnnotations)
	s.route("POST "+one+"/rerequest", access{caller: signedIn, permissions: "checks", role: roleWrite, write: true,
		denied: http.StatusForbidden}, s.rerequestRun)
	s.route("GET "+repoPath+"/commits/{ref...}/check-runs", reads("checks"), s.listCheckRuns)
	s.route("GET "+repoPath+"/commits/{ref...}/check-suites", reads("checks"), s.listSuites)
	s.route("GET "+repoPath+"/check-suites/{id}", reads("checks"), s.getSuite)
	s.route("GET "+repoPath+"/check-suites/{id}/check-runs", reads("checks"), s.listSuiteRuns)
	s.route("POST "+repoPath+"/statuses/{sha}", pushes("statuses"), s.postStatus)
	s.route("GET "+repoPath+"/commits/{ref...}/status", reads("statuses"), s.combinedStatus)
	s.route("GET "+repoPath+"/commits/{ref...}/statuses", reads("statuses"), s.listStatuses)
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// suiteFor finds or makes the suite of an app for a commit.
func (s *Server) suiteFor(r *repository, a *app, sha, branch, before string) *checkSuite {
	for _, suite := range r.suites[sha] {
		if suite.app == a {
			return suite
		}
	}
	if branch == "" {
		branch = branchAt(r, sha)
	}
	now := s.now()
	suite := &checkSuite{id: s.nextID(), repo: r, app: a, sha: sha, branch: branch, before: before, created: now, updated: now}
	if r.suites == nil {
		r.suites = map[string][]*checkSuite{}
	}
	r.suites[sha] = append(r.suites[sha], suite)
	return suite
}

// branchAt names a branch whose tip is the commit, "" when there is none.
func branchAt(r *repository, sha string) string {
	h := plumbing.NewHash(sha)
	for _, ref := range r.git.refsUnder("refs/heads/") {
		if ref.hash == h {
			return ref.name[len("refs/heads/"):]
		}
	}
	return ""
}

// requestSuites asks every app that listens for check suites and may write
// checks to check the new commit of a branch.
func (s *Server) requestSuites(by *actor, r *repository, branch string, before, after plumbing.Hash) {
	for _, inst := range s.installedOn[r.owner.id] {
		a := inst.app
		if inst.covers(r) && a.permissions["checks"] == "write" && slices.Contains(a.events, "check_suite") {
			suite := s.suiteFor(r, a, after.String(), branch, before.String())
			s.emitTo(inst, by, r, "check_suite", "requested", func() obj {
				out := s.suiteJSON(suite)
				delete(out, "repository") // payloads have it beside the suite
				return obj{"check_suite": out}
			})
		}
	}
}

// state folds the runs of a suite into its status and conclusion.
func (suite *checkSuite) state() (status, conclusion string) {
	runs := suite.runs()
	if len(runs) == 0 {
		return "queued", ""
	}
	conclusion = "success"
	rank := []string{"success", "neutral", "skipped", "stale", "cancelled", "timed_out", "action_required", "failure"}
	for _, run := range runs {
		if run.status != "completed" {
			return "in_progress", ""
		}
		if slices.Index(rank, run.conclusion) > slices.Index(rank, conclusion) {
			conclusion = run.conclusion
		}
	}
	return "completed", conclusion
}

func (suite *checkSuite) runs() []*checkRun {
	return latestRuns(slices.DeleteFunc(slices.Clone(suite.repo.checks[suite.sha]), func(run *checkRun) bool {
		return run.suite != suite
	}))
}

func (s *Server) checkRunJSON(run *checkRun) obj {
	self := s.repoURL(run.repo) + "/check-runs/" + decimal(run.id)
	html := s.repoWeb(run.repo) + "/runs/" + decimal(run.id)
	details := run.detailsURL
	if details == "" {
		details = html
	}
	return obj{"id": run.id, "node_id": nodeID("CR", run.id), "head_sha": run.sha, "external_id": run.externalID,
		"name": run.name, "url": self, "html_url": html, "details_url": details, "status": run.status,
		"conclusion": orNull(run.conclusion), "started_at": stamp(run.started), "completed_at": stamp(run.completed),
		"output": obj{"title": run.title, "summary": run.summary, "text": run.text,
			"annotations_count": len(run.annotations), "annotations_url": self + "/annotations"},
		"check_suite": obj{"id": run.suite.id}, "app": s.appJSON(run.app), "pull_requests": s.pullsOfHead(run.repo, run.sha)}
}

func (s *Server) suiteJSON(suite *checkSuite) obj {
	status, conclusion := suite.state()
	self := s.repoURL(suite.repo) + "/check-suites/" + decimal(suite.id)
	out := obj{"id": suite.id, "node_id": nodeID("CS", suite.id), "head_branch": orNull(suite.branch),
		"head_sha": suite.sha, "status": status, "conclusion": orNull(conclusion), "url": self,
		"before": orNull(suite.before), "after": suite.sha, "pull_requests": s.pullsOfHead(suite.repo, suite.sha),
		"app": s.appJSON(suite.app), "repository": s.repoJSON(suite.repo, nil), "created_at": stamp(suite.created),
		"updated_at": stamp(suite.updated), "rerequestable": true, "runs_rerequestable": true,
		"latest_check_runs_count": len(suite.runs()), "check_runs_url": self + "/check-runs"}
	if c, err := suite.repo.git.commit(plumbing.NewHash(suite.sha)); err == nil {
		out["head_commit"] = simpleCommitJSON(c)
	}
	return out
}

func (s *Server) rerequestRun(c *call) (*response, error) {
	run, err := c.checkRunOf()
	if err != nil {
		return nil, err
	}
	s.emitCheck(c.actor, run, "rerequested")
	return created(obj{})
}

func (s *Server) listSuites(c *call) (*response, error) {
	commit, found := c.repo.git.findCommit(c.PathValue("ref"))
	if !found {
		return nil, unprocessable("No commit found for SHA: " + c.PathValue("ref"))
	}
	return paginateIn(c, "check_suites", c.repo.suites[commit.Hash.String()],
		func(suite *checkSuite) any { return s.suiteJSON(suite) }, nil)
}

func (c *call) suiteOf() (*checkSuite, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	for _, suites := range c.repo.suites {
		for _, suite := range suites {
			if suite.id == id {
				return suite, nil
			}
		}
	}
	return nil, notFound()
}

func (s *Server) getSuite(c *call) (*response, error) {
	suite, err := c.suiteOf()
	if err != nil {
		return nil, err
	}
	return ok(s.suiteJSON(suite))
}

func (s *Server) listSuiteRuns(c *call) (*response, error) {
	suite, err := c.suiteOf()
	if err != nil {
		return nil, err
	}
	return s.pageOfRuns(c, suite.runs())
}

// postStatus writes a commit status.
func (s *Server) postStatus(c *call) (*response, error) {
	var in struct {
		State       string `json:"state"`
		TargetURL   string `json:"target_url"`
		Description string `json:"description"`
		Context     string `json:"context"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if !slices.Contains([]string{"error", "failure", "pending", "success"}, in.State) {
		return nil, invalidField("Status", "state")
	}
	if _, found := c.repo.git.findCommit(c.PathValue("sha")); !found {
		return nil, unprocessable("No commit found for SHA: " + c.PathValue("sha"))
	}
	if in.Context == "" {
		in.Context = "default"
	}
	st := &commitStatus{id: s.nextID(), context: in.Context, state: in.State, description: in.Description,
		targetURL: in.TargetURL, creator: c.actor.user, created: s.now()}
	if c.repo.statuses == nil {
		c.repo.statuses = map[string][]*commitStatus{}
	}
	sha := c.PathValue("sha")
	c.repo.statuses[sha] = append(c.repo.statuses[sha], st)
	return created(s.statusJSON(c.repo, sha, st, true))
}

func (s *Server) statusJSON(r *repository, sha string, st *commitStatus, creator bool) obj {
	out := obj{"id": st.id, "node_id": nodeID("SC", st.id), "url": s.repoURL(r) + "/statuses/" + sha, "state": st.state,
		"description": orNull(st.description), "target_url": orNull(st.targetURL), "context": st.context,
		"avatar_url": s.userJSON(st.creator)["avatar_url"], "created_at": stamp(st.created), "updated_at": stamp(st.created)}
	if creator {
		out["creator"] = s.userJSON(st.creator)
	}
	return out
}

// combinedStatus folds the newest status of each context.
func (s *Server) combinedStatus(c *call) (*response, error) {
	commit, found := c.repo.git.findCommit(c.PathValue("ref"))
	if !found {
		return nil, unprocessable("No commit found for SHA: " + c.PathValue("ref"))
	}
	sha, state := commit.Hash.String(), "success"
	seen := map[string]bool{}
	list := []any{}
	for _, st := range slices.Backward(c.repo.statuses[sha]) {
		if seen[st.context] {
			continue
		}
		seen[st.context] = true
		list = append(list, s.statusJSON(c.repo, sha, st, false))
		switch {
		case st.state == "failure" || st.state == "error":
			state = "failure"
		case st.state == "pending" && state == "success":
			state = "pending"
		}
	}
	if len(list) == 0 {
		state = "pending"
	}
	return ok(obj{"state": state, "statuses": list, "sha": sha, "total_count": len(list),
		"repository": s.repoJSON(c.repo, nil), "commit_url": s.commitURL(c.repo, commit.Hash),
		"url": s.commitURL(c.repo, commit.Hash) + "/status"})
}

func (s *Server) listStatuses(c *call) (*response, error) {
	commit, found := c.repo.git.findCommit(c.PathValue("ref"))
	if !found {
		return nil, unprocessable("No commit found for SHA: " + c.PathValue("ref"))
	}
	sha := commit.Hash.String()
	list := slices.Clone(c.repo.statuses[sha])
	slices.Reverse(list)
	return paginate(c, list, func(st *commitStatus) any { return s.statusJSON(c.repo, sha, st, true) })
}
