package registry

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkout is a folder with data, whose files are old enough not to be read twice.
type checkout struct {
	t   testing.TB
	dir string
	n   int
}

func newCheckout(t testing.TB, files given) *checkout {
	t.Helper()
	c := &checkout{t: t, dir: t.TempDir()}
	for name, content := range files {
		c.write(name, string(content))
	}
	return c
}

func (c *checkout) path(name string) string { return filepath.Join(c.dir, filepath.FromSlash(name)) }

// write gives each file another time, as a clock does.
func (c *checkout) write(name, content string) {
	c.t.Helper()
	c.n++
	at := time.Date(2026, 1, 1, 0, 0, c.n, 0, time.UTC)
	must(c.t, os.MkdirAll(filepath.Dir(c.path(name)), 0o750))
	must(c.t, os.WriteFile(c.path(name), []byte(content), 0o600))
	must(c.t, os.Chtimes(c.path(name), at, at))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (r *Registry) serves(path string) bool { return r.bodyOf(path) != nil }

const (
	demoList   = "v1/providers/acme/demo/versions"
	moduleList = "v1/modules/acme/net/aws/versions"
)

func TestFolder(t *testing.T) {
	c := newCheckout(t, demo)
	source := NewFolder(c.dir)
	r := readFrom(t, source)
	if !r.serves(demoList) || !r.serves(moduleList) {
		t.Fatal("the folder's data is not served")
	}
	before := r.current.Load().entities["modules/acme/net/aws"]

	c.write("providers/a/acme/demo.json", strings.ReplaceAll(demoProvider, "1.1.0", "1.2.0"))
	c.write("providers/b/beta/x.json", demoProvider)
	must(t, r.Reload(t.Context()))
	if !r.serves("v1/providers/acme/demo/1.2.0/download/linux/amd64") || r.serves("v1/providers/acme/demo/1.1.0/download/linux/amd64") || !r.serves("v1/providers/beta/x/versions") {
		t.Error("what has changed is not served")
	}
	if list := string(r.bodyOf(demoList)); !strings.Contains(list, "1.2.0") || strings.Contains(list, "1.1.0") {
		t.Errorf("the list that was kept is served on: %s", list)
	}
	if r.current.Load().entities["modules/acme/net/aws"] != before {
		t.Error("an entity whose file has not changed was read again")
	}

	must(t, os.Remove(c.path("providers/b/beta/x.json")))
	must(t, r.Reload(t.Context()))
	if r.serves("v1/providers/beta/x/versions") || !r.serves(demoList) {
		t.Error("a file that is gone is served")
	}
}

// Whatever a file turns into, what was served of it stays, and the others come
// and go as ever.
func TestFolderFaults(t *testing.T) {
	spoil := map[string]func(c *checkout, name string){
		"no JSON":  func(c *checkout, name string) { c.write(name, "{") },
		"empty":    func(c *checkout, name string) { c.write(name, "") },
		"a number": func(c *checkout, name string) { c.write(name, `{"versions":[{"version":"latest"}]}`) },
		"too large": func(c *checkout, name string) {
			c.write(name, "")
			must(c.t, os.Truncate(c.path(name), 100<<20))
		},
		"a link": func(c *checkout, name string) {
			must(c.t, os.Rename(c.path(name), c.path("elsewhere.json")))
			must(c.t, os.Symlink(c.path("elsewhere.json"), c.path(name)))
		},
		"a folder in its place": func(c *checkout, name string) {
			c.write("providers/z/zeta/y.json", demoProvider)
			must(c.t, os.Remove(c.path(name)))
			must(c.t, os.Symlink(c.path("providers/z"), c.path(name)))
		},
	}
	for what, spoiled := range spoil {
		for _, name := range []string{"providers/a/acme/demo.json", "modules/a/acme/net/aws.json"} {
			t.Run(what+" "+name, func(t *testing.T) {
				c := newCheckout(t, demo)
				r := readFrom(t, NewFolder(c.dir))
				spoiled(c, name)
				c.write("providers/b/beta/x.json", demoProvider)
				for range 2 {
					must(t, r.Reload(t.Context()))
					if !r.serves(demoList) || !r.serves(moduleList) || !r.serves("v1/providers/beta/x/versions") {
						t.Error("something is not served")
					}
					if faults := r.Faults(); len(faults) != 1 || faults[name] == nil {
						t.Errorf("faults: %v", faults)
					}
				}
				must(t, os.Remove(c.path(name)))
				c.write(name, string(demo[name]))
				must(t, r.Reload(t.Context()))
				if faults := r.Faults(); len(faults) != 0 || !r.serves(demoList) {
					t.Errorf("faults after the repair: %v", faults)
				}
			})
		}
	}
}

// Files that no client can address are not in the way.
func TestFolderOutsideTheLayout(t *testing.T) {
	c := newCheckout(t, demo)
	for _, name := range []string{
		"providers/a/Acme/demo.json", "providers/b/acme/demo.json", "providers/a/acme/demo.json/x.json", "providers/a/acme/dot..json",
		"providers/a/acme/demo.json.bak", "modules/a/acme/aws.json", "keys/README.md", "keys/b/acme/k.asc", "README.md",
	} {
		if strings.HasPrefix(name, "providers/a/acme/demo.json/") {
			continue // the file is there
		}
		c.write(name, "{")
	}
	r := readFrom(t, NewFolder(c.dir))
	if len(r.Faults()) != 0 || len(r.current.Load().entities) != 2 {
		t.Errorf("%d entities, faults %v", len(r.current.Load().entities), r.Faults())
	}
}

// A disk that went away takes nothing down.
func TestFolderVanishes(t *testing.T) {
	c := newCheckout(t, demo)
	r := readFrom(t, NewFolder(c.dir))
	must(t, os.Rename(c.dir, c.dir+".away"))
	if err := r.Reload(t.Context()); err == nil || !r.serves(demoList) {
		t.Errorf("without the folder: %v", err)
	}
	must(t, os.Mkdir(c.dir, 0o750))
	if err := r.Reload(t.Context()); !errors.Is(err, errVanished) || !r.serves(demoList) {
		t.Errorf("with an empty folder: %v", err)
	}
	must(t, os.Remove(c.dir))
	must(t, os.Rename(c.dir+".away", c.dir))
	must(t, r.Reload(t.Context()))
	if !r.serves(demoList) || !r.serves(moduleList) || len(r.Faults()) != 0 {
		t.Errorf("when it is back: faults %v", r.Faults())
	}
}

func TestFolderThatCannotBeListed(t *testing.T) {
	c := newCheckout(t, demo)
	source := NewFolder(c.dir)
	r := readFrom(t, source)
	files := r.files
	scan := folderScan{folder: source, files: files, there: map[string]bool{}}
	scan.visit("providers/a/acme", nil, os.ErrPermission)
	if !scan.unreadable("providers/a/acme/demo.json") || scan.unreadable("providers/a/acme2/demo.json") || scan.unreadable("modules/a/acme/net/aws.json") {
		t.Error("which files are below the folder is not known")
	}
	must(t, r.Reload(t.Context()))
	if len(r.Faults()) != 0 || !r.serves(demoList) {
		t.Errorf("when it can be listed: %v", r.Faults())
	}
}

// While git writes, nothing is taken over: a file that it replaces is gone for a
// moment.
func TestFolderWhileGitWrites(t *testing.T) {
	c := newCheckout(t, demo)
	c.write(".git/index", "1")
	source := NewFolder(c.dir)
	r := readFrom(t, source)
	c.write(".git/index.lock", "")
	must(t, os.Remove(c.path("providers/a/acme/demo.json")))
	if err := r.Reload(t.Context()); !errors.Is(err, ErrBusy) || !r.serves(demoList) {
		t.Errorf("under git's lock: %v", err)
	}
	source.locked = source.locked.Add(-longestLock - time.Minute)
	if err := r.Reload(t.Context()); err == nil || errors.Is(err, ErrBusy) || !r.serves(demoList) {
		t.Errorf("under a lock that nobody holds: %v", err)
	}
	c.write("providers/a/acme/demo.json", demoProvider)
	must(t, os.Remove(c.path(".git/index.lock")))
	must(t, r.Reload(t.Context()))
	if !r.serves(demoList) {
		t.Error("after git's lock")
	}
}

// A file that has just been written may be written again within the clock's
// resolution.
func TestFolderReadsYoungFilesAgain(t *testing.T) {
	c := newCheckout(t, demo)
	name := "providers/a/acme/demo.json"
	now := time.Now()
	must(t, os.Chtimes(c.path(name), now, now))
	r := readFrom(t, NewFolder(c.dir))
	must(t, os.WriteFile(c.path(name), []byte(strings.ReplaceAll(demoProvider, "1.1.0", "1.1.9")), 0o600))
	must(t, os.Chtimes(c.path(name), now, now))
	must(t, r.Reload(t.Context()))
	if !r.serves("v1/providers/acme/demo/1.1.9/download/linux/amd64") {
		t.Error("a change of the same size and time is not seen")
	}
}

func TestAliasesAndKeys(t *testing.T) {
	key, other := testKey(t), testKey(t)
	c := newCheckout(t, given{
		"providers/d/datadog/datadog.json":  []byte(demoProvider),
		"providers/h/hashicorp/random.json": []byte(demoProvider),
		"providers/p/plain/x.json":          []byte(demoProvider),
		"keys/o/opentofu/a.asc":             key,
		"keys/d/datadog/datadog/b.asc":      other,
		"keys/d/datadog/a.asc":              key,
		"keys/d/datadog/broken.asc":         []byte("no key"),
		"keys/d/datadog/other/c.asc":        key,
	})
	r := readFrom(t, NewFolder(c.dir))
	if faults := r.Faults(); len(faults) != 1 || faults["keys/d/datadog/broken.asc"] == nil {
		t.Errorf("faults: %v", faults)
	}
	keyCount := func(provider string) int {
		e := r.current.Load().entities["providers/"+provider]
		if e == nil {
			return -2
		}
		if e.keys == nil {
			return -1
		}
		return len(e.keys)
	}
	want := map[string]int{
		"datadog/datadog": 2, "hashicorp/datadog": 2, "opentofu/datadog": 2,
		"hashicorp/random": 1, "plain/x": -1, "opentofu/random": -2,
	}
	for provider, n := range want {
		if got := keyCount(provider); got != n {
			t.Errorf("%s has %d keys, want %d", provider, got, n)
		}
	}
	// A file of its own comes first at an old address, a broken one too.
	c.write("providers/o/opentofu/datadog.json", "{")
	// The last file of a folder for keys goes: null, not [].
	must(t, os.Remove(c.path("keys/o/opentofu/a.asc")))
	// A registry with its own aliases.
	c.write("provider-aliases.txt", "plain/y plain/x\n")
	must(t, r.Reload(t.Context()))
	for provider, n := range map[string]int{"hashicorp/datadog": -2, "opentofu/datadog": -2, "hashicorp/random": -1, "plain/y": -1} {
		if got := keyCount(provider); got != n {
			t.Errorf("%s has %d keys, want %d", provider, got, n)
		}
	}
	c.write("provider-aliases.txt", "one two three\n")
	must(t, r.Reload(t.Context()))
	if keyCount("plain/y") != -1 || r.Faults()["provider-aliases.txt"] == nil {
		t.Error("broken aliases take away what was served")
	}
	must(t, os.Remove(c.path("provider-aliases.txt")))
	must(t, r.Reload(t.Context()))
	if keyCount("plain/y") != -2 || keyCount("hashicorp/datadog") != 2 || keyCount("opentofu/datadog") != -2 {
		t.Error("without a file the aliases are not the default ones")
	}
	if got := slices.Sorted(func(yield func(string) bool) {
		for name := range r.Faults() {
			if !yield(name) {
				return
			}
		}
	}); !slices.Equal(got, []string{"keys/d/datadog/broken.asc", "providers/o/opentofu/datadog.json"}) {
		t.Errorf("faults: %v", got)
	}
}
