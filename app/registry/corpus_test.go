package registry

import (
	"bytes"
	"context"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// given is a Source that has its files from the beginning.
type given map[string][]byte

func (g given) Refresh(_ context.Context, files *Files) (string, error) {
	for name, content := range g {
		files.Put(name, content)
	}
	for _, name := range files.Paths() {
		if _, there := g[name]; !there {
			files.Remove(name)
		}
	}
	return "given", nil
}

// readFrom makes a registry of a source that can be read.
func readFrom(t testing.TB, s Source) *Registry {
	t.Helper()
	r, err := New(Options{Source: s})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	return r
}

// body is what the registry answers; nil where it has nothing.
func (r *Registry) bodyOf(path string) []byte {
	a, _ := r.answer(r.current.Load(), path)
	if a == nil {
		return nil
	}
	return a.body
}

// rendered makes the answers of an entity straight from its files, at one of its
// addresses, without anything of this package.
func (g given) rendered(t testing.TB, r registrydata.Renderer, e registrydata.Entity, at registrydata.ProviderAddress) []registrydata.Object {
	t.Helper()
	if e.Kind == registrydata.KindModule {
		m, err := registrydata.ParseModule(g[e.Path()])
		if err != nil {
			t.Fatal(err)
		}
		return r.Module(e.Module(), m)
	}
	p, err := registrydata.ParseProvider(g[e.Path()])
	if err != nil {
		t.Fatal(err)
	}
	return r.Provider(at, p, g.keys(e.Provider()))
}

// keys are a provider's keys, read the slow way.
func (g given) keys(a registrydata.ProviderAddress) []registrydata.SigningKey {
	var keys []registrydata.SigningKey
	dirs := registrydata.KeyDirectories(a, registrydata.DefaultAliases())
	for _, dir := range dirs {
		for _, name := range slices.Sorted(maps.Keys(g)) {
			if strings.HasPrefix(name, dirs[0]+"/") && keys == nil {
				keys = []registrydata.SigningKey{}
			}
			if path.Dir(name) != dir {
				continue
			}
			if key, err := validation.ParseKey(g[name]); err == nil {
				keys = append(keys, registrydata.SigningKey{ASCIIArmor: string(g[name]), KeyID: key.KeyID})
			}
		}
	}
	return keys
}

// TestCorpus holds every answer of the golden set, and those of every 40th
// entity of the public registry, against what the renderer makes of the files.
func TestCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("reads the whole public registry")
	}
	all := given(maps.Collect(testdata.Files(t, testdata.Corpus)))
	golden, inputs := testdata.Golden(t)
	r := readFrom(t, all)
	if n := len(r.current.Load().entities); n != 27617 || len(r.Faults()) != 0 {
		t.Errorf("%d entities, %d faults", n, len(r.Faults()))
	}
	keys := given{}
	for name, body := range all {
		if strings.HasPrefix(name, "keys/") {
			keys[name] = body
		}
	}
	compared := 0
	for i, name := range slices.Sorted(maps.Keys(all)) {
		e, ok := registrydata.EntityFromPath(name)
		if !ok || (i%40 != 0 && !inputs[name]) {
			continue
		}
		keys[name] = all[name]
		addresses := []registrydata.ProviderAddress{e.Provider()}
		if e.Kind == registrydata.KindProvider {
			addresses = append(addresses, registrydata.DefaultAliases().Copies(e.Provider())...)
		}
		for _, at := range addresses {
			for _, o := range keys.rendered(t, registrydata.Renderer{}, e, at) {
				compared++
				if got := r.bodyOf(o.Path); !bytes.Equal(got, o.Body) {
					t.Fatalf("%s: differs from what is published\n--- served\n%.300s\n--- published\n%.300s", o.Path, got, o.Body)
				}
			}
		}
		delete(keys, name)
	}
	if compared < 20_000 {
		t.Errorf("%d answers compared", compared)
	}
	// The edge lower-cases what clients ask for.
	errs := testdata.ReferenceErrs()
	for name, body := range golden {
		if _, err := errs[name]; err != (string(r.bodyOf(strings.ToLower(name))) != body) {
			t.Errorf("%s: the reference errs: %v, %s", name, err, errs[name])
		}
	}
}
