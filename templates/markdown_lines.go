package templates

import "strings"

// line is one line of a body. Line ends may be LF, CRLF or CR, also mixed.
type line struct {
	text       string // without its line end
	start, end int    // offsets in the body; end is behind the line end
	fenced     bool   // inside a fenced code block, its fences included
}

func splitLines(body string) []line {
	lines := make([]line, 0, strings.Count(body, "\n")+1)
	for start := 0; start < len(body); {
		stop := len(body)
		if i := strings.IndexAny(body[start:], "\r\n"); i >= 0 {
			stop = start + i
		}
		end := stop
		if end < len(body) && body[end] == '\r' {
			end++
		}
		if end < len(body) && body[end] == '\n' {
			end++
		}
		lines = append(lines, line{text: body[start:stop], start: start, end: end})
		start = end
	}
	markFences(lines)
	return lines
}

// markFences finds the fenced code blocks. GitHub lets a fence that nothing
// closes run to the end of the text; here it is text, since it must not hide
// the answers that follow it.
func markFences(lines []line) {
	closable := longestClosers(lines)
	var open fence
	for i := range lines {
		f := fenceOf(lines[i].text)
		switch {
		case open.length > 0:
			lines[i].fenced = true
			if f.closes(open) {
				open = fence{}
			}
		case f.length > 0 && closable[i][f.kind()] >= f.length:
			lines[i].fenced, open = true, f
		}
	}
}

// longestClosers tells for each line the longest fence of either kind that
// could close a block below it. It keeps markFences linear.
func longestClosers(lines []line) [][2]int {
	longest := make([][2]int, len(lines))
	var below [2]int
	for i := len(lines) - 1; i >= 0; i-- {
		longest[i] = below
		if f := fenceOf(lines[i].text); f.length > 0 && !f.info {
			below[f.kind()] = max(below[f.kind()], f.length)
		}
	}
	return longest
}

// fence is the marker of a fenced code block; length 0 is none.
type fence struct {
	char   byte
	length int
	info   bool // words follow it, so it can open a block but not close one
}

func (f fence) kind() int {
	if f.char == '~' {
		return 1
	}
	return 0
}

func (f fence) closes(open fence) bool {
	return f.char == open.char && f.length >= open.length && !f.info
}

func fenceOf(text string) fence {
	text, ok := outdent(text)
	if !ok || text == "" || text[0] != '`' && text[0] != '~' {
		return fence{}
	}
	rest := strings.TrimLeft(text, text[:1])
	f := fence{char: text[0], length: len(text) - len(rest), info: strings.TrimSpace(rest) != ""}
	if f.length < 3 || f.char == '`' && strings.Contains(rest, "`") {
		return fence{}
	}
	return f
}

// outdent removes the up to three spaces that a block may be indented by; four
// make it code.
func outdent(text string) (string, bool) {
	out := strings.TrimLeft(text, " ")
	return out, len(text)-len(out) <= 3 && !strings.HasPrefix(out, "\t")
}

// hideComments removes the HTML comments that stand outside of code: what a
// reader of the page doesn't see is no answer, and no marker of ours counts in
// a stranger's text. A comment that nothing closes stays.
func hideComments(body string) string {
	const open, shut = "<!--", "-->"
	if !strings.Contains(body, open) {
		return body
	}
	lines, at := splitLines(body), 0
	last := strings.LastIndex(body, shut)
	var out strings.Builder
	kept := 0
	for from := 0; ; {
		i := strings.Index(body[from:], open)
		if i < 0 || from+i+len(open) > last {
			break
		}
		start := from + i
		for lines[at].end <= start {
			at++
		}
		if from = start + len(open); lines[at].fenced {
			continue
		}
		end := from + strings.Index(body[from:], shut) + len(shut)
		out.WriteString(body[kept:start])
		from, kept = end, end
	}
	out.WriteString(body[kept:])
	return out.String()
}

// unwrap removes what a form can be wrapped in as a whole: code fences, the
// indentation of a code block, the marks of a quotation.
func unwrap(body string) string {
	var out strings.Builder
	for _, l := range splitLines(body) {
		if l.fenced && fenceOf(l.text).length > 0 {
			continue
		}
		out.WriteString(strings.TrimLeft(l.text, "> \t"))
		out.WriteString(body[l.start+len(l.text) : l.end])
	}
	return out.String()
}
