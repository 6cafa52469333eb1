package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// pullPage is a pull request under one of its tabs; what only other tabs show
// stays empty.
type pullPage struct {
	conversationView
	View                   string // conversation, commits, checks or files
	Base, Head             string
	HeadSHA, HeadShort     string
	CommitCount, FileCount int
	Added, Removed         int
	Checks                 []checkView
	Commits                []commitView
	Files                  []diffView
	Merge                  mergeView
	CanMerge               bool
	OwnPull                bool
}

// mergeView says whether the pull request can be merged.
type mergeView struct {
	Possible      bool
	Icon, Class   string
	Heading, Text string
}

func (s *Server) registerPullPages(mux *http.ServeMux) {
	const one = "/{owner}/{repo}/pull/{number}"
	for _, view := range []string{"conversation", "commits", "checks", "files"} {
		path := one + "/" + view
		if view == "conversation" {
			path = one
		}
		s.show(mux, path, "pull", func(v *visit) (any, error) { return pullPageOf(v, view) })
	}
	s.act(mux, one+"/merge", mergeFromPage)
	s.act(mux, one+"/reviews", reviewFromPage)
	s.act(mux, one+"/checks/{check}/rerequest", rerequestFromPage)
	s.show(mux, "/{owner}/{repo}/runs/{check}", "run", runPageOf)
}

func pullPageOf(v *visit, view string) (any, error) {
	i, err := v.findIssue()
	if err != nil {
		return nil, err
	}
	if i.pull == nil {
		return nil, &movedPage{to: v.issuePath(i)}
	}
	p := i.pull
	page := pullPage{conversationView: v.viewConversation(i, "pulls"), View: view, Base: p.baseRef, Head: v.headName(p),
		HeadSHA: p.headSHA, HeadShort: short(p.headSHA), CommitCount: p.stats.commits, FileCount: p.stats.files,
		Added: p.stats.additions, Removed: p.stats.deletions, Checks: v.viewChecks(p.headSHA),
		CanMerge: v.mayPush() && !v.repo.archived, OwnPull: i.user == v.who}
	page.Reviewers = viewReviewers(p.reviews)
	switch view {
	case "conversation":
		page.Merge, err = v.viewMerge(i)
	case "commits":
		var commits []*object.Commit
		commits, err = v.s.pullCommits(i)
		for _, c := range commits {
			page.Commits = append(page.Commits, v.viewCommit(c))
		}
	case "files":
		var files []fileDiff
		files, err = v.s.pullFiles(i)
		page.Files = viewDiffs(files)
	}
	return page, err
}

func short(sha string) string { return sha[:min(len(sha), 7)] }

// headName is the branch, with its owner where that is somebody else.
func (v *visit) headName(p *pull) string {
	if p.headRepo == v.repo || p.headOwner == nil {
		return p.headRef
	}
	return p.headOwner.login + ":" + p.headRef
}

// viewMerge judges whether an open pull request can be merged. The outcome is
// not kept, because the state is locked for reading only.
func (v *visit) viewMerge(i *issue) (mergeView, error) {
	switch {
	case i.closed:
		return mergeView{}, nil
	case i.pull.draft:
		return mergeView{Icon: "pull", Class: "draft", Heading: "This pull request is still a work in progress",
			Text: "Draft pull requests cannot be merged."}, nil
	}
	result := i.pull.merge
	if !v.s.mergeKnown(i) {
		var err error
		result, err = v.repo.git.mergeCommits(plumbing.NewHash(i.pull.baseSHA), plumbing.NewHash(i.pull.headSHA))
		if err != nil {
			return mergeView{}, err
		}
	}
	if !result.clean {
		return mergeView{Icon: "cross", Class: "failure", Heading: "This branch has conflicts that must be resolved",
			Text: "It changes the same lines as " + i.pull.baseRef + " did since; it cannot be merged before its author resolves that."}, nil
	}
	return mergeView{Possible: true, Icon: "check", Class: "success", Heading: "No conflicts with base branch", Text: "Merging can be performed automatically."}, nil
}

// viewReviewers shows each reviewer's last verdict.
func viewReviewers(reviews []*review) []reviewerView {
	var views []reviewerView
	for _, r := range slices.Backward(reviews) {
		person := viewPerson(r.user)
		if r.state == "PENDING" || slices.ContainsFunc(views, func(o reviewerView) bool { return o.Person == person }) {
			continue
		}
		view := reviewerView{Person: person, Icon: "comment", Class: "neutral"}
		switch r.state {
		case "APPROVED":
			view.Icon, view.Class = "check", "success"
		case "CHANGES_REQUESTED":
			view.Icon, view.Class = "cross", "failure"
		}
		views = append(views, view)
	}
	return views
}

// pullEvents are the timeline's entries that only pull requests have.
func (v *visit) pullEvents(i *issue) []timelineEntry {
	var entries []timelineEntry
	for _, r := range i.pull.reviews {
		entries = append(entries, v.reviewEntries(r)...)
	}
	if i.pull.merged {
		entries = append(entries, timelineEntry{at: i.pull.mergedAt, Event: &eventView{Icon: "merge", IconClass: "merged",
			Author: viewPerson(i.pull.mergedBy), Text: "merged commit " + short(i.pull.mergeCommit) + " into " + i.pull.baseRef, Time: v.ago(i.pull.mergedAt)}})
	}
	return entries
}

func (v *visit) reviewEntries(r *review) []timelineEntry {
	event := &eventView{Icon: "eye", IconClass: "neutral", Author: viewPerson(r.user), Text: "reviewed", Time: v.ago(r.submitted)}
	switch r.state {
	case "PENDING":
		return nil
	case "APPROVED":
		event.Icon, event.IconClass, event.Text = "check", "success", "approved these changes"
	case "CHANGES_REQUESTED":
		event.Icon, event.IconClass, event.Text = "cross", "failure", "requested changes"
	case "DISMISSED":
		event.Text = "gave a review that was dismissed"
	}
	entries := []timelineEntry{{at: r.submitted, Event: event}}
	if strings.TrimSpace(r.body) != "" {
		view := v.viewComment(fmt.Sprintf("pullrequestreview-%d", r.id), r.user, "left a comment", r.body, r.submitted)
		entries = append(entries, timelineEntry{at: r.submitted, Comment: &view})
	}
	return entries
}

func (v *visit) pullPath() string {
	return "/" + v.full + "/pull/" + v.PathValue("number")
}

// mergeFromPage merges the head that the visitor saw. Whoever may not is told
// so, instead of REST's "Not Found".
func mergeFromPage(v *visit) (string, error) {
	number, err := v.issueNumber()
	if err != nil {
		return "", err
	}
	var may bool
	v.s.view(func() { may = v.mayPush() })
	if !may {
		return "", fail(http.StatusForbidden, "Only those with write access to this repository can merge pull requests.")
	}
	in := obj{"merge_method": v.PostFormValue("method")}
	if in["merge_method"] == "" {
		in["merge_method"] = "merge"
	}
	if sha := v.PostFormValue("sha"); sha != "" {
		in["sha"] = sha
	}
	_, err = v.restRepo(http.MethodPut, "/pulls/"+number+"/merge", in)
	return v.pullPath(), err
}

func reviewFromPage(v *visit) (string, error) {
	number, err := v.issueNumber()
	if err != nil {
		return "", err
	}
	in := obj{"event": v.PostFormValue("event"), "body": v.PostFormValue("body")}
	_, err = v.restRepo(http.MethodPost, "/pulls/"+number+"/reviews", in)
	return v.pullPath(), err
}

func rerequestFromPage(v *visit) (string, error) {
	_, err := v.restRepo(http.MethodPost, "/check-runs/"+v.PathValue("check")+"/rerequest", nil)
	return v.pullPath() + "/checks", err
}
