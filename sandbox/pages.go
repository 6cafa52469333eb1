package sandbox

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// The browser pages: plain HTML made on the server, at GitHub's own paths, no
// script. Reading pages look at the state under its lock. Whatever a form asks
// for goes through the same table of REST routes that clients use (visit.rest),
// so that permissions, validation and webhooks are the same.

//go:embed pages/*.html pages/style.css
var pageFiles embed.FS

// maxPost bounds a submitted form; a body of 65,536 characters fits, encoded.
const maxPost = 1 << 20

// pagePolicy forbids scripts, foreign content and framing outright, so that a
// fault in the sanitising of somebody's Markdown stays without effect.
const pagePolicy = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// registerPages adds the browser pages to the web root.
func (s *Server) registerPages(mux *http.ServeMux) {
	// Two tables, because "/settings/…" and "/{owner}/…" overlap without
	// either being more specific.
	own, repos := http.NewServeMux(), http.NewServeMux()
	own.HandleFunc("GET /_pages/style.css", serveStyle)
	own.HandleFunc("POST /_pages/who", s.become)
	own.HandleFunc("GET /avatars/u/{id}", s.serveAvatar)
	s.registerAppPages(own)
	s.registerHomePages(own, repos)
	s.registerTreePages(repos)
	s.registerHistoryPages(repos)
	s.registerComparePages(repos)
	s.registerIssuePages(repos)
	s.registerPullPages(repos)
	s.registerReleasePages(repos)
	own.HandleFunc("/", s.noPage)
	repos.HandleFunc("/", s.noPage)
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		switch first {
		case "_pages", "settings", "orgs", "apps", "avatars":
			own.ServeHTTP(w, r)
		default:
			repos.ServeHTTP(w, r)
		}
	})
	// A form of another site must not act as the person this browser plays.
	mux.Handle("/", http.NewCrossOriginProtection().Handler(pages))
}

func serveStyle(w http.ResponseWriter, _ *http.Request) {
	style, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(style) // the client is gone when this fails
}

// show serves a page: data runs with the state locked for reading and returns
// what the template of that name shows.
func (s *Server) show(mux *http.ServeMux, pattern, name string, data func(*visit) (any, error)) {
	mux.HandleFunc("GET "+pattern, func(w http.ResponseWriter, r *http.Request) {
		var v *visit
		var shown any
		var err error
		s.view(func() {
			v = s.newVisit(r)
			if err = v.findRepository(); err == nil {
				shown, err = data(v)
			}
		})
		if err != nil {
			s.showError(w, v, err)
			return
		}
		s.render(w, http.StatusOK, name, shown)
	})
}

// act serves a form: do carries out what it asks, without the lock held, and
// returns the path to go on with.
func (s *Server) act(mux *http.ServeMux, pattern string, do func(*visit) (string, error)) {
	mux.HandleFunc("POST "+pattern, func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxPost)
		var v *visit
		var to string
		var err error
		s.view(func() {
			v = s.newVisit(r)
			err = v.findRepository()
		})
		if err == nil {
			err = v.mayPost()
		}
		if err == nil {
			to, err = do(v)
		}
		var again *formAgain
		switch {
		case errors.As(err, &again):
			s.render(w, http.StatusUnprocessableEntity, again.page, again.data)
		case err != nil:
			s.showError(w, v, err)
		default:
			http.Redirect(w, r, to, http.StatusSeeOther)
		}
	})
}

// formAgain shows a form once more, with what is wrong in it.
type formAgain struct {
	page string
	data any
}

func (*formAgain) Error() string { return "the form has faults" }

func (v *visit) mayPost() error {
	if v.who == nil {
		return fail(http.StatusForbidden, "You are not signed in. Choose who you are first (top right).")
	}
	if err := v.ParseForm(); err != nil {
		return fail(http.StatusBadRequest, "The form could not be read.")
	}
	return nil
}

// render writes one page. It is made whole first, so that a fault in a
// template shows as an error and not as half a page.
func (s *Server) render(w http.ResponseWriter, status int, name string, data any) {
	var out bytes.Buffer
	templates, err := pageTemplates()
	if err == nil {
		err = templates[name].ExecuteTemplate(&out, "layout", data)
	}
	if err != nil {
		s.log.Error("sandbox: render page", "page", name, "err", err)
		http.Error(w, "The page could not be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = out.WriteTo(w) // the client is gone when this fails
}

type errorPage struct {
	frame
	Status  string
	Message string
	Details []string
	Back    string
}

func (s *Server) noPage(w http.ResponseWriter, r *http.Request) {
	if trimmed := strings.TrimRight(r.URL.Path, "/"); trimmed != r.URL.Path && trimmed != "" && r.Method == http.MethodGet {
		http.Redirect(w, r, (&url.URL{Path: trimmed, RawQuery: r.URL.RawQuery}).RequestURI(), http.StatusMovedPermanently)
		return
	}
	var v *visit
	s.view(func() { v = s.newVisit(r) })
	s.showError(w, v, notFound())
}

func (s *Server) showError(w http.ResponseWriter, v *visit, err error) {
	var moved *movedPage
	if errors.As(err, &moved) {
		http.Redirect(w, v.Request, moved.to, http.StatusFound)
		return
	}
	var refused *apiError
	if !errors.As(err, &refused) {
		s.log.Error("sandbox: page failed", "method", v.Method, "path", v.URL.Path, "err", err)
		refused = fail(http.StatusInternalServerError, err.Error())
	}
	data := errorPage{Status: fmt.Sprintf("%d %s", refused.status, http.StatusText(refused.status)), Message: refused.message, Back: "/"}
	for _, one := range refused.errors {
		data.Details = append(data.Details, strings.TrimSpace(one.Field+" "+one.Message+" ("+one.Code+")"))
	}
	s.view(func() {
		data.frame = v.frame(data.Status, "")
		if v.repo != nil {
			data.Back = "/" + v.repo.fullName()
		}
	})
	s.render(w, refused.status, "error", data)
}

// pageTemplates parses every page once, each together with the layout and the
// parts that pages share.
var pageTemplates = sync.OnceValues(func() (map[string]*template.Template, error) {
	shared, err := template.New("").Funcs(template.FuncMap{"icon": icon}).ParseFS(pageFiles, "pages/layout.html", "pages/parts.html")
	if err != nil {
		return nil, err
	}
	files, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		return nil, err
	}
	// The conversation of an issue is part of the page of a pull request.
	extra := map[string]string{"pull": "pages/conversation.html", "issue": "pages/conversation.html"}
	pages := map[string]*template.Template{}
	for _, file := range files {
		name := strings.TrimSuffix(strings.TrimPrefix(file, "pages/"), ".html")
		one, err := shared.Clone()
		if err == nil && extra[name] != "" {
			one, err = one.ParseFS(pageFiles, extra[name])
		}
		if err == nil {
			pages[name], err = one.ParseFS(pageFiles, file)
		}
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
	}
	return pages, nil
})
