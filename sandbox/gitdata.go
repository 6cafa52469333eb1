package sandbox

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

func (s *Server) registerGitData() {
	git := repoPath + "/git"
	s.route("GET "+git+"/ref/{ref...}", reads("contents"), s.getRef)
	s.route("GET "+git+"/matching-refs/{ref...}", reads("contents"), s.matchingRefs)
	s.route("POST "+git+"/refs", pushes("contents"), s.postRef, withRefs)
	s.route("PATCH "+git+"/refs/{ref...}", pushes("contents"), s.patchRef, withRefs)
	s.route("DELETE "+git+"/refs/{ref...}", pushes("contents"), s.removeRefRoute, withRefs)
	s.route("GET "+git+"/commits/{sha}", reads("contents"), s.getGitCommit)
	s.route("POST "+git+"/commits", pushes("contents"), s.postCommit)
	s.route("GET "+git+"/blobs/{sha}", reads("contents"), s.getBlob)
	s.route("POST "+git+"/blobs", pushes("contents"), s.postBlob)
	s.route("GET "+git+"/tags/{sha}", reads("contents"), s.getTagObject)
	s.route("POST "+git+"/tags", pushes("contents"), s.postTagObject)
	s.route("GET "+git+"/trees/{sha...}", reads("contents"), s.getTree, prepared(s.prepareTree))
	s.route("POST "+git+"/trees", pushes("contents"), s.postTree)
}

// notEmpty refuses git data of a repository without commits, as GitHub does.
func (c *call) notEmpty() error {
	if len(c.repo.git.refsUnder("refs/heads/")) == 0 {
		return fail(http.StatusConflict, "Git Repository is empty.")
	}
	return nil
}

func (s *Server) refJSON(r *repository, ref gitRef) obj {
	kind := "commit"
	if o, err := r.git.EncodedObject(plumbing.AnyObject, ref.hash); err == nil {
		kind = o.Type().String()
	}
	return obj{"ref": ref.name, "node_id": nodeID("REF", r.id) + "_" + ref.name,
		"url":    s.repoURL(r) + "/git/" + ref.name,
		"object": obj{"type": kind, "sha": ref.hash.String(), "url": s.gitURL(r, kind, ref.hash)}}
}

func (s *Server) gitURL(r *repository, kind string, h plumbing.Hash) string {
	return s.repoURL(r) + "/git/" + kind + "s/" + h.String()
}

func (s *Server) getRef(c *call) (*response, error) {
	if err := c.notEmpty(); err != nil {
		return nil, err
	}
	name := "refs/" + strings.TrimPrefix(c.PathValue("ref"), "refs/")
	h, found := c.repo.git.ref(name)
	if !found {
		return nil, notFound()
	}
	return ok(s.refJSON(c.repo, gitRef{name, h}))
}

func (s *Server) matchingRefs(c *call) (*response, error) {
	if err := c.notEmpty(); err != nil {
		return nil, err
	}
	refs := c.repo.git.refsUnder("refs/" + c.PathValue("ref"))
	return paginate(c, refs, func(r gitRef) any { return s.refJSON(c.repo, r) })
}

func (s *Server) postRef(c *call) (*response, error) {
	var in struct {
		Ref string `json:"ref"`
		SHA string `json:"sha"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Ref == "" || !plumbing.IsHash(in.SHA) {
		return nil, unprocessable("Invalid request.\n\n\"ref\" and \"sha\" weren't supplied.")
	}
	if err := c.notEmpty(); err != nil {
		return nil, err
	}
	h := plumbing.NewHash(in.SHA)
	if err := s.createRef(c.actor, c.repo, in.Ref, h); err != nil {
		return nil, err
	}
	return created(s.refJSON(c.repo, gitRef{in.Ref, h}))
}

func (s *Server) patchRef(c *call) (*response, error) {
	var in struct {
		SHA   string `json:"sha"`
		Force bool   `json:"force"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if !plumbing.IsHash(in.SHA) {
		return nil, unprocessable("Invalid request.\n\n\"sha\" wasn't supplied.")
	}
	name, h := "refs/"+c.PathValue("ref"), plumbing.NewHash(in.SHA)
	if err := s.updateRef(c.actor, c.repo, name, h, in.Force); err != nil {
		return nil, err
	}
	return ok(s.refJSON(c.repo, gitRef{name, h}))
}

func (s *Server) removeRefRoute(c *call) (*response, error) {
	if err := s.deleteRef(c.actor, c.repo, "refs/"+c.PathValue("ref")); err != nil {
		return nil, err
	}
	return noContent()
}

// hash reads a path value that must be a whole object name.
func (c *call) hash(name string) (plumbing.Hash, error) {
	text := c.PathValue(name)
	if !plumbing.IsHash(text) {
		return plumbing.ZeroHash, unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
	}
	return plumbing.NewHash(text), nil
}

func (s *Server) getBlob(c *call) (*response, error) {
	h, err := c.hash("sha")
	if err != nil {
		return nil, err
	}
	data, err := c.repo.git.blob(h)
	if err != nil {
		return nil, notFound()
	}
	if c.acceptsRaw() {
		return &response{status: http.StatusOK, raw: data, contentType: rawType}, nil
	}
	return ok(obj{"sha": h.String(), "node_id": nodeID("B", c.repo.id) + h.String(), "size": len(data),
		"url": s.gitURL(c.repo, "blob", h), "content": wrapBase64(data), "encoding": "base64"})
}

// wrapBase64 breaks the text after 60 characters, as GitHub does.
func wrapBase64(data []byte) string {
	text := base64.StdEncoding.EncodeToString(data)
	var b strings.Builder
	for len(text) > 60 {
		b.WriteString(text[:60] + "\n")
		text = text[60:]
	}
	if text != "" {
		b.WriteString(text + "\n")
	}
	return b.String()
}

func (s *Server) postBlob(c *call) (*response, error) {
	var in struct {
		Content  *string `json:"content"`
		Encoding string  `json:"encoding"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Content == nil {
		return nil, unprocessable("Invalid request.\n\n\"content\" wasn't supplied.")
	}
	data := []byte(*in.Content)
	if in.Encoding == "base64" {
		var err error
		if data, err = decodeBase64(*in.Content); err != nil {
			return nil, unprocessable("content is not valid Base64")
		}
	}
	h, err := c.repo.git.putBlob(data)
	if err != nil {
		return nil, err
	}
	return created(obj{"sha": h.String(), "url": s.gitURL(c.repo, "blob", h)})
}

func decodeBase64(text string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(text))
}
