package sandbox

import (
	"fmt"
	"html/template"
	"strconv"
	"strings"
	"time"
)

// checkView is one check run, or one commit status, which GitHub lists beside
// them.
type checkView struct {
	ID          int64
	Name, App   string
	Word        string // "success", "in progress"
	Icon, Class string
	Line        string // what the merge box says
	Title       string
	Duration    string
	Summary     template.HTML
	Text        template.HTML
	Annotations []annotationView
	CanRerun    bool
}

type annotationView struct {
	Icon, Class, Level, Title, Place, Message, Details string
}

// checksOf are the latest runs of each name on a commit, in the order in which
// they were made.
func (v *visit) checksOf(sha string) []*checkRun {
	var latest []*checkRun
	for _, run := range v.repo.checks[sha] {
		replaced := false
		for i, other := range latest {
			if other.name == run.name && other.app == run.app {
				latest[i], replaced = run, true
			}
		}
		if !replaced {
			latest = append(latest, run)
		}
	}
	return latest
}

// runPage is a check run by itself, at the address its html_url names.
type runPage struct {
	frame
	SHA, HeadShort string
	URL            string
	Pulls          []issueRow // open pull requests with that head
	Checks         []checkView
}

func runPageOf(v *visit) (any, error) {
	id := v.PathValue("check")
	for sha, runs := range v.repo.checks {
		for _, run := range runs {
			if strconv.FormatInt(run.id, 10) != id {
				continue
			}
			page := runPage{frame: v.frame(run.name, "pulls"), SHA: sha, HeadShort: short(sha), Checks: []checkView{v.viewCheck(run)}}
			page.Checks[0].CanRerun = false // the pull request's page has the button
			for _, i := range v.repo.issues {
				if i.pull != nil && !i.closed && i.pull.headSHA == sha {
					page.Pulls = append(page.Pulls, v.viewRow(i))
				}
			}
			return page, nil
		}
	}
	return nil, notFound()
}

// viewChecks shows a commit's check runs and statuses.
func (v *visit) viewChecks(sha string) []checkView {
	var views []checkView
	for _, run := range v.checksOf(sha) {
		views = append(views, v.viewCheck(run))
	}
	seen := map[string]bool{}
	statuses := v.repo.statuses[sha]
	for i := len(statuses) - 1; i >= 0; i-- {
		status := statuses[i]
		if seen[status.context] {
			continue
		}
		seen[status.context] = true
		view := checkView{ID: status.id, Name: status.context, Word: status.state, Title: status.description, Line: status.description}
		if status.creator != nil {
			view.App = status.creator.login
		}
		view.Icon, view.Class = checkIcon(status.state)
		views = append(views, view)
	}
	return views
}

func (v *visit) viewCheck(run *checkRun) checkView {
	view := checkView{ID: run.id, Name: run.name, Word: strings.ReplaceAll(run.status, "_", " ")}
	outcome := run.status
	if run.status == "completed" {
		outcome = run.conclusion
		view.Word = strings.ReplaceAll(run.conclusion, "_", " ")
	}
	view.Icon, view.Class = checkIcon(outcome)
	if run.app != nil {
		view.App = run.app.name
		view.CanRerun = v.s.roleOf(v.who, v.repo) >= roleWrite && run.status == "completed"
	}
	if run.title != nil {
		view.Title = *run.title
	}
	if run.summary != nil {
		view.Summary = v.markdown(*run.summary)
	}
	if run.text != nil {
		view.Text = v.markdown(*run.text)
	}
	view.Line = view.Title
	if view.Line == "" {
		view.Line = view.Word
	}
	if took := run.completed.Sub(run.started).Round(time.Second); !run.started.IsZero() && took > 0 {
		view.Duration = "Took " + took.String()
	}
	for _, a := range run.annotations {
		view.Annotations = append(view.Annotations, viewAnnotation(a))
	}
	return view
}

func viewAnnotation(a annotation) annotationView {
	view := annotationView{Level: a.Level, Message: a.Message, Place: fmt.Sprintf("%s:%d", a.Path, a.StartLine), Icon: "dot", Class: "neutral"}
	if a.EndLine > a.StartLine {
		view.Place += fmt.Sprintf("-%d", a.EndLine)
	}
	switch a.Level {
	case "failure":
		view.Icon, view.Class = "cross", "failure"
	case "warning":
		view.Class = "pending"
	}
	if a.Title != nil {
		view.Title = *a.Title
	}
	if a.RawDetails != nil {
		view.Details = *a.RawDetails
	}
	return view
}

// checkIcon draws a check run's status or conclusion, or a commit status.
func checkIcon(outcome string) (icon, class string) {
	switch outcome {
	case "success":
		return "check", "success"
	case "failure", "timed_out", "startup_failure", "error", "action_required":
		return "cross", "failure"
	case "neutral", "skipped", "cancelled", "stale":
		return "skip", "neutral"
	}
	return "dot", "pending"
}

// summarize gives the one sign that lists of pull requests show; nil when
// nothing checked the commit.
func summarize(runs []*checkRun) *checksSummary {
	if len(runs) == 0 {
		return nil
	}
	done := 0
	worst := "success"
	for _, run := range runs {
		outcome := run.status
		if run.status == "completed" {
			outcome = run.conclusion
		}
		switch _, class := checkIcon(outcome); {
		case class == "failure":
			worst = "failure"
		case class == "pending" && worst != "failure":
			worst = "pending"
		case class == "success" || class == "neutral":
			done++
		}
	}
	icon, class := checkIcon(worst)
	return &checksSummary{Word: fmt.Sprintf("%d of %s OK", done, plural(len(runs), "check")), Icon: icon, Class: class}
}
