package sandbox

import (
	"net/http"
	"slices"
)

func (s *Server) registerReactions() {
	onComment := repoPath + "/issues/comments/{id}/reactions"
	s.route("GET "+issuePath+"/reactions", reads(conversation), s.onIssue(s.listReactions))
	s.route("POST "+issuePath+"/reactions", contributes(conversation), s.onIssue(s.react))
	s.route("DELETE "+issuePath+"/reactions/{reaction}", contributes(conversation), s.onIssue(s.unreact))
	s.route("GET "+onComment, reads(conversation), s.onComment(s.listReactions))
	s.route("POST "+onComment, contributes(conversation), s.onComment(s.react))
	s.route("DELETE "+onComment+"/{reaction}", contributes(conversation), s.onComment(s.unreact))
}

type reactionHandler func(*call, *[]*reaction) (*response, error)

func (s *Server) onIssue(h reactionHandler) func(*call) (*response, error) {
	return func(c *call) (*response, error) {
		i, err := c.issueOf()
		if err != nil {
			return nil, err
		}
		return h(c, &i.reactions)
	}
}

func (s *Server) onComment(h reactionHandler) func(*call) (*response, error) {
	return func(c *call) (*response, error) {
		found, err := c.commentOf()
		if err != nil {
			return nil, err
		}
		return h(c, &found.reactions)
	}
}

func (s *Server) listReactions(c *call, list *[]*reaction) (*response, error) {
	want := c.query("content")
	kept := slices.DeleteFunc(slices.Clone(*list), func(r *reaction) bool { return want != "" && r.content != want })
	return paginate(c, kept, func(r *reaction) any { return s.reactionJSON(r) })
}

// react adds a reaction, or answers 200 with the one that is there already.
func (s *Server) react(c *call, list *[]*reaction) (*response, error) {
	var in struct {
		Content string `json:"content"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if !knownReaction(in.Content) {
		return nil, invalidField("Reaction", "content")
	}
	for _, r := range *list {
		if r.user == c.actor.user && r.content == in.Content {
			return ok(s.reactionJSON(r))
		}
	}
	r := &reaction{id: s.nextID(), user: c.actor.user, content: in.Content, created: s.now()}
	*list = append(*list, r)
	return created(s.reactionJSON(r))
}

func (s *Server) unreact(c *call, list *[]*reaction) (*response, error) {
	id, err := c.number("reaction")
	if err != nil {
		return nil, err
	}
	for n, r := range *list {
		if r.id != id {
			continue
		}
		if r.user != c.actor.user {
			return nil, fail(http.StatusForbidden, "Must be the author of the reaction")
		}
		*list = slices.Delete(slices.Clone(*list), n, n+1)
		return noContent()
	}
	return nil, notFound()
}
