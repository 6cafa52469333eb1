package publish

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

func openBulk(t testing.TB, dir string) *Folder {
	t.Helper()
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if _, err := f.Bulk(); err != nil {
		t.Fatal(err)
	}
	return f
}

// An entity that has no files yet is put in place at once, any other file by
// file; either way the folder holds what it would hold otherwise.
func TestFolderBulk(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	done, err := f.Bulk()
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []Update{rendered("a", "1.0.0", "1.1.0"), rendered("b", "1.1.0", "1.2.0"), rendered(""), rendered("c", "1.0.0")} {
		publish(t, f, u)
		checkSettled(t, f, "in bulk", u)
	}
	if err := done(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Get(ctx, bulkMark); !errors.Is(err, ErrNotExist) {
		t.Errorf("the mark is still there: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, tempDir)); len(left) != 0 {
		t.Errorf("temporary files are left: %v", left)
	}
	info, err := os.Stat(filepath.Join(dir, listPath(demo)))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode = %v, %v", info, err)
	}
	if planted, err := f.Plant(ctx, "v1/new", nil); planted || err != nil {
		t.Errorf("Plant after the bulk run = %v, %v", planted, err)
	}
}

func TestFolderPlantRefuses(t *testing.T) {
	f, ctx := openBulk(t, t.TempDir()), context.Background()
	if err := f.Put(ctx, "v1/there/x", File{Body: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	for dir, path := range map[string]string{"v1/there": "v1/there/y", "v1/a": "v1/b/x", "v1/there/x/y": "v1/there/x/y/z"} {
		planted, err := f.Plant(ctx, dir, []registrydata.Object{{Path: path, Body: []byte("y")}})
		if planted {
			t.Errorf("%s was planted in %s, %v", path, dir, err)
		}
	}
	if planted, err := f.Plant(ctx, "v1/new", []registrydata.Object{{Path: "v1/new/../../x"}}); planted || err == nil {
		t.Errorf("planted outside: %v, %v", planted, err)
	}
	if got := live(t, f); len(got) != 1 {
		t.Errorf("live: %v", got)
	}
}

// plantingFaulty breaks a folder that plants.
type plantingFaulty struct {
	lockedFaulty
	Planter
}

// A bulk run that is cut off after an entity was planted, and before its
// manifest, is completed by the next.
func TestFolderBulkCrash(t *testing.T) {
	f := openBulk(t, t.TempDir())
	broken := plantingFaulty{lockedFaulty{&faulty{Target: f, failAt: 1}, f}, f}
	if err := New(broken).Publish(context.Background(), rendered("a", "1.0.0", "1.1.0")); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	checkList(t, f, "cut off")
	if len(live(t, f)) != 5 {
		t.Errorf("nothing was planted: %v", live(t, f))
	}
	next := rendered("b", "1.1.0")
	publish(t, f, next)
	checkSettled(t, f, "the next run", next)
}

// After a crash of the machine nothing that was written in bulk is believed, and
// after a crash of the program all of it.
func TestFolderDistrust(t *testing.T) {
	for boot, keep := range map[string]bool{bootID(): true, "another boot": false, "": false} {
		dir, ctx := t.TempDir(), context.Background()
		f := openBulk(t, dir)
		u := rendered("a", "1.0.0", "1.1.0")
		publish(t, f, u)
		if err := New(f).SetPublished(ctx, "abc"); err != nil {
			t.Fatal(err)
		}
		lost := filepath.Join(dir, listPath(demo))
		if !keep {
			if err := os.Truncate(lost, 0); err != nil { // what a crash may do to it
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, bulkMark), []byte(boot), 0o644); err != nil {
			t.Fatal(err)
		}
		again, err := OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		commit, err := New(again).Published(ctx)
		if err != nil || (commit == "abc") != keep {
			t.Errorf("boot %q: the published commit is %q, %v", boot, commit, err)
		}
		publish(t, again, u)
		checkSettled(t, again, "boot "+boot, u)
	}
}
