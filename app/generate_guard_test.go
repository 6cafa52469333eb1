package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

// What clients rely on goes on purpose only.
func TestGenerateIsGuarded(t *testing.T) {
	t.Parallel()
	data, out := t.TempDir(), t.TempDir()
	writeTree(t, data, small())
	generates(t, exitOK, "--data", data, "--out", out)
	before := readTree(t, out)
	const demo, other = "providers/a/acme/demo.json", "providers/a/acme/other.json"
	refused := func(what string, args ...string) {
		t.Helper()
		code, stdout, stderr := command(t.Context(), t, append([]string{"generate", "--data", data, "--out", out}, args...)...)
		if code != exitFailure || !strings.Contains(stderr, "refused to publish: ") || !strings.Contains(stderr, what) {
			t.Errorf("%v: exit %d: %s", args, code, stderr)
		}
		if slices.Contains(args, "--dry-run") != strings.Contains(stdout, "would write") {
			t.Errorf("%v: %s", args, stdout)
		}
		if changed := readTree(t, out).changed(before); len(changed) > 0 {
			t.Errorf("%v: refused, and has changed %v", args, changed)
		}
	}
	less := strings.Replace(small()[demo], `{"version":"1.1.0","targets":[{"os":"linux","arch":"amd64","shasum":"11"}]},`, "", 1)
	changed := strings.Replace(small()[other], `"aa"`, `"bb"`, 1)
	writeTree(t, data, map[string]string{demo: less, other: changed})
	refused("acme/demo 1.1.0 would vanish; the checksum of acme/other 1.0.0 would change for linux/amd64")
	refused("acme/demo 1.1.0 would vanish", "--remove", other+"@v1.0.0")
	refused("would vanish", "--dry-run")
	refused("would change", "--only", other)

	// The blacklist of the data, and --remove, say what may go.
	writeTree(t, data, map[string]string{registrydata.BlacklistPath: `{"providers":[{"namespace":"acme","name":"demo","version":"1.1.0","reason":"broken"}]}`})
	s := generates(t, exitOK, "--data", data, "--out", out, "--remove", other)
	if s.FilesDeleted != 1 || s.FilesWritten != 2 {
		t.Errorf("%+v", s)
	}
	if served := readTree(t, out).served(); strings.Contains(served["v1/providers/acme/demo/versions"], "1.1.0") || !strings.Contains(served["v1/providers/acme/other/1.0.0/download/linux/amd64"], "bb") {
		t.Error("the run has not published")
	}

	// Whole entries, one alone or with --max-delete.
	before = readTree(t, out)
	for _, name := range []string{demo, other} {
		if err := os.Remove(filepath.Join(data, name)); err != nil {
			t.Fatal(err)
		}
	}
	refused("acme/other 1.0.0 would vanish")
	refused("it would remove 2 of the registry's entries, and one run may remove 1", "--remove", demo+","+other)
	s = generates(t, exitOK, "--data", data, "--out", out, "--remove", demo+","+other, "--max-delete", "0.5")
	if s.FilesDeleted != 4 || s.EntitiesChanged != 2 || s.Entities != 5 {
		t.Errorf("%+v", s)
	}
	for name := range readTree(t, out) {
		if strings.Contains(name, "acme/demo") || strings.Contains(name, "acme/other") {
			t.Errorf("%s is still there", name)
		}
	}

	// A folder that is empty by mistake takes nothing away.
	code, _, stderr := command(t.Context(), t, "generate", "--data", t.TempDir(), "--out", out, "--max-delete", "1")
	if code != exitFailure || !strings.Contains(stderr, "holds no provider and no module, and 5 are live") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
