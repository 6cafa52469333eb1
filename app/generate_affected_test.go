package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// testArmor is a signing key.
func testArmor(t testing.TB) string {
	t.Helper()
	k, err := actors.NewSigningKey("Acme", "acme@example.org", 0)
	if err != nil {
		t.Fatal(err)
	}
	armor, err := k.Public()
	if err != nil {
		t.Fatal(err)
	}
	return armor
}

// commits is a metadata repository in memory: file contents by path, by commit.
// Its last commit is the head.
type commits struct {
	handlers.Snapshots // none: Head to Changes is all
	names              []string
	files              map[string]map[string]string
}

// snapshotsOf has the same files at each commit.
func snapshotsOf(t testing.TB, files map[string]string, names ...string) *commits {
	t.Helper()
	c := &commits{names: names, files: map[string]map[string]string{}}
	for _, name := range names {
		c.files[name] = files
	}
	return c
}

// Head implements handlers.Snapshots.
func (c *commits) Head(context.Context) (handlers.Commit, error) {
	return handlers.Commit{SHA: c.names[len(c.names)-1]}, nil
}

// File implements handlers.Snapshots.
func (c *commits) File(_ context.Context, commit, name string) ([]byte, bool, error) {
	content, ok := c.files[commit][name]
	return []byte(content), ok, nil
}

// Dir implements handlers.Snapshots.
func (c *commits) Dir(_ context.Context, commit, dir string) ([]handlers.Entry, error) {
	found := map[string]handlers.Entry{}
	for name := range c.files[commit] {
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok {
			first, _, below := strings.Cut(rest, "/")
			found[first] = handlers.Entry{Name: first, Dir: below}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b handlers.Entry) int { return strings.Compare(a.Name, b.Name) }), nil
}

// Files implements handlers.Snapshots.
func (c *commits) Files(_ context.Context, commit, dir string) ([]handlers.Entry, error) {
	var out []handlers.Entry
	for _, name := range slices.Sorted(maps.Keys(c.files[commit])) {
		if strings.HasPrefix(name, dir+"/") {
			out = append(out, handlers.Entry{Name: name})
		}
	}
	return out, nil
}

// Changes implements handlers.Snapshots.
func (c *commits) Changes(_ context.Context, from, to string) ([]registrydata.Change, error) {
	var out []registrydata.Change
	for name, is := range c.files[to] {
		switch was, there := c.files[from][name]; {
		case !there:
			out = append(out, registrydata.Change{Path: name, Kind: registrydata.Added})
		case was != is:
			out = append(out, registrydata.Change{Path: name, Kind: registrydata.Modified})
		}
	}
	for name := range c.files[from] {
		if _, there := c.files[to][name]; !there {
			out = append(out, registrydata.Change{Path: name, Kind: registrydata.Deleted})
		}
	}
	return out, nil
}

// Archive implements handlers.Archives.
func (c *commits) Archive(_ context.Context, commit string, each func(forge.ArchiveFile) error) error {
	for name, content := range c.files[commit] {
		if err := each(forge.ArchiveFile{Path: name, Size: int64(len(content)), Content: strings.NewReader(content)}); err != nil {
			return err
		}
	}
	return nil
}

// shelf is a Target in memory.
type shelf struct {
	mu    sync.Mutex
	files map[string]publish.File
	n     int // writes, for the ETags
}

func newShelf() *shelf { return &shelf{files: map[string]publish.File{}} }

// Get implements publish.Target.
func (s *shelf) Get(_ context.Context, name string) (publish.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files[name]
	if !ok {
		return f, publish.ErrNotExist
	}
	return f, nil
}

// Put implements publish.Target.
func (s *shelf) Put(_ context.Context, name string, f publish.File) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(name, f)
	return nil
}

func (s *shelf) put(name string, f publish.File) string {
	s.n++
	f.ETag, f.Body = fmt.Sprint(s.n), slices.Clone(f.Body)
	s.files[name] = f
	return f.ETag
}

// PutIf implements publish.Target.
func (s *shelf) PutIf(_ context.Context, name string, f publish.File, etag string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files[name].ETag != etag {
		return "", publish.ErrChanged
	}
	return s.put(name, f), nil
}

// Delete implements publish.Target.
func (s *shelf) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, name)
	return nil
}

// List implements publish.Target.
func (s *shelf) List(_ context.Context, prefix string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.files {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// unguarded publishes what a guard would hold back: it is shown nothing live.
type unguarded struct{ *publish.Publisher }

// Change implements handlers.Publisher.
func (unguarded) Change(_ context.Context, u handlers.Update) (publish.Change, error) {
	return publish.Change{Entity: u.Entity, After: u.Objects}, nil
}

// generated publishes files to a shelf with generate, unguarded.
func generated(t testing.TB, s *shelf, files map[string]string) {
	t.Helper()
	content := map[string][]byte{}
	all := map[registrydata.Entity]publish.Removal{}
	for name, body := range files {
		content[name] = []byte(body)
	}
	for name := range s.files {
		if e, ok := registrydata.EntityFromPath(strings.TrimPrefix(name, ".registrar/manifests/")); ok {
			all[e] = publish.Removal{All: true}
		}
	}
	g := generation{data: inMemory(content), place: &generatePlace{target: s}, progress: &progress{}, maxDelete: 1, allowed: all}
	if err := g.run(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

// public are the contents of what clients read.
func (s *shelf) public() map[string]string {
	out := map[string]string{}
	for name, f := range s.files {
		if !strings.HasPrefix(name, ".registrar/published") {
			out[name] = string(f.Body)
		}
	}
	return out
}

// TestIncrementalEqualsFull edits a sample of the public registry at random, many
// times over. After each commit, what the bot publishes of the changes is what
// generate makes of everything, manifests included: a file that cannot be read
// keeps what was live in both.
func TestIncrementalEqualsFull(t *testing.T) {
	rounds := 120
	if testing.Short() {
		rounds = 20
	}
	const seed = 20250128
	r := rand.New(rand.NewPCG(seed, seed)) // #nosec G404 -- a test that can be repeated
	e := &editor{r: r, files: sample(t), armors: []string{testArmor(t), testArmor(t), testArmor(t), "no key\n"}}
	history := &commits{files: map[string]map[string]string{}}
	bot, full := newShelf(), newShelf()
	for round := range rounds {
		var what []string
		for n := 1 + r.IntN(3); n > 0 && round > 0; n-- {
			what = append(what, e.edit())
		}
		name := fmt.Sprintf("%05d", round)
		history.names = append(history.names, name)
		history.files[name] = maps.Clone(e.files)
		h := handlers.New(handlers.Options{Snapshots: history, Archives: history, Publisher: unguarded{publish.New(bot)}})
		if _, err := h.Reconcile(t.Context(), handlers.PublishKey); err != nil {
			t.Fatalf("round %d: %v: %v", round, what, err)
		}
		generated(t, full, e.files)
		if diff := cmp.Diff(full.public(), bot.public()); diff != "" {
			t.Fatalf("round %d: after %v the bot has not what everything gives (-full +bot):\n%.3000s", round, what, diff)
		}
		delete(history.files, fmt.Sprintf("%05d", round-1))
	}
	// From nothing, everything gives the same too, but for what stays live of
	// files that cannot be read.
	fresh := newShelf()
	for name, body := range e.files {
		if _, err := registrydata.ParseModule([]byte(body)); err != nil && strings.HasPrefix(name, "modules/") {
			delete(e.files, name)
		}
		if _, err := registrydata.ParseProvider([]byte(body)); err != nil && strings.HasPrefix(name, "providers/") {
			delete(e.files, name)
		}
	}
	generated(t, fresh, e.files)
	generated(t, full, e.files)
	if diff := cmp.Diff(fresh.public(), full.public()); diff != "" {
		t.Errorf("from nothing (-fresh +full):\n%.3000s", diff)
	}
	t.Logf("%d rounds, %d files at the end; edits: %v", rounds, len(fresh.files), e.counts)
}

// moved are namespaces whose providers are served at old addresses too.
var moved = []string{"oktadeveloper", "huaweicloud", "icinga"}

// sample is a part of the public registry in which entities have much to do
// with each other: old addresses, twins, keys.
func sample(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	namespaces := append([]string{"hashicorp", "opentofu", "a10networks", "chanzuckerberg", "claranet", "toowoxx", "grafana"}, moved...)
	for name, body := range testdata.Files(t, testdata.Corpus) {
		seg := strings.Split(name, "/")
		if len(seg) > 3 && slices.Contains(namespaces, seg[2]) && len(body) < 10_000 {
			files[name] = string(body)
		}
	}
	if len(files) < 100 {
		t.Fatalf("%d files in the sample", len(files))
	}
	return files
}

// editor changes files at random, as maintainers and the bot do.
type editor struct {
	r      *rand.Rand
	files  map[string]string
	armors []string
	counts map[string]int
	made   int
}

// edit makes one change and says which.
func (e *editor) edit() string {
	edits := []struct {
		name string
		do   func() string
	}{
		{"add a version", e.addVersion},
		{"remove a version", e.removeVersion},
		{"add an entity", e.addEntity},
		{"remove an entity", func() string { return e.drop(e.pick("providers/", "modules/")) }},
		{"rename an entity", e.rename},
		{"add a key", e.addKey},
		{"change a key", func() string { return e.write(e.pick("keys/"), e.armor()) }},
		{"remove a key", func() string { return e.drop(e.pick("keys/")) }},
		{"break a file", func() string { return e.write(e.pick("providers/", "modules/"), "{") }},
		{"put a file at an old address", e.occupy},
		{"change the aliases", e.changeAliases},
		{"something else", func() string { return e.write("README.md", fmt.Sprint(e.made)) }},
	}
	pick := edits[e.r.IntN(len(edits))]
	if e.counts == nil {
		e.counts = map[string]int{}
	}
	e.counts[pick.name]++
	e.made++
	return pick.name + ": " + pick.do()
}

// pick is one of the files below some folders, "" where there is none; often
// one on which others depend.
func (e *editor) pick(folders ...string) string {
	var names, hot []string
	for name := range e.files {
		if slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(name, f) }) {
			names = append(names, name)
			if seg := strings.Split(name, "/"); slices.Contains(moved, seg[2]) {
				hot = append(hot, name)
			}
		}
	}
	if len(hot) > 0 && e.r.IntN(3) == 0 {
		names = hot
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return names[e.r.IntN(len(names))]
}

func (e *editor) write(name, content string) string {
	if name != "" {
		e.files[name] = content
	}
	return name
}

func (e *editor) drop(name string) string {
	delete(e.files, name)
	return name
}

func (e *editor) armor() string { return e.armors[e.r.IntN(len(e.armors))] }

func (e *editor) addVersion() string {
	name := e.pick("providers/", "modules/")
	version := fmt.Sprintf("%d.%d.0", 100+e.r.IntN(100), e.made)
	if strings.HasPrefix(name, "modules/") {
		if m, err := registrydata.ParseModule([]byte(e.files[name])); err == nil && m.Add(registrydata.ModuleVersion{Version: "v" + version}) == nil {
			return e.write(name, string(m.Bytes()))
		}
		return e.write(name, `{"versions":[{"version":"v`+version+`"}]}`)
	}
	p, err := registrydata.ParseProvider([]byte(e.files[name]))
	if err != nil {
		return e.write(name, `{"versions":[{"version":"`+version+`","targets":[{"os":"linux","arch":"amd64"}]}]}`)
	}
	target := registrydata.Target{OS: "linux", Arch: "arm64", Shasum: fmt.Sprint(e.made), Size: int64(e.r.IntN(3))}
	if err := p.Add(registrydata.ProviderVersion{Version: version, Targets: []registrydata.Target{target}}); err != nil {
		return err.Error()
	}
	return e.write(name, string(p.Bytes()))
}

func (e *editor) removeVersion() string {
	name := e.pick("providers/")
	p, err := registrydata.ParseProvider([]byte(e.files[name]))
	if err != nil || len(p.Versions) < 2 {
		return "nothing"
	}
	i := e.r.IntN(len(p.Versions))
	p.Versions = slices.Delete(p.Versions, i, i+1)
	return e.write(name, string(p.Bytes()))
}

func (e *editor) addEntity() string {
	from := e.pick("providers/", "modules/")
	return e.write(strings.TrimSuffix(path.Dir(from)+"/"+fmt.Sprintf("new%d.json", e.made), "/"), e.files[from])
}

func (e *editor) rename() string {
	from := e.pick("providers/", "modules/")
	to := path.Dir(from) + "/" + fmt.Sprintf("moved%d.json", e.made)
	if from == "" {
		return "nothing"
	}
	e.files[to] = e.files[from]
	return e.drop(from) + " to " + to
}

// addKey adds a key to a namespace or to one provider, often one that has none.
func (e *editor) addKey() string {
	of := e.pick("providers/")
	dir := "keys/" + strings.TrimPrefix(path.Dir(of), "providers/")
	if e.r.IntN(2) == 0 {
		dir += "/" + strings.TrimSuffix(path.Base(of), ".json")
	}
	return e.write(fmt.Sprintf("%s/provider-%d.asc", dir, e.made), e.armor())
}

// occupy puts a file where another provider was served.
func (e *editor) occupy() string {
	old := registrydata.DefaultAliases().Addresses()
	return e.write(old[e.r.IntN(len(old))].Path(), e.files[e.pick("providers/")])
}

func (e *editor) changeAliases() string {
	if e.r.IntN(3) == 0 {
		return e.drop(registrydata.AliasesPath) + " dropped"
	}
	var lines []string
	if e.r.IntN(2) == 0 {
		lines = append(lines, "hashicorp opentofu")
	}
	if e.r.IntN(2) == 0 {
		lines = append(lines, "toowoxx claranet")
	}
	seen := map[string]bool{}
	for range e.r.IntN(5) {
		from, to := fmt.Sprintf("opentofu/old%d", e.r.IntN(5)), e.provider()
		if !seen[from] && from != to && !strings.Contains(to, "/old") {
			seen[from] = true
			lines = append(lines, from+" "+to)
		}
	}
	text := strings.Join(lines, "\n") + "\n"
	if _, err := registrydata.ParseAliases([]byte(text)); err != nil {
		return "nothing: " + err.Error()
	}
	return e.write(registrydata.AliasesPath, text)
}

func (e *editor) provider() string {
	name := e.pick("providers/")
	return path.Base(path.Dir(name)) + "/" + strings.TrimSuffix(path.Base(name), ".json")
}
