package sandbox

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
)

// serveAvatar draws the picture that an account's avatar_url names: its
// initials on its colour.
func (s *Server) serveAvatar(w http.ResponseWriter, r *http.Request) {
	var person personView
	found := false
	s.view(func() {
		id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
		if a := s.accountsByID[id]; err == nil && a != nil {
			person, found = viewPerson(a), true
		}
	})
	if !found {
		s.noPage(w, r)
		return
	}
	round := 16
	if person.Bot {
		round = 7
	}
	h := w.Header()
	h.Set("Content-Type", "image/svg+xml")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="%d" fill="%s"/>`+
		`<text x="16" y="21" text-anchor="middle" font-family="sans-serif" font-weight="600" font-size="14" fill="#fff">%s</text></svg>`,
		round, person.Colour, html.EscapeString(person.Initials)) // the client is gone when this fails
}
