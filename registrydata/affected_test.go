package registrydata

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

func TestAffected(t *testing.T) {
	eachCase(t, "affected", func(t *testing.T, ar *txtar.Archive) {
		al := DefaultAliases()
		if own, ok := section(ar, "aliases"); ok {
			var err error
			if al, err = ParseAliases([]byte(own)); err != nil {
				t.Fatal(err)
			}
		}
		changes, _ := section(ar, "changes")
		want, _ := section(ar, "want")
		if diff := cmp.Diff(want, showAffected(Affected(readChanges(t, changes), al))); diff != "" {
			t.Errorf("affected set (-want +got):\n%s", diff)
		}
	})
}

// readChanges reads lines of the form of git diff --name-status.
func readChanges(t *testing.T, text string) []Change {
	t.Helper()
	kinds := map[string]ChangeKind{"A": Added, "M": Modified, "D": Deleted, "R": Added}
	var out []Change
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		c := Change{Kind: kinds[f[0]], Path: f[len(f)-1]}
		if f[0] == "R" {
			c.OldPath = f[1]
		}
		if c.Kind == 0 {
			t.Fatalf("malformed change %q", line)
		}
		out = append(out, c)
	}
	return out
}

func showAffected(s AffectedSet) string {
	var b strings.Builder
	if s.All {
		b.WriteString("all\n")
	}
	if s.Blacklist {
		b.WriteString("blacklist\n")
	}
	for _, e := range s.Entities {
		b.WriteString("entity " + e.Kind.String() + " " + e.String() + "\n")
	}
	for _, ns := range s.Namespaces {
		b.WriteString("namespace " + ns + "\n")
	}
	for _, path := range s.Ignored {
		b.WriteString("ignored " + path + "\n")
	}
	return b.String()
}
