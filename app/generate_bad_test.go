package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Bad input is named, everything else is rendered, and nothing live goes.
func TestGenerateOfBadInput(t *testing.T) {
	t.Parallel()
	data, out := t.TempDir(), t.TempDir()
	const leadsOut = "modules/a/acme/leadsout/aws.json"
	broken := []string{leadsOut, "modules/a/acme/nojson/aws.json", "modules/a/acme/noversion/aws.json", "modules/a/acme/link/aws.json", "providers/a/acme/huge.json"}
	files := small()
	for _, name := range broken {
		files[name] = files["modules/a/acme/vpc/aws.json"]
		if strings.HasPrefix(name, "providers/") {
			files[name] = files["providers/a/acme/other.json"]
		}
	}
	files["keys/a/acme/provider-0.asc"] = testArmor(t)
	writeTree(t, data, files)
	generates(t, exitOK, "--data", data, "--out", out)
	before := readTree(t, out).served()

	for _, name := range append(slices.Clone(broken), "keys/a/acme/provider-2.asc") {
		_ = os.Remove(filepath.Join(data, name))
	}
	bad := maps.Clone(badInput)
	delete(bad, registrydata.AliasesPath)
	bad["providers/a/acme/demo.json"] = small()["providers/a/acme/demo.json"]
	bad["modules/a/acme/vpc/aws.json"] = `{"versions":[{"version":"v2.0.0"},{"version":"v1.0.0"}]}`
	bad[leadsOut] = "{\"versions\": [{\"version\": \"v1.0.0\"},\n{\"version\": \"../../../v1.0.0\"}]}"
	writeTree(t, data, bad)
	spoil(t, data)
	s := generates(t, exitFindings, "--data", data, "--out", out)
	after := readTree(t, out).served()
	for name, body := range before {
		switch now, ok := after[name]; {
		case !ok:
			t.Errorf("%s is gone", name)
		case now != body && name != "v1/modules/acme/vpc/aws/versions":
			t.Errorf("%s has changed", name)
		}
	}
	if _, ok := after["v1/modules/acme/vpc/aws/2.0.0/download"]; !ok {
		t.Error("what is not broken was not rendered")
	}
	if _, ok := after["v1/modules/acme/securestorage-/aws/versions"]; !ok {
		t.Error("what no client can address is not kept")
	}
	if list := after["v1/modules/acme/twice/aws/versions"]; strings.Count(list, "1.0.0") != 1 {
		t.Errorf("a version that stands twice is listed so: %s", list)
	}
	if diff := cmp.Diff([]string{
		"keys/a/acme/provider-1.asc:0 : read key: unexpected EOF",
		"keys/a/acme/provider-2.asc:0 : link",
		"modules/a/acme/dangling/aws.json:0 : link",
		"modules/a/acme/inside/aws.json:0 : link",
		"modules/a/acme/leadsout/aws.json:2 versions[1].version: no semantic version",
		"modules/a/acme/link/aws.json:0 : link",
		"modules/a/acme/nojson/aws.json:1 : want an object",
		"modules/a/acme/noversion/aws.json:2 versions[0]: no tag",
		"providers/a/acme/huge.json:0 : bytes",
	}, s.places()); diff != "" || s.NotInLayout != 5 {
		t.Errorf("faults (-want +got), %d not in the layout:\n%s", s.NotInLayout, diff)
	}
	for name, body := range after {
		if strings.Contains(body, "hello") {
			t.Errorf("%s shows a key that is none", name)
		}
	}
}

// Without aliases nobody knows what belongs where.
func TestGenerateWithoutAliases(t *testing.T) {
	t.Parallel()
	data, out := t.TempDir(), t.TempDir()
	writeTree(t, data, small())
	writeTree(t, data, map[string]string{registrydata.AliasesPath: "one two three\n"})
	code, _, stderr := command(t.Context(), t, "generate", "--data", data, "--out", out)
	if code != exitFailure || !strings.Contains(stderr, "provider-aliases.txt: aliases, line 1: want two names") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if made := readTree(t, out).served(); len(made) != 0 {
		t.Errorf("made %v", slices.Sorted(maps.Keys(made)))
	}
}

// A folder that is replaced by a link takes nothing away, be it of data or of
// keys: neither everything nor a part of it.
func TestGenerateOfLinkedFolders(t *testing.T) {
	t.Parallel()
	data, out, elsewhere := t.TempDir(), t.TempDir(), t.TempDir()
	files := small()
	files["keys/a/acme/provider-0.asc"] = testArmor(t)
	writeTree(t, data, files)
	generates(t, exitOK, "--data", data, "--out", out)
	before := readTree(t, out)
	for _, folder := range []string{"modules/a", "providers/d", "keys/a/acme"} {
		full := filepath.Join(data, filepath.FromSlash(folder))
		if err := os.Rename(full, filepath.Join(elsewhere, filepath.Base(full))); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(elsewhere, filepath.Base(full)), full); err != nil {
			t.Fatal(err)
		}
	}
	for only, want := range map[string][]string{
		"": {"keys/a/acme:0 : link", "modules/a:0 : link", "providers/d:0 : link"},
		"modules/a/acme/vpc/aws.json,providers/d/datadog/datadog.json": {"modules/a:0 : link", "providers/d:0 : link"},
		"providers/a/acme/demo.json":                                   {"keys/a/acme:0 : link"},
	} {
		args := []string{"--data", data, "--out", out}
		if only != "" {
			args = append(args, "--only", only)
		}
		s := generates(t, exitFindings, args...)
		if diff := cmp.Diff(want, s.places()); diff != "" {
			t.Errorf("--only %s: faults (-want +got):\n%s", only, diff)
		}
		if changed := readTree(t, out).changed(before); len(changed) > 0 {
			t.Errorf("--only %s: has changed %v", only, changed)
		}
	}
}

// places are the faults: file, line, place in it, and what the message must say.
func (s generateSummary) places() []string {
	var out []string
	for _, f := range s.Faults {
		says := f.Message
		for _, text := range []string{"no semantic version", "want an object", "no tag", "link", "bytes"} {
			if strings.Contains(f.Message, text) {
				says = text
			}
		}
		out = append(out, fmt.Sprintf("%s:%d %s: %s", f.File, f.Line, f.Where, says))
	}
	return out
}
