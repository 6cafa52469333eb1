package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// generates runs the command and reads its summary.
func generates(t testing.TB, code int, args ...string) generateSummary {
	t.Helper()
	got, stdout, stderr := command(t.Context(), t, append([]string{"generate", "--json"}, args...)...)
	if got != code {
		t.Fatalf("generate %v: exit %d, want %d: %s%s", args, got, code, stdout, stderr)
	}
	var s generateSummary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil && code < exitUsage {
		t.Fatalf("%v: %s", err, stdout)
	}
	return s
}

// tree is what is in a folder: for each file its inode and time of change, so
// that one that is written again is seen, and its content.
type tree map[string]treeFile

type treeFile struct {
	info fs.FileInfo
	body string
}

func readTree(t testing.TB, dir string) tree {
	t.Helper()
	files := tree{}
	err := filepath.WalkDir(dir, func(full string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		body, err := os.ReadFile(full) // #nosec G304 -- a test's own folder
		name, _ := filepath.Rel(dir, full)
		files[filepath.ToSlash(name)] = treeFile{info, string(body)}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// changed are the files that differ from before, or were written again.
func (now tree) changed(before tree) []string {
	var names []string
	for name, f := range now {
		if was, ok := before[name]; !ok || !os.SameFile(was.info, f.info) || !was.info.ModTime().Equal(f.info.ModTime()) || was.body != f.body {
			names = append(names, name)
		}
	}
	for name := range before {
		if _, ok := now[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// served are the files that clients read.
func (now tree) served() map[string]string {
	out := map[string]string{}
	for name, f := range now {
		if !strings.HasPrefix(name, ".registrar/") {
			out[name] = f.body
		}
	}
	return out
}
