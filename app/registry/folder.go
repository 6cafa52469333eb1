package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Folder is a Source: a folder that holds a checkout of the metadata repository.
// Whoever updates it (git pull, a copy) need not tell: each Refresh compares the
// size and time of every file with those of before, and reads what differs.
type Folder struct {
	dir    string
	seen   map[string]stamp
	locked time.Time // since when git has been at work; zero where it is not
}

// stamp tells whether a file may have changed.
type stamp struct {
	size int64
	time time.Time
}

// racy is how young a file may be for another write within the resolution of its
// file system's clock to go unseen; so it is read again.
const racy = 2 * time.Second

// NewFolder reads nothing yet.
func NewFolder(dir string) *Folder { return &Folder{dir: dir, seen: map[string]stamp{}} }

// found is a file of the folder that has changed.
type found struct {
	name  string
	stamp stamp
}

// Refresh implements Source.
func (f *Folder) Refresh(ctx context.Context, files *Files) (string, error) {
	before := f.index()
	if err := f.wait(before.locked); err != nil {
		return "", err
	}
	scan := folderScan{folder: f, files: files, start: time.Now(), there: make(map[string]bool, len(f.seen))}
	if err := scan.run(ctx); err != nil {
		return "", err
	}
	if err := scan.read(ctx); err != nil {
		return "", err
	}
	for name := range f.seen {
		if !scan.there[name] && !scan.unreadable(name) {
			delete(f.seen, name)
			files.Remove(name)
		}
	}
	if f.index() != before && len(f.seen) > 0 {
		return "", ErrBusy
	}
	return "", nil
}

// longestLock is how long git may take to change a checkout. A lock that is older
// was left behind by one that was killed.
const longestLock = 5 * time.Minute

// wait tells whether the folder must not be looked at now, because git writes to
// it: a file that it replaces is gone for a moment. The first look is not put off.
func (f *Folder) wait(locked bool) error {
	switch {
	case !locked || len(f.seen) == 0:
		f.locked = time.Time{}
		return nil
	case f.locked.IsZero():
		f.locked = time.Now()
	case time.Since(f.locked) > longestLock:
		return fmt.Errorf("git has been writing to the data folder since %s: remove .git/index.lock if it does not", f.locked.Format(time.TimeOnly))
	}
	return ErrBusy
}

// gitIndex is what git changes when it changes the checkout.
type gitIndex struct {
	locked bool
	stamp  stamp
}

func (f *Folder) index() gitIndex {
	var g gitIndex
	_, err := os.Lstat(filepath.Join(f.dir, ".git", "index.lock"))
	g.locked = err == nil
	if info, err := os.Stat(filepath.Join(f.dir, ".git", "index")); err == nil {
		g.stamp = stamp{info.Size(), info.ModTime()}
	}
	return g
}

// folderScan is one look at the folder.
type folderScan struct {
	folder  *Folder
	files   *Files
	start   time.Time
	there   map[string]bool
	changed []found
	failed  []string // folders that cannot be listed
}

func (s *folderScan) run(ctx context.Context) error {
	if info, err := os.Stat(s.folder.dir); err != nil || !info.IsDir() {
		return fmt.Errorf("the data folder cannot be read: %w", errors.Join(err, notFolder(info)))
	}
	for _, top := range []string{"providers", "modules", "keys", registrydata.AliasesPath} {
		err := filepath.WalkDir(filepath.Join(s.folder.dir, top), func(full string, d fs.DirEntry, err error) error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			name, relErr := filepath.Rel(s.folder.dir, full)
			if relErr != nil {
				return relErr
			}
			s.visit(filepath.ToSlash(name), d, err)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func notFolder(info fs.FileInfo) error {
	if info != nil && !info.IsDir() {
		return errors.New("it is no folder")
	}
	return nil
}

// visit notes a file that has changed, and folders and files that cannot be read.
func (s *folderScan) visit(name string, d fs.DirEntry, err error) {
	if errors.Is(err, fs.ErrNotExist) {
		return // gone meanwhile, or never there
	}
	if err != nil {
		s.failed = append(s.failed, name)
		s.note(name, err)
		return
	}
	if d.IsDir() || largestFile(name) == 0 {
		return
	}
	s.there[name] = true
	if !d.Type().IsRegular() {
		s.note(name, errors.New("it is no regular file: links are not followed"))
		return
	}
	info, err := d.Info()
	if err != nil {
		s.note(name, err)
		return
	}
	now := stamp{info.Size(), info.ModTime()}
	if was, known := s.folder.seen[name]; !known || was != now {
		s.changed = append(s.changed, found{name, now})
	}
}

// note makes a fault of a file that cannot be read; it is looked at again.
func (s *folderScan) note(name string, err error) {
	s.folder.seen[name] = stamp{size: -1}
	s.there[name] = true
	s.files.Fail(name, err)
}

// unreadable tells whether a file is below a folder that cannot be listed, so
// that nobody knows whether it is gone.
func (s *folderScan) unreadable(name string) bool {
	for _, dir := range s.failed {
		if strings.HasPrefix(name, dir+"/") {
			return true
		}
	}
	return false
}

// read reads what has changed.
func (s *folderScan) read(ctx context.Context) error {
	failed := make([]error, len(s.changed))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2 * runtime.GOMAXPROCS(0))
	for i, c := range s.changed {
		group.Go(func() error {
			var content []byte
			if content, failed[i] = s.content(c); failed[i] == nil {
				s.files.Put(c.name, content)
			}
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for i, c := range s.changed {
		switch {
		case errors.Is(failed[i], fs.ErrNotExist):
			delete(s.there, c.name)
		case failed[i] != nil:
			s.note(c.name, failed[i])
		case s.start.Sub(c.stamp.time) > racy:
			s.folder.seen[c.name] = c.stamp
		default:
			s.folder.seen[c.name] = stamp{size: -1}
		}
	}
	return nil
}

func (s *folderScan) content(c found) ([]byte, error) {
	limit := largestFile(c.name)
	if c.stamp.size > limit {
		return nil, fmt.Errorf("%d bytes, at most %d are read", c.stamp.size, limit)
	}
	file, err := os.Open(filepath.Join(s.folder.dir, filepath.FromSlash(path.Clean(c.name)))) // #nosec G304 -- below the operator's folder
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	content := make([]byte, c.stamp.size)
	if _, err := io.ReadFull(file, content); err != nil {
		return nil, fmt.Errorf("it has changed while it was read: %w", err)
	}
	return content, nil
}
