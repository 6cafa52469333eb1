package sandbox

import (
	"net/http"
	"sort"
	"strings"
)

func (s *Server) registerRepositories() {
	own := access{caller: personOnly}
	s.route("GET "+repoPath, reads("metadata"), s.getRepository)
	s.route("PATCH "+repoPath, administers(), s.editRepository, withRefs)
	s.route("DELETE "+repoPath, administers(), s.removeRepository, withRefs)
	s.route("POST "+repoPath+"/transfer", administers(), s.transfer)
	s.route("POST "+repoPath+"/forks", access{caller: personOnly, role: roleRead, whenArchived: true}, s.fork, withRefs)
	s.route("GET "+repoPath+"/forks", reads("metadata"), s.listForks)
	s.route("POST /user/repos", own, s.createOwnRepository)
	s.route("GET /user/repos", own, s.listOwnRepos)
	s.route("POST /orgs/{org}/repos", access{caller: signedIn}, s.createOrgRepository)
	s.route("GET "+repoPath+"/collaborators/{login}/permission", access{caller: signedIn, permissions: "metadata",
		role: roleRead}, s.getPermission)
	s.route("GET "+repoPath+"/collaborators/{login}", access{caller: signedIn, permissions: "metadata",
		role: roleRead}, s.isCollaborator)
	s.route("GET "+repoPath+"/collaborators", access{permissions: "metadata", role: roleWrite,
		denied: http.StatusForbidden}, s.listCollaborators)
	s.route("PUT "+repoPath+"/collaborators/{login}", administers(), s.addCollaborator)
	s.route("DELETE "+repoPath+"/collaborators/{login}", administers(), s.removeCollaborator)
	s.route("GET "+repoPath+"/topics", reads("metadata"), func(*call) (*response, error) {
		return ok(obj{"names": []string{}})
	})
	s.route("GET "+repoPath+"/languages", reads("metadata"), func(*call) (*response, error) { return ok(obj{}) })
}

func (s *Server) getRepository(c *call) (*response, error) {
	return ok(s.fullRepoJSON(c.repo, c.actor))
}

func (s *Server) createOwnRepository(c *call) (*response, error) {
	return s.createUnder(c, c.actor.user)
}

func (s *Server) createOrgRepository(c *call) (*response, error) {
	org, err := s.org(c)
	if err != nil {
		return nil, err
	}
	allowed := org.members[c.actor.user.id] != nil
	if c.actor.inst != nil {
		allowed = c.actor.inst.account == org && c.actor.permits("administration", true)
	}
	if !allowed {
		return nil, fail(http.StatusForbidden, "You need admin access to the organization before adding a repository to it.")
	}
	return s.createUnder(c, org)
}

func (s *Server) createUnder(c *call, owner *account) (*response, error) {
	var in newRepository
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	r, err := s.createRepository(c.actor, owner, in)
	if err != nil {
		return nil, err
	}
	return created(s.fullRepoJSON(r, c.actor))
}

// editRepository serves PATCH: each field that is given is changed.
func (s *Server) editRepository(c *call) (*response, error) {
	var in struct {
		Name          *string `json:"name"`
		Description   *string `json:"description"`
		Private       *bool   `json:"private"`
		Visibility    *string `json:"visibility"`
		Archived      *bool   `json:"archived"`
		DefaultBranch *string `json:"default_branch"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	r := c.repo
	if in.Name != nil {
		if err := s.renameRepository(c.actor, r, *in.Name); err != nil {
			return nil, err
		}
	}
	if in.Description != nil && *in.Description != r.description {
		old := r.description
		r.description = *in.Description
		s.emit(c.actor, r, "repository", "edited", func() obj {
			return obj{"changes": obj{"description": obj{"from": orNull(old)}}}
		})
	}
	if in.DefaultBranch != nil {
		if err := s.changeDefaultBranch(c.actor, r, *in.DefaultBranch); err != nil {
			return nil, err
		}
	}
	if in.Visibility != nil {
		private := *in.Visibility == "private"
		in.Private = &private
	}
	s.changeVisibility(c.actor, r, in.Private)
	s.changeArchived(c.actor, r, in.Archived)
	s.touch(r)
	return ok(s.fullRepoJSON(r, c.actor))
}

func (s *Server) changeDefaultBranch(by *actor, r *repository, branch string) error {
	if branch == r.defaultBranch {
		return nil
	}
	if _, found := r.git.ref("refs/heads/" + branch); !found {
		return invalid(fieldError{Resource: "Repository", Code: "invalid", Field: "default_branch",
			Message: "The branch " + branch + " was not found. Please push that ref first or create it via the Git Data API."})
	}
	old := r.defaultBranch
	r.defaultBranch = branch
	s.emit(by, r, "repository", "edited", func() obj {
		return obj{"changes": obj{"default_branch": obj{"from": old}}}
	})
	return r.git.setHead(branch)
}

func (s *Server) changeVisibility(by *actor, r *repository, private *bool) {
	if private == nil || *private == r.private {
		return
	}
	r.private = *private
	action := "publicized"
	if r.private {
		action = "privatized"
	}
	s.emit(by, r, "repository", action, nil)
}

func (s *Server) changeArchived(by *actor, r *repository, archived *bool) {
	if archived == nil || *archived == r.archived {
		return
	}
	r.archived = *archived
	action := "unarchived"
	if r.archived {
		action = "archived"
	}
	s.emit(by, r, "repository", action, nil)
}

func (s *Server) removeRepository(c *call) (*response, error) {
	if err := s.deleteRepository(c.actor, c.repo); err != nil {
		return nil, err
	}
	return noContent()
}

func (s *Server) transfer(c *call) (*response, error) {
	var in struct {
		NewOwner string `json:"new_owner"`
		NewName  string `json:"new_name"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	to := s.account(in.NewOwner)
	if to == nil || to.kind == kindBot {
		return nil, invalidField("Repository", "new_owner")
	}
	if err := s.transferRepository(c.actor, c.repo, to, in.NewName); err != nil {
		return nil, err
	}
	return accepted(s.repoJSON(c.repo, c.actor))
}

func (s *Server) fork(c *call) (*response, error) {
	var in struct {
		Organization string `json:"organization"`
		Name         string `json:"name"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	to := c.actor.user
	if in.Organization != "" {
		if to = s.account(in.Organization); to == nil || to.members[c.actor.user.id] == nil {
			return nil, invalidField("Fork", "organization")
		}
	}
	f, err := s.forkRepository(c.actor, c.repo, to, in.Name)
	if err != nil {
		return nil, err
	}
	return accepted(s.fullRepoJSON(f, c.actor))
}

func (s *Server) listForks(c *call) (*response, error) {
	return s.pageOfRepos(c, c.repo.forks)
}

func (s *Server) pageOfRepos(c *call, all []*repository) (*response, error) {
	var seen []*repository
	for _, r := range all {
		if !r.deleted && s.canSee(c.actor, r) {
			seen = append(seen, r)
		}
	}
	return paginate(c, seen, func(r *repository) any { return s.repoJSON(r, c.actor) })
}

// reposOf lists an account's repositories in order of their names.
func reposOf(a *account) []*repository {
	out := make([]*repository, 0, len(a.repos))
	for _, r := range a.repos {
		out = append(out, r)
	}
	sort.Slice(out, func(i, j int) bool { return strings.ToLower(out[i].name) < strings.ToLower(out[j].name) })
	return out
}

func (s *Server) listOwnRepos(c *call) (*response, error) {
	return s.pageOfRepos(c, reposOf(c.actor.user))
}

func (s *Server) listUserRepos(c *call) (*response, error) {
	a := s.account(c.PathValue("login"))
	if a == nil {
		return nil, notFound()
	}
	return s.pageOfRepos(c, reposOf(a))
}

func (s *Server) listOrgRepos(c *call) (*response, error) {
	org, err := s.org(c)
	if err != nil {
		return nil, err
	}
	return s.pageOfRepos(c, reposOf(org))
}
