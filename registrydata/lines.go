package registrydata

import "strings"

// Lines finds the lines, counted from 1, on which the values at some places of
// a JSON document begin. A place is written as in a ParseError, such as
// "versions[3].targets[0].size"; one that is not there has the line of what it
// would be in.
func Lines(document []byte, places []string) map[string]int {
	r, err := newReader(document)
	if err != nil {
		return nil
	}
	found := map[string]int{}
	l := lineFinder{reader: r, wanted: map[string]bool{}, above: map[string]bool{}, line: 1, found: found}
	for _, place := range places {
		l.wanted[place] = true
		for up := place; up != ""; {
			up = above(up)
			l.above[up] = true
		}
	}
	_ = l.value("") // a document that is none has been said to be none
	lines := make(map[string]int, len(places))
	for _, place := range places {
		up := place
		for found[up] == 0 && up != "" {
			up = above(up)
		}
		lines[place] = max(1, found[up])
	}
	return lines
}

// above is the place that a place is in: "versions" for "versions[3]".
func above(place string) string { return place[:max(0, strings.LastIndexAny(place, ".["))] }

// lineFinder walks down to the wanted places, and past everything else.
type lineFinder struct {
	*reader
	wanted map[string]bool
	above  map[string]bool // places that something wanted is below of
	line   int
	seen   int // up to where the lines are counted
	found  map[string]int
}

func (l *lineFinder) value(place string) error {
	if l.wanted[place] || l.above[place] {
		l.line += strings.Count(l.s[l.seen:l.pos], "\n")
		l.seen = l.pos
		l.found[place] = l.line
	}
	switch c := l.peek(); {
	case l.above[place] && c == '{':
		return l.object(func(string, string) error { return l.value(formatPath(l.path)) })
	case l.above[place] && c == '[':
		return l.array(maxListed, func() error { return l.value(formatPath(l.path)) })
	}
	_, err := l.skip()
	return err
}
