package sandbox

import (
	"fmt"
	"strings"
)

// userJSON is GitHub's "simple user".
func (s *Server) userJSON(a *account) obj {
	if a == nil {
		return nil
	}
	self := s.api("/users", a.login)
	html := s.webURL("/" + a.login)
	if a.kind == kindBot {
		html = s.webURL("/apps/" + strings.TrimSuffix(a.login, "[bot]"))
	}
	return obj{
		"login": a.login, "id": a.id, "node_id": nodeID("U", a.id), "type": a.kind, "site_admin": false,
		"avatar_url":  s.webURL(fmt.Sprintf("/avatars/u/%d?v=4", a.id)),
		"gravatar_id": "", "url": self, "html_url": html,
		"followers_url":       self + "/followers",
		"following_url":       self + "/following{/other_user}",
		"gists_url":           self + "/gists{/gist_id}",
		"starred_url":         self + "/starred{/owner}{/repo}",
		"subscriptions_url":   self + "/subscriptions",
		"organizations_url":   self + "/orgs",
		"repos_url":           self + "/repos",
		"events_url":          self + "/events{/privacy}",
		"received_events_url": self + "/received_events",
		"user_view_type":      "public",
	}
}

// user is userJSON for a field that may be null.
func (s *Server) user(a *account) any {
	if a == nil {
		return nil
	}
	return s.userJSON(a)
}

func (s *Server) users(list []*account) []any {
	out := make([]any, 0, len(list))
	for _, a := range list {
		out = append(out, s.userJSON(a))
	}
	return out
}

// fullUserJSON is what GET /users/{login} answers, and with private set what
// GET /user answers.
func (s *Server) fullUserJSON(a *account, private bool) obj {
	out := s.userJSON(a)
	public := 0
	for _, r := range a.repos {
		if !r.private {
			public++
		}
	}
	extend(out, obj{"name": a.login, "company": nil, "blog": "", "location": nil, "email": nil,
		"hireable": nil, "bio": nil, "twitter_username": nil, "public_repos": public, "public_gists": 0,
		"followers": 0, "following": 0, "created_at": stamp(a.created), "updated_at": stamp(a.created)})
	if private {
		extend(out, obj{"private_gists": 0, "total_private_repos": len(a.repos) - public,
			"owned_private_repos": len(a.repos) - public, "disk_usage": 0, "collaborators": 0,
			"two_factor_authentication": true, "user_view_type": "private"})
	}
	return out
}

func (s *Server) orgSimpleJSON(a *account) obj {
	self := s.api("/orgs", a.login)
	return obj{
		"login": a.login, "id": a.id, "node_id": nodeID("O", a.id), "url": self, "description": "",
		"repos_url": self + "/repos", "events_url": self + "/events", "hooks_url": self + "/hooks",
		"issues_url": self + "/issues", "members_url": self + "/members{/member}",
		"public_members_url": self + "/public_members{/member}",
		"avatar_url":         s.webURL(fmt.Sprintf("/avatars/u/%d?v=4", a.id)),
	}
}

func (s *Server) orgJSON(a *account) obj {
	out := s.orgSimpleJSON(a)
	public := 0
	for _, r := range a.repos {
		if !r.private {
			public++
		}
	}
	extend(out, obj{"name": a.login, "html_url": s.webURL("/" + a.login), "type": kindOrg,
		"has_organization_projects": true, "has_repository_projects": true, "public_repos": public,
		"public_gists": 0, "followers": 0, "following": 0, "archived_at": nil,
		"created_at": stamp(a.created), "updated_at": stamp(a.created)})
	return out
}
