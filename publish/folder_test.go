package publish

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

func openFolder(t *testing.T) (*Folder, string) {
	t.Helper()
	dir := t.TempDir()
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f, dir
}

func TestFolderStaysInside(t *testing.T) {
	f, dir := openFolder(t)
	outside := t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "v1")); err != nil {
		testdata.Missing(t, "symbolic links: "+err.Error())
	}
	ctx := context.Background()
	if _, err := f.Get(ctx, "v1/secret"); err == nil {
		t.Error("read through a symbolic link")
	}
	if err := f.Put(ctx, "v1/new", File{Body: []byte("x")}); err == nil {
		t.Error("wrote through a symbolic link")
	}
	if err := f.Delete(ctx, "v1/secret"); err == nil {
		t.Error("deleted through a symbolic link")
	}
	if entries, _ := os.ReadDir(outside); len(entries) != 1 {
		t.Errorf("outside changed: %v", entries)
	}
}

func TestFolderPutGetDelete(t *testing.T) {
	f, dir := openFolder(t)
	ctx := context.Background()
	const path = "v1/providers/acme/demo/1.0.0/download/linux/amd64"
	if _, err := f.Get(ctx, path); !errors.Is(err, ErrNotExist) {
		t.Fatalf("Get of nothing: %v", err)
	}
	for _, body := range []string{"one", "two"} {
		if err := f.Put(ctx, path, File{Body: []byte(body)}); err != nil {
			t.Fatal(err)
		}
		got, err := f.Get(ctx, path)
		if err != nil || string(got.Body) != body {
			t.Fatalf("Get = %q, %v; want %q", got.Body, err, body)
		}
	}
	info, err := os.Stat(filepath.Join(dir, path))
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("mode = %v, %v", info.Mode(), err)
	}
	if _, err := f.Get(ctx, "v1/providers"); !errors.Is(err, ErrNotExist) {
		t.Errorf("Get of a folder: %v", err)
	}
	if _, err := f.Get(ctx, path+"/below"); !errors.Is(err, ErrNotExist) {
		t.Errorf("Get below a file: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Join(dir, tempDir)); len(left) != 0 {
		t.Errorf("temporary files are left: %v", left)
	}
	for range 2 {
		if err := f.Delete(ctx, path); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "v1")); !os.IsNotExist(err) {
		t.Errorf("empty folders are left: %v", err)
	}
}

func TestFolderSweepsOldTemporaryFiles(t *testing.T) {
	dir := t.TempDir()
	for name, age := range map[string]time.Duration{"old": 2 * staleTemp, "new": 0} {
		path := filepath.Join(dir, tempDir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-age)
		if err := os.Chtimes(path, then, then); err != nil {
			t.Fatal(err)
		}
	}
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	left, _ := os.ReadDir(filepath.Join(dir, tempDir))
	if len(left) != 1 || left[0].Name() != "new" {
		t.Errorf("left: %v", left)
	}
}

// Deleting removes folders that become empty, writing makes them: both at once
// must not lose a file.
func TestFolderPutBesideDelete(t *testing.T) {
	f, _ := openFolder(t)
	ctx := context.Background()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			path := fmt.Sprintf("v1/x/%d/file", i%4)
			for range 30 {
				if i < 4 {
					if err := f.Put(ctx, path+"-keep", File{Body: []byte("k")}); err != nil {
						t.Error(err)
					}
					if _, err := f.Get(ctx, path+"-keep"); err != nil {
						t.Error(err)
					}
				}
				if err := f.Delete(ctx, path+"-keep2"); err != nil {
					t.Error(err)
				}
				if i < 4 {
					if err := f.Delete(ctx, path+"-keep"); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
}

// Two handles of one folder stand for two processes.
func TestFolderLockExcludes(t *testing.T) {
	one, dir := openFolder(t)
	two, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer two.Close()
	var inside, most atomic.Int32
	var group sync.WaitGroup
	for i := range 8 {
		f := one
		if i%2 == 1 {
			f = two
		}
		group.Go(func() {
			unlock, err := f.Lock(context.Background(), "x")
			if err != nil {
				t.Error(err)
				return
			}
			most.Store(max(most.Load(), inside.Add(1)))
			time.Sleep(2 * time.Millisecond)
			inside.Add(-1)
			unlock()
		})
	}
	group.Wait()
	if most.Load() != 1 {
		t.Errorf("%d held the lock at once", most.Load())
	}

	unlock, err := one.Lock(context.Background(), "x")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := two.Lock(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Lock while it is held: %v", err)
	}
}

// A disk that takes no more is one clear error for an operator.
func TestFolderTroubles(t *testing.T) {
	f, dir := openFolder(t)
	for _, tt := range []struct {
		err  error
		says string
	}{
		{syscall.ENOSPC, "no room left"}, {syscall.EDQUOT, "no room left"},
		{syscall.EROFS, "cannot be written"}, {syscall.EACCES, "cannot be written"},
	} {
		err := f.explain(&os.PathError{Op: "write", Path: "x", Err: tt.err})
		var trouble *TroubleError
		if !errors.As(err, &trouble) || !errors.Is(err, ErrDisk) || !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%v: %v", tt.err, err)
		}
	}
	if err := f.explain(errCrash); errors.As(err, new(*TroubleError)) {
		t.Errorf("another error became %v", err)
	}
}
