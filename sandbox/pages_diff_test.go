package sandbox

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPatchLinesAreNumbered(t *testing.T) {
	patch := "not yet a hunk\n@@ -1,3 +1,3 @@\n {\n-old\r\n+new\n }\n@@ -10 +10,2 @@ func f\n x\n+y\n\\ No newline at end of file\n"
	want := []diffLine{
		{Class: "hunk", Text: "@@ -1,3 +1,3 @@"},
		{Sign: " ", Old: 1, New: 1, Text: "{"},
		{Class: "removed", Sign: "-", Old: 2, Text: "old"},
		{Class: "added", Sign: "+", New: 2, Text: "new"},
		{Sign: " ", Old: 3, New: 3, Text: "}"},
		{Class: "hunk", Text: "@@ -10 +10,2 @@ func f"},
		{Sign: " ", Old: 10, New: 10, Text: "x"},
		{Class: "added", Sign: "+", New: 11, Text: "y"},
		{Class: "hunk", Text: `\ No newline at end of file`},
	}
	if diff := cmp.Diff(want, parsePatch(patch)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func FuzzPatch(f *testing.F) {
	f.Add("@@ -1,3 +1,3 @@\n {\n-old\n+new\n }\n")
	f.Add("@@ -99999999999999999999 +1 @@\n+\n-\n \n\\")
	f.Add("+before a hunk")
	f.Fuzz(func(t *testing.T, patch string) {
		for _, line := range parsePatch(patch) {
			if line.Class == "added" && line.Old != 0 || line.Class == "removed" && line.New != 0 {
				t.Errorf("%q: a line with both numbers: %+v", patch, line)
			}
		}
	})
}

func TestDiffsThatCannotBeShownSaySo(t *testing.T) {
	views := viewDiffs([]fileDiff{{path: "b", previous: "a", status: "renamed"}, {path: "c", status: "added"}})
	if views[0].Note != "Renamed without changes." || !views[0].Renamed || views[1].Note != "An empty or binary file." {
		t.Errorf("views %+v", views)
	}
}

func TestTimesInWords(t *testing.T) {
	moment := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for since, want := range map[time.Duration]string{
		-time.Second: "now", 5 * time.Second: "now", 59 * time.Second: "59 seconds ago", time.Minute: "1 minute ago", 2 * time.Hour: "2 hours ago",
		24 * time.Hour: "1 day ago", 29 * 24 * time.Hour: "29 days ago", 31 * 24 * time.Hour: "on Jan 2, 2026",
	} {
		if got := agoWords(since, moment); got != want {
			t.Errorf("%v: %q, want %q", since, got, want)
		}
	}
}
