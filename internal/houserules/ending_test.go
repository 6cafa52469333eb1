package houserules

import (
	"go/ast"
	"path"
	"testing"
)

// Only main ends the process: everyone else returns an error, so that whoever
// called can finish or return its jobs.
func TestOnlyMainEndsTheProcess(t *testing.T) {
	for _, name := range goFiles(t) {
		if isTest(name) || path.Base(name) == "main.go" {
			continue
		}
		file := parse(t, name)
		ast.Inspect(file.tree, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && panics(call) {
				t.Errorf("%s: panic outside main and tests", file.set.Position(n.Pos()))
			}
			switch recv, fun := selected(n); recv + "." + fun {
			case "os.Exit", "log.Fatal", "log.Fatalf", "log.Fatalln", "log.Panic", "log.Panicf":
				t.Errorf("%s: %s.%s outside main", file.set.Position(n.Pos()), recv, fun)
			}
			return true
		})
	}
}

// panics tells whether a call panics, other than with http.ErrAbortHandler,
// which is how net/http wants to be told to drop a connection.
func panics(call *ast.CallExpr) bool {
	id, ok := call.Fun.(*ast.Ident)
	if !ok || id.Name != "panic" || len(call.Args) != 1 {
		return false
	}
	_, with := selected(call.Args[0])
	return with != "ErrAbortHandler"
}
