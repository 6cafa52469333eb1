package sandbox

import (
	"bytes"
	"html/template"
	"regexp"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	markdownhtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxMarkdown is the longest text that is rendered, in bytes; GitHub takes
// bodies of 65,536 characters and release notes of 125,000. A longer
// text is shown as it was typed.
const maxMarkdown = 200 << 10

// maxLinks bounds the links of one text, because the parser looks for the end
// of each unfinished one through the rest of the text.
const maxLinks = 5000

// A markdownPlace says where a text stands, which decides what its references
// lead to.
type markdownPlace struct {
	repo     string                  // "owner/name" that #12 belongs to; "" links no numbers
	file     string                  // path prefix of relative links, "/o/r/blob/main/docs/"; "" in comments
	document bool                    // a file: a line end is a space. In comments it is a line break
	isUser   func(login string) bool // nil links no @mentions
}

// renderMarkdown gives the HTML of GitHub-flavoured Markdown that a stranger
// wrote. The result holds no scripts, styles, forms, identifiers or foreign
// frames and is balanced, so it cannot leave the element it is put into.
func renderMarkdown(source string, place markdownPlace) template.HTML {
	source = strings.ToValidUTF8(strings.ReplaceAll(source, "\r\n", "\n"), "\uFFFD")
	if tooCostly(source) {
		return plainText(source)
	}
	var out bytes.Buffer
	if err := newMarkdown(place).Convert([]byte(source), &out); err != nil {
		return plainText(source)
	}
	// What is left when the policy has taken elements out may nest as nothing else
	// can (paragraphs that stood in <math>), so that both are done twice.
	clean := out.Bytes()
	for range 2 {
		balanced, err := balance(clean)
		if err != nil {
			return plainText(source)
		}
		clean = markdownPolicy().SanitizeBytes(balanced)
	}
	return template.HTML(clean) //nolint:gosec // sanitised, that is its purpose
}

func plainText(source string) template.HTML {
	return template.HTML(`<pre class="plain">` + template.HTMLEscapeString(source) + `</pre>`) //nolint:gosec // escaped
}

// nesting finds a line that begins with a hundred quote and list markers: the
// parser's work grows with the square of the nesting.
var nesting = regexp.MustCompile(`(?m)^[ \t]*(?:(?:>|[-*+]|[0-9]{1,9}[.)])[ \t]*){100}`)

func tooCostly(source string) bool {
	return len(source) > maxMarkdown || strings.Count(source, "](") > maxLinks || nesting.MatchString(source)
}

func newMarkdown(place markdownPlace) goldmark.Markdown {
	options := []renderer.Option{
		markdownhtml.WithUnsafe(), // the policy decides what stays, as on GitHub
		renderer.WithNodeRenderers(util.Prioritized(taskBoxes{}, 100)),
	}
	if !place.document {
		options = append(options, markdownhtml.WithHardWraps())
	}
	return goldmark.New(
		goldmark.WithExtensions(
			extension.Linkify, extension.Strikethrough, extension.TaskList,
			extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)),
		),
		goldmark.WithParserOptions(parser.WithASTTransformers(
			util.Prioritized(alerts{}, 100),
			util.Prioritized(references{place}, 200),
		)),
		goldmark.WithRendererOptions(options...),
	)
}

// balance closes what a text left open and drops closing tags of what it never
// opened. It refuses nesting beyond what browsers do (512 elements).
func balance(fragment []byte) ([]byte, error) {
	nodes, err := html.ParseFragment(bytes.NewReader(fragment), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for _, node := range nodes {
		if err := html.Render(&out, node); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// markdownPolicy keeps what GitHub keeps: structure and plain formatting. No
// id, name, style or event attribute survives; classes only where this package
// wrote them, and they change nothing but looks.
var markdownPolicy = sync.OnceValue(func() *bluemonday.Policy {
	policy := bluemonday.NewPolicy()
	policy.AllowElements(
		"h1", "h2", "h3", "h4", "h5", "h6", "p", "div", "br", "hr", "blockquote", "pre", "code", "kbd", "samp", "tt", "var",
		"b", "i", "strong", "em", "del", "ins", "s", "strike", "sub", "sup", "small", "mark", "abbr", "cite", "dfn", "q", "wbr",
		"ul", "ol", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tfoot", "tr", "td", "th", "caption",
		"details", "summary", "figure", "figcaption", "ruby", "rt", "rp", "picture",
	)
	policy.AllowNoAttrs().OnElements("span", "a")
	policy.AllowStandardURLs() // http, https, mailto, relative; rel="nofollow"
	policy.AllowAttrs("href").OnElements("a")
	policy.AllowAttrs("src", "alt").OnElements("img")
	policy.AllowAttrs("width", "height").Matching(regexp.MustCompile(`^[0-9]{1,4}%?$`)).OnElements("img", "td", "th")
	policy.AllowAttrs("align").Matching(regexp.MustCompile(`^(?i:left|right|center)$`)).OnElements("p", "div", "h1", "h2", "h3", "img", "td", "th")
	policy.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("td", "th")
	policy.AllowAttrs("open").Matching(regexp.MustCompile(`^$`)).OnElements("details")
	policy.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	policy.AllowAttrs("title").OnElements("a", "img", "abbr")
	policy.AllowAttrs("class").Matching(regexp.MustCompile(`^language-[a-zA-Z0-9_+#-]{1,30}$`)).OnElements("code")
	policy.AllowAttrs("class").Matching(regexp.MustCompile(`^alert(-title|( alert-(note|tip|important|warning|caution)))$`)).OnElements("blockquote", "p")
	policy.AllowAttrs("class").Matching(regexp.MustCompile(`^(mention|reference)$`)).OnElements("a")
	policy.AllowAttrs("class").Matching(regexp.MustCompile(`^task(-done)?$`)).OnElements("span")
	return policy
})

// taskBoxes draws the boxes of task lists as text: an input element would
// have to be allowed to everyone who types one.
type taskBoxes struct{}

func (taskBoxes) RegisterFuncs(register renderer.NodeRendererFuncRegisterer) {
	register.Register(extast.KindTaskCheckBox, func(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
		box, ok := node.(*extast.TaskCheckBox)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		mark := `<span class="task">☐</span> `
		if box.IsChecked {
			mark = `<span class="task-done">☑</span> `
		}
		_, err := w.WriteString(mark)
		return ast.WalkContinue, err
	})
}

// alerts turns a quote that begins with [!NOTE] (or TIP, IMPORTANT, WARNING,
// CAUTION) into a titled box.
type alerts struct{}

var alertKind = regexp.MustCompile(`^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]$`)

func (alerts) Transform(document *ast.Document, reader text.Reader, _ parser.Context) {
	for block := document.FirstChild(); block != nil; block = block.NextSibling() {
		quote, ok := block.(*ast.Blockquote)
		if !ok {
			continue
		}
		first, ok := quote.FirstChild().(*ast.Paragraph)
		if !ok || first.Lines().Len() == 0 {
			continue
		}
		line := first.Lines().At(0)
		kind := alertKind.FindSubmatch(bytes.ToUpper(bytes.TrimSpace(line.Value(reader.Source()))))
		// GitHub shows an alert only when something stands under its title.
		if kind == nil || (first.Lines().Len() == 1 && first.NextSibling() == nil) {
			continue
		}
		dropFirstLine(quote, first)
		name := strings.ToLower(string(kind[1]))
		title := ast.NewParagraph()
		title.SetAttributeString("class", []byte("alert-title"))
		title.AppendChild(title, ast.NewString([]byte(strings.ToUpper(name[:1])+name[1:])))
		quote.InsertBefore(quote, quote.FirstChild(), title)
		quote.SetAttributeString("class", []byte("alert alert-"+name))
	}
}

func dropFirstLine(quote *ast.Blockquote, paragraph *ast.Paragraph) {
	for child := paragraph.FirstChild(); child != nil; {
		next := child.NextSibling()
		paragraph.RemoveChild(paragraph, child)
		if words, ok := child.(*ast.Text); ok && (words.SoftLineBreak() || words.HardLineBreak()) {
			break
		}
		child = next
	}
	if paragraph.FirstChild() == nil {
		quote.RemoveChild(quote, paragraph)
	}
}
