package sandbox

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxListed bounds the repositories of one page.
const maxListed = 100

type homePage struct {
	frame
	Repositories  []repoView
	More          int
	Organizations []personView
	Apps          []appView
}

type appView struct{ Name, Slug string }

type accountPage struct {
	frame
	Account       personView
	Kind          string
	Since         timeView
	Repositories  []repoView
	Members       []memberView
	OwnMembership *memberView
	Organizations []personView
}

type memberView struct {
	Person personView
	Public bool
}

func (s *Server) registerHomePages(own, repos *http.ServeMux) {
	s.show(repos, "/{$}", "home", homePageOf)
	s.show(repos, "/{owner}", "account", accountPageOf)
	s.act(own, "/orgs/{org}/people/visibility", setVisibility)
}

// become sets who the visitor plays, and goes back to where they were.
func (s *Server) become(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPost)
	cookie := &http.Cookie{Name: whoCookie, Value: r.PostFormValue("login"), Path: "/", HttpOnly: true,
		SameSite: http.SameSiteLaxMode, MaxAge: 30 * 24 * 3600}
	var known bool
	s.view(func() {
		a := s.account(cookie.Value)
		known = a != nil && a.kind == kindUser
	})
	if !known { // nobody, or somebody who isn't there
		cookie.Value, cookie.MaxAge = "", -1
	}
	http.SetCookie(w, cookie)
	http.Redirect(w, r, localPath(r.PostFormValue("back")), http.StatusSeeOther)
}

// localPath lets a form name a path of this site to go on with, and nothing
// else ("//evil.example", "/\evil.example" and "https:…" lead elsewhere).
func localPath(path string) string {
	at, err := url.Parse(path)
	if err != nil || at.IsAbs() || at.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.Contains(path, `\`) {
		return "/"
	}
	return at.RequestURI()
}

func homePageOf(v *visit) (any, error) {
	page := homePage{frame: v.frame("Overview", "")}
	page.Repositories = v.visible(func(*repository) bool { return true })
	if n := len(page.Repositories); n > maxListed {
		page.Repositories, page.More = page.Repositories[:maxListed], n-maxListed
	}
	for _, org := range v.s.people(kindOrg) {
		page.Organizations = append(page.Organizations, viewPerson(org))
		if len(page.Organizations) == maxPeople {
			break
		}
	}
	for _, a := range v.s.apps {
		page.Apps = append(page.Apps, appView{Name: a.name, Slug: a.slug})
	}
	slices.SortFunc(page.Apps, func(a, b appView) int { return cmp.Compare(a.Slug, b.Slug) })
	return page, nil
}

// visible lists the repositories that the visitor may see and that want wants,
// the last changed first.
func (v *visit) visible(want func(*repository) bool) []repoView {
	var views []repoView
	for _, r := range v.s.repos {
		if !r.deleted && want(r) && v.s.canSee(v.actor(), r) {
			views = append(views, v.viewRepo(r))
		}
	}
	slices.SortFunc(views, func(a, b repoView) int {
		if c := b.updated.Compare(a.updated); c != 0 {
			return c
		}
		return strings.Compare(a.Full, b.Full)
	})
	return views
}

func accountPageOf(v *visit) (any, error) {
	a := v.s.account(v.PathValue("owner"))
	if a == nil || a.kind == kindBot {
		return nil, notFound()
	}
	page := accountPage{frame: v.frame(a.login, ""), Account: viewPerson(a), Kind: a.kind, Since: v.ago(a.created)}
	page.Crumb = a.login
	page.Repositories = v.visible(func(r *repository) bool { return r.owner == a })
	if len(page.Repositories) > maxListed {
		page.Repositories = page.Repositories[:maxListed]
	}
	insider := v.s.insider(v.actor(), a)
	for _, m := range a.members {
		if m.public || insider {
			page.Members = append(page.Members, memberView{Person: viewPerson(m.user), Public: m.public})
		}
	}
	slices.SortFunc(page.Members, func(a, b memberView) int { return strings.Compare(a.Person.Login, b.Person.Login) })
	if v.who != nil && a.members[v.who.id] != nil {
		page.OwnMembership = &memberView{Public: a.members[v.who.id].public}
	}
	for _, org := range v.s.people(kindOrg) {
		if m := org.members[a.id]; m != nil && (m.public || v.s.insider(v.actor(), org)) {
			page.Organizations = append(page.Organizations, viewPerson(org))
		}
	}
	return page, nil
}

// setVisibility makes the visitor's membership public or private.
func setVisibility(v *visit) (string, error) {
	method := http.MethodDelete
	if v.PostFormValue("public") == "yes" {
		method = http.MethodPut
	}
	org := v.PathValue("org")
	_, err := v.rest(method, "/orgs/"+url.PathEscape(org)+"/public_members/"+url.PathEscape(v.who.login), nil)
	return "/" + url.PathEscape(org), err
}
