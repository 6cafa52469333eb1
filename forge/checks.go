package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// maxAnnotations is how many annotations GitHub takes in one request; further
// ones are appended by further requests.
const maxAnnotations = 50

type checkOutput struct {
	Title       string            `json:"title"`
	Summary     string            `json:"summary"`
	Text        string            `json:"text,omitempty"`
	Annotations []checkAnnotation `json:"annotations,omitempty"`
}

type checkAnnotation struct {
	Path    string `json:"path"`
	Start   int    `json:"start_line"`
	End     int    `json:"end_line"`
	Level   string `json:"annotation_level"`
	Title   string `json:"title,omitempty"`
	Message string `json:"message"`
}

type checkAnswer struct {
	ID         int64
	Name       string
	SHA        string `json:"head_sha"`
	ExternalID string `json:"external_id"`
	Conclusion string
	App        *viaApp
	Output     struct {
		Title, Summary, Text string
		Count                int `json:"annotations_count"`
	}
}

// Check is the App's newest check run of a name on a commit, without its
// annotations; ok is false where there is none.
// (GET /repos/{owner}/{repo}/commits/{ref}/check-runs)
func (m *Metadata) Check(ctx context.Context, sha, name string) (c CheckRun, ok bool, err error) {
	newest, ok, err := m.newestCheck(ctx, sha, name)
	if err != nil || !ok {
		return CheckRun{}, false, err
	}
	m.annotated.put(strconv.FormatInt(newest.ID, 10), newest.Output.Count > 0, 8)
	return CheckRun{
		ID: newest.ID, SHA: newest.SHA, Name: newest.Name, ExternalID: newest.ExternalID, Conclusion: newest.Conclusion,
		Title: newest.Output.Title, Summary: newest.Output.Summary, Text: newest.Output.Text,
	}, true, nil
}

// namedCheck is where a check run stands.
type namedCheck struct{ sha, name string }

// newestCheck takes what this process wrote a moment ago for newer than what
// GitHub lists.
func (m *Metadata) newestCheck(ctx context.Context, sha, name string) (newest checkAnswer, ok bool, err error) {
	if !shaPattern.MatchString(sha) {
		return checkAnswer{}, false, fmt.Errorf("%q is no commit id", sha)
	}
	query := url.Values{
		"check_name": {name}, "filter": {"latest"}, "per_page": {strconv.Itoa(perPage)},
		"app_id": {strconv.FormatInt(m.f.cfg.AppID, 10)},
	}
	var answer struct {
		Runs []checkAnswer `json:"check_runs"`
	}
	if err := m.api.get(ctx, m.route("commits", sha, "check-runs")+"?"+query.Encode(), &answer); err != nil {
		return checkAnswer{}, false, fmt.Errorf("check runs of %.7s: %w", sha, err)
	}
	for _, r := range answer.Runs {
		if r.Name == name && r.App != nil && r.App.ID == m.f.cfg.AppID && r.ID > newest.ID {
			newest, ok = r, true
		}
	}
	if w, known := m.checks.get(namedCheck{sha, name}); known && w.ID >= newest.ID {
		newest, ok = w, true
	}
	return newest, ok, nil
}

// PutCheck creates a check run, or updates the one with c.ID. Because GitHub
// only ever appends annotations, a run that has some is not updated with others:
// a new one takes its place.
// (POST and PATCH /repos/{owner}/{repo}/check-runs)
func (m *Metadata) PutCheck(ctx context.Context, c CheckRun) error {
	if c.ID != 0 {
		annotated, err := m.isAnnotated(ctx, c.ID)
		if err != nil {
			return fmt.Errorf("check run %d: %w", c.ID, err)
		}
		if annotated {
			c.ID = 0
		}
	}
	var err error
	if c.ID == 0 {
		c.ID, err = m.createCheck(ctx, c)
	} else {
		err = m.updateCheck(ctx, c, 0)
	}
	for from := maxAnnotations; err == nil && from < len(c.Annotations); from += maxAnnotations {
		err = m.updateCheck(ctx, c, from)
	}
	if err != nil {
		return fmt.Errorf("check run on %.7s: %w", c.SHA, err)
	}
	m.annotated.put(strconv.FormatInt(c.ID, 10), len(c.Annotations) > 0, 8)
	return nil
}

// isAnnotated tells whether a check run has annotations, or is gone.
func (m *Metadata) isAnnotated(ctx context.Context, id int64) (bool, error) {
	if annotated, known := m.annotated.get(strconv.FormatInt(id, 10)); known {
		return annotated, nil
	}
	var old checkAnswer
	err := m.api.get(ctx, m.route("check-runs", id), &old)
	if errors.Is(err, ErrNotFound) {
		return true, nil
	}
	return old.Output.Count > 0, err
}

// checkBody is the request for a check run with its annotations from an index.
func checkBody(c CheckRun, from int) map[string]any {
	output := checkOutput{Title: c.Title, Summary: c.Summary, Text: c.Text}
	for _, a := range c.Annotations[min(from, len(c.Annotations)):min(from+maxAnnotations, len(c.Annotations))] {
		line := max(a.Line, 1)
		output.Annotations = append(output.Annotations, checkAnnotation{
			Path: a.Path, Start: line, End: line, Level: a.Level, Title: a.Title, Message: a.Message,
		})
	}
	body := map[string]any{"name": c.Name, "status": "in_progress", "output": output}
	if c.ExternalID != "" {
		body["external_id"] = c.ExternalID
	}
	if c.Conclusion != "" {
		body["status"], body["conclusion"] = "completed", c.Conclusion
	}
	return body
}

func (m *Metadata) createCheck(ctx context.Context, c CheckRun) (int64, error) {
	body := checkBody(c, 0)
	body["head_sha"] = c.SHA
	var answer checkAnswer
	_, err := m.api.call(ctx, http.MethodPost, m.route("check-runs"), body, &answer)
	if doubtful(ctx, err) {
		newest, ok, lookErr := m.newestCheck(ctx, c.SHA, c.Name)
		if lookErr == nil && ok && newest.ExternalID == c.ExternalID && newest.Conclusion == c.Conclusion &&
			newest.Output.Summary == c.Summary {
			return newest.ID, nil
		}
	}
	if err == nil {
		m.checks.put(namedCheck{c.SHA, c.Name}, answer)
	}
	return answer.ID, err
}

// updateCheck writes a check run with its annotations from an index.
func (m *Metadata) updateCheck(ctx context.Context, c CheckRun, from int) error {
	if len(c.Annotations) > from {
		ctx = mark(ctx, keyOnce)
	}
	var answer checkAnswer
	_, err := m.api.call(ctx, http.MethodPatch, m.route("check-runs", c.ID), checkBody(c, from), &answer)
	if err != nil {
		m.checks.forget(namedCheck{c.SHA, c.Name})
		return err
	}
	m.checks.put(namedCheck{c.SHA, c.Name}, answer)
	return nil
}
