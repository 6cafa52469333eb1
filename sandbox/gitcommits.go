package sandbox

import (
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// person is an author or committer in a request.
type person struct {
	Name  string     `json:"name"`
	Email string     `json:"email"`
	Date  *time.Time `json:"date"`
}

// signature fills what the request left out.
func (p *person) signature(fallback object.Signature) object.Signature {
	if p == nil {
		return fallback
	}
	out := fallback
	if p.Name != "" {
		out.Name = p.Name
	}
	if p.Email != "" {
		out.Email = p.Email
	}
	if p.Date != nil {
		out.When = *p.Date
	}
	return out
}

func signatureJSON(sig object.Signature) obj {
	return obj{"name": sig.Name, "email": sig.Email, "date": stamp(sig.When)}
}

func unverified() obj {
	return obj{"verified": false, "reason": "unsigned", "signature": nil, "payload": nil, "verified_at": nil}
}

func (s *Server) gitCommitJSON(r *repository, c *object.Commit) obj {
	web := s.repoWeb(r) + "/commit/"
	parents := make([]any, 0, len(c.ParentHashes))
	for _, p := range c.ParentHashes {
		parents = append(parents, obj{"sha": p.String(), "url": s.gitURL(r, "commit", p), "html_url": web + p.String()})
	}
	return obj{"sha": c.Hash.String(), "node_id": nodeID("C", r.id) + c.Hash.String(), "url": s.gitURL(r, "commit", c.Hash),
		"html_url": web + c.Hash.String(), "author": signatureJSON(c.Author), "committer": signatureJSON(c.Committer),
		"message": strings.TrimSuffix(c.Message, "\n"), "parents": parents, "verification": unverified(),
		"tree": obj{"sha": c.TreeHash.String(), "url": s.gitURL(r, "tree", c.TreeHash)}}
}

func (s *Server) getGitCommit(c *call) (*response, error) {
	h, err := c.hash("sha")
	if err != nil {
		return nil, err
	}
	commit, err := c.repo.git.commit(h)
	if err != nil {
		return nil, notFound()
	}
	return ok(s.gitCommitJSON(c.repo, commit))
}

// postCommit writes a commit. The same parents, tree, message and given dates
// give the same hash every time.
func (s *Server) postCommit(c *call) (*response, error) {
	var in struct {
		Message   string   `json:"message"`
		Tree      string   `json:"tree"`
		Parents   []string `json:"parents"`
		Author    *person  `json:"author"`
		Committer *person  `json:"committer"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Message == "" || !plumbing.IsHash(in.Tree) {
		return nil, unprocessable("Invalid request.\n\n\"message\" and \"tree\" weren't supplied.")
	}
	tree := plumbing.NewHash(in.Tree)
	if _, err := c.repo.git.tree(tree); err != nil {
		return nil, unprocessable("Tree SHA does not exist")
	}
	var parents []plumbing.Hash
	for _, p := range in.Parents {
		if !plumbing.IsHash(p) {
			return nil, unprocessable("Parent SHA is invalid")
		}
		if _, err := c.repo.git.commit(plumbing.NewHash(p)); err != nil {
			return nil, unprocessable("Parent SHA does not exist or is not a commit object")
		}
		parents = append(parents, plumbing.NewHash(p))
	}
	author := in.Author.signature(c.actor.user.signature(s.now()))
	h, err := c.repo.git.putCommit(tree, parents, in.Message, author, in.Committer.signature(author))
	if err != nil {
		return nil, err
	}
	commit, err := c.repo.git.commit(h)
	if err != nil {
		return nil, err
	}
	return created(s.gitCommitJSON(c.repo, commit))
}

func (s *Server) tagJSON(r *repository, t *object.Tag) obj {
	return obj{"node_id": nodeID("TA", r.id) + t.Hash.String(), "tag": t.Name, "sha": t.Hash.String(),
		"url": s.gitURL(r, "tag", t.Hash), "message": t.Message, "tagger": signatureJSON(t.Tagger),
		"object": obj{"sha": t.Target.String(), "type": t.TargetType.String(),
			"url": s.gitURL(r, t.TargetType.String(), t.Target)}, "verification": unverified()}
}

func (s *Server) getTagObject(c *call) (*response, error) {
	h, err := c.hash("sha")
	if err != nil {
		return nil, err
	}
	t, err := object.GetTag(c.repo.git, h)
	if err != nil {
		return nil, notFound()
	}
	return ok(s.tagJSON(c.repo, t))
}

// postTagObject writes the tag object only; the ref is made by POST git/refs.
func (s *Server) postTagObject(c *call) (*response, error) {
	var in struct {
		Tag     string  `json:"tag"`
		Message string  `json:"message"`
		Object  string  `json:"object"`
		Type    string  `json:"type"`
		Tagger  *person `json:"tagger"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	kind, err := plumbing.ParseObjectType(in.Type)
	if err != nil || in.Tag == "" || !plumbing.IsHash(in.Object) {
		return nil, unprocessable("Invalid request.\n\n\"tag\", \"object\" and \"type\" weren't supplied.")
	}
	target := plumbing.NewHash(in.Object)
	if _, err := c.repo.git.EncodedObject(kind, target); err != nil {
		return nil, unprocessable("Object does not exist")
	}
	h, err := c.repo.git.putObject(&object.Tag{Name: in.Tag, Message: in.Message, Target: target, TargetType: kind,
		Tagger: in.Tagger.signature(c.actor.user.signature(s.now()))})
	if err != nil {
		return nil, err
	}
	t, err := object.GetTag(c.repo.git, h)
	if err != nil {
		return nil, err
	}
	return created(s.tagJSON(c.repo, t))
}
