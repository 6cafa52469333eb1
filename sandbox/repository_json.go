package sandbox

// repoURLs are the links of a repository: field name to the rest of the path
// below its own API address.
var repoURLs = map[string]string{
	"archive_url": "/{archive_format}{/ref}", "assignees_url": "/assignees{/user}",
	"blobs_url": "/git/blobs{/sha}", "branches_url": "/branches{/branch}",
	"collaborators_url": "/collaborators{/collaborator}", "comments_url": "/comments{/number}",
	"commits_url": "/commits{/sha}", "compare_url": "/compare/{base}...{head}",
	"contents_url": "/contents/{+path}", "contributors_url": "/contributors",
	"deployments_url": "/deployments", "downloads_url": "/downloads", "events_url": "/events",
	"forks_url": "/forks", "git_commits_url": "/git/commits{/sha}", "git_refs_url": "/git/refs{/sha}",
	"git_tags_url": "/git/tags{/sha}", "hooks_url": "/hooks",
	"issue_comment_url": "/issues/comments{/number}", "issue_events_url": "/issues/events{/number}",
	"issues_url": "/issues{/number}", "keys_url": "/keys{/key_id}", "labels_url": "/labels{/name}",
	"languages_url": "/languages", "merges_url": "/merges", "milestones_url": "/milestones{/number}",
	"notifications_url": "/notifications{?since,all,participating}", "pulls_url": "/pulls{/number}",
	"releases_url": "/releases{/id}", "stargazers_url": "/stargazers", "statuses_url": "/statuses/{sha}",
	"subscribers_url": "/subscribers", "subscription_url": "/subscription", "tags_url": "/tags",
	"teams_url": "/teams", "trees_url": "/git/trees{/sha}",
}

func (s *Server) repoURL(r *repository) string { return s.api("/repos", r.owner.login, r.name) }

func (s *Server) repoWeb(r *repository) string { return s.webURL("/" + r.fullName()) }

// repoJSON is GitHub's "repository", as lists and payloads carry it.
func (s *Server) repoJSON(r *repository, by *actor) obj {
	self, web := s.repoURL(r), s.repoWeb(r)
	out := obj{
		"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.fullName(),
		"owner": s.userJSON(r.owner), "private": r.private, "visibility": visibility(r),
		"html_url": web, "url": self, "description": orNull(r.description), "fork": r.parent != nil,
		"git_url": "git:" + web[len(scheme(web)):] + ".git", "ssh_url": "git@" + host(web) + ":" + r.fullName() + ".git",
		"clone_url": web + ".git", "svn_url": web, "mirror_url": nil, "homepage": nil, "language": nil,
		"license": nil, "topics": []any{}, "is_template": false, "size": 0,
		"forks": len(r.forks), "forks_count": len(r.forks), "stargazers_count": 0, "watchers": 0, "watchers_count": 0,
		"open_issues": r.openIssues, "open_issues_count": r.openIssues, "default_branch": r.defaultBranch,
		"has_issues": true, "has_projects": true, "has_wiki": true, "has_pages": false, "has_downloads": true,
		"has_discussions": false, "archived": r.archived, "disabled": false, "allow_forking": true,
		"web_commit_signoff_required": false,
		"created_at":                  stamp(r.created), "updated_at": stamp(r.updated), "pushed_at": stamp(r.pushed),
	}
	for field, rest := range repoURLs {
		out[field] = self + rest
	}
	if by != nil && !by.anonymous() {
		out["permissions"] = permissionsJSON(s.effectiveRole(by, r))
	}
	return out
}

// effectiveRole sees an installation as a collaborator.
func (s *Server) effectiveRole(by *actor, r *repository) role {
	if by.inst == nil {
		return s.roleOf(by.user, r)
	}
	if by.covers(r) && by.permits("contents", true) {
		return roleWrite
	}
	return roleRead
}

func visibility(r *repository) string {
	if r.private {
		return "private"
	}
	return "public"
}

// fullRepoJSON is what GET /repos/{owner}/{repo} answers.
func (s *Server) fullRepoJSON(r *repository, by *actor) obj {
	out := s.repoJSON(r, by)
	extend(out, obj{"subscribers_count": 0, "network_count": len(r.forks), "temp_clone_token": "",
		"allow_rebase_merge": true, "allow_squash_merge": true, "allow_merge_commit": true,
		"allow_auto_merge": false, "delete_branch_on_merge": false, "allow_update_branch": false})
	if r.owner.kind == kindOrg {
		out["organization"] = s.userJSON(r.owner)
	}
	if r.parent != nil && !r.parent.deleted {
		out["parent"], out["source"] = s.repoJSON(r.parent, by), s.repoJSON(r.parent, by)
	}
	return out
}

func scheme(url string) string {
	for i := range url {
		if url[i] == ':' {
			return url[:i+1]
		}
	}
	return ""
}

func host(url string) string {
	rest := url[min(len(scheme(url))+2, len(url)):]
	for i := range rest {
		if rest[i] == '/' || rest[i] == ':' {
			return rest[:i]
		}
	}
	return rest
}
