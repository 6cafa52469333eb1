package sandbox

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// WebFault makes matching requests to the web root go wrong: feeds, git and
// downloads.
type WebFault struct {
	// Path is a regular expression over any part of the path
	// ("/acme/demo/releases.atom"); empty matches all.
	Path string `json:"path,omitempty"`
	// Serve is what comes instead: "html", a page; "malformed", a feed that is cut
	// off; "deep", a feed nested a hundred thousand levels; "huge", a feed of Bytes;
	// "hang", nothing until the client gives up; "redirect", to Location. Empty is
	// the Status alone.
	Serve string `json:"serve,omitempty"`
	// Bytes is the size of "huge", 50 MB if 0.
	Bytes int64 `json:"bytes,omitempty"`
	// Location is where "redirect" leads.
	Location string `json:"location,omitempty"`
	// Status is the answer, 502 if 0 and Serve is empty.
	Status int `json:"status,omitempty"`
	// RetryAfter is sent with the Status.
	RetryAfter Duration `json:"retry_after,omitempty"`
	// Times is how often; 0 means always.
	Times int `json:"times,omitempty"`
	// Probability is the chance of each; 0 means 1.
	Probability float64 `json:"probability,omitempty"`
}

type webFaultState struct {
	WebFault
	path *regexp.Regexp
	done int
}

func compileWebFaults(faults []WebFault) ([]*webFaultState, error) {
	var out []*webFaultState
	for _, f := range faults {
		path, err := regexp.Compile(f.Path)
		if err != nil {
			return nil, fmt.Errorf("web fault's path: %w", err)
		}
		switch f.Serve {
		case "", "html", "malformed", "deep", "huge", "hang", "redirect":
		default:
			return nil, fmt.Errorf("web fault: %q cannot be served", f.Serve)
		}
		out = append(out, &webFaultState{WebFault: f, path: path})
	}
	return out, nil
}

// webFault finds the fault to play for a request.
func (k *Knobs) webFault(r *http.Request) *WebFault {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range k.webFaults {
		if (f.Times > 0 && f.done >= f.Times) || !f.path.MatchString(r.URL.Path) {
			continue
		}
		if none := 0; f.Probability > 0 && !k.chance(&none, f.Probability) {
			continue
		}
		f.done++
		return &f.WebFault
	}
	return nil
}

// playWebFault answers a request wrongly; false if it is to be answered well.
func (s *Server) playWebFault(w http.ResponseWriter, r *http.Request) bool {
	f := s.knobs.webFault(r)
	if f == nil {
		return false
	}
	rec := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	at := s.now()
	defer func() {
		s.observation.add(Call{Kind: webKind(r.URL.Path), Method: r.Method, Path: r.URL.RequestURI(), Status: rec.status, At: at})
	}()
	s.delay(r.Context())
	f.play(rec, r)
	return true
}

func webKind(path string) string {
	switch {
	case strings.HasSuffix(path, ".atom"):
		return "feed"
	case strings.Contains(path, "/releases/"):
		return "download"
	}
	return "git"
}

func (f *WebFault) play(w http.ResponseWriter, r *http.Request) {
	const atom = "application/atom+xml; charset=utf-8"
	switch f.Serve {
	case "html":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html><html><title>Whoa there!</title></html>") // the client is gone when this fails
	case "malformed":
		w.Header().Set("Content-Type", atom)
		_, _ = io.WriteString(w, `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><entry><id>x`)
	case "deep":
		w.Header().Set("Content-Type", atom)
		_, _ = io.WriteString(w, `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">`+strings.Repeat("<a>", 100_000))
	case "huge":
		f.playHuge(w, atom)
	case "hang":
		<-r.Context().Done()
	case "redirect":
		http.Redirect(w, r, f.Location, http.StatusFound)
	default:
		f.playStatus(w)
	}
}

// playHuge sends without saying how much will come.
func (f *WebFault) playHuge(w http.ResponseWriter, media string) {
	w.Header().Set("Content-Type", media)
	_, _ = io.WriteString(w, `<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>`)
	left := f.Bytes
	if left == 0 {
		left = 50 << 20
	}
	for piece := strings.Repeat("x", 64<<10); left > 0; left -= int64(len(piece)) {
		if _, err := io.WriteString(w, piece); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, "</title></feed>")
}

func (f *WebFault) playStatus(w http.ResponseWriter) {
	if f.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(max(int(time.Duration(f.RetryAfter).Seconds()), 1)))
	}
	status := f.Status
	if status == 0 {
		status = http.StatusBadGateway
	}
	http.Error(w, http.StatusText(status), status)
}
