package houserules

import (
	"go/ast"
	"testing"
)

// A test that wants something besides Go and git says so through
// testdata.Missing, which fails instead of skipping when nothing may be skipped.
func TestSkipsGoThroughOneFunction(t *testing.T) {
	for _, name := range goFiles(t) {
		if top(name) == "internal/testdata" {
			continue
		}
		file := parse(t, name)
		ast.Inspect(file.tree, func(n ast.Node) bool {
			if cond, ok := n.(*ast.IfStmt); ok && callsShort(cond.Cond) {
				return false
			}
			if recv, fun := called(n); fun == "Skip" || fun == "Skipf" || fun == "SkipNow" {
				if recv == "t" || recv == "b" || recv == "f" || recv == "tb" {
					t.Errorf("%s: %s.%s; call testdata.Missing, or skip under testing.Short only", file.set.Position(n.Pos()), recv, fun)
				}
			}
			return true
		})
	}
}

func callsShort(cond ast.Expr) bool {
	found := false
	ast.Inspect(cond, func(n ast.Node) bool {
		if recv, fun := called(n); recv == "testing" && fun == "Short" {
			found = true
		}
		return true
	})
	return found
}
