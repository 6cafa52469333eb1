package sandbox_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v57/github"
)

// TestIssueText: bytes stay as sent, and what is too long is refused.
func TestIssueText(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("author")
	body := "### A\r\n\r\n<b>\x01 @everyone \U0001F600 \\u0000"
	got := must(c.Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: github.String("t"), Body: &body}))(w)
	if got.GetBody() != body {
		t.Errorf("body %q", got.GetBody())
	}
	for _, long := range []string{strings.Repeat("x", 65536), strings.Repeat("ä", 65536)} {
		must(c.Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: github.String("t"), Body: &long}))(w)
		longer := long + "x"
		_, _, err := c.Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: github.String("t"), Body: &longer})
		w.refused(err, 422, "too long")
		_, _, err = c.Issues.CreateComment(w.ctx, "acme", "r", 1, &github.IssueComment{Body: &longer})
		w.refused(err, 422, "too long")
	}
	_, _, err := c.Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: github.String(" ")})
	w.refused(err, 422, "title")
	_, _, err = c.Issues.CreateComment(w.ctx, "acme", "r", 1, &github.IssueComment{Body: github.String("")})
	w.refused(err, 422, "body")
	resp, text := w.do("POST", w.s.APIURL()+"repos/acme/r/issues", w.s.UserToken("author"), `{"title":`)
	if resp.StatusCode != 400 || !strings.Contains(text, "Problems parsing JSON") {
		t.Errorf("%d %s", resp.StatusCode, text)
	}
}

// TestIssueEdits: who may edit, and what the bot hears.
func TestIssueEdits(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	_, bot := w.bot("acme")
	author := w.as("author")
	must(author.Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: github.String("t"), Body: github.String("old"),
		Labels: &[]string{"bug"}}))(w)
	w.take()
	edit := func(c *github.Client, in github.IssueRequest) (*github.Issue, error) {
		i, _, err := c.Issues.Edit(w.ctx, "acme", "r", 1, &in)
		return i, err
	}
	if i, _ := edit(author, github.IssueRequest{Body: github.String("new"), Labels: &[]string{"bug"}}); len(i.Labels) != 0 || i.GetBody() != "new" {
		t.Errorf("%q %v", i.GetBody(), i.Labels)
	}
	hooks := w.want("issues.edited")
	if got := stringOf(hooks[0].payload["changes"]); got != "body:from:old" {
		t.Errorf("changes %s", got)
	}
	if _, err := edit(author, github.IssueRequest{Body: github.String("new")}); err != nil {
		t.Error(err)
	}
	w.want() // nothing changed
	_, err := edit(w.as("stranger"), github.IssueRequest{Title: github.String("mine")})
	w.refused(err, 403, "admin rights")
	i, err := edit(bot, github.IssueRequest{State: github.String("closed"), StateReason: github.String("not_planned"), Labels: &[]string{"a", "b"}})
	if err != nil || i.GetStateReason() != "not_planned" || len(i.Labels) != 2 || i.GetClosedBy().GetLogin() != "registrar[bot]" {
		t.Errorf("%v %v", i, err)
	}
	w.want("issues.labeled", "issues.labeled", "issues.closed")
	_, err = edit(bot, github.IssueRequest{State: github.String("closed"), StateReason: github.String("whatever")})
	w.refused(err, 422, "state_reason")
	if i, err := edit(author, github.IssueRequest{State: github.String("open")}); err != nil || i.GetState() != "open" || i.GetStateReason() != "reopened" || i.ClosedAt != nil {
		t.Errorf("%v %v", i, err)
	}
	w.want("issues.reopened")
	if i, _, err := w.as("acme").Issues.AddAssignees(w.ctx, "acme", "r", 1, []string{"acme", "stranger"}); err != nil || len(i.Assignees) != 1 {
		t.Errorf("assigned %v, %v", i.GetAssignee(), err)
	}
	must(w.as("acme").Issues.Edit(w.ctx, "acme", "r", 1, &github.IssueRequest{Assignees: &[]string{}}))(w)
	w.want("issues.assigned", "issues.unassigned")
}

// TestLock: a locked conversation is for collaborators.
func TestLock(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	_, bot := w.bot("acme")
	author := w.as("author")
	must(author.Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: github.String("t")}))(w)
	w.take()
	if _, err := bot.Issues.Lock(w.ctx, "acme", "r", 1, &github.LockIssueOptions{LockReason: "resolved"}); err != nil {
		t.Fatal(err)
	}
	_, _, err := author.Issues.CreateComment(w.ctx, "acme", "r", 1, &github.IssueComment{Body: github.String("b")})
	w.refused(err, 403, "locked")
	must(bot.Issues.CreateComment(w.ctx, "acme", "r", 1, &github.IssueComment{Body: github.String("b")}))(w)
	if i := must(author.Issues.Get(w.ctx, "acme", "r", 1))(w); !i.GetLocked() || i.GetActiveLockReason() != "resolved" {
		t.Errorf("locked %v for %q", i.GetLocked(), i.GetActiveLockReason())
	}
	if _, err := bot.Issues.Unlock(w.ctx, "acme", "r", 1); err != nil {
		t.Fatal(err)
	}
	must(author.Issues.CreateComment(w.ctx, "acme", "r", 1, &github.IssueComment{Body: github.String("b")}))(w)
	_, err = bot.Issues.Lock(w.ctx, "acme", "r", 1, &github.LockIssueOptions{LockReason: "boring"})
	w.refused(err, 422, "lock_reason")
	w.want("issues.locked", "issue_comment.created", "issues.unlocked", "issue_comment.created")
}

// TestComments: edit in place, delete, and who may.
func TestComments(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	_, bot := w.bot("acme")
	author := w.as("author")
	must(author.Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: github.String("t")}))(w)
	c := must(bot.Issues.CreateComment(w.ctx, "acme", "r", 1, &github.IssueComment{Body: github.String("one")}))(w)
	w.take()
	edit := func(who *github.Client, text string) error {
		_, _, err := who.Issues.EditComment(w.ctx, "acme", "r", c.GetID(), &github.IssueComment{Body: &text})
		return err
	}
	if err := edit(bot, "two"); err != nil {
		t.Fatal(err)
	}
	w.refused(edit(author, "three"), 403, "")
	if err := edit(bot, "two"); err != nil { // no change, no event
		t.Fatal(err)
	}
	hooks := w.want("issue_comment.edited")
	if got := stringOf(hooks[0].payload["changes"]); got != "body:from:one" {
		t.Errorf("changes %s", got)
	}
	list := must(author.Issues.ListComments(w.ctx, "acme", "r", 1, nil))(w)
	if len(list) != 1 || list[0].GetBody() != "two" || list[0].GetUser().GetType() != "Bot" {
		t.Errorf("comments %v", list)
	}
	if all := must(author.Issues.ListComments(w.ctx, "acme", "r", 0, nil))(w); len(all) != 1 {
		t.Errorf("%d comments of the repository", len(all))
	}
	for range 2 { // the second time it is there already
		must(author.Reactions.CreateIssueCommentReaction(w.ctx, "acme", "r", c.GetID(), "rocket"))(w)
	}
	must(author.Reactions.CreateIssueReaction(w.ctx, "acme", "r", 1, "+1"))(w)
	if got := must(bot.Issues.GetComment(w.ctx, "acme", "r", c.GetID()))(w); got.GetReactions().GetRocket() != 1 || got.GetReactions().GetTotalCount() != 1 {
		t.Errorf("reactions %v", got.GetReactions())
	}
	if _, err := bot.Issues.DeleteComment(w.ctx, "acme", "r", c.GetID()); err != nil {
		t.Fatal(err)
	}
	_, _, err := bot.Issues.GetComment(w.ctx, "acme", "r", c.GetID())
	w.refused(err, 404, "Not Found")
	w.want("issue_comment.deleted")
}

// TestLabels: every form in which labels come, and the repository's own list.
func TestLabels(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	must(c.Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: github.String("t"), Labels: &[]string{"made on the way"}}))(w)
	url := w.s.APIURL() + "repos/acme/r/issues/1/labels"
	for _, body := range []string{`["a"]`, `{"labels":["b"]}`, `{"labels":[{"name":"c"}]}`} {
		if resp, text := w.do("POST", url, w.s.UserToken("acme"), body); resp.StatusCode != 200 {
			t.Errorf("%s: %d %s", body, resp.StatusCode, text)
		}
	}
	names := func() string {
		var out []string
		for _, l := range must(c.Issues.ListLabelsByIssue(w.ctx, "acme", "r", 1, nil))(w) {
			out = append(out, l.GetName())
		}
		return strings.Join(out, " ")
	}
	if got := names(); got != "made on the way a b c" {
		t.Errorf("labels %s", got)
	}
	if _, err := c.Issues.RemoveLabelForIssue(w.ctx, "acme", "r", 1, "A"); err != nil {
		t.Error(err)
	}
	_, err := c.Issues.RemoveLabelForIssue(w.ctx, "acme", "r", 1, "a")
	w.refused(err, 404, "Label does not exist")
	must(c.Issues.ReplaceLabelsForIssue(w.ctx, "acme", "r", 1, []string{"c", "d"}))(w)
	if got := names(); got != "c d" {
		t.Errorf("labels %s", got)
	}
	_, _, err = c.Issues.CreateLabel(w.ctx, "acme", "r", &github.Label{Name: github.String("D"), Color: github.String("ffffff")})
	w.refused(err, 422, "already_exists")
	must(c.Issues.EditLabel(w.ctx, "acme", "r", "d", &github.Label{Name: github.String("d"), Color: github.String("00FF00"),
		Description: github.String("green")}))(w)
	if l := must(c.Issues.GetLabel(w.ctx, "acme", "r", "d"))(w); l.GetColor() != "00ff00" || l.GetDescription() != "green" {
		t.Errorf("label %v", l)
	}
	if _, err := c.Issues.DeleteLabel(w.ctx, "acme", "r", "d"); err != nil || names() != "c" {
		t.Errorf("%v, %s left", err, names())
	}
	if _, err := c.Issues.RemoveLabelsForIssue(w.ctx, "acme", "r", 1); err != nil || names() != "" {
		t.Errorf("%v, %s left", err, names())
	}
}

// TestIssueLists: filters, order, pages, search.
func TestIssueLists(t *testing.T) {
	t.Parallel()
	var c clock
	w := start(t, withClock(&c))
	w.repo("acme", "r")
	acme := w.as("acme")
	for i := 1; i <= 7; i++ {
		c.advance(time.Minute)
		label := []string{"odd", "even"}[(i+1)%2]
		must(acme.Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: github.String(fmt.Sprintf("issue %d", i)), Labels: &[]string{label}}))(w)
	}
	middle := must(acme.Issues.Get(w.ctx, "acme", "r", 4))(w)
	must(acme.Issues.Edit(w.ctx, "acme", "r", 2, &github.IssueRequest{State: github.String("closed")}))(w)
	numbers := func(o *github.IssueListByRepoOptions) string {
		var out []string
		for {
			page, resp, err := acme.Issues.ListByRepo(w.ctx, "acme", "r", o)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range page {
				out = append(out, itoa(int64(i.GetNumber())))
			}
			if resp.NextPage == 0 {
				return strings.Join(out, " ")
			}
			o.Page = resp.NextPage
		}
	}
	for want, o := range map[string]*github.IssueListByRepoOptions{
		"7 6 5 4 3 1":   {},
		"7 6 5 4 3 2 1": {State: "all", ListOptions: github.ListOptions{PerPage: 3}},
		"2":             {State: "closed"},
		"6 4":           {Labels: []string{"even"}},
		"1 3 4 5 6 7":   {Direction: "asc"},
		"7 6 5 4":       {Since: middle.GetCreatedAt().Time},
		"":              {Creator: "nobody"},
		"2 7 6 5 4 3 1": {State: "all", Sort: "updated"},
	} {
		if got := numbers(o); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	resp, _ := w.get(w.s.APIURL()+"repos/acme/r/issues?state=all&per_page=2&page=2", w.s.UserToken("acme"))
	link := resp.Header.Get("Link")
	for rel, page := range map[string]string{"prev": "1", "next": "3", "first": "1", "last": "4"} {
		if !strings.Contains(link, "page="+page+"&per_page=2&state=all>; rel=\""+rel+"\"") {
			t.Errorf("no %s in %s", rel, link)
		}
	}
	for q, want := range map[string]int{"repo:acme/r is:issue": 7, "repo:acme/r is:open label:even": 2, "repo:acme/r is:pr": 0,
		"repo:acme/r \"issue 3\" in:title": 1, "user:acme author:acme is:closed": 1, "repo:acme/r -label:even": 4} {
		found := must(acme.Search.Issues(w.ctx, q, nil))(w)
		if found.GetTotal() != want {
			t.Errorf("%s: %d, want %d", q, found.GetTotal(), want)
		}
	}
	_, _, err := acme.Search.Issues(w.ctx, "repo:acme/none is:issue", nil)
	w.refused(err, 422, "cannot be searched")
}

// TestClosingWords: what a merged text closes.
func TestClosingWords(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	for range 5 {
		must(c.Issues.Create(w.ctx, "acme", "r", &github.IssueRequest{Title: github.String("t")}))(w)
	}
	w.branch(c, "acme", "r", "main", "topic")
	must(c.Repositories.CreateFile(w.ctx, "acme", "r", "f", &github.RepositoryContentFileOptions{Branch: github.String("topic"),
		Message: github.String("Fixes #1 and mentions #2"), Content: []byte("x")}))(w)
	must(c.PullRequests.Create(w.ctx, "acme", "r", &github.NewPullRequest{Title: github.String("closes #5"), Head: github.String("topic"),
		Base: github.String("main"), Body: github.String("RESOLVES: #3\ncloses acme/r#4, closes other/r#2, enclose #2")}))(w)
	if _, err := w.merge(c, 6, "squash", ""); err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{1: "closed", 2: "open", 3: "closed", 4: "closed", 5: "open"} {
		if got := must(c.Issues.Get(w.ctx, "acme", "r", n))(w); got.GetState() != want {
			t.Errorf("issue %d is %s, want %s", n, got.GetState(), want)
		}
	}
}
