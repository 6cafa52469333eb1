package templates

import (
	"strings"
	"unicode/utf8"
)

// The longest texts that GitHub takes, less some room: an issue's, comment's or
// pull request's body has 65,536 characters, a check run's summary and text
// 65,535 bytes (docs.github.com/rest/checks/runs). Counted in bytes, a text is
// within both.
const (
	maxText  = 65000
	maxTitle = 256 // characters of an issue's or pull request's title
)

// cutSentence ends a text that was cut.
const cutSentence = "*There was more to say than GitHub lets one text hold; the rest was left out here.*"

// firstRunes is the text's first limit characters, and whether there were more.
func firstRunes(text string, limit int) (string, bool) {
	if len(text) <= limit {
		return text, false
	}
	n := 0
	for i := range text {
		if n == limit {
			return text[:i], true
		}
		n++
	}
	return text, false
}

// fit cuts a text to at most limit bytes, at the end of a line, closes what is
// open there and says so. Its first line, the marker, is always kept.
func fit(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	room := max(0, limit-len(cutSentence)-100)
	for room > 0 && !utf8.RuneStart(text[room]) {
		room--
	}
	kept := text[:room]
	if i := strings.LastIndexByte(kept, '\n'); i > 0 {
		kept = kept[:i]
	}
	return kept + closing(kept) + "\n\n" + cutSentence + "\n"
}

// closing closes the code block and the details that a text leaves open.
func closing(text string) string {
	var open fence
	details := 0
	for l := range strings.Lines(text) {
		l = strings.TrimRight(l, "\r\n")
		f := fenceOf(l)
		switch {
		case open.length > 0:
			if f.closes(open) {
				open = fence{}
			}
		case f.length > 0:
			open = f
		case strings.HasPrefix(l, "<details>"):
			details++
		case strings.HasPrefix(l, "</details>"):
			details--
		}
	}
	end := ""
	if open.length > 0 {
		end = "\n" + strings.Repeat(string(open.char), open.length)
	}
	return end + strings.Repeat("\n\n</details>", max(0, details))
}

// plainTitle is a title of at most maxTitle characters: Quote counts those of the
// text, and what keeps it from reaching out comes on top.
func plainTitle(text string) string {
	title := []rune(Quote(text, Plain, maxTitle-1))
	if len(title) > maxTitle {
		title = append(title[:maxTitle-1], '…')
	}
	return string(title)
}
