package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// dataFolder is a checkout of the metadata repository. It is listed, all of it
// or what some entities are made of; what is read of it later, by several
// goroutines if need be, is what was listed. No symbolic link is followed, and
// nothing that is not the registry's is looked at.
type dataFolder struct {
	root   *os.Root
	read   func(name string, size int64) ([]byte, error)
	listed map[string]bool // what list was called for
	paths  []string        // of the files of the registry that were listed, all of them sorted
	files  map[string]dataFile
	keys   registrydata.Folders
	// troubles are what could not be listed. What is below is not known.
	troubles []error
}

// dataFile is a file as it was listed.
type dataFile struct {
	size   int64
	unread validation.Unread // 0: it may be read
}

var _ registrydata.Tree = (*dataFolder)(nil)

// openDataFolder opens a folder, and lists what everything depends on. Its
// error says that there is no such folder.
func openDataFolder(name string) (*dataFolder, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, fmt.Errorf("open the metadata folder: %w", err)
	}
	d := &dataFolder{root: root, listed: map[string]bool{}, files: map[string]dataFile{}, keys: registrydata.Folders{}}
	d.read = d.readFile
	d.list(registrydata.AliasesPath)
	d.list(registrydata.BlacklistPath)
	return d, nil
}

// Close gives the folder back.
func (d *dataFolder) Close() error { return d.root.Close() }

// listAll lists the whole registry.
func (d *dataFolder) listAll() {
	for _, top := range []string{"keys", "modules", "providers"} {
		d.list(top)
	}
	slices.Sort(d.paths)
}

// listFor lists what some entities are made of, at the cost of these alone.
func (d *dataFolder) listFor(entities []registrydata.Entity, al registrydata.Aliases) {
	for _, e := range entities {
		d.list(e.Path())
		if e.Kind != registrydata.KindProvider {
			continue
		}
		source, _ := al.Resolve(e.Provider())
		d.list(source.Path())
		for _, at := range []registrydata.ProviderAddress{e.Provider(), source} {
			d.list(registrydata.KeyDirectories(at, al)[0]) // the other is below
		}
	}
}

// listProviders lists the data files of a namespace's providers.
func (d *dataFolder) listProviders(namespace string) {
	d.list(path.Dir(registrydata.ProviderAddress{Namespace: namespace}.Path()))
}

// list adds a file, or what is below a folder. A link on the way there ends it.
func (d *dataFolder) list(top string) {
	if d.listed[top] {
		return
	}
	d.listed[top] = true
	for at := 0; at < len(top); at++ {
		if top[at] != '/' {
			continue
		}
		if info, err := d.root.Lstat(top[:at]); err == nil && !info.IsDir() {
			d.add(top[:at], info)
			return
		}
	}
	info, err := d.root.Lstat(top)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case err == nil && !info.IsDir():
		d.add(top, info)
		return
	}
	// The walk reports a folder that cannot be read to the function.
	_ = fs.WalkDir(d.root.FS(), top, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			if info, err = e.Info(); err == nil {
				d.add(name, info)
				if strings.HasPrefix(name, "keys/") {
					d.keys.Add(name)
				}
			}
		}
		if err != nil {
			d.troubles = append(d.troubles, err)
		}
		return nil
	})
}

// complete is the error that something could not be listed.
func (d *dataFolder) complete() error {
	if len(d.troubles) == 0 {
		return nil
	}
	return fmt.Errorf("the metadata folder cannot be read, and what is missing is not to be taken for removed: %w", errors.Join(d.troubles...))
}

func (d *dataFolder) add(name string, info fs.FileInfo) {
	if _, ok := d.files[name]; ok {
		return
	}
	f := dataFile{size: info.Size()}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		f.unread = validation.UnreadLink
	case !info.Mode().IsRegular():
		f.unread = validation.UnreadSpecial
	case f.size > validation.LargestDataFile(name):
		f.unread = validation.UnreadLarge
	}
	d.paths = append(d.paths, name)
	d.files[name] = f
}

// File implements registrydata.Tree.
func (d *dataFolder) File(_ context.Context, name string) ([]byte, bool, error) {
	f, ok := d.files[name]
	if !ok || f.unread != 0 {
		return nil, false, d.fault(name)
	}
	content, err := d.read(name, f.size)
	return content, err == nil, err
}

// fault says why a file, or a folder on the way to it, was not read; nil where
// nothing is there.
func (d *dataFolder) fault(name string) error {
	for ; name != "."; name = path.Dir(name) {
		if f := d.files[name]; f.unread != 0 {
			finding := validation.DataRules{}.NotRead(name, f.unread)
			return &registrydata.FileFault{Path: name, Err: errors.New(finding.Message)}
		}
	}
	return nil
}

// readFile reads what was listed. A file that has another size by now is being
// written.
func (d *dataFolder) readFile(name string, size int64) ([]byte, error) {
	file, err := d.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	content := make([]byte, size+1)
	n, err := io.ReadFull(file, content)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(n) != size {
		return nil, fmt.Errorf("read %s: it changes while it is read", name)
	}
	return content[:n], nil
}

// Dir implements registrydata.Tree for the folders of keys.
func (d *dataFolder) Dir(_ context.Context, name string) ([]registrydata.TreeEntry, error) {
	return d.keys[name], d.fault(name)
}

// entities are those listed that have a data file, broken ones included.
func (d *dataFolder) entities() []registrydata.Entity {
	var out []registrydata.Entity
	for _, name := range d.paths {
		if e, ok := registrydata.EntityFromPath(name); ok {
			out = append(out, e)
		}
	}
	return out
}

// keyPaths are the files in the folders of keys.
func (d *dataFolder) keyPaths() []string {
	return slices.DeleteFunc(slices.Clone(d.paths), func(name string) bool { return !strings.HasPrefix(name, "keys/") })
}
