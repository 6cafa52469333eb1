package houserules

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
)

// textRules hold for every line of every file that people or programs read.
// The patterns are put together from halves so that they don't match themselves.
var textRules = []struct {
	pattern *regexp.Regexp
	why     string
}{
	{regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b[^#]*$`), "a task without an issue number (#12) is forgotten: do it, or file it"},
	{regexp.MustCompile(`(^|[^A-Za-z0-9_.~)}-])/(wo` + `rk|fa` + `rm|ro` + `ot|ho` + `me/[a-z]+)/`), "a path of somebody's machine"},
	{regexp.MustCompile(`(pro` + `xy|su` + `m)\.golang\.org|registry\.npm` + `js|py` + `pi\.org|deb\.deb` + `ian\.org`), "a package registry's host: the ordinary clients know where to ask"},
	{regexp.MustCompile(`^(<<<<` + `<<<|>>>>` + `>>>) `), "a conflict marker"},
	{regexp.MustCompile(`-----BEGIN (RSA |EC )?PRIV` + `ATE KEY-----\\?n?[A-Za-z0-9+/]{40}`), "a private key: make one when the test runs"},
}

func TestNoLineBreaksATextRule(t *testing.T) {
	for _, name := range allFiles(t) {
		text := read(t, name)
		// Binary files, and what strangers wrote, are nobody's prose.
		if bytes.IndexByte([]byte(text), 0) >= 0 || strings.Contains(name, "/testdata/fuzz/") || name == "go.sum" {
			continue
		}
		number := 0
		for line := range strings.Lines(text) {
			number++
			for _, r := range textRules {
				if found := r.pattern.FindString(strings.TrimRight(line, "\n")); found != "" {
					t.Errorf("%s:%d: %.60q: %s", name, number, found, r.why)
				}
			}
		}
	}
}

func TestTextRulesCatch(t *testing.T) {
	for line, caught := range map[string]bool{
		"// TO" + "DO: later":                   true,
		"// TO" + "DO(#12): later":              false,
		"see /wo" + "rk/main/x":                 true,
		"cd /ho" + "me/anna/registrar":          true,
		"https://github.com/wo" + "rk/x":        false,
		"GOPROXY=https://pro" + "xy.golang.org": true,
		"<<<<" + "<<< HEAD":                     true,
		"a plain line":                          false,
	} {
		got := false
		for _, r := range textRules {
			got = got || r.pattern.MatchString(line)
		}
		if got != caught {
			t.Errorf("%q: caught = %v, want %v", line, got, caught)
		}
	}
}

// Only test cases may hold CRLF: they are what GitHub delivers.
func TestSourcesEndLinesWithLF(t *testing.T) {
	for _, name := range goFiles(t) {
		if strings.Contains(read(t, name), "\r\n") {
			t.Errorf("%s: CRLF line endings", name)
		}
	}
}
