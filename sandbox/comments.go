package sandbox

import (
	"slices"
	"sort"
	"strings"
	"time"
)

func (s *Server) registerComments() {
	one := repoPath + "/issues/comments/{id}"
	s.route("GET "+issuePath+"/comments", reads(conversation), s.listComments)
	s.route("POST "+issuePath+"/comments", contributes(conversation), s.postComment)
	s.route("GET "+repoPath+"/issues/comments", reads(conversation), s.listRepoComments)
	s.route("GET "+one, reads(conversation), s.getComment)
	s.route("PATCH "+one, contributes(conversation), s.patchComment)
	s.route("DELETE "+one, contributes(conversation), s.deleteCommentRoute)
}

// addComment writes a comment on an issue or pull request.
func (s *Server) addComment(by *actor, i *issue, body string) (*comment, error) {
	if strings.TrimSpace(body) == "" {
		return nil, missingField("IssueComment", "body")
	}
	if err := checkBody("IssueComment", body); err != nil {
		return nil, err
	}
	if err := s.mayComment(by, i); err != nil {
		return nil, err
	}
	now := s.now()
	c := &comment{id: s.nextID(), issue: i, user: by.user, viaApp: by.viaApp(), body: body, created: now, updated: now}
	i.comments = append(i.comments, c)
	if i.repo.comments == nil {
		i.repo.comments = map[int64]*comment{}
	}
	i.repo.comments[c.id] = c
	i.updated = now
	s.emitComment(by, c, "created", nil)
	return c, nil
}

// editComment changes a comment's text; its author and those who may push do.
func (s *Server) editComment(by *actor, c *comment, body string) error {
	if err := s.mayEditComment(by, c); err != nil {
		return err
	}
	if strings.TrimSpace(body) == "" {
		return missingField("IssueComment", "body")
	}
	if err := checkBody("IssueComment", body); err != nil {
		return err
	}
	if body == c.body {
		return nil
	}
	old := c.body
	c.body, c.updated = body, s.now()
	s.emitComment(by, c, "edited", func() obj { return obj{"changes": obj{"body": obj{"from": old}}} })
	return nil
}

func (s *Server) deleteComment(by *actor, c *comment) error {
	if err := s.mayEditComment(by, c); err != nil {
		return err
	}
	delete(c.issue.repo.comments, c.id)
	c.issue.comments = slices.DeleteFunc(c.issue.comments, func(o *comment) bool { return o == c })
	s.emitComment(by, c, "deleted", nil)
	return nil
}

func (s *Server) mayEditComment(by *actor, c *comment) error {
	if by.user == c.user || s.may(by, c.issue.repo, conversation, roleWrite) {
		return nil
	}
	return needsAdmin()
}

func (s *Server) emitComment(by *actor, c *comment, action string, more func() obj) {
	s.emit(by, c.issue.repo, "issue_comment", action, func() obj {
		out := obj{"issue": s.issueJSON(c.issue), "comment": s.commentJSON(c)}
		return extendBy(out, more)
	})
}

func (s *Server) listComments(c *call) (*response, error) {
	i, err := c.issueOf()
	if err != nil {
		return nil, err
	}
	return s.pageOfComments(c, i.comments)
}

// listRepoComments lists those of the whole repository, in order of creation
// unless sort=updated.
func (s *Server) listRepoComments(c *call) (*response, error) {
	all := make([]*comment, 0, len(c.repo.comments))
	for _, one := range c.repo.comments {
		all = append(all, one)
	}
	sort.Slice(all, func(x, y int) bool {
		if c.query("sort") == "updated" && !all[x].updated.Equal(all[y].updated) {
			return all[x].updated.Before(all[y].updated)
		}
		return all[x].id < all[y].id
	})
	if c.query("direction") == "desc" {
		slices.Reverse(all)
	}
	return s.pageOfComments(c, all)
}

func (s *Server) pageOfComments(c *call, list []*comment) (*response, error) {
	if text := c.query("since"); text != "" {
		since, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, invalidField("IssueComment", "since")
		}
		list = slices.DeleteFunc(slices.Clone(list), func(o *comment) bool {
			return o.updated.Truncate(time.Second).Before(since)
		})
	}
	return paginate(c, list, func(o *comment) any { return s.commentJSON(o) })
}

func (s *Server) postComment(c *call) (*response, error) {
	i, err := c.issueOf()
	if err != nil {
		return nil, err
	}
	var in struct {
		Body string `json:"body"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	out, err := s.addComment(c.actor, i, in.Body)
	if err != nil {
		return nil, err
	}
	return created(s.commentJSON(out))
}

// commentOf finds the comment that the route names.
func (c *call) commentOf() (*comment, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	found := c.repo.comments[id]
	if found == nil {
		return nil, notFound()
	}
	return found, nil
}

func (s *Server) getComment(c *call) (*response, error) {
	found, err := c.commentOf()
	if err != nil {
		return nil, err
	}
	return ok(s.commentJSON(found))
}

func (s *Server) patchComment(c *call) (*response, error) {
	found, err := c.commentOf()
	if err != nil {
		return nil, err
	}
	var in struct {
		Body string `json:"body"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := s.editComment(c.actor, found, in.Body); err != nil {
		return nil, err
	}
	return ok(s.commentJSON(found))
}

func (s *Server) deleteCommentRoute(c *call) (*response, error) {
	found, err := c.commentOf()
	if err != nil {
		return nil, err
	}
	if err := s.deleteComment(c.actor, found); err != nil {
		return nil, err
	}
	return noContent()
}
