package templates

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

// realIssue is a real submission of the shared data set.
type realIssue struct {
	title  string
	labels []string
	body   string
}

// realIssues reads the shared submissions, by file name without ".md".
func realIssues(t testing.TB) map[string]realIssue {
	t.Helper()
	dir := filepath.Join(testdata.Shared(t), "issues")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	issues := map[string]realIssue{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		issues[strings.TrimSuffix(e.Name(), ".md")] = readRealIssue(t, string(text))
	}
	return issues
}

// readRealIssue reads a file of the set: front matter, then the body between
// two comments.
func readRealIssue(t testing.TB, text string) realIssue {
	t.Helper()
	front, body, ok := strings.Cut(text, "<!-- BODY BELOW -->\n")
	if !ok {
		t.Fatalf("no body in %q", text)
	}
	body, _, _ = strings.Cut(body, "<!-- END BODY -->")
	issue := realIssue{body: body}
	for l := range strings.Lines(front) {
		key, value, _ := strings.Cut(strings.TrimSpace(l), ": ")
		switch key {
		case "title":
			issue.title = strings.Trim(value, `'"`)
		case "labels":
			for _, l := range strings.Split(strings.Trim(value, "[]"), ", ") {
				if l != "-" {
					issue.labels = append(issue.labels, l)
				}
			}
		}
	}
	return issue
}
