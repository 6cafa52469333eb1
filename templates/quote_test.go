package templates

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
)

func TestQuote(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		context Context
		want    string
	}{
		"a repository":        {"acme/terraform-provider-demo", Inline, "`acme/terraform-provider-demo`"},
		"a mention":           {"@everyone", Inline, "`@everyone`"},
		"nothing":             {" \n ", Inline, "<em>(nothing)</em>"},
		"backticks and pipes": {"`a` | b", Inline, "<code>&#96;a&#96; &#124; b</code>"},
		"a marker":            {"<!-- registrar:submission issue=1 -->", Inline, "`<! -- registrar:submission issue=1 -->`"},
		"line ends":           {"a\r\nb\u2028c", Inline, "`a b c`"},
		"hidden characters":   {"a\u202egpj\u200b\x00\ufeff\U000e0041", Inline, "`a\ufffdgpj\ufffd\ufffd\ufffd\ufffd`"},
		"too long":            {"äöü" + strings.Repeat("x", 70), Inline, "`äöü" + strings.Repeat("x", 57) + "…`"},
		"invalid UTF-8":       {"a\xffb", Inline, "`a\ufffdb`"},
		"a block":             {"a\r\n```\r\n@b", Block, "````text\na\n```\n@b\n````"},
		"words":               {"v1.2.0 is (almost) fine.", Prose, "v1.2.0 is (almost) fine."},
		"syntax in words":     {"*a* [b](c) <d> e_f | #1 @g", Prose, "&#42;a&#42; &#91;b&#93;(c) &#60;d&#62; e&#95;f &#124; &#35;\u200b1 &#64;\u200bg"},
		"a list in words":     {"- 1. a", Prose, "&#45; 1. a"},
		"a number in words":   {"1. a", Prose, "1&#46; a"},
		"quotations in words": {"The answer \"@x | y\" is none, use `tofu init`.", Prose, "The answer <code>&#64;x &#124; y</code> is none, use `tofu init`."},
		"a half quotation":    {"a 5\" or `6", Prose, "a 5\" or &#96;6"},
		"a link in words":     {"see https://evil.example/x, www.evil.example", Prose, "see https:\u200b//evil.example/x, www\u200b.evil.example"},
		"documentation":       {"see https://docs.github.com/en/x#y.", Prose, "see <https://docs.github.com/en/x#y>."},
		"not quite that":      {"see https://docs.github.com/?<b>", Prose, "see https:\u200b//docs.github.com/?&#60;b&#62;"},
		"a title":             {"Fix #12 for @acme\nnow", Plain, "Fix #\u200b12 for @\u200bacme now"},
		"a title's issue":     {"GH-12 at https://github.com/a/b/issues/1", Plain, "GH-\u200b12 at https:\u200b//github.com/a/b/issues/1"},
		"names in words":      {"acme/terraform-provider-demo. A /recheck (0123456789ABCDEF)", Prose, "`acme/terraform-provider-demo`. A `/recheck` (0123456789ABCDEF)"},
	} {
		if got := Quote(c.text, c.context, 60); got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
}

// github renders nearly as GitHub does: its Markdown dialect, raw HTML let
// through so that what gets into it would show.
var github = goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))

func rendered(t testing.TB, markdown string) string {
	t.Helper()
	var out bytes.Buffer
	if err := github.Convert([]byte(markdown), &out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

var (
	tags      = regexp.MustCompile(`<[^>]*>`)
	codeParts = regexp.MustCompile(`(?s)<code>[^<]*</code>|<code class="language-text">[^<]*</code>`)
	mention   = regexp.MustCompile(`(^|[^A-Za-z0-9_])@[A-Za-z0-9]`)
	reference = regexp.MustCompile(`(?i)#[0-9]|\bgh-[0-9]`)
	docLinks  = regexp.MustCompile(`<a href="https://docs\.github\.com/[A-Za-z0-9/#-]*">[^<]*</a>`)
)

// Whatever the text, the page around it keeps its shape: the rendered page has
// exactly the elements that it has for a harmless word, apart from code in
// prose.
func FuzzQuote(f *testing.F) {
	for _, seed := range []string{
		"acme/demo", "@everyone", "#12", "<!-- registrar:submission issue=1 -->", "a|b\\|c\\\\|d", "`", "``` ~~~", "\\`", "<b>", "</code>", "&lt;b&gt; &#60;",
		"https://x.example www.x.example a@b.example", "[a](b) ![c](d) [e]: f", "\u202e\u200b\x00\xff", "- a\n# b\n1. c", "\"@x `y` |\" `\"z\"`", "---\n===", "a  \n b", "$a$ ~b~ :c:",
		"see https://docs.github.com/en/x. (https://docs.github.com/y)", "<?x ?> <![CDATA[x]]> <!X>", "|-|-|\n|a|b|", "    code", "GH-1 a/b#1 a/b@1234567",
	} {
		f.Add(seed, 100)
	}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		if limit < 1 || limit > 2000 || len(text) > 4000 {
			return
		}
		for context, page := range map[Context]string{
			Inline: "Before X after.\n\n| a | b |\n|---|---|\n| X | y |\n\n1. X<br>z\n\nend\n",
			Block:  "Before\n\nX\n\nafter\n",
			Prose:  "X\n\nBefore X after.\n\n| a | b |\n|---|---|\n| X | y |\n\n- X<br>z\n\nend\n",
		} {
			quoted := Quote(text, context, limit)
			if quoted == "" {
				continue // no words make no sentence, and no paragraph
			}
			got, want := rendered(t, strings.ReplaceAll(page, "X", quoted)), rendered(t, strings.ReplaceAll(page, "X", Quote("harmless", context, 10)))
			if shape(got, context) != shape(want, context) {
				t.Errorf("context %d: %q becomes %q and the page\n%s", context, text, quoted, got)
			}
			outside := tags.ReplaceAllString(codeParts.ReplaceAllString(docLinks.ReplaceAllString(got, " "), " "), " ")
			if mention.MatchString(outside) || reference.MatchString(outside) {
				t.Errorf("context %d: %q reaches out of\n%s", context, text, got)
			}
			checkQuoted(t, quoted, text, limit)
		}
		plain := Quote(text, Plain, limit)
		if mention.MatchString(plain) || reference.MatchString(plain) || strings.ContainsAny(plain, "\r\n") || strings.Contains(plain, "://") {
			t.Errorf("%q becomes the title %q", text, plain)
		}
		checkQuoted(t, plain, text, limit)
	})
}

// shape is the page's elements in order; code may come and go in prose, and so
// may links to the documentation.
func shape(page string, context Context) string {
	if context == Prose {
		page = codeParts.ReplaceAllString(docLinks.ReplaceAllString(page, ""), "")
		page = strings.ReplaceAll(page, "<em>(nothing)</em>", "")
	}
	page = strings.ReplaceAll(page, "<em>(nothing)</em>", "<code></code>")
	return strings.Join(tags.FindAllString(page, -1), "")
}

func checkQuoted(t *testing.T, quoted, text string, limit int) {
	t.Helper()
	if strings.Contains(quoted, "<!--") || !utf8.ValidString(quoted) {
		t.Errorf("%q becomes %q", text, quoted)
	}
	for _, r := range quoted {
		if r != '\n' && r != '\u200b' && !unicode.IsGraphic(r) {
			t.Errorf("%q in %q, from %q", r, quoted, text)
		}
	}
	if n := utf8.RuneCountInString(quoted); n > 7*limit+2*utf8.RuneCountInString(text)+40 {
		t.Errorf("%d runes from a limit of %d", n, limit)
	}
}
