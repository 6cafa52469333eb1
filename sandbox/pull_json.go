package sandbox

import (
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
)

func (s *Server) pullURL(i *issue) string {
	return s.repoURL(i.repo) + "/pulls/" + strconv.Itoa(i.number)
}

// pullJSON is the pull request as lists carry it.
func (s *Server) pullJSON(i *issue, by *actor) obj {
	p, self, web := i.pull, s.pullURL(i), s.issueWeb(i)
	statuses := s.repoURL(i.repo) + "/statuses/" + p.headSHA
	link := func(url string) obj { return obj{"href": url} }
	out := obj{
		"id": p.id, "node_id": nodeID("PR", p.id), "number": i.number, "state": i.state(), "locked": i.locked,
		"active_lock_reason": orNull(i.lockReason), "title": i.title, "body": orNull(i.body), "user": s.user(i.user),
		"labels": s.labelsJSON(i.repo, i.labels), "milestone": nil, "draft": p.draft, "auto_merge": nil,
		"assignee": nil, "assignees": s.users(i.assignees), "requested_reviewers": []any{}, "requested_teams": []any{},
		"created_at": stamp(i.created), "updated_at": stamp(i.updated), "closed_at": stamp(i.closedAt),
		"merged_at": stamp(p.mergedAt), "merge_commit_sha": s.mergeSHA(p), "author_association": s.association(i.user, i.repo),
		"url": self, "html_url": web, "diff_url": web + ".diff", "patch_url": web + ".patch", "issue_url": s.issueURL(i),
		"commits_url": self + "/commits", "review_comments_url": self + "/comments", "statuses_url": statuses,
		"review_comment_url": s.repoURL(i.repo) + "/pulls/comments{/number}", "comments_url": s.issueURL(i) + "/comments",
		"head": s.pullEnd(p.headOwner, p.headRepo, p.headRef, p.headSHA, by),
		"base": s.pullEnd(i.repo.owner, i.repo, p.baseRef, p.baseSHA, by),
		"_links": obj{"self": link(self), "html": link(web), "issue": link(s.issueURL(i)),
			"comments": link(s.issueURL(i) + "/comments"), "review_comments": link(self + "/comments"),
			"review_comment": link(s.repoURL(i.repo) + "/pulls/comments{/number}"),
			"commits":        link(self + "/commits"), "statuses": link(statuses)},
	}
	if len(i.assignees) > 0 {
		out["assignee"] = s.userJSON(i.assignees[0])
	}
	return out
}

func (s *Server) mergeSHA(p *pull) any { return orNull(p.mergeCommit) }

func (s *Server) pullEnd(owner *account, r *repository, ref, sha string, by *actor) obj {
	out := obj{"label": owner.login + ":" + ref, "ref": ref, "sha": sha, "user": s.userJSON(owner), "repo": nil}
	if r != nil && !r.deleted {
		out["repo"] = s.repoJSON(r, by)
	}
	return out
}

// fullPullJSON is the pull request by itself, and in payloads.
func (s *Server) fullPullJSON(i *issue, by *actor) obj {
	p := i.pull
	out := s.pullJSON(i, by)
	mergeable, state := s.mergeState(i)
	extend(out, obj{"merged": p.merged, "mergeable": mergeable, "rebaseable": mergeable, "mergeable_state": state,
		"merged_by": s.user(p.mergedBy), "comments": len(i.comments), "review_comments": 0,
		"maintainer_can_modify": p.canModify, "commits": p.stats.commits, "additions": p.stats.additions,
		"deletions": p.stats.deletions, "changed_files": p.stats.files})
	return out
}

// mergeState is null and "unknown" until somebody asked for the merge.
func (s *Server) mergeState(i *issue) (mergeable any, state string) {
	switch {
	case i.closed || !s.mergeKnown(i):
		return nil, "unknown"
	case !i.pull.merge.clean:
		return false, "dirty"
	case i.pull.draft:
		return true, "draft"
	}
	return true, "clean"
}

// minimalPull is how check runs name the pull requests of their commit.
func (s *Server) minimalPull(i *issue) obj {
	end := func(ref, sha string, r *repository) obj {
		return obj{"ref": ref, "sha": sha, "repo": obj{"id": r.id, "url": s.repoURL(r), "name": r.name}}
	}
	return obj{"id": i.pull.id, "number": i.number, "url": s.pullURL(i),
		"head": end(i.pull.headRef, i.pull.headSHA, i.pull.headRepo), "base": end(i.pull.baseRef, i.pull.baseSHA, i.repo)}
}

// pullsOfHead lists the open pull requests of the repository itself whose head
// is the commit.
func (s *Server) pullsOfHead(r *repository, sha string) []any {
	out := []any{}
	for _, i := range r.issues {
		if i.pull != nil && !i.closed && i.pull.headSHA == sha && i.pull.headRepo == r {
			out = append(out, s.minimalPull(i))
		}
	}
	return out
}

func (s *Server) reviewJSON(i *issue, r *review) obj {
	html := s.issueWeb(i) + "#pullrequestreview-" + strconv.FormatInt(r.id, 10)
	out := obj{"id": r.id, "node_id": nodeID("PRR", r.id), "user": s.user(r.user), "body": r.body, "state": r.state,
		"html_url": html, "pull_request_url": s.pullURL(i), "commit_id": r.commit,
		"author_association": s.association(r.user, i.repo),
		"_links":             obj{"html": obj{"href": html}, "pull_request": obj{"href": s.pullURL(i)}}}
	if !r.submitted.IsZero() {
		out["submitted_at"] = stamp(r.submitted)
	}
	return out
}

func (s *Server) pullFileJSON(i *issue) func(fileDiff) any {
	head := plumbing.NewHash(i.pull.headSHA)
	return func(f fileDiff) any { return s.fileJSON(i.repo, head, f) }
}
