package sandbox

import (
	"strconv"
	"strings"
)

func (s *Server) issueURL(i *issue) string {
	return s.repoURL(i.repo) + "/issues/" + strconv.Itoa(i.number)
}

// issueWeb is the page of an issue or pull request.
func (s *Server) issueWeb(i *issue) string {
	kind := "/issues/"
	if i.pull != nil {
		kind = "/pull/"
	}
	return s.repoWeb(i.repo) + kind + strconv.Itoa(i.number)
}

func (s *Server) issueJSON(i *issue) obj {
	self := s.issueURL(i)
	out := obj{
		"id": i.id, "node_id": nodeID("I", i.id), "number": i.number, "title": i.title, "body": orNull(i.body),
		"state": i.state(), "state_reason": orNull(i.stateReason), "locked": i.locked,
		"active_lock_reason": orNull(i.lockReason), "user": s.user(i.user),
		"labels": s.labelsJSON(i.repo, i.labels), "assignee": nil, "assignees": s.users(i.assignees), "milestone": nil,
		"comments": len(i.comments), "url": self, "repository_url": s.repoURL(i.repo),
		"labels_url": self + "/labels{/name}", "comments_url": self + "/comments", "events_url": self + "/events",
		"timeline_url": self + "/timeline", "html_url": s.issueWeb(i), "author_association": s.association(i.user, i.repo),
		"created_at": stamp(i.created), "updated_at": stamp(i.updated), "closed_at": stamp(i.closedAt),
		"closed_by": s.user(i.closedBy), "reactions": reactionsJSON(self, i.reactions),
		"performed_via_github_app": s.appOrNull(i.viaApp),
	}
	if len(i.assignees) > 0 {
		out["assignee"] = s.userJSON(i.assignees[0])
	}
	if i.pull != nil {
		out["draft"] = i.pull.draft
		out["pull_request"] = obj{"url": s.pullURL(i), "html_url": s.issueWeb(i), "diff_url": s.issueWeb(i) + ".diff",
			"patch_url": s.issueWeb(i) + ".patch", "merged_at": stamp(i.pull.mergedAt)}
	}
	return out
}

func (s *Server) commentJSON(c *comment) obj {
	self := s.repoURL(c.issue.repo) + "/issues/comments/" + strconv.FormatInt(c.id, 10)
	return obj{
		"id": c.id, "node_id": nodeID("IC", c.id), "url": self, "issue_url": s.issueURL(c.issue),
		"html_url": s.issueWeb(c.issue) + "#issuecomment-" + strconv.FormatInt(c.id, 10),
		"body":     c.body, "user": s.user(c.user), "created_at": stamp(c.created), "updated_at": stamp(c.updated),
		"author_association": s.association(c.user, c.issue.repo), "reactions": reactionsJSON(self, c.reactions),
		"performed_via_github_app": s.appOrNull(c.viaApp),
	}
}

func (s *Server) labelJSON(r *repository, l *label) obj {
	return obj{"id": l.id, "node_id": nodeID("LA", l.id), "url": s.api("/repos", r.owner.login, r.name, "labels", l.name),
		"name": l.name, "color": l.color, "description": orNull(l.description), "default": l.isDefault}
}

func (s *Server) labelsJSON(r *repository, list []*label) []any {
	out := make([]any, 0, len(list))
	for _, l := range list {
		out = append(out, s.labelJSON(r, l))
	}
	return out
}

// association is what GitHub shows beside a name: the tie to the repository.
func (s *Server) association(a *account, r *repository) string {
	switch {
	case a == nil:
		return "NONE"
	case a == r.owner:
		return "OWNER"
	case r.owner.members[a.id] != nil:
		return "MEMBER"
	case r.collaborators[a.id] != "":
		return "COLLABORATOR"
	case r.contributors[a.id]:
		return "CONTRIBUTOR"
	}
	return "NONE"
}

// reactionKinds are all that GitHub knows.
var reactionKinds = []string{"+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes"}

func reactionsJSON(self string, list []*reaction) obj {
	out := obj{"url": self + "/reactions", "total_count": len(list)}
	for _, kind := range reactionKinds {
		out[kind] = 0
	}
	for _, r := range list {
		out[r.content] = out[r.content].(int) + 1
	}
	return out
}

func (s *Server) reactionJSON(r *reaction) obj {
	return obj{"id": r.id, "node_id": nodeID("REA", r.id), "user": s.user(r.user), "content": r.content,
		"created_at": stamp(r.created)}
}

func knownReaction(content string) bool {
	return strings.Contains(" "+strings.Join(reactionKinds, " ")+" ", " "+content+" ") && content != ""
}
