package houserules

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

const (
	root   = "../.."
	module = "github.com/tofu-registrar/registrar"
)

// pkg is what "go list" tells of a package; Dir is relative to the root.
type pkg struct {
	Dir        string
	ImportPath string
	Name       string
	Imports    []string
	Deps       []string
	GoFiles    []string
}

var packages = sync.OnceValues(func() ([]pkg, error) {
	cmd := exec.Command("go", "list", "-e", "-json=Dir,ImportPath,Name,Imports,Deps,GoFiles", "./...")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var list []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		p.Dir = strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		list = append(list, p)
	}
})

// allPackages are the packages of this module.
func allPackages(t *testing.T) []pkg {
	t.Helper()
	list, err := packages()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	if len(list) < 5 {
		t.Fatalf("go list names %d packages only", len(list))
	}
	return list
}

var files = sync.OnceValues(func() ([]string, error) {
	// Whoever owns the checkout: a container often runs the tests as another user.
	cmd := exec.Command("git", "-c", "safe.directory=*",
		"ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	var list []string
	seen := map[string]bool{}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		// The test cache sees what this process opens, not what git does: with the
		// folders read here, a new file makes the tests run anew.
		if dir := path.Dir(name); !seen[dir] {
			seen[dir] = true
			_, _ = os.ReadDir(filepath.Join(root, dir)) // a folder that is gone is no fault
		}
		if info, err := os.Stat(filepath.Join(root, name)); err == nil && info.Mode().IsRegular() {
			list = append(list, name)
		}
	}
	return list, nil
})

// allFiles are the files of the repository that git does not ignore, relative
// to the root.
func allFiles(t *testing.T) []string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		testdata.Missing(t, "a git checkout: "+err.Error())
	}
	list, err := files()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	if len(list) < 20 {
		t.Fatalf("git ls-files names %d files only", len(list))
	}
	return list
}

// goFiles are the Go files among them.
func goFiles(t *testing.T) []string {
	t.Helper()
	var list []string
	for _, f := range allFiles(t) {
		if path.Ext(f) == ".go" {
			list = append(list, f)
		}
	}
	return list
}

// read is a file of the repository.
func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func isTest(name string) bool { return strings.HasSuffix(name, "_test.go") }

// top is the room that a file or folder stands in: its first path element, or
// the first two below internal.
func top(name string) string {
	parts := strings.SplitN(name, "/", 3)
	if parts[0] == "internal" && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}
