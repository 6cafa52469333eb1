package sandbox

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// listSize is how many issues, commits or releases one page shows.
const listSize = 25

type issuesPage struct {
	frame
	IsPulls            bool
	State              string // "open" or "closed"
	Label              string // only those that carry it
	Labels             []labelView
	Open, Closed       int
	OpenURL, ClosedURL string
	Items              []issueRow
	Pager              pagerView
}

type issueRow struct {
	Number   int
	Title    string
	URL      string
	State    stateView
	Author   personView
	Time     timeView
	Labels   []labelView
	Comments int
	Checks   *checksSummary
}

type checksSummary struct{ Word, Icon, Class string }

func (s *Server) registerIssuePages(mux *http.ServeMux) {
	s.show(mux, "/{owner}/{repo}/issues", "issues", func(v *visit) (any, error) { return issuesPageOf(v, false) })
	s.show(mux, "/{owner}/{repo}/pulls", "issues", func(v *visit) (any, error) { return issuesPageOf(v, true) })
	s.show(mux, "/{owner}/{repo}/issues/new/choose", "issue_choose", choosePageOf)
	s.show(mux, "/{owner}/{repo}/issues/new", "issue_new", newIssuePageOf)
	s.act(mux, "/{owner}/{repo}/issues", createIssueFromPage)
	s.show(mux, "/{owner}/{repo}/issues/{number}", "issue", issuePageOf)
	s.act(mux, "/{owner}/{repo}/issues/{number}/comments", commentFromPage)
	s.act(mux, "/{owner}/{repo}/issues/{number}", editIssueFromPage)
	s.act(mux, "/{owner}/{repo}/issues/{number}/labels", labelFromPage)
	s.act(mux, "/{owner}/{repo}/issue_comments/{comment}", editCommentFromPage)
}

// readFilter reads ?state= and ?label=, and the same in GitHub's own spelling,
// ?q=is:issue state:closed label:provider.
func readFilter(query url.Values) (state, label string) {
	state, label = query.Get("state"), query.Get("label")
	for _, word := range strings.Fields(query.Get("q")) {
		key, value, _ := strings.Cut(word, ":")
		value = strings.Trim(value, `"`)
		switch {
		case (key == "is" || key == "state") && (value == "open" || value == "closed"):
			state = value
		case key == "label":
			label = value
		}
	}
	if state != "closed" {
		state = "open"
	}
	return state, label
}

func issuesPageOf(v *visit, pulls bool) (any, error) {
	title, tab := "Issues", "issues"
	if pulls {
		title, tab = "Pull requests", "pulls"
	}
	page := issuesPage{frame: v.frame(title, tab), IsPulls: pulls, Labels: viewLabels(v.repo.labels)}
	page.State, page.Label = readFilter(v.URL.Query())
	var matching []*issue
	for _, i := range slices.Backward(v.repo.issues) {
		if i == nil || (i.pull != nil) != pulls || (page.Label != "" && !i.carries(page.Label)) {
			continue
		}
		if i.closed {
			page.Closed++
		} else {
			page.Open++
		}
		if i.state() == page.State {
			matching = append(matching, i)
		}
	}
	shown, pager := pageOfList(v, matching, listSize)
	page.Pager = pager
	for _, i := range shown {
		page.Items = append(page.Items, v.viewRow(i))
	}
	link := func(state string) string {
		return "?" + url.Values{"state": {state}, "label": {page.Label}}.Encode()
	}
	page.OpenURL, page.ClosedURL = link("open"), link("closed")
	return page, nil
}

// carries tells whether the issue has a label of that name; GitHub compares
// without regard to case.
func (i *issue) carries(name string) bool {
	return slices.ContainsFunc(i.labels, func(l *label) bool { return strings.EqualFold(l.name, name) })
}

func (v *visit) viewRow(i *issue) issueRow {
	row := issueRow{Number: i.number, Title: i.title, URL: v.issuePath(i), State: viewState(i), Author: viewPerson(i.user),
		Time: v.ago(i.created), Labels: viewLabels(i.labels), Comments: len(i.comments)}
	if i.pull != nil {
		row.Checks = summarize(v.checksOf(i.pull.headSHA))
	}
	return row
}

// issuePath is the page of an issue or pull request.
func (v *visit) issuePath(i *issue) string {
	kind := "issues"
	if i.pull != nil {
		kind = "pull"
	}
	return fmt.Sprintf("/%s/%s/%d", v.full, kind, i.number)
}

func viewState(i *issue) stateView {
	switch {
	case i.pull != nil && i.pull.merged:
		return stateView{"Merged", "merged", "merge"}
	case i.pull != nil && i.closed:
		return stateView{"Closed", "closed", "closed"}
	case i.pull != nil && i.pull.draft:
		return stateView{"Draft", "draft", "pull"}
	case i.pull != nil:
		return stateView{"Open", "open", "pull"}
	case i.closed && (i.stateReason == "not_planned" || i.stateReason == "duplicate"):
		return stateView{"Closed as " + strings.ReplaceAll(i.stateReason, "_", " "), "skipped", "skip"}
	case i.closed:
		return stateView{"Closed", "done", "done"}
	}
	return stateView{"Open", "open", "issue"}
}
