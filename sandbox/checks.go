package sandbox

import (
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

// maxAnnotations is how many annotations one request may bring.
const maxAnnotations = 50

type annotation struct {
	Path        string  `json:"path"`
	StartLine   int     `json:"start_line"`
	EndLine     int     `json:"end_line"`
	StartColumn *int    `json:"start_column"`
	EndColumn   *int    `json:"end_column"`
	Level       string  `json:"annotation_level"`
	Message     string  `json:"message"`
	Title       *string `json:"title"`
	RawDetails  *string `json:"raw_details"`
}

type checkAction struct {
	Label       string `json:"label"`
	Description string `json:"description"`
	Identifier  string `json:"identifier"`
}

// checkRequest is the request of POST and PATCH check-runs.
type checkRequest struct {
	Name        *string    `json:"name"`
	HeadSHA     string     `json:"head_sha"`
	DetailsURL  *string    `json:"details_url"`
	ExternalID  *string    `json:"external_id"`
	Status      string     `json:"status"`
	Conclusion  string     `json:"conclusion"`
	StartedAt   *time.Time `json:"started_at"`
	CompletedAt *time.Time `json:"completed_at"`
	Output      *struct {
		Title       *string      `json:"title"`
		Summary     *string      `json:"summary"`
		Text        *string      `json:"text"`
		Annotations []annotation `json:"annotations"`
	} `json:"output"`
	Actions []checkAction `json:"actions"`
}

var (
	checkStatuses = []string{"", "queued", "in_progress", "completed", "waiting", "requested", "pending"}
	conclusions   = []string{"", "action_required", "cancelled", "failure", "neutral", "success", "skipped",
		"stale", "timed_out"}
)

func (in checkRequest) check() error {
	switch {
	case !slices.Contains(checkStatuses, in.Status):
		return invalidField("CheckRun", "status")
	case !slices.Contains(conclusions, in.Conclusion):
		return invalidField("CheckRun", "conclusion")
	case in.Status == "completed" && in.Conclusion == "":
		return missingField("CheckRun", "conclusion")
	case len(in.Actions) > 3:
		return invalidField("CheckRun", "actions")
	case in.Output == nil:
		return nil
	case in.Output.Title == nil || in.Output.Summary == nil:
		return unprocessable("Invalid request.\n\n\"title\", \"summary\" weren't supplied.")
	case len(in.Output.Annotations) > maxAnnotations:
		return unprocessable("Invalid request.\n\nNo more than 50 items are allowed for annotations.")
	case utf8.RuneCountInString(*in.Output.Summary) > 65535:
		return tooLong("CheckRun", "summary", 65535)
	case in.Output.Text != nil && utf8.RuneCountInString(*in.Output.Text) > 65535:
		return tooLong("CheckRun", "text", 65535)
	}
	for _, a := range in.Output.Annotations {
		if a.Path == "" || a.StartLine < 1 || a.EndLine < a.StartLine || a.Message == "" ||
			!slices.Contains([]string{"notice", "warning", "failure"}, a.Level) {
			return invalidField("CheckRun", "annotations")
		}
	}
	return nil
}

// createCheckRun starts a check run of an app on a commit.
func (s *Server) createCheckRun(by *actor, r *repository, in checkRequest) (*checkRun, error) {
	if in.Name == nil || *in.Name == "" || in.HeadSHA == "" {
		return nil, unprocessable("Invalid request.\n\n\"name\", \"head_sha\" weren't supplied.")
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	commit, found := r.git.findCommit(in.HeadSHA)
	if !found || commit.Hash.String() != in.HeadSHA {
		return nil, unprocessable("No commit found for SHA: " + in.HeadSHA)
	}
	run := &checkRun{id: s.nextID(), repo: r, app: by.inst.app, sha: in.HeadSHA, status: "queued",
		suite: s.suiteFor(r, by.inst.app, in.HeadSHA, "", "")}
	s.applyCheck(run, in)
	if r.checks == nil {
		r.checks = map[string][]*checkRun{}
	}
	r.checks[in.HeadSHA] = append(r.checks[in.HeadSHA], run)
	s.emitCheck(by, run, "created")
	if run.status == "completed" {
		s.emitCheck(by, run, "completed")
	}
	return run, nil
}

func (s *Server) updateCheckRun(by *actor, run *checkRun, in checkRequest) error {
	if err := in.check(); err != nil {
		return err
	}
	was := run.status
	s.applyCheck(run, in)
	if run.status == "completed" && was != "completed" {
		s.emitCheck(by, run, "completed")
	}
	return nil
}

// applyCheck writes the given fields. A conclusion completes the run.
func (s *Server) applyCheck(run *checkRun, in checkRequest) {
	if in.Name != nil && *in.Name != "" {
		run.name = *in.Name
	}
	if in.DetailsURL != nil {
		run.detailsURL = *in.DetailsURL
	}
	if in.ExternalID != nil {
		run.externalID = *in.ExternalID
	}
	if in.StartedAt != nil {
		run.started = *in.StartedAt
	}
	if run.started.IsZero() {
		run.started = s.now()
	}
	if in.Status != "" {
		run.status = in.Status
	}
	if in.Conclusion != "" {
		run.status, run.conclusion = "completed", in.Conclusion
	}
	switch {
	case run.status != "completed":
		run.conclusion, run.completed = "", time.Time{}
	case in.CompletedAt != nil:
		run.completed = *in.CompletedAt
	case run.completed.IsZero():
		run.completed = s.now()
	}
	if out := in.Output; out != nil {
		run.title, run.summary, run.text = out.Title, out.Summary, out.Text
		run.annotations = append(run.annotations, out.Annotations...)
	}
	if in.Actions != nil {
		run.actions = in.Actions
	}
	run.suite.updated = s.now()
}

func (s *Server) emitCheck(by *actor, run *checkRun, action string) {
	s.emit(by, run.repo, "check_run", action, func() obj {
		out := s.checkRunJSON(run)
		suite := s.suiteJSON(run.suite)
		for _, drop := range []string{"repository", "head_commit", "latest_check_runs_count", "check_runs_url"} {
			delete(suite, drop)
		}
		out["check_suite"] = suite
		return obj{"check_run": out}
	})
}

// findCheckRun finds a run by its number.
func (c *call) checkRunOf() (*checkRun, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	for _, runs := range c.repo.checks {
		for _, run := range runs {
			if run.id == id {
				return run, nil
			}
		}
	}
	return nil, notFound()
}

// latestRuns keeps the newest run of each name and app.
func latestRuns(runs []*checkRun) []*checkRun {
	type key struct {
		app  int64
		name string
	}
	seen := map[key]bool{}
	var out []*checkRun
	for _, run := range slices.Backward(runs) {
		k := key{run.app.id, run.name}
		if !seen[k] {
			seen[k] = true
			out = append(out, run)
		}
	}
	return out
}

func (s *Server) postCheckRun(c *call) (*response, error) {
	var in checkRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	run, err := s.createCheckRun(c.actor, c.repo, in)
	if err != nil {
		return nil, err
	}
	return created(s.checkRunJSON(run))
}

func (s *Server) patchCheckRun(c *call) (*response, error) {
	run, err := c.checkRunOf()
	if err != nil {
		return nil, err
	}
	if run.app != c.actor.inst.app {
		return nil, fail(http.StatusForbidden, "Invalid app_id `"+c.actor.inst.app.slug+"` - check run can only be modified by the GitHub App that created it.")
	}
	var in checkRequest
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := s.updateCheckRun(c.actor, run, in); err != nil {
		return nil, err
	}
	return ok(s.checkRunJSON(run))
}

func (s *Server) getCheckRun(c *call) (*response, error) {
	run, err := c.checkRunOf()
	if err != nil {
		return nil, err
	}
	return ok(s.checkRunJSON(run))
}

func (s *Server) listAnnotations(c *call) (*response, error) {
	run, err := c.checkRunOf()
	if err != nil {
		return nil, err
	}
	return paginate(c, run.annotations, func(a annotation) any {
		return obj{"path": a.Path, "start_line": a.StartLine, "end_line": a.EndLine, "start_column": a.StartColumn,
			"end_column": a.EndColumn, "annotation_level": a.Level, "title": a.Title, "message": a.Message,
			"raw_details": a.RawDetails, "blob_href": s.repoURL(c.repo) + "/blob/" + run.sha + "/" + a.Path}
	})
}

// listCheckRuns lists the runs of a commit by check_name, status, app_id and
// filter (latest, the default, or all).
func (s *Server) listCheckRuns(c *call) (*response, error) {
	commit, found := c.repo.git.findCommit(c.PathValue("ref"))
	if !found {
		return nil, unprocessable("No commit found for SHA: " + c.PathValue("ref"))
	}
	runs := c.repo.checks[commit.Hash.String()]
	if c.query("filter") != "all" {
		runs = latestRuns(runs)
	}
	return s.pageOfRuns(c, runs)
}

func (s *Server) pageOfRuns(c *call, runs []*checkRun) (*response, error) {
	var kept []*checkRun
	for _, run := range runs {
		if (c.query("check_name") == "" || run.name == c.query("check_name")) &&
			(c.query("status") == "" || run.status == c.query("status")) &&
			(c.query("app_id") == "" || c.query("app_id") == decimal(run.app.id)) {
			kept = append(kept, run)
		}
	}
	return paginateIn(c, "check_runs", kept, func(run *checkRun) any { return s.checkRunJSON(run) }, nil)
}
