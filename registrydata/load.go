package registrydata

import (
	"context"
	"errors"
	"iter"
	"sync"
)

// Loader reads what the answers for an entity are made of. Whoever renders uses
// it, so that the answers and what is said about them agree.
type Loader struct {
	Tree    Tree
	Aliases Aliases // the tree's own; see ReadAliases
	// KeyID reads the id off an armored key, in the form of SigningKey.
	KeyID func(armor []byte) (string, error)
}

// Content is what the answers for an entity are made of.
type Content struct {
	Entity Entity
	// Provider or Module is the data file; both are nil where there is none, and
	// then the entity has no answers.
	Provider *Provider
	Module   *Module
	// Keys are those that a provider is served with: nil where its namespace has
	// no folder for keys.
	Keys []SigningKey
	// Sources are the files that were read: git blob id by path.
	Sources map[string]string
	// Size is how many bytes the data file has.
	Size int64
	// Unreadable says that there is a data file of which nothing can be made:
	// what is served of the entity stays.
	Unreadable bool
	// Faults are the files that were left out: the data file, if it is
	// unreadable, and keys that are none.
	Faults []*FileFault
}

// Objects are the answers, downloads before the list that names them. A Body is
// valid only until the next one comes.
func (c Content) Objects(r Renderer) iter.Seq[Object] {
	switch {
	case c.Provider != nil:
		return r.EachProvider(c.Entity.Provider(), c.Provider, c.Keys)
	case c.Module != nil:
		return r.EachModule(c.Entity.Module(), c.Module)
	}
	return func(func(Object) bool) {}
}

// AllObjects are the answers at once.
func (c Content) AllObjects(r Renderer) []Object { return collect(c.Objects(r)) }

// Load reads an entity's data file and keys. At an old address that has no file
// of its own it reads those of the provider that is served there. An error is
// trouble with the tree; what is wrong with the files stands in the Content.
func (l Loader) Load(ctx context.Context, e Entity) (Content, error) {
	c := Content{Entity: e, Sources: map[string]string{}}
	source := e
	content, ok, err := l.Tree.File(ctx, source.Path())
	if e.Kind == KindProvider && err == nil && !ok {
		if to, old := l.Aliases.Resolve(e.Provider()); old {
			source = to.Entity()
			content, ok, err = l.Tree.File(ctx, source.Path())
		}
	}
	if err != nil {
		return c, c.fault(err)
	}
	if !ok {
		return c, nil
	}
	c.Sources[source.Path()] = BlobID(content)
	c.Size = int64(len(content))
	if e.Kind == KindModule {
		c.Module, err = ParseModule(content)
	} else {
		c.Provider, err = ParseProvider(content)
	}
	if err != nil {
		return c, c.fault(&FileFault{Path: source.Path(), Err: err})
	}
	if c.Provider != nil {
		err = l.keys(ctx, source.Provider(), &c)
	}
	return c, c.fault(err)
}

// fault notes a data file, or a folder of keys, that nothing can be made of;
// other errors it returns.
func (c *Content) fault(err error) error {
	var fault *FileFault
	if !errors.As(err, &fault) {
		return err
	}
	c.Provider, c.Module, c.Unreadable = nil, nil, true
	c.Faults = append(c.Faults, fault)
	return nil
}

// keys reads the keys that a provider is served with. One that is none is left
// out: it must not stop the others.
func (l Loader) keys(ctx context.Context, a ProviderAddress, c *Content) error {
	dirs := KeyDirectories(a, l.Aliases)
	found := make([]keyFolder, len(dirs))
	err := atOnce(len(dirs), func(i int) (err error) {
		found[i], err = l.keyFolder(ctx, dirs[i])
		return err
	})
	if err != nil {
		return err
	}
	var folders [2]KeyFolder
	for i, folder := range found {
		folders[i].Exists = folder.exists
		for _, f := range folder.files {
			switch {
			case f.fault != nil:
				c.Faults = append(c.Faults, f.fault)
			case f.key.KeyID != "":
				folders[i].Keys = append(folders[i].Keys, f.key)
			}
			if f.blob != "" {
				c.Sources[f.path] = f.blob
			}
		}
	}
	c.Keys = ServedKeys(folders[0], folders[1])
	return nil
}

// keyFolder is a folder that may hold keys.
type keyFolder struct {
	exists bool
	files  []keyInFolder
}

type keyInFolder struct {
	path  string
	blob  string // "" where the content could not be read
	key   SigningKey
	fault *FileFault
}

func (l Loader) keyFolder(ctx context.Context, dir string) (keyFolder, error) {
	entries, err := l.Tree.Dir(ctx, dir)
	if err != nil {
		return keyFolder{}, err
	}
	folder := keyFolder{exists: len(entries) > 0}
	for _, e := range entries {
		if !e.Dir {
			folder.files = append(folder.files, keyInFolder{path: dir + "/" + e.Name})
		}
	}
	err = atOnce(len(folder.files), func(i int) error { return l.key(ctx, &folder.files[i]) })
	return folder, err
}

func (l Loader) key(ctx context.Context, f *keyInFolder) error {
	armor, ok, err := l.Tree.File(ctx, f.path)
	if errors.As(err, &f.fault) || err == nil && !ok {
		return nil
	}
	if err != nil {
		return err
	}
	f.blob = BlobID(armor)
	f.key = SigningKey{ASCIIArmor: string(armor)}
	if f.key.KeyID, err = l.KeyID(armor); err != nil {
		f.fault = &FileFault{Path: f.path, Err: err}
	}
	return nil
}

// atOnce calls do for 0 to n-1, at the same time, and returns the first error by
// number.
func atOnce(n int, do func(i int) error) error {
	if n == 1 {
		return do(0)
	}
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = do(i) })
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
