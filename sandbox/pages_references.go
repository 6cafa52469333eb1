package sandbox

import (
	"bytes"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// references links @mentions, #numbers, owner/name#numbers and commits in the
// running text, replaces emoji shortcodes, and leads a file's relative links
// to the files they mean. Code and existing links are left alone.
type references struct{ place markdownPlace }

// The groups are: a mention; the repository and the number of an issue; a
// commit; an emoji. What stands before is checked by isBoundary.
var reference = regexp.MustCompile(
	`@([A-Za-z0-9](?:-?[A-Za-z0-9]){0,38})` +
		`|((?:[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100})?)#([1-9][0-9]{0,8})\b` +
		`|\b([0-9a-f]{40})\b` +
		`|:([a-z0-9_+-]{1,40}):`)

func (r references) Transform(document *ast.Document, reader text.Reader, _ parser.Context) {
	var texts []*ast.Text
	_ = ast.Walk(document, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch node := node.(type) {
		case *ast.Link:
			node.Destination = r.destination(node.Destination)
			return ast.WalkSkipChildren, nil
		case *ast.AutoLink, *ast.CodeSpan:
			return ast.WalkSkipChildren, nil
		case *ast.Text:
			texts = append(texts, node)
		}
		return ast.WalkContinue, nil
	})
	for _, node := range texts {
		r.link(node, reader.Source())
	}
}

// destination leads the relative link of a file to that file's page.
func (r references) destination(to []byte) []byte {
	at, err := url.Parse(string(to))
	if r.place.file == "" || err != nil || at.IsAbs() || at.Host != "" || at.Path == "" || at.Path[0] == '/' {
		return to
	}
	at.Path = path.Join(r.place.file, at.Path)
	return []byte(at.String())
}

// link splits one text node at its references.
func (r references) link(node *ast.Text, source []byte) {
	segment := node.Segment
	value := segment.Value(source)
	parent, from := node.Parent(), 0
	for _, at := range reference.FindAllSubmatchIndex(value, -1) {
		if !isBoundary(source, segment.Start+at[0]) {
			continue
		}
		replacement := r.resolve(value, at)
		if replacement == nil {
			continue
		}
		if at[0] > from {
			before := ast.NewTextSegment(text.NewSegment(segment.Start+from, segment.Start+at[0]))
			parent.InsertBefore(parent, node, before)
		}
		parent.InsertBefore(parent, node, replacement)
		from = at[1]
	}
	if from > 0 {
		node.Segment = text.NewSegment(segment.Start+from, segment.Stop)
	}
}

// isBoundary tells whether a reference may begin here: after a space or
// punctuation, not inside a word, path or address.
func isBoundary(source []byte, at int) bool {
	if at == 0 {
		return true
	}
	before := source[at-1]
	return !(before == '_' || before == '/' || before == '\\' || before == '@' || before == '&' || before >= 0x80 ||
		(before >= '0' && before <= '9') || (before >= 'a' && before <= 'z') || (before >= 'A' && before <= 'Z'))
}

// resolve returns the node that replaces one match, nil to leave it as it is.
func (r references) resolve(value []byte, at []int) ast.Node {
	group := func(n int) string {
		if at[2*n] < 0 {
			return ""
		}
		return string(value[at[2*n]:at[2*n+1]])
	}
	whole := group(0)
	switch {
	case group(1) != "":
		if r.place.isUser == nil || !r.place.isUser(group(1)) {
			return nil
		}
		return newLink("/"+group(1), whole, "mention")
	case group(3) != "":
		repo := group(2)
		if repo == "" {
			repo = r.place.repo
		}
		if repo == "" {
			return nil
		}
		return newLink("/"+repo+"/issues/"+group(3), whole, "reference")
	case group(4) != "":
		if r.place.repo == "" {
			return nil
		}
		return newLink("/"+r.place.repo+"/commit/"+group(4), whole[:7], "reference")
	}
	if symbol, known := emoji[strings.ToLower(group(5))]; known {
		return ast.NewString([]byte(symbol))
	}
	return nil
}

func newLink(to, label, class string) ast.Node {
	link := ast.NewLink()
	link.Destination = []byte(to)
	link.SetAttributeString("class", []byte(class))
	link.AppendChild(link, ast.NewString(bytes.Clone([]byte(label))))
	return link
}

// emoji holds the shortcodes that turn up in issues, bots' comments and
// release notes; others stay as typed.
var emoji = map[string]string{
	"+1": "👍", "-1": "👎", "100": "💯", "alarm_clock": "⏰", "ambulance": "🚑", "arrow_down": "⬇️", "arrow_left": "⬅️",
	"arrow_right": "➡️", "arrow_up": "⬆️", "art": "🎨", "ballot_box_with_check": "☑️", "bell": "🔔", "blue_heart": "💙",
	"book": "📖", "bookmark": "🔖", "boom": "💥", "bug": "🐛", "bulb": "💡", "calendar": "📆", "check": "✔️",
	"checkered_flag": "🏁", "clap": "👏", "clipboard": "📋", "cloud": "☁️", "confused": "😕", "construction": "🚧",
	"cry": "😢", "detective": "🕵️", "dizzy": "💫", "earth_africa": "🌍", "email": "✉️", "exclamation": "❗", "eyes": "👀",
	"fire": "🔥", "fireworks": "🎆", "gear": "⚙️", "gift": "🎁", "globe_with_meridians": "🌐", "green_circle": "🟢",
	"green_heart": "💚", "grey_question": "❔", "hammer": "🔨", "heart": "❤️", "heavy_check_mark": "✔️",
	"heavy_exclamation_mark": "❗", "heavy_multiplication_x": "✖️", "hourglass": "⌛", "hourglass_flowing_sand": "⏳",
	"information_source": "ℹ️", "key": "🔑", "label": "🏷️", "link": "🔗", "lock": "🔒", "loudspeaker": "📢", "mag": "🔍",
	"memo": "📝", "minus": "➖", "no_entry": "⛔", "no_entry_sign": "🚫", "octopus": "🐙", "ok": "🆗", "ok_hand": "👌",
	"orange_circle": "🟠", "package": "📦", "partying_face": "🥳", "pencil": "📝", "plus": "➕", "point_right": "👉",
	"pray": "🙏", "pushpin": "📌", "question": "❓", "raised_hands": "🙌", "recycle": "♻️", "red_circle": "🔴",
	"repeat": "🔁", "robot": "🤖", "rocket": "🚀", "rotating_light": "🚨", "scroll": "📜", "see_no_evil": "🙈", "shield": "🛡️",
	"ship": "🚢", "smile": "😄", "smiley": "😃", "sos": "🆘", "sparkles": "✨", "star": "⭐", "star2": "🌟", "stop_sign": "🛑",
	"sunny": "☀️", "tada": "🎉", "tag": "🏷️", "thinking": "🤔", "thumbsdown": "👎", "thumbsup": "👍", "triangular_flag_on_post": "🚩",
	"trophy": "🏆", "twisted_rightwards_arrows": "🔀", "unlock": "🔓", "warning": "⚠️", "wastebasket": "🗑️", "wave": "👋",
	"white_check_mark": "✅", "wink": "😉", "wrench": "🔧", "x": "❌", "yellow_circle": "🟡", "zap": "⚡",
}
