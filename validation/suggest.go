package validation

import (
	"sort"
	"strings"
)

// suggest returns the names, at most three, that someone who typed `typed` may
// have meant: those within two edits, those that begin with it or that it
// begins with. The nearest come first.
func suggest(typed string, names []string) []string {
	type match struct {
		name     string
		distance int
	}
	var found []match
	for _, name := range names {
		if name == typed {
			continue
		}
		if d, ok := nearness(typed, name); ok {
			found = append(found, match{name, d})
		}
	}
	sort.Slice(found, func(i, j int) bool {
		if found[i].distance != found[j].distance {
			return found[i].distance < found[j].distance
		}
		return found[i].name < found[j].name
	})
	var out []string
	for _, m := range found[:min(3, len(found))] {
		out = append(out, m.name)
	}
	return out
}

// nearness is the edit distance of two names, counting a shared beginning of
// four characters and more as three edits; false where they are not alike.
func nearness(a, b string) (int, bool) {
	if len(a) > 100 || len(b) > 100 {
		return 0, false
	}
	limit := 2
	if len(a) < 5 {
		limit = 1
	}
	if d := editDistance(a, b); d <= limit {
		return d, true
	}
	short, long := a, b
	if len(short) > len(long) {
		short, long = long, short
	}
	return 3, len(short) >= 4 && strings.HasPrefix(long, short)
}

// editDistance is the number of bytes to insert, delete, replace or swap with
// their neighbour that leads from a to b (optimal string alignment).
func editDistance(a, b string) int {
	if d := len(a) - len(b); d > 2 || d < -2 {
		return 3
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
