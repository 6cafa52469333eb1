package sandbox

import (
	"fmt"
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"
)

// conversationView is the part that pages of issues and pull requests share.
type conversationView struct {
	frame
	URL      string
	Heading  string
	Number   int
	State    stateView
	Locked   bool
	IsPull   bool
	IsOpen   bool
	Merged   bool
	Author   personView
	Time     timeView
	Timeline []timelineEntry
	Replies  int // comments after the opening

	CanComment  bool
	CanClose    bool
	CommentPath string

	Labels       []labelView
	AllLabels    []labelView
	CanLabel     bool
	LabelPath    string
	Assignees    []personView
	Participants []personView
	Reviewers    []reviewerView
}

// timelineEntry is either a comment or a line about something that happened.
type timelineEntry struct {
	at      time.Time
	Comment *commentView
	Event   *eventView
}

type commentView struct {
	Anchor      string
	Author      personView
	Verb        string
	Time        timeView
	Edited      bool
	Association string
	HTML        template.HTML
	Empty       bool
	Mine        bool
	EditPath    string // "" when the visitor may not edit
	HasTitle    bool
	Title       string
	Source      string
	Reactions   []reactionView
}

type reactionView struct {
	Symbol string
	Count  int
}

type eventView struct {
	Class, Icon, IconClass string
	Author                 personView
	Text                   string
	Time                   timeView
}

type reviewerView struct {
	Person      personView
	Icon, Class string
}

// findIssue finds the issue or pull request that the path names.
func (v *visit) findIssue() (*issue, error) {
	n, err := strconv.Atoi(v.PathValue("number"))
	if err != nil || n < 1 || n > len(v.repo.issues) || v.repo.issues[n-1] == nil {
		return nil, notFound()
	}
	return v.repo.issues[n-1], nil
}

func issuePageOf(v *visit) (any, error) {
	i, err := v.findIssue()
	if err != nil {
		return nil, err
	}
	if i.pull != nil {
		return nil, &movedPage{to: v.issuePath(i)}
	}
	return v.viewConversation(i, "issues"), nil
}

func (v *visit) viewConversation(i *issue, tab string) conversationView {
	role := v.s.roleOf(v.who, v.repo)
	view := conversationView{
		frame: v.frame(fmt.Sprintf("%s · #%d", i.title, i.number), tab), URL: v.issuePath(i),
		Heading: i.title, Number: i.number, State: viewState(i), Locked: i.locked,
		IsPull: i.pull != nil, IsOpen: !i.closed, Merged: i.pull != nil && i.pull.merged,
		Author: viewPerson(i.user), Time: v.ago(i.created), Timeline: v.timeline(i),
		CanComment: v.who != nil && !v.repo.archived && (!i.locked || role >= roleTriage),
		CanClose:   v.mayEdit(i.user, roleTriage),
		Labels:     viewLabels(i.labels), CanLabel: v.who != nil && role >= roleTriage,
	}
	base := fmt.Sprintf("/%s/issues/%d", v.full, i.number)
	view.CommentPath, view.LabelPath = base+"/comments", base+"/labels"
	for _, l := range viewLabels(v.repo.labels) {
		l.Chosen = i.carries(l.Name)
		view.AllLabels = append(view.AllLabels, l)
	}
	for _, a := range i.assignees {
		view.Assignees = append(view.Assignees, viewPerson(a))
	}
	for _, entry := range view.Timeline {
		person := entry.author()
		if !slices.Contains(view.Participants, person) {
			view.Participants = append(view.Participants, person)
		}
		if entry.Comment != nil {
			view.Replies++
		}
	}
	view.Replies-- // the opening is no reply
	return view
}

func (e timelineEntry) author() personView {
	if e.Comment != nil {
		return e.Comment.Author
	}
	return e.Event.Author
}

// mayEdit tells whether the visitor wrote it, or holds the role.
func (v *visit) mayEdit(author *account, need role) bool {
	return v.who != nil && !v.repo.archived && (author == v.who || v.s.roleOf(v.who, v.repo) >= need)
}

// timeline puts the opening text, comments, reviews and the end in order.
func (v *visit) timeline(i *issue) []timelineEntry {
	opening := v.viewComment(fmt.Sprintf("issue-%d", i.id), i.user, "opened", i.body, i.created)
	opening.Title, opening.HasTitle, opening.Reactions = i.title, true, viewReactions(i.reactions)
	if v.mayEdit(i.user, roleWrite) {
		opening.EditPath = fmt.Sprintf("/%s/issues/%d", v.full, i.number)
	}
	entries := []timelineEntry{{at: i.created, Comment: &opening}}
	for _, c := range i.comments {
		view := v.viewComment(fmt.Sprintf("issuecomment-%d", c.id), c.user, "commented", c.body, c.created)
		view.Edited, view.Reactions = c.updated.After(c.created), viewReactions(c.reactions)
		if v.mayEdit(c.user, roleWrite) {
			view.EditPath = fmt.Sprintf("/%s/issue_comments/%d", v.full, c.id)
		}
		entries = append(entries, timelineEntry{at: c.created, Comment: &view})
	}
	if i.pull != nil {
		entries = append(entries, v.pullEvents(i)...)
	}
	if i.closed && (i.pull == nil || !i.pull.merged) {
		state := viewState(i)
		text := "closed this"
		if i.pull == nil && i.stateReason != "" {
			text += " as " + strings.ReplaceAll(i.stateReason, "_", " ")
		}
		entries = append(entries, timelineEntry{at: i.closedAt, Event: &eventView{Icon: state.Icon, IconClass: state.Class,
			Author: viewPerson(i.closedBy), Text: text, Time: v.ago(i.closedAt)}})
	}
	slices.SortStableFunc(entries[1:], func(a, b timelineEntry) int { return a.at.Compare(b.at) })
	return entries
}

func (v *visit) viewComment(anchor string, author *account, verb, body string, at time.Time) commentView {
	return commentView{Anchor: anchor, Author: viewPerson(author), Verb: verb, Time: v.ago(at), Association: v.association(author),
		HTML: v.markdown(body), Empty: strings.TrimSpace(body) == "", Mine: v.who != nil && author == v.who, Source: body}
}

var reactionSymbols = map[string]string{"+1": "👍", "-1": "👎", "laugh": "😄", "hooray": "🎉", "confused": "😕",
	"heart": "❤️", "rocket": "🚀", "eyes": "👀"}

// viewReactions counts the reactions of each kind.
func viewReactions(reactions []*reaction) []reactionView {
	var views []reactionView
	for _, kind := range reactionKinds {
		count := 0
		for _, r := range reactions {
			if r.content == kind {
				count++
			}
		}
		if count > 0 {
			views = append(views, reactionView{Symbol: reactionSymbols[kind], Count: count})
		}
	}
	return views
}

// association says beside a comment what its author is to the repository.
func (v *visit) association(a *account) string {
	word := v.s.association(a, v.repo)
	if word == "NONE" {
		return ""
	}
	return word[:1] + strings.ToLower(word[1:])
}
