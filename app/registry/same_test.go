package registry

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// File and Dir make the files a registrydata.Tree, as git has them: without
// empty folders.
func (g given) File(_ context.Context, name string) ([]byte, bool, error) {
	content, ok := g[name]
	return content, ok, nil
}

func (g given) Dir(_ context.Context, dir string) ([]registrydata.TreeEntry, error) {
	var entries []registrydata.TreeEntry
	for _, name := range slices.Sorted(maps.Keys(g)) {
		if rest, below := strings.CutPrefix(name, dir+"/"); below {
			first, _, deeper := strings.Cut(rest, "/")
			entries = append(entries, registrydata.TreeEntry{Name: first, Dir: deeper})
		}
	}
	return slices.Compact(entries), nil
}

// answers are what the bot and generate would publish of an entity, by path.
func (g given) answers(t *testing.T, e registrydata.Entity) map[string]string {
	t.Helper()
	aliases, err := registrydata.ReadAliases(t.Context(), g)
	must(t, err)
	loader := registrydata.Loader{Tree: g, Aliases: aliases, KeyID: func(armor []byte) (string, error) {
		key, err := validation.ParseKey(armor)
		return key.KeyID, err
	}}
	content, err := loader.Load(t.Context(), e)
	must(t, err)
	out := map[string]string{}
	for o := range content.Objects(registrydata.Renderer{}) {
		out[o.Path] = string(o.Body)
	}
	return out
}

// wantSame holds what a registry serves at some addresses against what would be
// published of the files.
func (g given) wantSame(t *testing.T, what string, r *Registry, addresses []registrydata.Entity) {
	t.Helper()
	served := map[string]bool{}
	for name := range r.current.Load().entities {
		served[name] = true
	}
	for _, e := range addresses {
		answers := g.answers(t, e)
		name := e.Kind.String() + "s/" + e.String()
		if served[name] != (len(answers) > 0) {
			t.Errorf("%s: %s is served: %v, published: %d answers", what, name, served[name], len(answers))
		}
		delete(served, name)
		for path, want := range answers {
			if got := string(r.bodyOf(path)); got != want {
				t.Errorf("%s: %s\n--- served\n%s\n--- published\n%s", what, path, got, want)
			}
		}
	}
	for name := range served {
		t.Errorf("%s: %s is served too", what, name)
	}
}

const sameDownload = "/1.1.0/download/linux/amd64"

// No folder for keys is null, a folder without a key of its own is [] (as the reference
// has it: "no key directory", "directory without direct files"). A folder is what git takes for one, whoever reads it.
func TestKeysOfAFolder(t *testing.T) {
	key := string(testKey(t))
	none, empty, one := `"gpg_public_keys":null`, `"gpg_public_keys":[]`, `"gpg_public_keys":[{`
	cases := map[string]struct {
		files   given
		folders []string // on a disk only
		want    string
		fault   string // the file that is one
	}{
		"no folder":                            {want: none},
		"a key":                                {files: given{"keys/a/acme/k.asc": []byte(key)}, want: one},
		"a key of the provider":                {files: given{"keys/a/acme/demo/k.asc": []byte(key)}, want: one},
		"a key of another provider":            {files: given{"keys/a/acme/other/k.asc": []byte(key)}, want: empty},
		"a key that is none":                   {files: given{"keys/a/acme/k.asc": []byte("no key")}, want: empty, fault: "keys/a/acme/k.asc"},
		"a file that is no key":                {files: given{"keys/a/acme/README.md": []byte("Acme")}, want: empty, fault: "keys/a/acme/README.md"},
		"a key too deep":                       {files: given{"keys/a/acme/demo/old/k.asc": []byte(key)}, want: empty},
		"a file too deep":                      {files: given{"keys/a/acme/demo/old/README.md": []byte("Acme")}, want: empty},
		"a key of another namespace":           {files: given{"keys/a/acme2/k.asc": []byte(key)}, want: none},
		"a key beside the folders":             {files: given{"keys/a/k.asc": []byte(key)}, want: none},
		"an empty folder":                      {folders: []string{"keys/a/acme"}, want: none},
		"an empty folder of the provider":      {folders: []string{"keys/a/acme/demo"}, want: none},
		"an empty folder beside a broken file": {files: given{"keys/a/acme/x": nil}, folders: []string{"keys/a/acme/demo"}, want: empty, fault: "keys/a/acme/x"},
	}
	addresses := []registrydata.Entity{registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}.Entity()}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			files := given{"providers/a/acme/demo.json": []byte(demoProvider)}
			maps.Copy(files, c.files)
			checkout := newCheckout(t, files)
			for _, dir := range c.folders {
				must(t, os.MkdirAll(checkout.path(dir), 0o750))
			}
			ways := map[string]Source{"folder": NewFolder(checkout.dir), "repository": NewRepository(&history{commits: []given{files}})}
			for way, source := range ways {
				r := readFrom(t, source)
				files.wantSame(t, way, r, addresses)
				body := strings.ReplaceAll(string(r.bodyOf("v1/providers/acme/demo"+sameDownload)), " ", "")
				if !strings.Contains(strings.ReplaceAll(body, "\n", ""), c.want) {
					t.Errorf("%s: want %s in %s", way, c.want, body)
				}
				if faults := strings.Join(slices.Collect(maps.Keys(r.Faults())), " "); faults != c.fault {
					t.Errorf("%s: faults %q, want %q", way, faults, c.fault)
				}
			}
		})
	}
}

// Whatever the metadata repository holds, and by whichever steps it came there,
// what is served of it is what would be published of it: read from a folder, or
// commit by commit.
func TestServedIsPublishedForRandomData(t *testing.T) {
	keys := []string{string(testKey(t)), string(testKey(t)), "no key"}
	contents := func(name string) []string {
		switch {
		case strings.HasPrefix(name, "keys/"):
			return keys
		case name == registrydata.AliasesPath:
			return []string{"old acme\n", "new/demo acme/demo\n", "old acme\nold/demo acme/demo\nacme/second hashicorp/demo\n"}
		case strings.HasPrefix(name, "modules/"):
			return []string{demoModule, `{"versions":[{"version":"v3.0.0"}]}`}
		}
		return []string{demoProvider, strings.ReplaceAll(demoProvider, "1.1.0", "1.2.0")}
	}
	var names []string
	var addresses []registrydata.Entity
	for _, namespace := range []string{"acme", "old", "new", "hashicorp", "opentofu", "datadog"} {
		for _, name := range []string{"demo", "second", "datadog"} {
			a := registrydata.ProviderAddress{Namespace: namespace, Name: name}
			names = append(names, a.Path(), registrydata.ProviderKeyDirectory(a)+"/a.asc")
			addresses = append(addresses, a.Entity())
		}
		keyDir := registrydata.NamespaceKeyDirectory(namespace)
		names = append(names, keyDir+"/a.asc", keyDir+"/b.asc", keyDir+"/demo/deep/c.asc")
		m := registrydata.ModuleAddress{Namespace: namespace, Name: "net", Target: "aws"}
		names, addresses = append(names, m.Path()), append(addresses, m.Entity())
	}
	names = append(names, registrydata.AliasesPath, registrydata.AliasesPath, registrydata.AliasesPath, registrydata.AliasesPath)
	for _, old := range registrydata.DefaultAliases().Addresses() {
		if !slices.Contains(addresses, old.Entity()) {
			addresses = append(addresses, old.Entity())
		}
	}
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 1))
		files := given{"providers/a/acme/always.json": []byte(demoProvider)}
		known := append(slices.Clone(addresses), registrydata.ProviderAddress{Namespace: "acme", Name: "always"}.Entity())
		h, c := &history{commits: []given{files}}, newCheckout(t, files)
		repository, folder := readFrom(t, NewRepository(h)), readFrom(t, NewFolder(c.dir))
		for step := range 6 {
			for range 12 {
				name, content := names[random.IntN(len(names))], ""
				if all := contents(name); random.IntN(3) > 0 {
					content = all[random.IntN(len(all))]
				}
				if files = files.with(name, content); content != "" {
					c.write(name, content)
				} else {
					must(t, removeIfThere(c.path(name)))
				}
			}
			h.commits = append(h.commits, files)
			for way, r := range map[string]*Registry{"repository": repository, "folder": folder} {
				must(t, r.Reload(t.Context()))
				files.wantSame(t, fmt.Sprintf("seed %d, step %d, %s", seed, step, way), r, known)
			}
			if t.Failed() {
				t.Fatalf("files: %q", slices.Sorted(maps.Keys(files)))
			}
		}
	}
}

func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}
