package sandbox

import (
	"net/http"
	"sort"
)

// getPermission answers what a person may do; GitHub folds maintain into write
// and triage into read in "permission" and tells the truth in "role_name".
func (s *Server) getPermission(c *call) (*response, error) {
	user := s.account(c.PathValue("login"))
	if user == nil || user.kind != kindUser {
		return nil, fail(http.StatusNotFound, c.PathValue("login")+" is not a user")
	}
	held := s.roleOf(user, c.repo)
	folded := map[role]role{roleMaintain: roleWrite, roleTriage: roleRead}
	permission := held
	if f, found := folded[held]; found {
		permission = f
	}
	return ok(obj{"permission": roleNames[permission], "role_name": roleNames[held],
		"user": s.collaboratorJSON(user, held)})
}

func (s *Server) collaboratorJSON(a *account, held role) obj {
	out := s.userJSON(a)
	out["permissions"] = permissionsJSON(held)
	out["role_name"] = roleNames[held]
	return out
}

func permissionsJSON(held role) obj {
	return obj{"admin": held >= roleAdmin, "maintain": held >= roleMaintain, "push": held >= roleWrite,
		"triage": held >= roleTriage, "pull": held >= roleRead}
}

// explicit tells whether the account was given a role, rather than reading
// what everybody reads.
func (s *Server) explicit(a *account, r *repository) bool {
	return a == r.owner || r.owner.members[a.id] != nil || r.collaborators[a.id] != ""
}

func (s *Server) isCollaborator(c *call) (*response, error) {
	user := s.account(c.PathValue("login"))
	if user == nil || !s.explicit(user, c.repo) {
		return nil, notFound()
	}
	return noContent()
}

func (s *Server) listCollaborators(c *call) (*response, error) {
	ids := map[int64]bool{c.repo.owner.id: c.repo.owner.kind == kindUser}
	for id := range c.repo.collaborators {
		ids[id] = true
	}
	for id := range c.repo.owner.members {
		ids[id] = true
	}
	var people []*account
	for id, person := range ids {
		if person {
			people = append(people, s.accountsByID[id])
		}
	}
	sort.Slice(people, func(i, j int) bool { return people[i].id < people[j].id })
	return paginate(c, people, func(a *account) any { return s.collaboratorJSON(a, s.roleOf(a, c.repo)) })
}

// addCollaborator gives a role at once. On GitHub the person accepts an
// invitation first; here they accept as it is made.
func (s *Server) addCollaborator(c *call) (*response, error) {
	var in struct {
		Permission string `json:"permission"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	user := s.account(c.PathValue("login"))
	if user == nil || user.kind != kindUser {
		return nil, notFound()
	}
	if in.Permission == "" {
		in.Permission = "push"
	}
	granted := roleFromName(in.Permission)
	if granted == roleNone {
		return nil, invalidField("Repository", "permission")
	}
	had := c.repo.collaborators[user.id] != ""
	if c.repo.collaborators == nil {
		c.repo.collaborators = map[int64]string{}
	}
	c.repo.collaborators[user.id] = roleNames[granted]
	if had {
		return noContent()
	}
	s.emit(c.actor, c.repo, "member", "added", func() obj {
		return obj{"member": s.userJSON(user), "changes": obj{"permission": obj{"to": roleNames[granted]}}}
	})
	return created(s.invitationJSON(c.repo, user, c.actor.user, roleNames[granted]))
}

func (s *Server) invitationJSON(r *repository, invitee, inviter *account, permission string) obj {
	id := s.nextID()
	return obj{"id": id, "node_id": nodeID("RI", id), "repository": s.repoJSON(r, &actor{user: inviter}),
		"invitee": s.userJSON(invitee), "inviter": s.userJSON(inviter), "permissions": permission,
		"created_at": stamp(s.now()), "expired": false, "url": s.api("/user/repository_invitations"),
		"html_url": s.webURL("/" + r.fullName() + "/invitations")}
}

func (s *Server) removeCollaborator(c *call) (*response, error) {
	user := s.account(c.PathValue("login"))
	if user == nil {
		return nil, notFound()
	}
	if c.repo.collaborators[user.id] != "" {
		delete(c.repo.collaborators, user.id)
		s.emit(c.actor, c.repo, "member", "removed", func() obj { return obj{"member": s.userJSON(user)} })
	}
	return noContent()
}
