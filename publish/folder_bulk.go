package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// bulkMark stands in the folder while a bulk run is under way, and holds the
// boot of the machine that it began in.
const bulkMark = stateDir + "/bulk"

// Bulk makes writing fast, for a run that writes very many files: they reach the
// disk together, when done is called, and an entity that has no files yet is put
// in place by one rename. A crash of the program costs nothing. After a crash of
// the machine nothing is believed of what is in the folder, and the next run
// writes everything again.
func (f *Folder) Bulk() (done func() error, err error) {
	if err := f.Put(context.Background(), bulkMark, File{Body: []byte(bootID())}); err != nil {
		return nil, fmt.Errorf("begin to write in bulk: %w", err)
	}
	f.bulk.Store(true)
	return func() error {
		f.bulk.Store(false)
		flushAll()
		if err := f.Delete(context.Background(), bulkMark); err != nil {
			return fmt.Errorf("end to write in bulk: %w", err)
		}
		return nil
	}, nil
}

// distrust forgets all manifests where a bulk run was cut off by the machine.
func (f *Folder) distrust() error {
	mark, err := f.Get(context.Background(), bulkMark)
	if errors.Is(err, ErrNotExist) || err == nil && len(mark.Body) > 0 && string(mark.Body) == bootID() {
		return nil
	}
	if err != nil {
		return err
	}
	for _, name := range []string{strings.TrimSuffix(manifestDir, "/"), publishedPath, bulkMark} {
		if err := f.root.RemoveAll(name); err != nil && !absent(err) {
			return err
		}
	}
	return nil
}

// bootID is another one each time that the machine starts; "" where there is no
// such thing.
func bootID() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id") // Linux
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(id))
}

// Plant puts a folder with all its files in place at once; false where this is
// no bulk run, or something is there already.
func (f *Folder) Plant(ctx context.Context, dir string, objects []registrydata.Object) (bool, error) {
	outside := func(o registrydata.Object) bool { return !strings.HasPrefix(o.Path, dir+"/") }
	if !f.bulk.Load() || slices.ContainsFunc(objects, outside) {
		return false, nil
	}
	if _, err := f.root.Lstat(dir); !absent(err) {
		return false, err
	}
	temp := tempName()
	err := f.grow(ctx, temp, dir, objects)
	if err == nil {
		err = f.moveInto(temp, dir)
	}
	if err != nil {
		_ = f.root.RemoveAll(temp)
	}
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("write %s: %w", dir, f.explain(err))
	}
	return true, nil
}

// grow writes the files of dir below temp.
func (f *Folder) grow(ctx context.Context, temp, dir string, objects []registrydata.Object) error {
	if err := f.root.Mkdir(temp, 0o755); err != nil {
		return err
	}
	base, err := f.root.OpenRoot(temp)
	if err != nil {
		return err
	}
	defer base.Close()
	in := &branch{base: base}
	defer in.close()
	for _, o := range objects {
		if err := ctx.Err(); err != nil {
			return err
		}
		file, err := in.create(o.Path[len(dir)+1:])
		if err != nil {
			return err
		}
		if err := f.fill(file, o.Body); err != nil {
			return err
		}
	}
	return nil
}

// branch is the folder that files were created in last: neighbours need not look
// for it again.
type branch struct {
	base, open *os.Root
	name       string
}

func (b *branch) create(name string) (*os.File, error) {
	dir, file := path.Split(name)
	if b.open == nil || b.name != dir {
		b.close()
		if err := b.base.MkdirAll(path.Clean(dir), 0o755); err != nil {
			return nil, err
		}
		open, err := b.base.OpenRoot(path.Clean(dir))
		if err != nil {
			return nil, err
		}
		b.open, b.name = open, dir
	}
	return b.open.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
}

func (b *branch) close() {
	if b.open != nil {
		_ = b.open.Close()
		b.open = nil
	}
}
