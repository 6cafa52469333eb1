package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
)

// Metadata is the metadata repository on GitHub, as forge.Metadata reads it.
type Metadata interface {
	Head(ctx context.Context) (forge.Commit, error)
	File(ctx context.Context, commit, path string) (content []byte, ok bool, err error)
	Changes(ctx context.Context, from, to string) ([]registrydata.Change, error)
	Archive(ctx context.Context, commit string, each func(forge.ArchiveFile) error) error
}

// Repository is a Source: the metadata repository, kept in memory without a disk.
// The first Refresh reads one archive; the next ones what the commits since have
// changed, file by file.
type Repository struct {
	metadata Metadata
	at       string // the commit that the files are of; "" before the first
}

// NewRepository reads nothing yet.
func NewRepository(m Metadata) *Repository { return &Repository{metadata: m} }

// mostChanges is how many changed files are read one by one. An archive of the
// public registry is as much traffic as 10,000 files, but one request of the
// 5,000 an hour.
const mostChanges = 250

var errRepositoryFile = errors.New("it is a symbolic link: links are not followed")

// Refresh implements Source. It returns the commit that the files are of.
func (r *Repository) Refresh(ctx context.Context, files *Files) (string, error) {
	head, err := r.metadata.Head(ctx)
	if err != nil || head.SHA == r.at {
		return r.at, err
	}
	if err := r.update(ctx, head.SHA, files); err != nil {
		return "", err
	}
	r.at = head.SHA
	return r.at, nil
}

func (r *Repository) update(ctx context.Context, to string, files *Files) error {
	if r.at == "" {
		return r.readAll(ctx, to, files)
	}
	changes, err := r.metadata.Changes(ctx, r.at, to)
	if err != nil {
		return err
	}
	names := map[string]bool{} // true: may be there now
	for _, c := range changes {
		if c.OldPath != "" && largestFile(c.OldPath) > 0 {
			names[c.OldPath] = names[c.OldPath] || false
		}
		if largestFile(c.Path) > 0 {
			names[c.Path] = c.Kind != registrydata.Deleted
		}
	}
	if len(names) > mostChanges {
		return r.readAll(ctx, to, files)
	}
	return r.readSome(ctx, to, names, files)
}

// readSome reads the files that have changed.
func (r *Repository) readSome(ctx context.Context, commit string, names map[string]bool, files *Files) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for name, there := range names {
		if !there {
			files.Remove(name)
			continue
		}
		group.Go(func() error {
			content, ok, err := r.metadata.File(ctx, commit, name)
			switch {
			case err != nil:
				return err
			case !ok:
				files.Remove(name)
			default:
				files.Put(name, content)
			}
			return nil
		})
	}
	return group.Wait()
}

// readAll reads everything. The archive is unpacked in order; the files are
// parsed beside that.
func (r *Repository) readAll(ctx context.Context, commit string, files *Files) error {
	there := map[string]bool{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0) + 1) // and so bounds the files in memory
	err := r.metadata.Archive(ctx, commit, func(a forge.ArchiveFile) error {
		limit := largestFile(a.Path)
		if limit == 0 {
			return ctx.Err()
		}
		there[a.Path] = true
		switch {
		case a.Link:
			files.Fail(a.Path, errRepositoryFile)
			return nil
		case a.Size > limit:
			files.Fail(a.Path, fmt.Errorf("%d bytes, at most %d are read", a.Size, limit))
			return nil
		}
		content := make([]byte, a.Size)
		if _, err := io.ReadFull(a.Content, content); err != nil {
			return err
		}
		group.Go(func() error {
			files.Put(a.Path, content)
			return nil
		})
		return ctx.Err()
	})
	if err := errors.Join(err, group.Wait()); err != nil {
		return err
	}
	for _, name := range files.Paths() {
		if !there[name] {
			files.Remove(name)
		}
	}
	return nil
}
