package sandbox

import (
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
	"time"
)

// feedLength is how many entries GitHub's feeds have.
const feedLength = 10

type atomFeed struct {
	XMLName xml.Name    `xml:"feed"`
	XMLNS   string      `xml:"xmlns,attr"`
	Media   string      `xml:"xmlns:media,attr"`
	Lang    string      `xml:"xml:lang,attr"`
	ID      string      `xml:"id"`
	Links   []atomLink  `xml:"link"`
	Title   string      `xml:"title"`
	Updated string      `xml:"updated"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Type string `xml:"type,attr"`
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	ID      string      `xml:"id"`
	Updated string      `xml:"updated"`
	Link    atomLink    `xml:"link"`
	Title   string      `xml:"title"`
	Content atomContent `xml:"content"`
	Author  *atomAuthor `xml:"author,omitempty"`
}

type atomContent struct {
	Type string `xml:"type,attr,omitempty"`
	Text string `xml:",chardata"`
}

type atomAuthor struct {
	Name string `xml:"name"`
}

// registerWeb adds the addresses of the web root that programs read.
func (s *Server) registerWeb() {
	s.web.HandleFunc("GET /{owner}/{repo}/releases.atom", s.feed("releases", s.releaseEntries))
	s.web.HandleFunc("GET /{owner}/{repo}/tags.atom", s.feed("tags", s.tagEntries))
	s.web.HandleFunc("GET /{owner}/{repo}/releases/download/{rest...}", s.serveDownload)
	s.web.HandleFunc("GET /{owner}/{repo}/releases/latest/download/{name}", s.serveLatest)
	s.registerGit()
}

// feed serves one of a repository's feeds: no quota, an ETag, and only what is
// public.
func (s *Server) feed(kind string, entries func(*repository) []atomEntry) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		at := s.now()
		defer func() {
			s.observation.add(Call{Kind: "feed", Method: r.Method, Path: r.URL.RequestURI(), Status: rec.status, At: at})
		}()
		s.delay(r.Context())
		s.mu.RLock()
		repo := s.findRepo(r.PathValue("owner"), r.PathValue("repo"))
		if repo == nil || repo.private {
			s.redirectFormer(rec, r, &actorAnonymous)
			s.mu.RUnlock()
			return
		}
		doc := s.renderFeed(repo, kind, entries(repo))
		s.mu.RUnlock()
		writeFeed(rec, r, doc)
	}
}

func writeFeed(w http.ResponseWriter, r *http.Request, doc atomFeed) {
	data, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		http.Error(w, "feed could not be written", http.StatusInternalServerError)
		return
	}
	data = append([]byte(xml.Header), append(data, '\n')...)
	w.Header().Set("ETag", etag(data))
	w.Header().Set("Cache-Control", "max-age=0, private, must-revalidate")
	if sameETag(r.Header.Get("If-None-Match"), etag(data)) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/atom+xml; charset=utf-8")
	_, _ = w.Write(data) // the client is gone when this fails
}

func (s *Server) renderFeed(r *repository, kind string, entries []atomEntry) atomFeed {
	self := s.repoWeb(r)
	title := map[string]string{"releases": "Release notes from ", "tags": "Tags from "}[kind] + r.name
	updated := r.created.UTC().Format(time.RFC3339)
	if len(entries) > 0 {
		updated = entries[0].Updated
	}
	return atomFeed{XMLNS: "http://www.w3.org/2005/Atom", Media: "http://search.yahoo.com/mrss/", Lang: "en-US",
		ID: "tag:github.com,2008:" + self + "/" + kind, Title: title, Updated: updated, Entries: entries,
		Links: []atomLink{{Type: "text/html", Rel: "alternate", Href: self + "/" + kind},
			{Type: "application/atom+xml", Rel: "self", Href: self + "/" + kind + ".atom"}}}
}

// releaseEntries are the youngest published releases.
func (s *Server) releaseEntries(r *repository) []atomEntry {
	var out []atomEntry
	for _, rel := range slices.Backward(r.releases) {
		if rel.draft {
			continue
		}
		title := rel.name
		if title == "" {
			title = rel.tag
		}
		e := s.atomEntry(r, rel.tag, title, rel.published)
		e.Content = atomContent{Type: "html", Text: rel.body}
		e.Author = &atomAuthor{Name: rel.author.login}
		if out = append(out, e); len(out) == feedLength {
			break
		}
	}
	return out
}

// tagEntries are the tags whose commits are the youngest.
func (s *Server) tagEntries(r *repository) []atomEntry {
	type dated struct {
		name   string
		when   time.Time
		title  string
		author string
	}
	var tags []dated
	for _, ref := range r.git.refsUnder("refs/tags/") {
		if c, found := r.git.peeledCommit(ref.hash); found {
			title, _, _ := strings.Cut(c.Message, "\n")
			tags = append(tags, dated{ref.name[len("refs/tags/"):], c.Committer.When, title, c.Author.Name})
		}
	}
	slices.SortStableFunc(tags, func(a, b dated) int {
		if c := b.when.Compare(a.when); c != 0 {
			return c
		}
		return strings.Compare(b.name, a.name)
	})
	var out []atomEntry
	for _, t := range tags[:min(len(tags), feedLength)] {
		e := s.atomEntry(r, t.name, t.name, t.when)
		e.Content, e.Author = atomContent{Type: "html", Text: t.title}, &atomAuthor{Name: t.author}
		out = append(out, e)
	}
	return out
}

func (s *Server) atomEntry(r *repository, tag, title string, when time.Time) atomEntry {
	return atomEntry{ID: "tag:github.com,2008:Repository/" + decimal(r.id) + "/" + tag, Title: title,
		Updated: when.UTC().Format(time.RFC3339),
		Link:    atomLink{Rel: "alternate", Type: "text/html", Href: s.repoWeb(r) + "/releases/tag/" + escapeTag(tag)}}
}
