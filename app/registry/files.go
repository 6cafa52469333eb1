package registry

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// Files are the files of a metadata repository that answers are made of, read
// and packed. A Source fills them; nothing of it is served before the Registry
// has taken them over. They are safe for concurrent use.
//
// A file that cannot be read keeps what was read of it before, and is a fault
// until it can be read again or is gone.
type Files struct {
	mu        sync.Mutex
	providers map[registrydata.Entity]*packedProvider
	modules   map[registrydata.Entity]*packedModule
	keys      map[string]keyFile // by path
	aliases   registrydata.Aliases
	faults    map[string]error // by path
	broken    map[registrydata.Entity]bool
}

// keyFile is a file in a folder for keys; key is nil where it is none.
type keyFile struct{ key *registrydata.SigningKey }

func newFiles() *Files {
	return &Files{
		providers: map[registrydata.Entity]*packedProvider{}, modules: map[registrydata.Entity]*packedModule{},
		keys: map[string]keyFile{}, aliases: registrydata.DefaultAliases(),
		faults: map[string]error{}, broken: map[registrydata.Entity]bool{},
	}
}

// largestFile bounds what a file at the path may hold, in bytes; 0 says that no
// answer depends on the file.
func largestFile(name string) int64 {
	if _, ok := registrydata.EntityFromPath(name); ok {
		return registrydata.MaxFileSize
	}
	switch {
	case name == registrydata.AliasesPath:
		return registrydata.MaxFileSize
	case isKeyPath(name):
		return maxKeyFile
	}
	return 0
}

// maxKeyFile is more than the largest key that validation reads.
const maxKeyFile = 1 << 20

// isKeyPath tells whether a file stands somewhere in the folder of a namespace's
// keys: it is a key there, or a provider's, or at least shows that there is a
// folder.
func isKeyPath(name string) bool {
	seg := strings.Split(name, "/")
	return len(seg) >= 4 && seg[0] == "keys" && seg[2] != "" &&
		registrydata.NamespaceKeyDirectory(seg[2]) == strings.Join(seg[:3], "/")
}

// deepestKey is how many slashes the path of a provider's key has. What stands
// below is no key of anyone.
const deepestKey = 4

// Put takes the content of a file over.
func (f *Files) Put(name string, content []byte) {
	if limit := largestFile(name); int64(len(content)) > limit {
		if limit > 0 {
			f.Fail(name, fmt.Errorf("%d bytes, at most %d are read", len(content), limit))
		}
		return
	}
	var err error
	switch e, ok := registrydata.EntityFromPath(name); {
	case ok && e.Kind == registrydata.KindProvider:
		err = f.putProvider(e, content)
	case ok:
		err = f.putModule(e, content)
	case name == registrydata.AliasesPath:
		err = f.putAliases(content)
	default:
		err = f.putKey(name, content)
	}
	f.note(name, err)
}

func (f *Files) putProvider(e registrydata.Entity, content []byte) error {
	data, err := registrydata.ParseProvider(content)
	if err != nil {
		return err
	}
	packed := packProvider(e.Provider(), data)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.providers[e] = packed
	return nil
}

func (f *Files) putModule(e registrydata.Entity, content []byte) error {
	data, err := registrydata.ParseModule(content)
	if err != nil {
		return err
	}
	packed := packModule(e.Module(), data)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.modules[e] = packed
	return nil
}

func (f *Files) putAliases(content []byte) error {
	aliases, err := registrydata.ParseAliases(content)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.aliases = aliases
	return nil
}

// putKey reads a key. One that no client could read is left out, and the others
// of its folder stay.
func (f *Files) putKey(name string, content []byte) error {
	var file keyFile
	var err error
	if strings.Count(name, "/") <= deepestKey {
		var key validation.Key
		if key, err = validation.ParseKey(content); err == nil {
			file.key = &registrydata.SigningKey{ASCIIArmor: string(content), KeyID: key.KeyID}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys[name] = file
	return err
}

// Fail notes that a file is there and cannot be read.
func (f *Files) Fail(name string, err error) { f.note(name, err) }

func (f *Files) note(name string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, data := registrydata.EntityFromPath(name)
	if err == nil {
		delete(f.faults, name)
		delete(f.broken, e)
		return
	}
	f.faults[name] = err
	if data {
		f.broken[e] = true
	}
	if _, known := f.keys[name]; !known && isKeyPath(name) {
		f.keys[name] = keyFile{}
	}
}

// Remove drops a file that is gone.
func (f *Files) Remove(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e, _ := registrydata.EntityFromPath(name)
	delete(f.providers, e)
	delete(f.modules, e)
	delete(f.keys, name)
	delete(f.faults, name)
	delete(f.broken, e)
	if name == registrydata.AliasesPath {
		f.aliases = registrydata.DefaultAliases()
	}
}

// Paths are the files that are there, broken ones too.
func (f *Files) Paths() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	set := map[string]bool{}
	for e := range f.providers {
		set[e.Path()] = true
	}
	for e := range f.modules {
		set[e.Path()] = true
	}
	for name := range f.keys {
		set[name] = true
	}
	for name := range f.faults {
		set[name] = true
	}
	return slices.Collect(maps.Keys(set))
}

// snapshot is what is served at one moment. It does not change.
type snapshot struct {
	number  uint64 // of this snapshot, from 1: no two of a Registry have the same
	version string
	// entities by what their paths begin with: "providers/acme/demo",
	// "modules/acme/net/aws".
	entities map[string]*entity
	faults   map[string]error
}

// snapshot makes what is served of the files. Entities that give the same
// answers as before are the old ones, whose rendered answers hold on.
func (f *Files) snapshot(version string, old *snapshot) *snapshot {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &snapshot{
		number: old.number + 1, version: version, faults: maps.Clone(f.faults),
		entities: make(map[string]*entity, len(f.providers)+len(f.modules)),
	}
	put := func(key string, e *entity) {
		if was := old.entities[key]; e.same(was) {
			e = was
		}
		s.entities[key] = e
	}
	keys := f.keysByFolder()
	for e, data := range f.modules {
		put("modules/"+e.String(), &entity{module: data})
	}
	for e, data := range f.providers {
		put("providers/"+e.String(), &entity{provider: data, keys: keys.of(e.Provider(), f.aliases)})
	}
	// An old address that has no file of its own, not even a broken one, is
	// answered with the provider that it stands for.
	for e, data := range f.providers {
		for _, was := range f.aliases.Copies(e.Provider()) {
			if f.providers[was.Entity()] == nil && !f.broken[was.Entity()] {
				put("providers/"+was.String(), &entity{provider: data, keys: keys.of(e.Provider(), f.aliases)})
			}
		}
	}
	return s
}

// keyFolders are the folders for keys, by path.
type keyFolders map[string]registrydata.KeyFolder

func (f *Files) keysByFolder() keyFolders {
	folders := keyFolders{}
	for _, name := range slices.Sorted(maps.Keys(f.keys)) {
		dir := path.Dir(name)
		for at := dir; at != "keys"; at = path.Dir(at) {
			folder := folders[at]
			folder.Exists = true
			if key := f.keys[name].key; key != nil && at == dir {
				folder.Keys = append(folder.Keys, *key)
			}
			folders[at] = folder
		}
	}
	return folders
}

// of are the keys that a provider is served with.
func (k keyFolders) of(a registrydata.ProviderAddress, al registrydata.Aliases) []registrydata.SigningKey {
	dirs := registrydata.KeyDirectories(a, al)
	return registrydata.ServedKeys(k[dirs[0]], k[dirs[1]])
}
