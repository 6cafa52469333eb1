package sandbox

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

func (s *Server) registerLabels() {
	one := repoPath + "/labels/{name}"
	s.route("GET "+repoPath+"/labels", reads(conversation), s.listLabels)
	s.route("POST "+repoPath+"/labels", pushesOr403(conversation), s.postLabel)
	s.route("GET "+one, reads(conversation), s.getLabel)
	s.route("PATCH "+one, pushesOr403(conversation), s.patchLabel)
	s.route("DELETE "+one, pushesOr403(conversation), s.deleteLabel)
	s.route("GET "+issuePath+"/labels", reads(conversation), s.listIssueLabels)
	s.route("POST "+issuePath+"/labels", triages(conversation), s.addLabelsRoute)
	s.route("PUT "+issuePath+"/labels", triages(conversation), s.setLabelsRoute)
	s.route("DELETE "+issuePath+"/labels", triages(conversation), s.clearLabelsRoute)
	s.route("DELETE "+issuePath+"/labels/{name}", triages(conversation), s.removeLabelRoute)
}

func pushesOr403(permissions string) access {
	a := triages(permissions)
	a.role = roleWrite
	return a
}

// defaultLabels are those of every new repository.
func (s *Server) defaultLabels() []*label {
	return []*label{
		{id: s.nextID(), name: "bug", color: "d73a4a", description: "Something isn't working", isDefault: true},
		{id: s.nextID(), name: "documentation", color: "0075ca",
			description: "Improvements or additions to documentation", isDefault: true},
		{id: s.nextID(), name: "enhancement", color: "a2eeef", description: "New feature or request", isDefault: true},
	}
}

// labelNames reads the forms in which GitHub takes labels: a bare array, an
// object with "labels", and in either strings or objects with "name".
type labelNames []string

// UnmarshalJSON implements json.Unmarshaler.
func (n *labelNames) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		var in struct {
			Labels labelNames `json:"labels"`
		}
		if err := json.Unmarshal(data, &in); err != nil {
			return err
		}
		*n = in.Labels
		return nil
	}
	var items []json.RawMessage
	if err := json.Unmarshal(data, &items); err != nil {
		return err
	}
	*n = labelNames{}
	for _, item := range items {
		var name string
		var named struct {
			Name string `json:"name"`
		}
		if err := json.Unmarshal(item, &name); err != nil {
			if err := json.Unmarshal(item, &named); err != nil {
				return err
			}
			name = named.Name
		}
		*n = append(*n, name)
	}
	return nil
}

func findLabel(list []*label, name string) *label {
	for _, l := range list {
		if strings.EqualFold(l.name, name) {
			return l
		}
	}
	return nil
}

// labelsNamed finds labels, making those that the repository lacks, as GitHub
// does when somebody with the right puts a new name on an issue.
func (s *Server) labelsNamed(r *repository, names []string) []*label {
	var out []*label
	for _, name := range names {
		if strings.TrimSpace(name) == "" {
			continue
		}
		l := findLabel(r.labels, name)
		if l == nil {
			l = &label{id: s.nextID(), name: name, color: "ededed"}
			r.labels = append(r.labels, l)
		}
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

func (s *Server) addLabels(by *actor, i *issue, names []string) {
	for _, l := range s.labelsNamed(i.repo, names) {
		if slices.Contains(i.labels, l) {
			continue
		}
		i.labels = append(i.labels, l)
		i.updated = s.now()
		s.emitIssue(by, i, "labeled", func() obj { return obj{"label": s.labelJSON(i.repo, l)} })
	}
}

func (s *Server) removeLabel(by *actor, i *issue, l *label) {
	i.labels = slices.DeleteFunc(slices.Clone(i.labels), func(o *label) bool { return o == l })
	i.updated = s.now()
	s.emitIssue(by, i, "unlabeled", func() obj { return obj{"label": s.labelJSON(i.repo, l)} })
}

func (s *Server) replaceLabels(by *actor, i *issue, names []string) {
	want := s.labelsNamed(i.repo, names)
	for _, l := range slices.Clone(i.labels) {
		if !slices.Contains(want, l) {
			s.removeLabel(by, i, l)
		}
	}
	s.addLabels(by, i, names)
}

// editLabelsOf reads label names from the request, changes the issue and
// answers what labels it has then.
func (s *Server) editLabelsOf(c *call, change func(*actor, *issue, []string)) (*response, error) {
	i, err := c.issueOf()
	if err != nil {
		return nil, err
	}
	var names labelNames
	if err := c.decode(&names); err != nil {
		return nil, err
	}
	change(c.actor, i, names)
	return ok(s.labelsJSON(c.repo, i.labels))
}

func (s *Server) addLabelsRoute(c *call) (*response, error) { return s.editLabelsOf(c, s.addLabels) }
func (s *Server) setLabelsRoute(c *call) (*response, error) {
	return s.editLabelsOf(c, s.replaceLabels)
}

func (s *Server) clearLabelsRoute(c *call) (*response, error) {
	i, err := c.issueOf()
	if err != nil {
		return nil, err
	}
	s.replaceLabels(c.actor, i, nil)
	return noContent()
}

func (s *Server) removeLabelRoute(c *call) (*response, error) {
	i, err := c.issueOf()
	if err != nil {
		return nil, err
	}
	l := findLabel(i.labels, c.PathValue("name"))
	if l == nil {
		return nil, fail(404, "Label does not exist")
	}
	s.removeLabel(c.actor, i, l)
	return ok(s.labelsJSON(c.repo, i.labels))
}

func (s *Server) listIssueLabels(c *call) (*response, error) {
	i, err := c.issueOf()
	if err != nil {
		return nil, err
	}
	return paginate(c, i.labels, func(l *label) any { return s.labelJSON(c.repo, l) })
}

func (s *Server) listLabels(c *call) (*response, error) {
	return paginate(c, c.repo.labels, func(l *label) any { return s.labelJSON(c.repo, l) })
}

// labelEdit is the request of POST and PATCH labels.
type labelEdit struct {
	Name        *string `json:"name"`
	NewName     *string `json:"new_name"`
	Color       *string `json:"color"`
	Description *string `json:"description"`
}

var goodColor = regexp.MustCompile(`^[0-9a-fA-F]{6}$`)

// apply changes l; another label may not have the name already.
func (e labelEdit) apply(r *repository, l *label) error {
	if e.NewName != nil {
		e.Name = e.NewName
	}
	if e.Name != nil {
		if other := findLabel(r.labels, *e.Name); other != nil && other != l {
			return invalid(fieldError{Resource: "Label", Code: "already_exists", Field: "name"})
		}
		if strings.TrimSpace(*e.Name) == "" {
			return missingField("Label", "name")
		}
		l.name = *e.Name
	}
	if e.Color != nil {
		if !goodColor.MatchString(*e.Color) {
			return invalidField("Label", "color")
		}
		l.color = strings.ToLower(*e.Color)
	}
	if e.Description != nil {
		if len([]rune(*e.Description)) > 100 {
			return tooLong("Label", "description", 100)
		}
		l.description = *e.Description
	}
	return nil
}

func (s *Server) postLabel(c *call) (*response, error) {
	var in labelEdit
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Name == nil {
		return nil, missingField("Label", "name")
	}
	l := &label{color: "ededed"}
	if err := in.apply(c.repo, l); err != nil {
		return nil, err
	}
	l.id = s.nextID()
	c.repo.labels = append(c.repo.labels, l)
	s.emit(c.actor, c.repo, "label", "created", func() obj { return obj{"label": s.labelJSON(c.repo, l)} })
	return created(s.labelJSON(c.repo, l))
}

// labelOf finds the label that the route names.
func (c *call) labelOf() (*label, error) {
	l := findLabel(c.repo.labels, c.PathValue("name"))
	if l == nil {
		return nil, notFound()
	}
	return l, nil
}

func (s *Server) getLabel(c *call) (*response, error) {
	l, err := c.labelOf()
	if err != nil {
		return nil, err
	}
	return ok(s.labelJSON(c.repo, l))
}

func (s *Server) patchLabel(c *call) (*response, error) {
	l, err := c.labelOf()
	if err != nil {
		return nil, err
	}
	var in labelEdit
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := in.apply(c.repo, l); err != nil {
		return nil, err
	}
	return ok(s.labelJSON(c.repo, l))
}

func (s *Server) deleteLabel(c *call) (*response, error) {
	l, err := c.labelOf()
	if err != nil {
		return nil, err
	}
	isIt := func(o *label) bool { return o == l }
	c.repo.labels = slices.DeleteFunc(c.repo.labels, isIt)
	for _, i := range c.repo.issues {
		if slices.Contains(i.labels, l) {
			i.labels = slices.DeleteFunc(slices.Clone(i.labels), isIt)
		}
	}
	s.emit(c.actor, c.repo, "label", "deleted", func() obj { return obj{"label": s.labelJSON(c.repo, l)} })
	return noContent()
}
