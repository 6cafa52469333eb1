package houserules

import (
	"go/ast"
	"slices"
	"testing"
)

// clockless are the rooms that are told the time, as a value or a function: a
// verdict, a sentence or a plan that looks at the clock can't be tested, and a
// second run of it can't be compared with the first.
var clockless = []string{"registrydata", "validation", "templates", "handlers"}

// A constructor may set the clock that nobody gave it (o.Now = time.Now).
var clockFuncs = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

func TestPureRoomsDoNotLookAtTheClock(t *testing.T) {
	looked := 0
	for _, name := range goFiles(t) {
		if isTest(name) || !slices.Contains(clockless, top(name)) {
			continue
		}
		looked++
		file := parse(t, name)
		ast.Inspect(file.tree, func(n ast.Node) bool {
			if assign, ok := n.(*ast.AssignStmt); ok && setsClock(assign) {
				return false
			}
			if recv, fun := selected(n); recv == "time" && slices.Contains(clockFuncs, fun) {
				t.Errorf("%s: time.%s in a room that is told the time", file.set.Position(n.Pos()), fun)
			}
			return true
		})
	}
	if looked == 0 {
		t.Error("no file was looked at")
	}
}

// setsClock tells whether the statement is "x.Now = time.Now".
func setsClock(s *ast.AssignStmt) bool {
	_, to := selected(s.Lhs[0])
	recv, from := selected(s.Rhs[0])
	return to == "Now" && recv == "time" && from == "Now"
}
