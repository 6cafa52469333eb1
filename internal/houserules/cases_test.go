package houserules

import (
	"go/ast"
	"path"
	"regexp"
	"strings"
	"testing"
)

// A case is found by its name in a failing test's output and in a terminal.
var caseName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]*$`)

func TestCasesHaveReadableNames(t *testing.T) {
	for _, name := range allFiles(t) {
		_, inside, ok := strings.Cut(name, "testdata/")
		if !ok || strings.HasPrefix(name, "internal/testdata/") || strings.HasPrefix(inside, "fuzz/") {
			continue
		}
		for part := range strings.SplitSeq(inside, "/") {
			if !caseName.MatchString(part) && part != "NOTICE" {
				t.Errorf("%s: %q: name a case in lower-case words", name, part)
			}
		}
	}
}

// A txtar case begins with the rule that it shows, in a sentence.
func TestCasesTellTheirRule(t *testing.T) {
	for _, name := range allFiles(t) {
		if path.Ext(name) != ".txtar" || !strings.Contains(name, "testdata/") {
			continue
		}
		before, _, _ := strings.Cut(read(t, name), "-- ")
		if len(strings.Fields(strings.ReplaceAll(before, "#", ""))) < 3 {
			t.Errorf("%s: say above the first file, in a sentence, what the case shows", name)
		}
	}
}

// A fuzz target without seeds runs nothing in an ordinary "go test".
func TestFuzzTargetsHaveSeeds(t *testing.T) {
	seeded := map[string]bool{}
	for _, name := range allFiles(t) {
		if dir, rest, ok := strings.Cut(name, "/testdata/fuzz/"); ok {
			target, _, _ := strings.Cut(rest, "/")
			seeded[dir+" "+target] = true
		}
	}
	for _, name := range goFiles(t) {
		if !isTest(name) {
			continue
		}
		for _, decl := range parse(t, name).tree.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Fuzz") || len(fn.Type.Params.List) != 1 {
				continue
			}
			if !addsSeeds(fn) && !seeded[path.Dir(name)+" "+fn.Name.Name] {
				t.Errorf("%s: %s has no seeds (f.Add, or testdata/fuzz/%[2]s)", name, fn.Name.Name)
			}
		}
	}
}

// addsSeeds tells whether the target calls f.Add, or hands f to someone else
// before f.Fuzz (who adds what the shared data holds).
func addsSeeds(fn *ast.FuncDecl) bool {
	f := fn.Type.Params.List[0].Names[0].Name
	adds := false
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		if recv, fun := called(n); recv == f && fun == "Add" {
			adds = true
		}
		if call, ok := n.(*ast.CallExpr); ok {
			if fun, ok := call.Fun.(*ast.Ident); ok && strings.Contains(strings.ToLower(fun.Name), "seed") {
				adds = true
			}
		}
		return true
	})
	return adds
}
