package main

import (
	"archive/tar"
	"errors"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/registrydata"
)

// eachShared unpacks an archive of the shared data with the xz program and calls
// each for every file, with its path below the archive's one folder.
func eachShared(t testing.TB, archive string, each func(name string, body []byte)) {
	t.Helper()
	xz, err := exec.LookPath("xz")
	if err != nil {
		testdata.Missing(t, "the program xz: "+err.Error())
	}
	cmd := exec.CommandContext(t.Context(), xz, "--decompress", "--stdout", filepath.Join(testdata.Shared(t), archive)) // #nosec G204 -- a test
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(out); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		body, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(strings.TrimPrefix(h.Name, "./"), "/")
		each(name, body)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}

// corpus is the public registry of January 2025: file contents by path.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	eachShared(t, "corpus.tar.xz", func(name string, body []byte) { files[name] = body })
	return files
}

// inMemory is a data folder whose files are not on disk.
func inMemory(files map[string][]byte) *dataFolder {
	d := &dataFolder{files: map[string]dataFile{}, keys: map[string][]registrydata.TreeEntry{}}
	d.read = func(name string, _ int64) ([]byte, error) { return files[name], nil }
	for name, body := range files {
		d.paths = append(d.paths, name)
		d.files[name] = dataFile{size: int64(len(body))}
	}
	slices.Sort(d.paths)
	for _, name := range d.paths {
		below := false
		for dir := path.Dir(name); strings.HasPrefix(name, "keys/") && dir != "."; name, dir, below = dir, path.Dir(dir), true {
			e := registrydata.TreeEntry{Name: path.Base(name), Dir: below}
			if !slices.Contains(d.keys[dir], e) {
				d.keys[dir] = append(d.keys[dir], e)
			}
		}
	}
	return d
}
