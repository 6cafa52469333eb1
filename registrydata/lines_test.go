package registrydata

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLines(t *testing.T) {
	const document = `
{
  "versions": [
    {"version": "1.0.0"},
    {
      "version": "0.9.0",
      "targets": [ {"os": "linux"},

        {"os": "darwin", "size":
           5}]
    }
  ], "odd key": {"a": 1},
  "warnings": null
}`
	want := map[string]int{
		"": 2, "versions": 3, "versions[0]": 4, "versions[0].version": 4, "versions[1].version": 6,
		"versions[1].targets[1].size": 10, `["odd key"].a`: 12, "warnings": 13,
	}
	// What is not there.
	for place, line := range map[string]int{"versions[2]": 3, "versions.x": 3, "warnings[0]": 13, "versions[1].targets[1].arch": 9, "x": 2} {
		want[place] = line
	}
	var places []string
	for place := range want {
		places = append(places, place)
	}
	if diff := cmp.Diff(want, Lines([]byte(document), places)); diff != "" {
		t.Error(diff)
	}
}

// A document that is cut off gives what stands before the cut.
func TestLinesOfABrokenDocument(t *testing.T) {
	got := Lines([]byte("{\"a\":\n[1,\n2"), []string{"a", "a[1]", "a[2]", "b"})
	if diff := cmp.Diff(map[string]int{"a": 2, "a[1]": 3, "a[2]": 2, "b": 1}, got); diff != "" {
		t.Error(diff)
	}
}
