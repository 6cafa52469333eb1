package edge

import (
	"context"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// metadata is a metadata repository: its files by path.
type metadata map[string][]byte

// File implements registrydata.Tree.
func (m metadata) File(_ context.Context, name string) ([]byte, bool, error) {
	content, ok := m[name]
	return content, ok, nil
}

// Dir implements registrydata.Tree.
func (m metadata) Dir(_ context.Context, dir string) ([]registrydata.TreeEntry, error) {
	var entries []registrydata.TreeEntry
	for name := range m {
		if rest, below := strings.CutPrefix(name, dir+"/"); below {
			first, _, deeper := strings.Cut(rest, "/")
			entries = append(entries, registrydata.TreeEntry{Name: first, Dir: deeper})
		}
	}
	slices.SortFunc(entries, func(a, b registrydata.TreeEntry) int { return strings.Compare(a.Name, b.Name) })
	return slices.Compact(entries), nil
}

// render makes what is published of an entity, in the way of the bot and of
// generate.
func (m metadata) render(t *testing.T, r registrydata.Renderer, e registrydata.Entity) publish.Update {
	t.Helper()
	loader := registrydata.Loader{Tree: m, Aliases: registrydata.DefaultAliases(), KeyID: func(armor []byte) (string, error) {
		key, err := validation.ParseKey(armor)
		return key.KeyID, err
	}}
	content, err := loader.Load(t.Context(), e)
	if err != nil || len(content.Faults) > 0 {
		t.Fatalf("%s: %v, faults %v", e, err, content.Faults)
	}
	return publish.Update{Entity: e, Objects: content.AllObjects(r), Sources: content.Sources}
}

// keyPath is where a key of the demo provider's namespace stands.
func keyPath(name string) string {
	return path.Join(registrydata.NamespaceKeyDirectory(demo.Namespace), name)
}
