package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

// TestGenerateReproducesTheReference holds what the command makes against the
// files that the reference's generator made of the same data.
func TestGenerateReproducesTheReference(t *testing.T) {
	golden, inputs := testdata.Golden(t)
	data, out := t.TempDir(), t.TempDir()
	files := map[string]string{}
	for name, body := range testdata.Files(t, testdata.Corpus) {
		if inputs[name] || strings.HasPrefix(name, "keys/") {
			files[name] = string(body)
		}
	}
	writeTree(t, data, files)
	s := generates(t, exitOK, "--data", data, "--out", out, "--compatible")
	made := readTree(t, out).served()
	if s.Files != len(made)-1 || s.FilesWritten != s.Files {
		t.Errorf("%d golden files, %d made: %+v", len(golden), len(made), s)
	}
	for name, want := range golden {
		if made[name] != want {
			t.Errorf("%s differs\n--- made\n%.300s\n--- want\n%.300s", name, made[name], want)
		}
	}
	for name := range made {
		part := slices.ContainsFunc(testdata.GoldenParts(), func(folder string) bool { return strings.HasPrefix(name, folder) })
		if _, ok := golden[name]; !ok && !part {
			t.Errorf("%s is not among the golden files", name)
		}
	}

	// Without the flag Registrar is right where the reference errs, and only there.
	out = t.TempDir()
	generates(t, exitOK, "--data", data, "--out", out)
	own, errs := readTree(t, out).served(), testdata.ReferenceErrs()
	for name, want := range golden {
		body, ok := own[strings.ToLower(name)]
		if reason, err := errs[name]; !ok || err != (body != want) {
			t.Errorf("%s: made %v, the reference errs %v, %s\n%.300s", name, ok, err, reason, body)
		}
	}
}
