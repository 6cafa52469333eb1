package handlers

import (
	"maps"
	"slices"

	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// submissionComment is the comment of a submission in a state.
func (h *Handlers) submissionComment(s submission, state templates.State) *templates.Comment {
	c := &templates.Comment{Site: h.site, Issue: s.issue.Number, State: state, Merge: h.policy.Merge, Answers: s.answers}
	if j := s.judged; j != nil {
		c.Report, c.Provider, c.Module, c.Key, c.Removal = j.Report, j.provider, j.module, j.key, j.removal
	}
	if s.pull != nil {
		c.Pull = &templates.PullLink{Number: s.pull.Number, URL: s.pull.URL}
	}
	return c
}

// submissionPull is the pull request of an accepted submission.
func (h *Handlers) submissionPull(s submission) templates.SubmissionPull {
	j := s.judged
	merge := h.policy.Merge
	if j.removal != nil {
		merge = templates.MergeApproved
	}
	return templates.SubmissionPull{
		Site: h.site, Issue: s.issue.Number, Author: s.issue.Author, AuthorIsMember: j.isMember,
		Merge: merge, Report: j.Report, Facts: j.facts,
		Provider: j.provider, Module: j.module, Key: j.key, Removal: j.removal,
		Files: slices.Sorted(maps.Keys(j.files)),
	}
}

// submissionCheck is the check run on the pull request of an accepted
// submission.
func (h *Handlers) submissionCheck(s submission) CheckRun {
	j := s.judged
	if j.removal != nil {
		return h.changesCheck(j.changes, nil, nil)
	}
	file := templates.CheckedFile{Path: j.path, Subject: string(j.Kind) + " " + subjectName(j.Report)}
	for _, f := range j.Findings {
		file.Findings = append(file.Findings, templates.FileFinding{Finding: f, Line: 1})
	}
	return checkRun(templates.CheckRunText(templates.CheckRun{
		Site: h.site, Files: []templates.CheckedFile{file},
		Provider: j.provider, Module: j.module, Key: j.key, Own: true,
	}), validation.HasErrors(j.Findings))
}

// checkRun is the text of a check run with its conclusion.
func checkRun(t templates.CheckText, failed bool) CheckRun {
	c := CheckRun{Name: checkName, Conclusion: "success", Title: t.Title, Summary: t.Summary, Text: t.Text}
	if failed {
		c.Conclusion = "failure"
	}
	for _, a := range t.Annotations {
		c.Annotations = append(c.Annotations, Annotation{
			Path: a.Path, Line: a.Line, Level: a.Level, Title: a.Title, Message: a.Message,
		})
	}
	return c
}

// subjectName is the address that a report is about.
func subjectName(r validation.Report) string {
	switch {
	case r.Target != "":
		return r.Namespace + "/" + r.Name + "/" + r.Target
	case r.Name != "":
		return r.Namespace + "/" + r.Name
	}
	return r.Namespace
}
