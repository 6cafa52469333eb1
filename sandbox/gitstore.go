package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// gitStore is the bare repository of one repository. It makes its folder only
// when something is written beyond the first commit, or when git itself wants
// to read: most of tens of thousands of repositories never need one.
//
// It implements go-git's storer.EncodedObjectStorer, and is safe for use from
// several goroutines: its lock is the innermost of the package.
type gitStore struct {
	dir string

	mu      sync.Mutex
	onDisk  bool
	head    string // name of the default branch
	refs    map[string]plumbing.Hash
	seeds   map[plumbing.Hash]*plumbing.MemoryObject // until onDisk
	storage *filesystem.Storage
	metas   map[plumbing.Hash]*commitMeta
	sizes   map[plumbing.Hash]int64 // of blobs, see readSizes
}

// objectCacheSize bounds what one open repository keeps of its objects.
const objectCacheSize = 2 * cache.MiByte

func newGitStore(dir, head string) *gitStore {
	return &gitStore{dir: dir, head: head, refs: map[string]plumbing.Hash{}}
}

var _ storer.EncodedObjectStorer = (*gitStore)(nil)

// gitRef is a ref with the object it names.
type gitRef struct {
	name string // "refs/heads/main"
	hash plumbing.Hash
}

func (g *gitStore) ref(name string) (plumbing.Hash, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h, found := g.refs[name]
	return h, found
}

// refsUnder lists refs whose name begins with prefix, in order.
func (g *gitStore) refsUnder(prefix string) []gitRef {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []gitRef
	for name, h := range g.refs {
		if strings.HasPrefix(name, prefix) {
			out = append(out, gitRef{name, h})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].name < out[j].name })
	return out
}

// snapshot copies all refs.
func (g *gitStore) snapshot() map[string]plumbing.Hash {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make(map[string]plumbing.Hash, len(g.refs))
	for k, v := range g.refs {
		out[k] = v
	}
	return out
}

// seed puts an object into a repository that has no folder yet.
func (g *gitStore) seed(o *plumbing.MemoryObject) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.seeds == nil {
		g.seeds = map[plumbing.Hash]*plumbing.MemoryObject{}
	}
	g.seeds[o.Hash()] = o
}

// folder makes sure that the bare repository lies on disk and returns it.
func (g *gitStore) folder() (string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.dir, g.materialize()
}

const bareConfig = `[core]
	repositoryformatversion = 0
	filemode = true
	bare = true
[gc]
	auto = 0
[receive]
	autogc = false
	denyDeleteCurrent = refuse
[http]
	receivepack = true
[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[transfer]
	hideRefs = refs/never
[receive]
	hideRefs = refs/pull
`

// materialize writes the folder. Call with the lock held.
func (g *gitStore) materialize() error {
	if g.onDisk {
		return nil
	}
	for _, sub := range []string{"objects/info", "objects/pack", "refs/heads", "refs/tags", "hooks", "info"} {
		if err := os.MkdirAll(filepath.Join(g.dir, sub), 0o750); err != nil {
			return fmt.Errorf("make repository: %w", err)
		}
	}
	var packed bytes.Buffer
	for _, name := range sortedKeys(g.refs) {
		fmt.Fprintf(&packed, "%s %s\n", g.refs[name], name)
	}
	files := map[string]string{"config": bareConfig, "HEAD": "ref: refs/heads/" + g.head + "\n",
		"packed-refs": packed.String()}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(g.dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("make repository: %w", err)
		}
	}
	g.open()
	for _, o := range g.seeds {
		if _, err := g.storage.SetEncodedObject(o); err != nil {
			return fmt.Errorf("make repository: %w", err)
		}
	}
	g.onDisk, g.seeds = true, nil
	return nil
}

func (g *gitStore) open() {
	g.storage = filesystem.NewStorageWithOptions(osfs.New(g.dir),
		cache.NewObjectLRU(objectCacheSize), filesystem.Options{})
}

// reload reads the refs anew after the git binary wrote to the folder.
func (g *gitStore) reload() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open()
	iter, err := g.storage.IterReferences()
	if err != nil {
		return fmt.Errorf("read refs: %w", err)
	}
	refs := map[string]plumbing.Hash{}
	err = iter.ForEach(func(r *plumbing.Reference) error {
		if r.Type() == plumbing.HashReference {
			refs[r.Name().String()] = r.Hash()
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read refs: %w", err)
	}
	g.refs, g.sizes = refs, nil
	return nil
}

// NewEncodedObject makes an object to be filled and given to SetEncodedObject.
func (g *gitStore) NewEncodedObject() plumbing.EncodedObject { return &plumbing.MemoryObject{} }

// SetEncodedObject writes an object.
func (g *gitStore) SetEncodedObject(o plumbing.EncodedObject) (plumbing.Hash, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.exists(o.Hash()) {
		return o.Hash(), nil
	}
	if err := g.materialize(); err != nil {
		return plumbing.ZeroHash, err
	}
	h, err := g.storage.SetEncodedObject(o)
	if err != nil {
		return h, fmt.Errorf("write object: %w", err)
	}
	return h, nil
}

// EncodedObject reads an object into memory.
func (g *gitStore) EncodedObject(t plumbing.ObjectType, h plumbing.Hash) (plumbing.EncodedObject, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if o := g.seeds[h]; o != nil && (t == plumbing.AnyObject || t == o.Type()) {
		return o, nil
	}
	if !g.onDisk {
		return nil, plumbing.ErrObjectNotFound
	}
	o, err := g.storage.EncodedObject(t, h)
	if err != nil {
		return nil, err //nolint:wrapcheck // go-git compares with ErrObjectNotFound
	}
	return inMemory(o)
}

// inMemory copies an object that may read from a pack later, when the lock is
// not held any more.
func inMemory(o plumbing.EncodedObject) (plumbing.EncodedObject, error) {
	if m, isMemory := o.(*plumbing.MemoryObject); isMemory {
		return m, nil
	}
	r, err := o.Reader()
	if err != nil {
		return nil, fmt.Errorf("read object %s: %w", o.Hash(), err)
	}
	m := &plumbing.MemoryObject{}
	m.SetType(o.Type())
	_, err = io.Copy(m, r)
	if err = errors.Join(err, r.Close()); err != nil {
		return nil, fmt.Errorf("read object %s: %w", o.Hash(), err)
	}
	return m, nil
}

func (g *gitStore) exists(h plumbing.Hash) bool {
	return g.seeds[h] != nil || (g.onDisk && g.storage.HasEncodedObject(h) == nil)
}

// has tells whether the repository holds the object.
func (g *gitStore) has(h plumbing.Hash) bool { return g.HasEncodedObject(h) == nil }

// HasEncodedObject returns plumbing.ErrObjectNotFound for what is not there.
func (g *gitStore) HasEncodedObject(h plumbing.Hash) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.exists(h) {
		return nil
	}
	return plumbing.ErrObjectNotFound
}

// EncodedObjectSize gives the size of the object's content in bytes.
func (g *gitStore) EncodedObjectSize(h plumbing.Hash) (int64, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if o := g.seeds[h]; o != nil {
		return o.Size(), nil
	}
	if size, known := g.sizes[h]; known {
		return size, nil
	}
	if !g.onDisk {
		return 0, plumbing.ErrObjectNotFound
	}
	return g.storage.EncodedObjectSize(h) //nolint:wrapcheck // go-git compares with ErrObjectNotFound
}

// IterEncodedObjects walks all objects of the folder.
func (g *gitStore) IterEncodedObjects(t plumbing.ObjectType) (storer.EncodedObjectIter, error) {
	if _, err := g.folder(); err != nil {
		return nil, err
	}
	return g.storage.IterEncodedObjects(t) //nolint:wrapcheck // an adapter
}

// AddAlternate is not needed: forks share files by hard links.
func (g *gitStore) AddAlternate(string) error { return errors.ErrUnsupported }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
