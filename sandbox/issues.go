package sandbox

import (
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// GitHub's limits on text, in characters.
const (
	maxTitle = 256
	maxText  = 65536
)

// newIssue is the request of POST issues.
type newIssue struct {
	Title     string     `json:"title"`
	Body      string     `json:"body"`
	Labels    labelNames `json:"labels"`
	Assignees []string   `json:"assignees"`
	Assignee  string     `json:"assignee"`
}

// findIssue finds an issue or pull request by its number.
func (r *repository) findIssue(number int64) *issue {
	if number < 1 || number > int64(len(r.issues)) {
		return nil
	}
	return r.issues[number-1]
}

// createIssue opens an issue. Labels and assignees of people without triage
// rights are dropped in silence, as GitHub does.
func (s *Server) createIssue(by *actor, r *repository, in newIssue) (*issue, error) {
	if err := checkText("Issue", in.Title, in.Body); err != nil {
		return nil, err
	}
	i := s.addIssue(by, r, in.Title, in.Body)
	var added []*label
	if s.may(by, r, "issues", roleTriage) {
		added = s.labelsNamed(r, in.Labels)
		i.labels = append(i.labels, added...)
		if in.Assignee != "" {
			in.Assignees = append(in.Assignees, in.Assignee)
		}
		i.assignees = s.assignable(r, in.Assignees)
	}
	s.emitIssue(by, i, "opened", nil)
	for _, l := range added {
		s.emitIssue(by, i, "labeled", func() obj { return obj{"label": s.labelJSON(r, l)} })
	}
	return i, nil
}

// addIssue takes the next number of the repository.
func (s *Server) addIssue(by *actor, r *repository, title, body string) *issue {
	now := s.now()
	i := &issue{id: s.nextID(), repo: r, number: len(r.issues) + 1, title: title, body: body,
		user: by.user, viaApp: by.viaApp(), created: now, updated: now}
	r.issues = append(r.issues, i)
	r.openIssues++
	return i
}

func checkText(resource, title, body string) error {
	switch {
	case strings.TrimSpace(title) == "":
		return missingField(resource, "title")
	case utf8.RuneCountInString(title) > maxTitle:
		return tooLong(resource, "title", maxTitle)
	}
	return checkBody(resource, body)
}

func checkBody(resource, body string) error {
	if utf8.RuneCountInString(body) > maxText {
		return tooLong(resource, "body", maxText)
	}
	return nil
}

// issueEdit is the request of PATCH issues; nil fields stay.
type issueEdit struct {
	Title       *string     `json:"title"`
	Body        *string     `json:"body"`
	State       *string     `json:"state"`
	StateReason *string     `json:"state_reason"`
	Labels      *labelNames `json:"labels"`
	Assignees   *[]string   `json:"assignees"`
}

// editIssue changes an issue. Its author may edit text and state, others need
// triage rights.
func (s *Server) editIssue(by *actor, i *issue, in issueEdit) error {
	triage := s.may(by, i.repo, "issues|pull_requests", roleTriage)
	author := by.inst == nil && by.user == i.user
	if !triage && !author {
		return needsAdmin()
	}
	if err := s.editText(by, i, in.Title, in.Body); err != nil {
		return err
	}
	if triage && in.Labels != nil {
		s.replaceLabels(by, i, *in.Labels)
	}
	if triage && in.Assignees != nil {
		s.assign(by, i, s.assignable(i.repo, *in.Assignees))
	}
	if in.State != nil {
		reason := ""
		if in.StateReason != nil {
			reason = *in.StateReason
		}
		return s.setState(by, i, *in.State, reason)
	}
	return nil
}

// editText changes title and body and tells what they were.
func (s *Server) editText(by *actor, i *issue, title, body *string) error {
	newTitle, newBody := i.title, i.body
	if title != nil {
		newTitle = *title
	}
	if body != nil {
		newBody = *body
	}
	if err := checkText("Issue", newTitle, newBody); err != nil {
		return err
	}
	changes := obj{}
	if newTitle != i.title {
		changes["title"] = obj{"from": i.title}
	}
	if newBody != i.body {
		changes["body"] = obj{"from": i.body}
	}
	if len(changes) == 0 {
		return nil
	}
	i.title, i.body, i.updated = newTitle, newBody, s.now()
	s.emitIssue(by, i, "edited", func() obj { return obj{"changes": changes} })
	return nil
}

// setState closes or reopens.
func (s *Server) setState(by *actor, i *issue, state, reason string) error {
	switch {
	case state != "open" && state != "closed":
		return invalidField("Issue", "state")
	case reason != "" && !slices.Contains([]string{"completed", "not_planned", "reopened", "duplicate"}, reason):
		return invalidField("Issue", "state_reason")
	case state == i.state():
		if i.closed && reason != "" {
			i.stateReason, i.updated = reason, s.now()
		}
		return nil
	}
	if i.pull != nil && state == "open" {
		return s.reopenPull(by, i)
	}
	if state == "open" {
		s.markOpen(i)
		s.emitIssue(by, i, "reopened", nil)
		return nil
	}
	if reason == "" || reason == "reopened" {
		reason = "completed"
	}
	s.closeIssue(by, i, reason)
	return nil
}

func (s *Server) markOpen(i *issue) {
	i.closed, i.closedBy, i.stateReason = false, nil, "reopened"
	i.closedAt, i.updated = time.Time{}, s.now()
	i.repo.openIssues++
	if i.pull != nil {
		i.stateReason = ""
	}
}

// closeIssue closes an open issue or pull request.
func (s *Server) closeIssue(by *actor, i *issue, reason string) {
	now := s.now()
	i.closed, i.closedAt, i.closedBy, i.updated = true, now, by.user, now
	i.repo.openIssues--
	if i.pull == nil {
		i.stateReason = reason
	}
	s.emitIssue(by, i, "closed", nil)
}

// lockReasons are GitHub's.
var lockReasons = []string{"", "off-topic", "too heated", "resolved", "spam"}

func (s *Server) lockIssue(by *actor, i *issue, reason string) error {
	if !slices.Contains(lockReasons, reason) {
		return invalidField("Issue", "lock_reason")
	}
	i.locked, i.lockReason = true, reason
	s.emitIssue(by, i, "locked", nil)
	return nil
}

func (s *Server) unlockIssue(by *actor, i *issue) {
	i.locked, i.lockReason = false, ""
	s.emitIssue(by, i, "unlocked", nil)
}

// assignable picks those accounts that may be assigned.
func (s *Server) assignable(r *repository, logins []string) []*account {
	var out []*account
	for _, login := range logins {
		a := s.account(login)
		if a != nil && s.explicit(a, r) && !slices.Contains(out, a) && len(out) < 10 {
			out = append(out, a)
		}
	}
	return out
}

// assign sets who an issue is assigned to and tells of each that changed.
func (s *Server) assign(by *actor, i *issue, to []*account) {
	before := i.assignees
	i.assignees = to
	tell := func(action string, list, other []*account) {
		for _, a := range list {
			if !slices.Contains(other, a) {
				i.updated = s.now()
				s.emitIssue(by, i, action, func() obj { return obj{"assignee": s.userJSON(a)} })
			}
		}
	}
	tell("unassigned", before, to)
	tell("assigned", to, before)
}

// emitIssue sends issues events, or pull_request events for a pull request.
func (s *Server) emitIssue(by *actor, i *issue, action string, more func() obj) {
	if i.pull != nil {
		s.emitPull(by, i, action, more)
		return
	}
	s.emit(by, i.repo, "issues", action, func() obj {
		out := obj{"issue": s.issueJSON(i)}
		return extendBy(out, more)
	})
}

// mayComment: a locked conversation is for collaborators.
func (s *Server) mayComment(by *actor, i *issue) error {
	if i.locked && !s.may(by, i.repo, "issues|pull_requests", roleTriage) {
		return fail(http.StatusForbidden, "Unable to create comment because issue is locked.")
	}
	return nil
}
