package validation

import (
	"strconv"
	"strings"
	"unicode"
)

const (
	// maxAnswer is how much of an answer to a one-line question is read.
	maxAnswer = 2000
	// maxQuoted is how much of a stranger's text a finding repeats.
	maxQuoted = 80
)

// quote repeats a stranger's text in a finding: in quotation marks, control
// characters escaped, cut after 80 characters.
func quote(s string) string {
	return strconv.Quote(cut(s, maxQuoted))
}

// cut keeps the first n characters, with an ellipsis where there were more.
func cut(s string, n int) string {
	count := 0
	for i := range s {
		if count == n {
			return s[:i] + "…"
		}
		count++
	}
	return s
}

// list joins at most n items with commas and says how many were left out.
func list(items []string, n int) string {
	if len(items) <= n {
		return strings.Join(items, ", ")
	}
	return strings.Join(items[:n], ", ") + " and " + strconv.Itoa(len(items)-n) + " more"
}

// plain prepares a one-line answer for reading: what word processors and chat
// programs put in is taken out (zero-width characters, typographic dashes and
// slashes, no-break spaces), and so is what Markdown hides.
func plain(s string) string {
	s = strings.ToValidUTF8(s, "")
	return strings.TrimSpace(strings.Map(plainRune, withoutComments(cutAnswer(s))))
}

func cutAnswer(s string) string {
	if len(s) > maxAnswer {
		return strings.ToValidUTF8(s[:maxAnswer], "")
	}
	return s
}

func plainRune(r rune) rune {
	switch {
	case r == '\n':
		return r
	case unicode.Is(unicode.Pd, r), r == '\u2212': // dashes; minus sign
		return '-'
	case r == '\u2044', r == '\u2215', r == '\uff0f': // fraction slash and its like
		return '/'
	case unicode.IsSpace(r), unicode.Is(unicode.Zs, r):
		return ' '
	case unicode.Is(unicode.Cf, r), unicode.IsControl(r): // zero width, direction marks
		return -1
	}
	return r
}

// withoutComments drops HTML comments, which a reader of the issue can't see.
func withoutComments(s string) string {
	for {
		before, rest, found := strings.Cut(s, "<!--")
		if !found {
			return s
		}
		_, after, closed := strings.Cut(rest, "-->")
		if !closed {
			return before
		}
		s = before + " " + after
	}
}

// unanswered tells whether an answer says nothing: GitHub's own text for an
// empty field, or what people write in its place.
func unanswered(s string) bool {
	switch strings.ToLower(strings.Trim(s, " \t\n_*`.-")) {
	case "", "no response", "n/a", "na", "none", "nil", "null":
		return true
	}
	return false
}
