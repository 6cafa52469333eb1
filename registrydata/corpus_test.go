package registrydata

import (
	"bytes"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

// rewritten parses a data file and returns what Bytes gives, and what the
// encoder gives without looking at the file's text.
func rewritten(file string, body []byte) (same, encoded []byte, err error) {
	if strings.HasPrefix(file, "providers/") {
		p, err := ParseProvider(body)
		if err != nil {
			return nil, nil, err
		}
		return p.Bytes(), p.encode(), nil
	}
	m, err := ParseModule(body)
	if err != nil {
		return nil, nil, err
	}
	return m.Bytes(), m.encode(), nil
}

// corpusInputs are the corpus files that the golden answers were made from.
type corpusInputs struct {
	data map[string][]byte
	keys map[string][]KeyFile // by folder, in the order of names
}

// TestCorpus reads the whole public registry of January 2025 once: every file
// keeps its bytes, the layout and the counts are those that the specification
// names, and the answers are those of the reference generator.
func TestCorpus(t *testing.T) {
	golden, names := testdata.Golden(t)
	in := corpusInputs{data: map[string][]byte{}, keys: map[string][]KeyFile{}}
	var c corpusCounts
	for file, body := range testdata.Files(t, testdata.Corpus) {
		if strings.HasPrefix(file, "keys/") {
			dir := path.Dir(file)
			in.keys[dir] = append(in.keys[dir], KeyFile{Name: path.Base(file), Armor: body})
			continue
		}
		c.add(t, file, body)
		if names[file] {
			in.data[file] = body
		}
	}
	want := corpusCounts{files: 27479, outside: 14, providers: 3931, modules: 23534, modulesUnaddressable: 71, providersUnaddressable: 1,
		newline: []string{"providers/t/tdabasinskas/backstage.json"}, twice: 327}
	if !c.equal(want) {
		t.Errorf("corpus: %+v, want %+v", c, want)
	}
	testGolden(t, golden, in)
}

type corpusCounts struct {
	files, outside, providers, modules, twice    int
	modulesUnaddressable, providersUnaddressable int
	newline                                      []string
}

func (c corpusCounts) equal(d corpusCounts) bool {
	same := slices.Equal(c.newline, d.newline)
	return same && c.files == d.files && c.outside == d.outside && c.providers == d.providers && c.modules == d.modules &&
		c.twice == d.twice && c.modulesUnaddressable == d.modulesUnaddressable && c.providersUnaddressable == d.providersUnaddressable
}

func (c *corpusCounts) add(t *testing.T, file string, body []byte) {
	c.files++
	if bytes.HasSuffix(body, []byte("\n")) {
		c.newline = append(c.newline, file)
	}
	same, encoded, err := rewritten(file, body)
	if err != nil {
		t.Errorf("%s: %v", file, err)
	} else if !bytes.Equal(same, body) || !bytes.Equal(encoded, body) {
		t.Errorf("%s: does not keep its bytes", file)
	}
	e, ok := EntityFromPath(file)
	switch {
	case !ok:
		c.outside++
	case e.Kind == KindProvider:
		c.providers++
		if e.Check() != nil {
			c.providersUnaddressable++
		}
	default:
		c.modules++
		if e.Check() != nil {
			c.modulesUnaddressable++
		}
		if m, err := ParseModule(body); err == nil && holdsVersionTwice(m) {
			c.twice++
		}
	}
}

func holdsVersionTwice(m *Module) bool {
	seen := map[string]bool{}
	for _, v := range m.Versions {
		key, _ := VersionKey(v.Version)
		if seen[key] {
			return true
		}
		seen[key] = true
	}
	return false
}

func testGolden(t *testing.T, golden map[string]string, in corpusInputs) {
	r := Renderer{Compatible: true}
	objects := []Object{r.Discovery()}
	for _, file := range slices.Sorted(maps.Keys(in.data)) {
		e, _ := EntityFromPath(file)
		objects = append(objects, renderFile(t, r, e, in)...)
	}
	made := map[string]bool{}
	for _, o := range objects {
		if made[o.Path] {
			t.Errorf("%s: made twice", o.Path)
		}
		made[o.Path] = true
		want, ok := golden[o.Path]
		if !ok && !slices.ContainsFunc(testdata.GoldenParts(), func(part string) bool { return strings.HasPrefix(o.Path, part) }) {
			t.Errorf("%s: not among the golden answers", o.Path)
		}
		if ok && string(o.Body) != want {
			t.Errorf("%s: differs\n--- got\n%.300s\n--- want\n%.300s", o.Path, o.Body, want)
		}
	}
	for file := range golden {
		if !made[file] {
			t.Errorf("%s: not made", file)
		}
	}
}

// renderFile renders an entity of the corpus, a provider at its old addresses
// too.
func renderFile(t *testing.T, r Renderer, e Entity, in corpusInputs) []Object {
	t.Helper()
	if e.Kind == KindModule {
		m, err := ParseModule(in.data[e.Path()])
		if err != nil {
			t.Fatal(err)
		}
		return r.Module(e.Module(), m)
	}
	p, err := ParseProvider(in.data[e.Path()])
	if err != nil {
		t.Fatal(err)
	}
	keys := in.signingKeys(t, e.Provider())
	objects := r.Provider(e.Provider(), p, keys)
	for _, old := range DefaultAliases().Copies(e.Provider()) {
		objects = append(objects, r.Provider(old, p, keys)...)
	}
	return objects
}

// signingKeys reads a provider's keys as a caller of this package would.
func (in corpusInputs) signingKeys(t *testing.T, a ProviderAddress) []SigningKey {
	t.Helper()
	var keys []SigningKey
	for _, dir := range KeyDirectories(a, DefaultAliases()) {
		files := in.keys[dir]
		slices.SortFunc(files, func(x, y KeyFile) int { return strings.Compare(x.Name, y.Name) })
		for _, f := range files {
			ring, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(f.Armor))
			if err != nil {
				t.Fatalf("%s/%s: %v", dir, f.Name, err)
			}
			keys = append(keys, SigningKey{ASCIIArmor: string(f.Armor), KeyID: ring[0].PrimaryKey.KeyIdString()})
		}
	}
	return keys
}
