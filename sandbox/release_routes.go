package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const releasePath = repoPath + "/releases/{id}"

func (s *Server) registerReleases() {
	s.route("GET "+repoPath+"/releases", reads("contents"), s.listReleases)
	s.route("POST "+repoPath+"/releases", pushes("contents"), s.postRelease, withRefs)
	s.route("GET "+repoPath+"/releases/latest", reads("contents"), s.getLatestRelease)
	s.route("GET "+repoPath+"/releases/tags/{tag...}", reads("contents"), s.getReleaseByTag)
	s.route("GET "+releasePath, reads("contents"), s.getRelease)
	s.route("PATCH "+releasePath, pushes("contents"), s.patchRelease, withRefs)
	s.route("DELETE "+releasePath, pushes("contents"), s.removeRelease)
	s.registerAssets()
}

func (s *Server) releaseJSON(rel *release) obj {
	self, web := s.repoURL(rel.repo)+"/releases/"+decimal(rel.id), s.repoWeb(rel.repo)
	tag := rel.tag
	if rel.draft {
		tag = rel.untaggedKey
	}
	assets := make([]any, 0, len(rel.assets))
	for _, a := range rel.assets {
		assets = append(assets, s.assetJSON(a))
	}
	out := obj{"id": rel.id, "node_id": nodeID("RE", rel.id), "tag_name": rel.tag, "target_commitish": rel.target,
		"name": orNull(rel.name), "body": orNull(rel.body), "draft": rel.draft, "prerelease": rel.prerelease,
		"immutable": false, "created_at": stamp(rel.created), "published_at": stamp(rel.published),
		"updated_at": stamp(rel.updated), "author": s.userJSON(rel.author), "assets": assets, "url": self,
		"assets_url": self + "/assets", "html_url": web + "/releases/tag/" + escapeTag(tag),
		"upload_url":  s.base + "/api/uploads/repos/" + rel.repo.fullName() + "/releases/" + decimal(rel.id) + "/assets{?name,label}",
		"tarball_url": nil, "zipball_url": nil}
	if !rel.draft {
		out["tarball_url"] = s.repoURL(rel.repo) + "/tarball/" + escapeTag(rel.tag)
		out["zipball_url"] = s.repoURL(rel.repo) + "/zipball/" + escapeTag(rel.tag)
	}
	return out
}

// escapeTag writes a tag into an address; slashes stay.
func escapeTag(tag string) string {
	return strings.ReplaceAll(url.PathEscape(tag), "%2F", "/")
}

// seesDrafts tells whether the actor may read unpublished releases.
func (s *Server) seesDrafts(by *actor, r *repository) bool {
	return s.may(by, r, "contents", roleWrite)
}

// listReleases lists the youngest first, drafts for those who may push.
func (s *Server) listReleases(c *call) (*response, error) {
	drafts := s.seesDrafts(c.actor, c.repo)
	list := make([]*release, 0, len(c.repo.releases))
	for _, rel := range slices.Backward(c.repo.releases) {
		if drafts || !rel.draft {
			list = append(list, rel)
		}
	}
	return paginate(c, list, func(rel *release) any { return s.releaseJSON(rel) })
}

// releaseOf finds the release that the route names.
func (c *call) releaseOf() (*release, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	for _, rel := range c.repo.releases {
		if rel.id == id {
			if rel.draft && !c.s.seesDrafts(c.actor, c.repo) {
				break
			}
			return rel, nil
		}
	}
	return nil, notFound()
}

func (s *Server) postRelease(c *call) (*response, error) {
	var in releaseEdit
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	rel, err := s.createRelease(c.actor, c.repo, in)
	if err != nil {
		return nil, err
	}
	return &response{status: http.StatusCreated, body: s.releaseJSON(rel),
		header: http.Header{"Location": {s.repoURL(c.repo) + "/releases/" + decimal(rel.id)}}}, nil
}

func (s *Server) getRelease(c *call) (*response, error) {
	rel, err := c.releaseOf()
	if err != nil {
		return nil, err
	}
	return ok(s.releaseJSON(rel))
}

func (s *Server) getLatestRelease(c *call) (*response, error) {
	rel := c.repo.latestRelease()
	if rel == nil {
		return nil, notFound()
	}
	return ok(s.releaseJSON(rel))
}

func (s *Server) getReleaseByTag(c *call) (*response, error) {
	rel := c.repo.releaseByTag(c.PathValue("tag"))
	if rel == nil {
		return nil, notFound()
	}
	return ok(s.releaseJSON(rel))
}

// releaseByTag finds a published release.
func (r *repository) releaseByTag(tag string) *release {
	for _, rel := range slices.Backward(r.releases) {
		if rel.tag == tag && !rel.draft {
			return rel
		}
	}
	return nil
}

func (s *Server) patchRelease(c *call) (*response, error) {
	rel, err := c.releaseOf()
	if err != nil {
		return nil, err
	}
	var in releaseEdit
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if err := s.editRelease(c.actor, rel, in); err != nil {
		return nil, err
	}
	return ok(s.releaseJSON(rel))
}

func (s *Server) removeRelease(c *call) (*response, error) {
	rel, err := c.releaseOf()
	if err != nil {
		return nil, err
	}
	s.deleteRelease(c.actor, rel)
	return noContent()
}
