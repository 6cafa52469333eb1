package sandbox

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxDiffLines bounds the lines shown of one file's changes.
const maxDiffLines = 3000

// diffView is what a commit or pull request changes in one file.
type diffView struct {
	Anchor         string
	Path, OldPath  string
	Status         string
	Renamed        bool
	Added, Removed int
	Lines          []diffLine
	Note           string // instead of lines
}

// diffLine is a line of a unified diff. Old and New are its numbers on either
// side, 0 where it has none.
type diffLine struct {
	Class string // "hunk", "added", "removed" or ""
	Sign  string
	Old   int
	New   int
	Text  string
}

// viewDiffs shows the files of a comparison.
func viewDiffs(files []fileDiff) []diffView {
	views := make([]diffView, 0, len(files))
	for i, file := range files {
		view := diffView{Anchor: fmt.Sprintf("diff-%d", i+1), Path: file.path, OldPath: file.previous, Renamed: file.previous != "",
			Status: file.status, Added: file.additions, Removed: file.deletions, Lines: parsePatch(file.patch)}
		switch {
		case len(view.Lines) > maxDiffLines:
			view.Lines, view.Note = nil, "This change is too large to be shown."
		case len(view.Lines) > 0:
		case file.status == "renamed":
			view.Note = "Renamed without changes."
		case file.additions+file.deletions == 0:
			view.Note = "An empty or binary file."
		}
		views = append(views, view)
	}
	return views
}

var hunkHeader = regexp.MustCompile(`^@@ -([0-9]+)(?:,[0-9]+)? \+([0-9]+)(?:,[0-9]+)? @@`)

// parsePatch numbers the lines of a patch's hunks. Lines outside any hunk are
// left out.
func parsePatch(patch string) []diffLine {
	var lines []diffLine
	var before, after int
	inside := false
	for text := range strings.SplitSeq(patch, "\n") {
		if at := hunkHeader.FindStringSubmatch(text); at != nil {
			before, after, inside = atoiOr(at[1], 0), atoiOr(at[2], 0), true
			lines = append(lines, diffLine{Class: "hunk", Text: text})
			continue
		}
		if !inside || text == "" {
			continue
		}
		line := diffLine{Sign: text[:1], Text: strings.TrimSuffix(text[1:], "\r")}
		switch text[0] {
		case '+':
			line.Class, line.New = "added", after
			after++
		case '-':
			line.Class, line.Old = "removed", before
			before++
		case ' ':
			line.Old, line.New = before, after
			before++
			after++
		case '\\': // "\ No newline at end of file"
			line.Class, line.Sign, line.Text = "hunk", "", text
		default:
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// plural says "1 file", "2 files".
func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}
