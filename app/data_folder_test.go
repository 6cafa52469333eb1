package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

// A folder on a disk has the folders for keys that git would have: those with a
// file somewhere below. Else an answer would show [] here and null there.
func TestDataFolderListsKeysAsGitDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"keys/a/acme/empty/none", "keys/b/bare", "keys/c/deep/demo/old"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.FromSlash(name)), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"keys/a/acme/b.asc", "keys/a/acme/demo/k.asc", "keys/a/acme/a.asc", "keys/c/deep/demo/old/k.asc"} {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte("key"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := func(name string) registrydata.TreeEntry { return registrydata.TreeEntry{Name: name} }
	folder := func(name string) registrydata.TreeEntry { return registrydata.TreeEntry{Name: name, Dir: true} }
	want := registrydata.Folders{
		"keys/a/acme":       {file("a.asc"), file("b.asc"), folder("demo")},
		"keys/a/acme/demo":  {file("k.asc")},
		"keys/a/acme/empty": nil,
		"keys/b/bare":       nil,
		"keys/c/deep":       {folder("demo")},
		"keys/c/deep/demo":  {folder("old")},
	}
	acme := registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}.Entity()
	for how, list := range map[string]func(*dataFolder){
		"all": (*dataFolder).listAll,
		"some": func(d *dataFolder) {
			d.listFor([]registrydata.Entity{acme}, registrydata.DefaultAliases())
			d.listAll()
		},
	} {
		d, err := openDataFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		list(d)
		for _, name := range slices.Sorted(maps.Keys(want)) {
			if got, err := d.Dir(t.Context(), name); err != nil || !slices.Equal(got, want[name]) {
				t.Errorf("%s, %s: %v, %v; want %v", how, name, got, err, want[name])
			}
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}
