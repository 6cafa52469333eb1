package sandbox

import (
	"slices"
	"sort"
	"strings"
	"time"
)

const issuePath = repoPath + "/issues/{number}"

// conversation is the permission for what issues and pull requests share.
const conversation = "issues|pull_requests"

func (s *Server) registerIssues() {
	s.route("GET "+repoPath+"/issues", reads("issues"), s.listIssues)
	s.route("POST "+repoPath+"/issues", contributes("issues"), s.postIssue)
	s.route("GET "+issuePath, reads(conversation), s.getIssue)
	s.route("PATCH "+issuePath, contributes(conversation), s.patchIssue, withRefs)
	s.route("PUT "+issuePath+"/lock", triages(conversation), s.putLock)
	s.route("DELETE "+issuePath+"/lock", triages(conversation), s.deleteLock)
	s.route("POST "+issuePath+"/assignees", triages(conversation), s.postAssignees)
	s.registerComments()
	s.registerReactions()
}

// issueOf finds the issue that the route names.
func (c *call) issueOf() (*issue, error) {
	n, err := c.number("number")
	if err != nil {
		return nil, err
	}
	i := c.repo.findIssue(n)
	if i == nil {
		return nil, notFound()
	}
	return i, nil
}

func (s *Server) postIssue(c *call) (*response, error) {
	var in newIssue
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	i, err := s.createIssue(c.actor, c.repo, in)
	if err != nil {
		return nil, err
	}
	return created(s.issueJSON(i))
}

func (s *Server) getIssue(c *call) (*response, error) {
	i, err := c.issueOf()
	if err != nil {
		return nil, err
	}
	return ok(s.issueJSON(i))
}

func (s *Server) patchIssue(c *call) (*response, error) {
	i, err := c.issueOf()
	if err != nil {
		return nil, err
	}
	var in issueEdit
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := s.editIssue(c.actor, i, in); err != nil {
		return nil, err
	}
	return ok(s.issueJSON(i))
}

func (s *Server) putLock(c *call) (*response, error) {
	i, err := c.issueOf()
	if err != nil {
		return nil, err
	}
	var in struct {
		Reason string `json:"lock_reason"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := s.lockIssue(c.actor, i, in.Reason); err != nil {
		return nil, err
	}
	return noContent()
}

func (s *Server) deleteLock(c *call) (*response, error) {
	i, err := c.issueOf()
	if err != nil {
		return nil, err
	}
	s.unlockIssue(c.actor, i)
	return noContent()
}

func (s *Server) postAssignees(c *call) (*response, error) {
	i, err := c.issueOf()
	if err != nil {
		return nil, err
	}
	var in struct {
		Assignees []string `json:"assignees"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	to := slices.Clone(i.assignees)
	for _, a := range s.assignable(c.repo, in.Assignees) {
		if !slices.Contains(to, a) {
			to = append(to, a)
		}
	}
	s.assign(c.actor, i, to)
	return created(s.issueJSON(i))
}

func (s *Server) listIssues(c *call) (*response, error) {
	keep, err := s.issueFilter(c)
	if err != nil {
		return nil, err
	}
	var out []*issue
	for _, i := range c.repo.issues {
		if keep(i) {
			out = append(out, i)
		}
	}
	sortIssues(out, c.query("sort"), c.query("direction"))
	return paginate(c, out, func(i *issue) any { return s.issueJSON(i) })
}

// issueFilter reads state, labels, creator, assignee and since.
func (s *Server) issueFilter(c *call) (func(*issue) bool, error) {
	state := c.query("state")
	if state == "" {
		state = "open"
	}
	if state != "open" && state != "closed" && state != "all" {
		return nil, invalidField("Issue", "state")
	}
	var since time.Time
	if text := c.query("since"); text != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, text); err != nil {
			return nil, invalidField("Issue", "since")
		}
	}
	var labels []string
	if text := c.query("labels"); text != "" {
		labels = strings.Split(text, ",")
	}
	return func(i *issue) bool {
		return (state == "all" || i.state() == state) && !i.updated.Truncate(time.Second).Before(since) &&
			hasLabels(i, labels) && isNamed(i.user, c.query("creator")) && isAssigned(i, c.query("assignee"))
	}, nil
}

func hasLabels(i *issue, names []string) bool {
	for _, name := range names {
		if findLabel(i.labels, name) == nil {
			return false
		}
	}
	return true
}

func isNamed(a *account, login string) bool {
	return login == "" || (a != nil && strings.EqualFold(a.login, login))
}

func isAssigned(i *issue, who string) bool {
	switch who {
	case "":
		return true
	case "none":
		return len(i.assignees) == 0
	case "*":
		return len(i.assignees) > 0
	}
	return slices.ContainsFunc(i.assignees, func(a *account) bool { return isNamed(a, who) })
}

// sortIssues orders by created (the default), updated or comments, youngest or
// most first unless direction is "asc".
func sortIssues(list []*issue, by, direction string) {
	less := func(a, b *issue) bool { return a.number < b.number }
	switch by {
	case "updated":
		less = func(a, b *issue) bool { return a.updated.Before(b.updated) }
	case "comments":
		less = func(a, b *issue) bool { return len(a.comments) < len(b.comments) }
	}
	sort.SliceStable(list, func(x, y int) bool {
		if direction == "asc" {
			return less(list[x], list[y])
		}
		return less(list[y], list[x])
	})
}
