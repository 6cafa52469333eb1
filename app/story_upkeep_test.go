package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// storyReplace: replace PERSON OWNER/NAME TAG SUFFIX WITH puts other content into a
// release file: "other" (a byte more), "sum" (another checksum on the first line),
// "gone" (no file at all).
func storyReplace(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	change := map[string]func([]byte) []byte{
		"other": func(b []byte) []byte { return append(b, 'x') },
		"sum":   func(b []byte) []byte { return append(bytes.Repeat([]byte("0"), 64), b[64:]...) },
		"gone":  func([]byte) []byte { return nil },
	}[args[4]]
	if change == nil {
		ts.Fatalf("nothing is replaced with %s", args[4])
	}
	ts.Check(s.person(ts, args[0]).Replace(context.Background(), repo(ts, args[1]), args[2], args[3], change))
}

// strangeForms are the unusual, or wrong, forms of a release's small files.
var strangeForms = map[string]struct {
	file string
	to   func([]byte) []byte
}{
	"crlf":       {"SHA256SUMS", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")) }},
	"no-newline": {"SHA256SUMS", bytes.TrimSpace},
	"upper":      {"SHA256SUMS", func(b []byte) []byte { return upperSum.ReplaceAllFunc(b, bytes.ToUpper) }},
	"paths":      {"SHA256SUMS", func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("  "), []byte("  dist/")) }},
	"no-json":    {"manifest.json", func([]byte) []byte { return []byte("protocols: 6.0\n") }},
}

var upperSum = regexp.MustCompile(`(?m)^[0-9a-f]{64}`)

var hashAndSize = regexp.MustCompile(`,\s*"h1": "[^"]*",\s*"size": [0-9]+`)

// storyOld: old PERSON PATH VERSION… takes sizes and hashes of these versions out
// of a data file, which is then as one of 2025.
func storyOld(ts *testscript.TestScript, neg bool, args []string) {
	s, ctx := theStory(ts), context.Background()
	s.idle(ts)
	p := s.person(ts, args[0])
	text, err := p.File(ctx, s.metadata, args[1])
	ts.Check(err)
	parts := strings.Split(text, `"version": `)
	for i, part := range parts {
		for _, v := range args[2:] {
			if strings.HasPrefix(part, `"`+v+`"`) {
				parts[i] = hashAndSize.ReplaceAllString(part, "")
			}
		}
	}
	ts.Check(p.PutFile(ctx, s.metadata, args[1], []byte(strings.Join(parts, `"version": `))))
	s.idle(ts)
}

// storyUntag: untag PERSON OWNER/NAME TAG takes a tag away.
func storyUntag(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	ts.Check(s.person(ts, args[0]).DeleteTag(context.Background(), repo(ts, args[1]), args[2]))
}

// storyRetag: retag PERSON OWNER/NAME TAG pushes a tag again, to what is there.
func storyRetag(ts *testscript.TestScript, neg bool, args []string) {
	ts.Check(theStory(ts).person(ts, args[0]).Tag(context.Background(), repo(ts, args[1]), args[2]))
}

// storyFill: fill PERSON PATH VERSION FILE writes a data file with sizes and hashes,
// of a version and all below it, that are made up.
func storyFill(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	text, err := s.person(ts, args[0]).File(context.Background(), s.metadata, args[1])
	ts.Check(err)
	head, tail, _ := strings.Cut(text, `"version": "`+args[2]+`"`)
	tail = shasum.ReplaceAllString(tail, "$0,\n          \"h1\": \"h1:"+strings.Repeat("A", 43)+"=\",\n          \"size\": 7")
	ts.Check(os.WriteFile(ts.MkAbs(args[3]), []byte(head+`"version": "`+args[2]+`"`+tail), 0o600))
}

var shasum = regexp.MustCompile(`"shasum": "[0-9a-f]{64}"`)

// storyPut: put PERSON PATH FILE writes a file of the metadata branch.
func storyPut(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	ts.Check(s.person(ts, args[0]).PutFile(context.Background(), s.metadata, args[1], []byte(ts.ReadFile(args[2]))))
	s.idle(ts)
}
