package templates

import (
	"embed"
	"strings"
	"text/template"
	"unicode"
	"unicode/utf8"
)

//go:embed *.md
var files embed.FS

var pages = template.Must(template.New("").Funcs(template.FuncMap{
	"add":   func(a, b int) int { return a + b },
	"title": capital,
	"count": count,
}).ParseFS(files, "*.md"))

// render fills a template. A fault in it can only be ours, and the tests fill
// every template; should one slip through, its place is marked in the text
// rather than the submission lost.
func render(name string, page any) string {
	var out strings.Builder
	if err := pages.ExecuteTemplate(&out, name, page); err != nil {
		out.WriteString("\n\n*(A part of this text could not be written: " + Quote(err.Error(), Inline, 300) + ")*\n")
	}
	return tidy(out.String())
}

// body is a whole text under its marker, within what GitHub takes.
func body(marker, name string, page any) string {
	return fit(marker+"\n"+render(name, page), maxText)
}

// tidy leaves one empty line where the template left several, and no space at
// the ends of lines. Code blocks stay as they are.
func tidy(text string) string {
	var out strings.Builder
	empty := true // before the first line
	for _, l := range splitLines(text) {
		line := l.text
		if !l.fenced {
			line = strings.TrimRight(line, " ")
		}
		if line == "" && empty && !l.fenced {
			continue
		}
		empty = line == "" && !l.fenced
		out.WriteString(line)
		out.WriteByte('\n')
	}
	return strings.TrimRight(out.String(), "\n") + "\n"
}

// capital makes the first letter of a sentence large.
func capital(text string) string {
	r, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + text[size:]
}
