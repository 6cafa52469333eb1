package sandbox_test

import (
	"strings"
	"testing"

	"github.com/google/go-github/v57/github"
)

// TestCheckRuns: a run from queued to completed, its limits and its lists.
func TestCheckRuns(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	_, bot := w.bot("acme")
	c := w.as("acme")
	pull := w.propose(c, "topic", "f", "x")
	sha := pull.GetHead().GetSHA()
	w.take()
	output := func(n int) *github.CheckRunOutput {
		o := &github.CheckRunOutput{Title: github.String("t"), Summary: github.String("s")}
		for range n {
			o.Annotations = append(o.Annotations, &github.CheckRunAnnotation{Path: github.String("f"), StartLine: github.Int(1),
				EndLine: github.Int(1), AnnotationLevel: github.String("failure"), Message: github.String("bad")})
		}
		return o
	}
	create := func(o github.CreateCheckRunOptions) (*github.CheckRun, error) {
		o.Name = "validate"
		run, _, err := bot.Checks.CreateCheckRun(w.ctx, "acme", "r", o)
		return run, err
	}
	_, err := create(github.CreateCheckRunOptions{HeadSHA: strings.Repeat("1", 40)})
	w.refused(err, 422, "No commit found")
	_, err = create(github.CreateCheckRunOptions{HeadSHA: sha, Status: github.String("done")})
	w.refused(err, 422, "status")
	_, err = create(github.CreateCheckRunOptions{HeadSHA: sha, Conclusion: github.String("fine")})
	w.refused(err, 422, "conclusion")
	run, err := create(github.CreateCheckRunOptions{HeadSHA: sha, Status: github.String("in_progress"), ExternalID: github.String("e")})
	if err != nil || run.GetStatus() != "in_progress" || run.Conclusion != nil || run.GetApp().GetSlug() != "registrar" {
		t.Fatalf("%v %v", run, err)
	}
	update := func(o github.UpdateCheckRunOptions) (*github.CheckRun, error) {
		o.Name = "validate"
		run, _, err := bot.Checks.UpdateCheckRun(w.ctx, "acme", "r", run.GetID(), o)
		return run, err
	}
	_, err = update(github.UpdateCheckRunOptions{Output: output(51)})
	w.refused(err, 422, "50")
	if _, err = update(github.UpdateCheckRunOptions{Output: output(50)}); err != nil {
		t.Error(err)
	}
	done, err := update(github.UpdateCheckRunOptions{Conclusion: github.String("failure"), Output: output(10)})
	if err != nil || done.GetStatus() != "completed" || done.GetOutput().GetAnnotationsCount() != 60 || done.CompletedAt == nil {
		t.Errorf("%v %v", done, err)
	}
	w.want("check_run.created", "check_run.completed")
	if list := must(bot.Checks.ListCheckRunAnnotations(w.ctx, "acme", "r", run.GetID(), &github.ListOptions{PerPage: 100}))(w); len(list) != 60 {
		t.Errorf("%d annotations", len(list))
	}
	if _, err := create(github.CreateCheckRunOptions{HeadSHA: sha, Conclusion: github.String("success")}); err != nil {
		t.Error(err)
	}
	for filter, want := range map[string]int{"latest": 1, "all": 2} {
		list := must(c.Checks.ListCheckRunsForRef(w.ctx, "acme", "r", "topic", &github.ListCheckRunsOptions{Filter: &filter}))(w)
		if list.GetTotal() != want || list.CheckRuns[0].GetName() != "validate" {
			t.Errorf("%s: %v", filter, list)
		}
	}
	list := must(c.Checks.ListCheckRunsForRef(w.ctx, "acme", "r", sha, &github.ListCheckRunsOptions{CheckName: github.String("other")}))(w)
	if list.GetTotal() != 0 {
		t.Errorf("by another name: %d", list.GetTotal())
	}
	suites := must(c.Checks.ListCheckSuitesForRef(w.ctx, "acme", "r", sha, nil))(w)
	if suites.GetTotal() != 1 || suites.CheckSuites[0].GetConclusion() != "success" || suites.CheckSuites[0].GetHeadBranch() != "topic" {
		t.Errorf("suites %v", suites)
	}
	_, _, err = w.as("acme").Checks.UpdateCheckRun(w.ctx, "acme", "r", run.GetID(), github.UpdateCheckRunOptions{Name: "x"})
	w.refused(err, 403, "GitHub App")
}

// TestStatuses: commit statuses fold into one.
func TestStatuses(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	sha := must(c.Git.GetRef(w.ctx, "acme", "r", "heads/main"))(w).GetObject().GetSHA()
	state := func() string {
		return must(c.Repositories.GetCombinedStatus(w.ctx, "acme", "r", "main", nil))(w).GetState()
	}
	if got := state(); got != "pending" {
		t.Errorf("nothing: %s", got)
	}
	for _, step := range []struct{ context, state, want string }{{"a", "success", "success"}, {"b", "pending", "pending"},
		{"b", "failure", "failure"}, {"b", "success", "success"}} {
		must(c.Repositories.CreateStatus(w.ctx, "acme", "r", sha, &github.RepoStatus{Context: &step.context, State: &step.state}))(w)
		if got := state(); got != step.want {
			t.Errorf("%+v: %s", step, got)
		}
	}
}
