package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

func somePlace() markdownPlace {
	return markdownPlace{repo: "acme/data", isUser: func(login string) bool { return login == "ann" }}
}

func TestMarkdownAsGitHubRendersIt(t *testing.T) {
	for _, c := range []struct{ name, source, want string }{
		{"hidden comment", "before <!-- registrar:verdict --> after", "<p>before  after</p>"},
		{"hidden comment block", "<!-- a\nb -->\n\ntext", "<p>text</p>"},
		{"line break", "a\nb", "<p>a<br/>\nb</p>"},
		{"line break of CRLF", "a\r\nb", "<p>a<br/>\nb</p>"},
		{"table", "|a|b|\n|:-|-:|\n|1|2|", `<td align="right">2</td>`},
		{"strikethrough", "~~gone~~", "<del>gone</del>"},
		{"open task", "- [ ] do", `<li><span class="task">☐</span> do</li>`},
		{"done task", "- [x] did", `<span class="task-done">☑</span> did`},
		{"fenced code", "```hcl\na = \"<b>\"\n```", `<pre><code class="language-hcl">a = &#34;&lt;b&gt;&#34;`},
		{"details", "<details><summary>more</summary>\n\nhidden *text*\n\n</details>", "<details><summary>more</summary>\n<p>hidden <em>text</em></p>\n</details>"},
		{"alert", "> [!NOTE]\n> careful", `<blockquote class="alert alert-note"><p class="alert-title">Note</p>`},
		{"alert with a blank line", "> [!WARNING]\n>\n> careful", `<p class="alert-title">Warning</p>`},
		{"alert in small letters", "> [!tip]\n> careful", `alert-tip`},
		{"no alert without text", "> [!NOTE]", "[!NOTE]"},
		{"no alert with a word behind", "> [!NOTE] careful", "[!NOTE] careful"},
		{"emoji", "done :tada: :no-such-one:", "done 🎉 :no-such-one:"},
		{"no emoji in code", "`:tada:`", "<code>:tada:</code>"},
		{"mention", "thanks @ann!", `thanks <a class="mention" href="/ann" rel="nofollow">@ann</a>!`},
		{"mention of nobody", "thanks @nobody", "<p>thanks @nobody</p>"},
		{"no mention in an address", "x@ann", "<p>x@ann</p>"},
		{"no mention in code", "`@ann`", "<code>@ann</code>"},
		{"issue", "see #12.", `<a class="reference" href="/acme/data/issues/12" rel="nofollow">#12</a>.`},
		{"issue elsewhere", "see other/repo#3", `<a class="reference" href="/other/repo/issues/3" rel="nofollow">other/repo#3</a>`},
		{"no issue in a word", "a#12", "<p>a#12</p>"},
		{"several in a row", "#1 #2", `#1</a> <a class="reference" href="/acme/data/issues/2"`},
		{"commit", "in 0123456789abcdef0123456789abcdef01234567", `<a class="reference" href="/acme/data/commit/0123456789abcdef0123456789abcdef01234567" rel="nofollow">0123456</a>`},
		{"link", "https://example.org/a", `<a href="https://example.org/a" rel="nofollow">https://example.org/a</a>`},
		{"no reference in a link", "[#12](https://example.org)", `<a href="https://example.org" rel="nofollow">#12</a>`},
		{"heading", "### Verdict", "<h3>Verdict</h3>"},
		{"unclosed tag is closed", "<div>open", "<div>open</div>"},
		{"stray closing tag is dropped", "</div></main>text", "text"},
		{"identifier is dropped", `<a id="reply" name="x" href="/a">a</a>`, `<a href="/a" rel="nofollow">a</a>`},
		{"form is dropped", `<form action="/x"><input type="text"><button>go</button></form>`, "go"},
		{"style is dropped", `<p style="position:fixed" class="banner">a</p>`, "<p>a</p>"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.TrimSpace(string(renderMarkdown(c.source, somePlace())))
			if !strings.Contains(got, c.want) {
				t.Errorf("%q renders as\n%s\nwithout\n%s", c.source, got, c.want)
			}
			for _, fault := range unsafeParts(got) {
				t.Error(fault)
			}
		})
	}
}

func TestMarkdownFilesLinkToFiles(t *testing.T) {
	place := markdownPlace{repo: "acme/data", file: "/acme/data/blob/main/docs", document: true}
	for source, want := range map[string]string{
		"[a](other.md)":            `href="/acme/data/blob/main/docs/other.md"`,
		"[a](../LICENSE#top)":      `href="/acme/data/blob/main/LICENSE#top"`,
		"[a](/elsewhere)":          `href="/elsewhere"`,
		"[a](#here)":               `href="#here"`,
		"[a](https://example.org)": `href="https://example.org"`,
		"a\nb":                     "<p>a\nb</p>",
	} {
		if got := string(renderMarkdown(source, place)); !strings.Contains(got, want) {
			t.Errorf("%q renders as %s without %s", source, got, want)
		}
	}
}

// hostile are texts that once broke some site; they seed the fuzz test too.
var hostile = []string{
	`<script>alert(1)</script>`,
	`<img src=x onerror=alert(1)>`,
	`[a](javascript:alert(1))`,
	`[a](JaVaScRiPt:alert(1))`,
	"[a](java\tscript:alert(1))",
	`[a](&#106;avascript:alert(1))`,
	`<a href="data:text/html,<script>alert(1)</script>">a</a>`,
	`<svg onload=alert(1)><script>alert(1)</script></svg>`,
	`<math><mi//xlink:href="data:x,<script>alert(4)</script>">`,
	`<iframe srcdoc="<script>alert(1)</script>"></iframe>`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`,
	`<style>@import 'https://evil.example/x.css';</style>`,
	`<details open ontoggle=alert(1)>`,
	`<a href="//evil.example" target=_blank>a</a>`,
	`<base href="https://evil.example/">`,
	`<meta http-equiv="refresh" content="0;url=https://evil.example">`,
	"```\"><script>alert(1)</script>\nx\n```",
	"`<script>`",
	`<table><tr><td></table><script>x</script>`,
	`<p class="alert-title" onclick="x">`,
	`@ann"><script>alert(1)</script>`,
	`![a](javascript:alert(1) "onload=x")`,
	`<textarea></textarea><script>alert(1)</script>`,
	`<title></title></body></html><script>alert(1)</script>`,
	"> [!NOTE]\n> <script>alert(1)</script>",
	"[a]: javascript:alert(1)\n\n[a]",
	`<a href=" javascript:alert(1)">a</a>`,
	"<!-- --!> <script>alert(1)</script> -->",
	"<!--><script>alert(1)</script>-->",
	"<![CDATA[<script>alert(1)</script>]]>",
	"\x00<script>\x00",
}

func TestHostileMarkdownIsInert(t *testing.T) {
	for _, source := range hostile {
		for _, fault := range unsafeParts(string(renderMarkdown(source, somePlace()))) {
			t.Errorf("%q: %s", source, fault)
		}
	}
}

func FuzzMarkdown(f *testing.F) {
	for _, source := range hostile {
		f.Add(source)
	}
	f.Add("# t\n\n| a | b |\n|---|---|\n| @ann | #1 |\n\n- [x] :tada:\n\n> [!TIP]\n> hi")
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 1<<16 {
			return
		}
		for _, place := range []markdownPlace{somePlace(), {repo: "a/b", file: "/a/b/blob/main", document: true}} {
			for _, fault := range unsafeParts(string(renderMarkdown(source, place))) {
				t.Errorf("%q: %s", source, fault)
			}
		}
	})
}

// unsafeParts lists what of a rendered text could run, load, submit, or break
// out of the element around it.
func unsafeParts(fragment string) []string {
	return htmlFaults(fragment, []string{
		"script", "style", "iframe", "object", "embed", "form", "input", "button", "textarea", "select", "svg", "math", "base", "meta", "link",
		"template", "noscript", "title", "body", "html", "head", "frame", "frameset", "video", "audio", "main",
	}, []string{"style", "id", "name", "srcdoc"})
}

// PageFaults lists what of a whole page could run or load, and elements that
// are not closed in order.
func PageFaults(page string) []string {
	return htmlFaults(page, []string{"script", "style", "iframe", "object", "embed", "math", "base", "template", "noscript", "frame", "frameset", "video", "audio"},
		[]string{"style", "srcdoc"})
}

// htmlFaults reads HTML as a browser does, judging elements and attributes.
func htmlFaults(text string, elements, attributes []string) []string {
	var faults, open []string
	seen := map[string]bool{}
	tokens := html.NewTokenizer(strings.NewReader(text))
	for {
		kind := tokens.Next()
		if kind == html.ErrorToken {
			break
		}
		token := tokens.Token()
		switch kind {
		case html.StartTagToken, html.SelfClosingTagToken:
			if slices.Contains(elements, token.Data) {
				faults = append(faults, "element "+token.Data)
			}
			faults = append(faults, attributeFaults(token, attributes, seen)...)
			// A browser would end the paragraph there.
			if slices.Contains(open, "p") && slices.Contains([]string{"p", "div", "h1", "h2", "h3", "ul", "ol", "table", "pre", "form", "section", "details", "blockquote"}, token.Data) {
				faults = append(faults, "a paragraph holds "+token.Data)
			}
			if kind == html.StartTagToken && !isVoid(token.Data) {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				faults = append(faults, fmt.Sprintf("</%s> closes nothing (open: %v)", token.Data, open))
				continue
			}
			open = open[:len(open)-1]
		case html.CommentToken:
			faults = append(faults, "a comment is left: "+token.Data)
		}
	}
	if len(open) > 0 {
		faults = append(faults, fmt.Sprintf("left open: %v", open))
	}
	return faults
}

func attributeFaults(token html.Token, forbidden []string, seen map[string]bool) []string {
	var faults []string
	for _, attribute := range token.Attr {
		value := strings.ToLower(strings.TrimSpace(attribute.Val))
		switch {
		case strings.HasPrefix(attribute.Key, "on"), slices.Contains(forbidden, attribute.Key):
			faults = append(faults, "attribute "+attribute.Key)
		case attribute.Key == "id":
			if seen[attribute.Val] {
				faults = append(faults, "two elements have the id "+attribute.Val)
			}
			seen[attribute.Val] = true
		case slices.Contains([]string{"href", "src", "action", "formaction"}, attribute.Key):
			scheme, _, found := strings.Cut(value, ":")
			if found && !strings.ContainsAny(scheme, "/?#") && !slices.Contains([]string{"http", "https", "mailto"}, scheme) && value != "data:," {
				faults = append(faults, "address "+value)
			}
		}
	}
	return faults
}

func isVoid(name string) bool {
	switch name {
	case "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr":
		return true
	}
	return false
}

// Texts that make parsers slow: none may take time beyond all reason. The limit
// is far above what a busy machine needs, and far below what a text of quadratic
// cost would.
func TestCostlyMarkdownIsBounded(t *testing.T) {
	const size = 32_768
	for name, unit := range map[string]string{
		"quotes": ">", "brackets": "[", "links": "[a](", "pointed links": "[a](<", "stars": "*a **b ", "underscores": "_a ", "backticks": "`a",
		"lists": "1. ", "references": "[a]: b\n", "uses": "[a]: b\n[a] ", "elements": "<div>", "comments": "a <!-- ", "mentions": "@ann ", "numbers": "#1 ",
		"formatting": "<b><i><s><em><code><a><p>", "cells": "|a", "addresses": "a@", "strikes": "~a ~~b ",
	} {
		start := time.Now()
		renderMarkdown(strings.Repeat(unit, size/len(unit)), somePlace())
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("%s: %v", name, took)
		}
	}
}

func TestHugeMarkdownIsShownAsTyped(t *testing.T) {
	got := string(renderMarkdown(strings.Repeat("<b>x", maxMarkdown), somePlace()))
	if !strings.HasPrefix(got, `<pre class="plain">&lt;b&gt;x`) {
		t.Errorf("begins with %.60q", got)
	}
}
