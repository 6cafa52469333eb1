package templates

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Context is where in a page untrusted text stands.
type Context int

// The contexts.
const (
	Inline Context = iota // as code in a sentence or a table cell
	Block                 // as a fenced block of its own, at the margin
	Prose                 // as words in a sentence or a table cell
	Plain                 // in a title, a commit message or an annotation
)

// Quote makes text of a stranger safe to stand in a page that GitHub renders:
//
//   - it MUST stay in its place: no Markdown, HTML or table syntax of its own;
//   - it MUST NOT reach out: no mention (@name), no cross-reference (#12), no
//     link, except in Prose to GitHub's own documentation;
//   - it MUST NOT hold "<!--", so that it forges no marker of ours;
//   - it MUST NOT deceive: control characters, invisible ones and those that
//     reorder text become U+FFFD, line ends in a line become spaces;
//   - at most limit runes of it are kept, with an ellipsis where there was more.
//
// Prose is for the messages of findings, which repeat a stranger's text between
// backticks or as a Go string literal: those parts become code.
func Quote(text string, context Context, limit int) string {
	text = legible(text, context == Block, limit)
	switch context {
	case Inline:
		return codeSpan(text)
	case Block:
		return fencedBlock(text)
	case Prose:
		return prose(text)
	}
	return inert(text)
}

// legible leaves what a reader can see: characters in their order, at most
// limit of them, on one line unless lines is set.
func legible(text string, lines bool, limit int) string {
	var out strings.Builder
	n := 0
	for i, r := range text {
		if n == limit {
			out.WriteString("…")
			break
		}
		if r == '\r' && lines && strings.HasPrefix(text[i+1:], "\n") {
			continue
		}
		out.WriteRune(legibleRune(r, lines))
		n++
	}
	if lines {
		return breakComments(out.String())
	}
	return breakComments(strings.Join(strings.Fields(out.String()), " "))
}

func legibleRune(r rune, lines bool) rune {
	switch {
	case r == '\n' || r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u0085':
		if lines {
			return '\n'
		}
		return ' '
	case unicode.IsSpace(r):
		return ' '
	case !unicode.IsGraphic(r), unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) && r != emojiStyle:
		return utf8.RuneError
	}
	return r
}

// emojiStyle is the variation selector that ends many emoji.
const emojiStyle = '\ufe0f'

func breakComments(text string) string { return strings.ReplaceAll(text, "<!--", "<! --") }

// codeSpan is inline code. Backticks and pipes would need other escapes inside
// a table than outside, so text with them goes into an element of HTML, where
// character references stand for all that is not a letter or digit.
func codeSpan(text string) string {
	switch {
	case text == "":
		return "<em>(nothing)</em>"
	case strings.ContainsAny(text, "`|"):
		return "<code>" + references(text) + "</code>"
	}
	return "`" + text + "`"
}

func references(text string) string {
	var out strings.Builder
	for _, r := range text {
		if r < utf8.RuneSelf && r != ' ' && !isWord(r) {
			out.WriteString("&#" + strconv.Itoa(int(r)) + ";")
		} else {
			out.WriteRune(r)
		}
	}
	return out.String()
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// maxFence bounds the fence that a text full of backticks would need.
const maxFence = 40

// fencedBlock is a block of code whose fence is longer than any in the text.
func fencedBlock(text string) string {
	longest, run := 2, 0
	for i := range len(text) {
		if text[i] != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	if longest > maxFence {
		text, longest = strings.ReplaceAll(text, "`", "'"), 2
	}
	fence := strings.Repeat("`", longest+1)
	return fence + "text\n" + strings.Trim(text, "\n") + "\n" + fence
}

// prose is text as words, with the quoted parts of it as code.
func prose(text string) string {
	var out strings.Builder
	from := 0
	word := func(to int) {
		out.WriteString(words(text[from:to], from == 0))
		from = to
	}
	for i := 0; i < len(text); {
		quoted, length := quotedAt(text, i)
		if length == 0 {
			i++
			continue
		}
		word(i)
		out.WriteString(codeSpan(legible(quoted, false, len(quoted))))
		i += length
		from = i
	}
	word(len(text))
	return out.String()
}

// quotedAt is the quotation that begins at the offset: between backticks, or a
// Go string literal (strconv.Quote) that stands like a word. Its length is 0
// where there is none.
func quotedAt(text string, at int) (quoted string, length int) {
	rest := text[at:]
	switch {
	case rest[0] == '`':
		if end := strings.IndexByte(rest[1:], '`'); end > 0 {
			return rest[1 : 1+end], end + 2
		}
	case rest[0] == '"' && (at == 0 || strings.ContainsRune(" (", rune(text[at-1]))):
		if literal, err := strconv.QuotedPrefix(rest); err == nil && len(literal) > 2 {
			if quoted, err = strconv.Unquote(literal); err == nil {
				return quoted, len(literal)
			}
		}
	}
	return "", 0
}

// documentation is the one place that prose may link to.
const documentation = "https://docs.github.com/"

// words escapes text without quotations. Names that are read better as code
// become that.
func words(text string, first bool) string {
	var out strings.Builder
	for i, w := range strings.Split(text, " ") {
		if i > 0 {
			out.WriteByte(' ')
		}
		bare, all := strings.TrimRight(w, ".,;:)"), len(w)
		switch {
		case strings.HasPrefix(bare, documentation) && strings.Trim(bare[len(documentation):], urlLetters) == "":
			out.WriteString("<" + bare + ">")
			w = w[len(bare):]
		case codeWord.MatchString(bare):
			out.WriteString("`" + bare + "`")
			w = w[len(bare):]
		}
		out.WriteString(escaped(inert(w), first && i == 0 && len(w) == all))
	}
	return out.String()
}

// codeWord is a command of ours, a key id or fingerprint, a repository.
var codeWord = regexp.MustCompile(`^(/recheck|[0-9A-F]{16}|[0-9A-F]{40}|[A-Za-z0-9-]+/terraform-[A-Za-z0-9_.-]+)$`)

const urlLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/#"

// escaped puts character references for what could be syntax: everything that
// is no letter, digit or harmless sign; at the beginning of a line, where
// lists and headings begin, those too.
func escaped(text string, atStart bool) string {
	var out strings.Builder
	for _, r := range text {
		if r >= utf8.RuneSelf || isWord(r) || strings.ContainsRune(".,;:?'\"()/-%", r) && !atStart {
			out.WriteRune(r)
		} else {
			out.WriteString("&#" + strconv.Itoa(int(r)) + ";")
		}
		atStart = atStart && unicode.IsDigit(r)
	}
	return out.String()
}

// inert puts a zero-width space where GitHub would make a mention, a
// cross-reference or a link: @name, #12, GH-12, https://, www.
func inert(text string) string {
	var out strings.Builder
	for i, r := range text {
		out.WriteRune(r)
		next, _ := utf8.DecodeRuneInString(text[i+utf8.RuneLen(r):])
		switch {
		case r == '@' && isWord(next), r == '#' && isWord(next), r == ':' && next == '/',
			r == '-' && i >= 2 && strings.EqualFold(text[i-2:i], "gh") && isWord(next),
			(r == 'w' || r == 'W') && next == '.' && i >= 2 && strings.EqualFold(text[i-2:i], "ww"):
			out.WriteRune('\u200b')
		}
	}
	return out.String()
}
