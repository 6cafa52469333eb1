package houserules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"
)

type source struct {
	set  *token.FileSet
	tree *ast.File
}

func parse(t *testing.T, name string) source {
	t.Helper()
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, filepath.Join(root, name), nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{set, tree}
}

// selected names an expression of the form recv.name.
func selected(n ast.Node) (recv, name string) {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	id, ok := sel.X.(*ast.Ident)
	if !ok {
		return "", ""
	}
	return id.Name, sel.Sel.Name
}

// called names a call of the form recv.fun(…).
func called(n ast.Node) (recv, fun string) {
	if call, ok := n.(*ast.CallExpr); ok {
		return selected(call.Fun)
	}
	return "", ""
}
