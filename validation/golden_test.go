package validation

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite the wanted results of the golden cases")

// golden is one case: a txtar file whose comment states the rule in a sentence,
// options ("tag: v1.0.0"), and the number of findings wanted ("findings: 2"),
// followed by the input files and the file "want".
type golden struct {
	*testing.T
	options map[string]string
	files   map[string][]byte
	// names are key ids that tests make by chance, and what to write for them.
	names []string
}

var goldenOption = regexp.MustCompile(`^([a-z-]+): ?(.*)$`)

// runGoldens runs every case of testdata/<dir>. judge returns the findings of a
// case and whatever else is worth pinning down.
func runGoldens(t *testing.T, dir string, judge func(g *golden) (facts string, findings []Finding)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", dir, "*.txtar"))
	must(t, err)
	if len(paths) == 0 {
		t.Fatalf("no golden case in testdata/%s", dir)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			runGolden(t, path, judge)
		})
	}
}

func runGolden(t *testing.T, path string, judge func(g *golden) (string, []Finding)) {
	ar, err := txtar.ParseFile(path)
	must(t, err)
	g := &golden{T: t, options: map[string]string{}, files: map[string][]byte{}}
	sentence := ""
	for line := range strings.Lines(string(ar.Comment)) {
		if m := goldenOption.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			g.options[m[1]] = m[2]
		} else {
			sentence += strings.TrimSpace(line)
		}
	}
	if sentence == "" {
		t.Fatal("the case states no rule")
	}
	var want *txtar.File
	for i := range ar.Files {
		if f := &ar.Files[i]; f.Name == "want" {
			want = f
		} else {
			g.files[f.Name] = f.Data
		}
	}
	facts, findings := judge(g)
	if n, err := strconv.Atoi(g.options["findings"]); err != nil || n != len(findings) {
		t.Errorf("%d findings, the case wants %q:\n%s", len(findings), g.options["findings"], g.told("", findings))
	}
	got := g.told(facts, findings)
	switch {
	case *update && want == nil:
		ar.Files = append(ar.Files, txtar.File{Name: "want", Data: got})
	case *update:
		want.Data = got
	case want == nil || !bytes.Equal(want.Data, got):
		t.Errorf("got:\n%s\nwant the file \"want\" of %s (go test -update writes it)", got, path)
	}
	if *update {
		must(t, os.WriteFile(path, txtar.Format(ar), 0o600))
	}
}

// told writes a result as people read it.
func (g *golden) told(facts string, findings []Finding) []byte {
	var b strings.Builder
	b.WriteString(facts)
	for _, f := range findings {
		fmt.Fprintf(&b, "%s %s [%s]\n\t%s\n", f.Severity, f.Code, f.Field, f.Message)
		if f.Fix != "" {
			fmt.Fprintf(&b, "\tfix: %s\n", f.Fix)
		}
		if f.Severity == Error && f.Fix == "" {
			g.Errorf("the error %s has no fix", f.Code)
		}
	}
	return []byte(strings.NewReplacer(g.names...).Replace(b.String()))
}

// key returns a test key; its chance id is written as <name> in results.
func (g *golden) key(name string) testKey {
	k := key(g, name)
	g.names = append(g.names, k.id, "<"+name+">")
	for _, sub := range parsed(g, name).SubkeyIDs {
		g.names = append(g.names, sub, "<"+name+"'s subkey>")
	}
	return k
}

// lines returns the fields of each line of an input file.
func (g *golden) lines(name string) [][]string {
	var out [][]string
	for line := range strings.Lines(string(g.files[name])) {
		if fields := strings.Fields(line); len(fields) > 0 {
			out = append(out, fields)
		}
	}
	return out
}

// is tells whether an option says yes.
func (g *golden) is(option string) bool { return g.options[option] == "yes" }
