package sandbox

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// What the templates show, as plain values: nothing below refers to the state,
// so a page is written after the lock was given back.

// frame is what stands around every page.
type frame struct {
	Title  string
	Crumb  string // beside the brand, on pages of no repository
	Path   string // of this page, to come back to
	Tab    string
	Who    *personView
	People []personView
	Repo   *repoView
}

type personView struct {
	Login    string
	Name     string // as shown: without the "[bot]" that a badge stands for
	URL      string
	Initials string
	Colour   string
	Bot      bool
	Current  bool // this is who the visitor plays
}

type repoView struct {
	Owner, Name, Full               string
	Description, Fork               string
	Private, Archived               bool
	OpenIssues, OpenPulls, Releases int
	updated                         time.Time
}

type labelView struct {
	Name, Description, Colour string
	Chosen                    bool
}

// timeView is a moment: for machines, for the pointer, and for the reader.
type timeView struct{ Stamp, Exact, Words string }

type pagerView struct{ Previous, Next string }

type stateView struct{ Word, Class, Icon string }

// whoCookie remembers who the visitor plays.
const whoCookie = "sandbox_who"

// maxPeople bounds the menu of who one can be.
const maxPeople = 40

// frame begins a page. tab is the repository's tab that it belongs to.
func (v *visit) frame(title, tab string) frame {
	f := frame{Title: title + " · Sandbox GitHub", Path: "/", Tab: tab}
	if v.Method == http.MethodGet {
		f.Path = v.URL.RequestURI()
	}
	if v.who != nil {
		who := viewPerson(v.who)
		f.Who = &who
	}
	for _, a := range v.s.people(kindUser) {
		person := viewPerson(a)
		person.Current = a == v.who
		if f.People = append(f.People, person); len(f.People) == maxPeople {
			break
		}
	}
	if v.repo != nil {
		repo := v.viewRepo(v.repo)
		f.Repo = &repo
		f.Title = title + " · " + repo.Full
	}
	return f
}

// people are the accounts of one kind, the oldest first.
func (s *Server) people(kind string) []*account {
	var found []*account
	for _, a := range s.accounts {
		if a.kind == kind {
			found = append(found, a)
		}
	}
	slices.SortFunc(found, func(a, b *account) int { return cmp.Compare(a.id, b.id) })
	return found
}

func viewPerson(a *account) personView {
	if a == nil {
		return personView{Login: "ghost", Name: "ghost", URL: "/", Initials: "?", Colour: "#6e7781"}
	}
	p := personView{Login: a.login, Name: strings.TrimSuffix(a.login, "[bot]"), URL: "/" + url.PathEscape(a.login), Bot: a.kind == kindBot}
	p.Initials, p.Colour = initials(a.login), colourOf(a.id)
	if a.app != nil {
		p.URL = "/apps/" + url.PathEscape(a.app.slug)
	}
	return p
}

// initials are the first letters of a login's words, two at most.
func initials(login string) string {
	var out []rune
	for word := range strings.FieldsFuncSeq(strings.TrimSuffix(login, "[bot]"), func(r rune) bool { return r == '-' || r == '_' || r == ' ' }) {
		first, _ := utf8.DecodeRuneInString(word)
		if out = append(out, first); len(out) == 2 {
			break
		}
	}
	return strings.ToUpper(string(out))
}

// colourOf gives each account a colour that white text is legible on. The
// golden angle keeps accounts that were made one after the other apart.
func colourOf(id int64) string {
	return fmt.Sprintf("hsl(%d, 45%%, 40%%)", (id*137)%360)
}

func (v *visit) viewRepo(r *repository) repoView {
	view := repoView{Owner: r.owner.login, Name: r.name, Full: r.fullName(), Description: r.description,
		Private: r.private, Archived: r.archived, updated: r.updated}
	if r.parent != nil && v.s.canSee(v.actor(), r.parent) {
		view.Fork = r.parent.fullName()
	}
	for _, i := range r.issues {
		switch {
		case i == nil || i.closed:
		case i.pull != nil:
			view.OpenPulls++
		default:
			view.OpenIssues++
		}
	}
	for _, one := range r.releases {
		if !one.draft {
			view.Releases++
		}
	}
	return view
}

func viewLabels(labels []*label) []labelView {
	views := make([]labelView, 0, len(labels))
	for _, l := range labels {
		views = append(views, labelView{Name: l.name, Description: l.description, Colour: safeColour(l.color)})
	}
	return views
}

func safeColour(colour string) string {
	if !goodColor.MatchString(colour) {
		return "#6e7781"
	}
	return "#" + colour
}

// ago shows a moment as seen from the sandbox's clock.
func (v *visit) ago(t time.Time) timeView {
	if t.IsZero() {
		return timeView{Words: "never"}
	}
	return timeView{Stamp: t.UTC().Format(time.RFC3339), Exact: t.UTC().Format("2 Jan 2006, 15:04:05 UTC"), Words: agoWords(v.s.now().Sub(t), t)}
}

func agoWords(since time.Duration, t time.Time) string {
	count := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit + " ago"
		}
		return fmt.Sprintf("%d %ss ago", n, unit)
	}
	switch {
	case since < 10*time.Second:
		return "now"
	case since < time.Minute:
		return count(int(since.Seconds()), "second")
	case since < time.Hour:
		return count(int(since.Minutes()), "minute")
	case since < 24*time.Hour:
		return count(int(since.Hours()), "hour")
	case since < 30*24*time.Hour:
		return count(int(since.Hours()/24), "day")
	}
	return "on " + t.UTC().Format("Jan 2, 2006")
}

func viewSize(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%d Bytes", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KB", float64(bytes)/(1<<10))
	case bytes < 1<<30:
		return fmt.Sprintf("%.1f MB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.2f GB", float64(bytes)/(1<<30))
}

// markdown renders a text that belongs to the visit's repository.
func (v *visit) markdown(source string) template.HTML {
	place := markdownPlace{isUser: v.isUser}
	if v.repo != nil {
		place.repo = v.repo.fullName()
	}
	return renderMarkdown(source, place)
}

func (v *visit) isUser(login string) bool {
	a := v.s.account(login)
	return a != nil && a.kind != kindBot
}

// pageOfList cuts the part of a list that ?page= asks for, and makes the links
// to its neighbours.
func pageOfList[T any](v *visit, items []T, size int) ([]T, pagerView) {
	number := max(1, atoiOr(v.URL.Query().Get("page"), 1))
	from := min((number-1)*size, len(items))
	to := min(from+size, len(items))
	var pager pagerView
	link := func(n int) string {
		query := v.URL.Query()
		query.Set("page", fmt.Sprint(n))
		return "?" + query.Encode()
	}
	if number > 1 {
		pager.Previous = link(number - 1)
	}
	if to < len(items) {
		pager.Next = link(number + 1)
	}
	return items[from:to], pager
}
