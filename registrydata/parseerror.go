package registrydata

import (
	"fmt"
	"strconv"
	"strings"
)

// ParseError says what is wrong with a data file and where.
type ParseError struct {
	// Where is the place in the document, such as "versions[3].targets[0].size".
	// Empty: the document as a whole.
	Where string
	// Line counts from 1.
	Line int
	// Reason says what is wrong.
	Reason string
}

// Error returns "line 12: versions[3].version: must not be empty".
func (e *ParseError) Error() string {
	where := ""
	if e.Where != "" {
		where = e.Where + ": "
	}
	return fmt.Sprintf("line %d: %s%s", e.Line, where, e.Reason)
}

// step is one step down a document: to a key, or to an element if key is empty
// and index is not negative.
type step struct {
	key   string
	index int
}

// maxWhere bounds a place in an error message: its keys are a stranger's.
const maxWhere = 200

func formatPath(path []step) string {
	var b strings.Builder
	for _, s := range path {
		switch {
		case s.index >= 0:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case isPlainKey(s.key):
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(s.key)
		default:
			b.WriteString("[" + quoteShort(s.key) + "]")
		}
		if b.Len() > maxWhere {
			b.WriteString("...")
			break
		}
	}
	return b.String()
}

func isPlainKey(s string) bool {
	if s == "" || len(s) > 40 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isLowerAlnum(c) && c != '_' && c != '-' && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
