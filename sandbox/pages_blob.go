package sandbox

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// maxShown is the largest file that is shown line by line, in bytes.
const maxShown = 512 << 10

type blobPage struct {
	frame
	Ref       string
	Crumbs    []crumbView
	Summary   string
	RawURL    string
	CanRender bool
	Rendered  bool
	HTML      template.HTML
	Note      string
	Lines     []numberedLine
}

type numberedLine struct {
	Number int
	Text   string
}

func blobPageOf(v *visit) (any, error) {
	at, err := v.findPlace(v.PathValue("rest"))
	if err != nil {
		return nil, err
	}
	if at.entry.Mode == filemode.Dir {
		return nil, &movedPage{to: v.url("tree", at.ref, at.path)}
	}
	data, err := v.repo.git.blob(at.entry.Hash)
	if err != nil {
		return nil, err
	}
	page := blobPage{frame: v.frame(at.path, "code"), Ref: at.ref, Crumbs: crumbs(at.path), RawURL: v.url("raw", at.ref, at.path)}
	page.Summary = viewSize(int64(len(data)))
	page.CanRender = strings.EqualFold(path.Ext(at.path), ".md")
	switch {
	case len(data) > maxShown:
		page.Note = "This file is too large to be shown."
	case isBinary(data):
		page.Note = "This is a binary file."
	case page.CanRender && v.URL.Query().Get("plain") == "":
		folder := path.Dir(at.path)
		page.Rendered, page.HTML = true, v.document(string(data), at.ref, strings.TrimPrefix(folder, "."))
	default:
		page.Lines = numbered(string(data))
		page.Summary = fmt.Sprintf("%d lines · %s", len(page.Lines), page.Summary)
	}
	return page, nil
}

// isBinary judges as git does: by a NUL among the first 8,000 bytes. Text that
// is not UTF-8 can't be shown either.
func isBinary(data []byte) bool {
	return bytes.IndexByte(data[:min(len(data), 8000)], 0) >= 0 || !utf8.Valid(data)
}

func numbered(text string) []numberedLine {
	if text == "" {
		return nil
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	out := make([]numberedLine, len(lines))
	for i, line := range lines {
		out[i] = numberedLine{Number: i + 1, Text: strings.TrimSuffix(line, "\r")}
	}
	return out
}

// serveRaw answers a file's bytes. They are a stranger's, so the browser is
// told to take them for plain text and run nothing.
func (s *Server) serveRaw(w http.ResponseWriter, r *http.Request) {
	var v *visit
	var data []byte
	var err error
	s.view(func() {
		v = s.newVisit(r)
		var at place
		if err = v.findRepository(); err != nil {
			return
		}
		if at, err = v.findPlace(r.PathValue("rest")); err != nil {
			return
		}
		if at.entry.Mode == filemode.Dir {
			err = notFound()
			return
		}
		data, err = v.repo.git.blob(at.entry.Hash)
	})
	if err != nil {
		s.showError(w, v, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	if isBinary(data) {
		h.Set("Content-Type", "application/octet-stream")
	}
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(data) // the client is gone when this fails
}
