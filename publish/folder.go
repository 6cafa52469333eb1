package publish

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// Folder is a Target on disk. It never leaves its folder, not even through a
// symbolic link. Files are written to .registrar/tmp, flushed, and renamed to
// where they belong, so that a crash leaves no half-written file in the tree
// that is served.
type Folder struct {
	root *os.Root
	bulk atomic.Bool // files are flushed at the end; see Bulk
}

const (
	tempDir = stateDir + "/tmp"
	lockDir = stateDir + "/locks"
	// staleTemp is the age at which a temporary file is a crash's leftover.
	staleTemp = time.Hour
	// lockShards is how many entities can be published at the same time.
	lockShards = 64
)

// OpenFolder opens a folder, and makes it where it is missing.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("publish folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("publish folder: %w", err)
	}
	f := &Folder{root: root}
	for _, d := range []string{tempDir, lockDir} {
		if err := root.MkdirAll(d, 0o755); err != nil {
			_ = root.Close()
			return nil, fmt.Errorf("publish folder: %w", f.explain(err))
		}
	}
	f.sweepTemp()
	if err := f.distrust(); err != nil {
		_ = root.Close()
		return nil, fmt.Errorf("publish folder: %w", f.explain(err))
	}
	return f, nil
}

// Close gives the folder back.
func (f *Folder) Close() error { return f.root.Close() }

// sweepTemp removes what crashes left behind.
func (f *Folder) sweepTemp() {
	entries, err := fs.ReadDir(f.root.FS(), tempDir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && time.Since(info.ModTime()) > staleTemp {
			_ = f.root.RemoveAll(tempDir + "/" + e.Name())
		}
	}
}

// Get reads a file. Its ETag is made of its content.
func (f *Folder) Get(_ context.Context, name string) (File, error) {
	if err := CheckPath(name); err != nil {
		return File{}, err
	}
	file, err := f.root.Open(name)
	if absent(err) {
		return File{}, ErrNotExist
	}
	if err != nil {
		return File{}, err
	}
	defer file.Close() //nolint:errcheck // only read
	info, err := file.Stat()
	if err != nil {
		return File{}, err
	}
	if !info.Mode().IsRegular() {
		return File{}, ErrNotExist
	}
	body, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err == nil && len(body) > maxFile {
		err = errTooLarge
	}
	if err != nil {
		return File{}, fmt.Errorf("read %s: %w", name, err)
	}
	return File{Body: body, ETag: etagOf(body)}, nil
}

// absent tells whether an error says that nothing is there: no such file, or a
// file where a folder would have to be.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func etagOf(body []byte) string { return `"` + digest(body)[:32] + `"` }

// Put writes a file whole, and returns after it is on disk.
func (f *Folder) Put(_ context.Context, name string, file File) error {
	if err := CheckPath(name); err != nil {
		return err
	}
	temp := tempName()
	if err := f.writeTemp(temp, file.Body); err != nil {
		return fmt.Errorf("write %s: %w", name, f.explain(err))
	}
	err := f.moveInto(temp, name)
	if err != nil {
		_ = f.root.Remove(temp)
		return fmt.Errorf("write %s: %w", name, f.explain(err))
	}
	return nil
}

// explain names what an operator must mend.
func (f *Folder) explain(err error) error {
	t := &TroubleError{Kind: ErrDisk, Err: err}
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		t.Problem, t.Remedy = "there is no room left for the folder "+f.root.Name(), "free some, or publish elsewhere"
	case errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission):
		t.Problem, t.Remedy = "the folder "+f.root.Name()+" cannot be written", "let the user of this program own it"
	default:
		return err
	}
	return t
}

func tempName() string {
	return tempDir + "/" + strconv.FormatUint(rand.Uint64(), 36) // #nosec G404 -- a name, no secret
}

func (f *Folder) writeTemp(temp string, body []byte) error {
	file, err := f.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if err = f.fill(file, body); err != nil {
		_ = f.root.Remove(temp)
	}
	return err
}

// fill writes a new file and closes it.
func (f *Folder) fill(file *os.File, body []byte) error {
	_, err := file.Write(body)
	if err == nil {
		err = file.Chmod(0o644)
	}
	if err == nil && !f.bulk.Load() {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// moveInto renames the temporary file. A deletion next to it may take away the
// folder in between, when that has become empty: then it is made again.
func (f *Folder) moveInto(temp, name string) error {
	dir := path.Dir(name)
	var err error
	for range 5 {
		if err = f.root.MkdirAll(dir, 0o755); err != nil && !absent(err) {
			return err
		}
		if err = f.root.Rename(temp, name); err == nil {
			return f.flushDir(dir)
		}
		if !absent(err) {
			return err
		}
	}
	return err
}

// flushDir makes a change of a folder's entries last.
func (f *Folder) flushDir(dir string) error {
	if f.bulk.Load() {
		return nil
	}
	d, err := f.root.Open(dir)
	if absent(err) {
		return nil // gone again, with all that was in it
	}
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // only flushed
	return flush(d)
}

// PutIf writes a file if it still is what it was.
func (f *Folder) PutIf(ctx context.Context, name string, file File, etag string) (string, error) {
	unlock, err := f.lock(ctx, "put", name)
	if err != nil {
		return "", err
	}
	defer unlock()
	current, err := f.Get(ctx, name)
	if err != nil && !errors.Is(err, ErrNotExist) {
		return "", err
	}
	if current.ETag != etag {
		return "", fmt.Errorf("%s: %w", name, ErrChanged)
	}
	return etagOf(file.Body), f.Put(ctx, name, file)
}

// Delete removes a file, and the folders that it leaves empty.
func (f *Folder) Delete(_ context.Context, name string) error {
	if err := CheckPath(name); err != nil {
		return err
	}
	if err := f.root.Remove(name); err != nil && !absent(err) {
		return fmt.Errorf("delete %s: %w", name, f.explain(err))
	}
	dir := path.Dir(name)
	for ; dir != "."; dir = path.Dir(dir) {
		if f.root.Remove(dir) != nil { // not empty
			break
		}
	}
	return f.flushDir(dir)
}

// List names the files below a folder.
func (f *Folder) List(_ context.Context, prefix string) ([]string, error) {
	dir := strings.TrimSuffix(prefix, "/")
	if err := CheckPath(dir); err != nil {
		return nil, err
	}
	var names []string
	err := fs.WalkDir(f.root.FS(), dir, func(name string, e fs.DirEntry, err error) error {
		if absent(err) {
			return nil
		}
		if err == nil && !e.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", prefix, err)
	}
	slices.Sort(names)
	return names, nil
}

// Lock keeps other goroutines, and on Unix other processes, away from what the
// name stands for. The lock goes with the process that holds it.
func (f *Folder) Lock(ctx context.Context, name string) (unlock func(), err error) {
	return f.lock(ctx, "lock", name)
}

// lock takes one of the locks of a kind. A holder of Lock may call PutIf, so
// these two must not share theirs.
func (f *Folder) lock(ctx context.Context, kind, name string) (unlock func(), err error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	shard := lockDir + "/" + kind + "-" + strconv.Itoa(int(h.Sum32()%lockShards))
	file, err := f.root.OpenFile(shard, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		release, err := tryLock(file)
		if err != nil {
			_ = file.Close()
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		if release != nil {
			return func() { release(); _ = file.Close() }, nil
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, fmt.Errorf("lock %s: %w", name, ctx.Err())
		case <-time.After(pause):
		}
	}
}
