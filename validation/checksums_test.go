package validation

import (
	"fmt"
	"strings"
	"testing"
)

func TestChecksumsGoldens(t *testing.T) {
	runGoldens(t, "checksums", func(g *golden) (string, []Finding) {
		text := strings.ReplaceAll(string(g.files["SHA256SUMS"]), "SUM", strings.Repeat("0123456789abcdef", 4))
		if g.is("crlf") {
			text = strings.ReplaceAll(text, "\n", "\r\n")
		}
		sums, findings := ParseChecksums([]byte(text))
		var facts strings.Builder
		for _, line := range sums.Lines {
			fmt.Fprintf(&facts, "%s…  %s\n", line.Sum[:8], line.File)
		}
		return facts.String(), findings
	})
}

func TestParseChecksumsRefuses(t *testing.T) {
	sum := strings.Repeat("a", 64)
	tests := map[string]struct{ text, code string }{
		"nothing":              {"", "checksums-empty"},
		"blank lines alone":    {"\n \r\n", "checksums-empty"},
		"blank last line":      {sum + "  a.zip\n\n", "checksums-blank-line"},
		"blank first line":     {"\n" + sum + "  a.zip\n", "checksums-blank-line"},
		"line of spaces":       {sum + "  a.zip\n   \n" + sum + "  b.zip\n", "checksums-blank-line"},
		"blank line, CR LF":    {sum + "  a.zip\r\n\r\n" + sum + "  b.zip\r\n", "checksums-blank-line"},
		"binary mark":          {sum + " *a.zip\n", "checksums-binary-mark"},
		"one field":            {sum + "\n", "checksums-line"},
		"three fields":         {sum + "  a b.zip\n", "checksums-line"},
		"short checksum":       {sum[:63] + "  a.zip\n", "checksums-line"},
		"long checksum":        {sum + "0  a.zip\n", "checksums-line"},
		"no checksum":          {strings.Repeat("g", 64) + "  a.zip\n", "checksums-line"},
		"BSD style":            {"SHA256 (a.zip) = " + sum + "\n", "checksums-line"},
		"path":                 {sum + "  dist/a.zip\n", "checksums-path"},
		"path of Windows":      {sum + `  dist\a.zip` + "\n", "checksums-path"},
		"dot path":             {sum + "  ./a.zip\n", "checksums-path"},
		"dots":                 {sum + "  ..\n", "checksums-path"},
		"byte order mark":      {"\ufeff" + sum + "  a.zip\n", "checksums-line"},
		"no text":              {sum + "  a\x00.zip\n", "checksums-line"},
		"escape sequence":      {sum + "  a\x1b[31m.zip\n", "checksums-line"},
		"direction mark":       {sum + "  a\u202egpj.zip\n", "checksums-line"},
		"no UTF-8":             {sum + "  a\xff.zip\n", "checksums-line"},
		"very long line":       {sum + "  " + strings.Repeat("a", 70000) + "\n", "checksums-line"},
		"contradiction":        {sum + "  a.zip\n" + strings.Repeat("b", 64) + "  a.zip\n", "checksums-contradiction"},
		"50 MB":                {strings.Repeat(sum+"  a.zip\n", 50<<20/71), "checksums-too-large"},
		"10,001 lines":         {strings.Repeat("a  b\n", 10001), "checksums-too-large"},
		"a page instead":       {"<!DOCTYPE html>\n<html></html>\n", "checksums-line"},
		"form feed as a space": {sum + "\f\n", "checksums-line"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, findings := ParseChecksums([]byte(tt.text))
			if !HasErrors(findings) || findings[0].Code != tt.code {
				t.Errorf("findings %+v, want %s", findings, tt.code)
			}
			if len(findings) > 10 {
				t.Errorf("%d findings", len(findings))
			}
		})
	}
}

func TestParseChecksumsTakes(t *testing.T) {
	sum := strings.Repeat("A", 64)
	for name, text := range map[string]string{
		"upper case":           sum + "  a.zip\n",
		"no last newline":      sum + "  a.zip",
		"one space":            sum + " a.zip\n",
		"tab":                  sum + "\ta.zip\n",
		"space at the end":     sum + "  a.zip \n",
		"space at the start":   "  " + sum + "  a.zip\n",
		"the same line again":  sum + "  a.zip\n" + sum + "  a.zip\n",
		"CR LF":                sum + "  a.zip\r\n",
		"CR LF, no last break": sum + "  a.zip\r",
	} {
		t.Run(name, func(t *testing.T) {
			sums, findings := ParseChecksums([]byte(text))
			if HasErrors(findings) || len(sums.Lines) != 1 || sums.Lines[0] != (ChecksumLine{strings.ToLower(sum), "a.zip"}) {
				t.Errorf("%+v %+v", sums, findings)
			}
		})
	}
}

// Of 10,000 bad lines the author hears of five, and how many more there are.
func TestChecksumFindingsAreCounted(t *testing.T) {
	_, findings := ParseChecksums([]byte(strings.Repeat("bad line here\n", 10000)))
	if len(findings) != maxToldLines || !strings.Contains(findings[0].Message, "9995 lines") {
		t.Errorf("%d findings, the first %+v", len(findings), findings[0])
	}
}
