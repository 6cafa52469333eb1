package houserules

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
	"testing"
)

// proof is how a page names a test: `TestX`, `FuzzX`, `BenchmarkX`, or the story
// `TestStories/name`.
var proof = regexp.MustCompile("`((?:Test|Fuzz|Benchmark)[A-Z][A-Za-z0-9]*)(?:/([a-z_0-9]+))?`")

// The tests that the pages name as proofs are there: a promise outlives the test
// that shows it only by mistake.
func TestNamedProofsExist(t *testing.T) {
	there := map[string]bool{}
	for _, name := range goFiles(t) {
		if !isTest(name) {
			continue
		}
		for _, d := range parse(t, name).tree.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil {
				there[f.Name.Name] = true
			}
		}
	}
	named := 0
	for _, page := range []string{"docs/security.md", "docs/differences.md", "docs/publishing.md", "docs/limits.md", "BENCHMARKS.md"} {
		for _, m := range proof.FindAllStringSubmatch(read(t, page), -1) {
			named++
			if !there[m[1]] {
				t.Errorf("%s: there is no test %s", page, m[1])
			}
			if m[1] == "TestStories" && m[2] != "" {
				read(t, path.Join("app/testdata/script", m[2]+".txtar"))
			}
		}
	}
	if named < 40 {
		t.Errorf("only %d tests are named", named)
	}
	// Every row of the table of attacks names one.
	_, table, _ := strings.Cut(read(t, "docs/security.md"), "\n## Attacks\n")
	table, _, _ = strings.Cut(table, "\n## ")
	for line := range strings.Lines(table) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| attacker does") && !proof.MatchString(line) {
			t.Errorf("docs/security.md: no test is named in %s", line)
		}
	}
}
