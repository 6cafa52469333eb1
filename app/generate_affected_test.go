package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
	rounds := 80
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
		if want, got := full.public(), bot.public(); !maps.Equal(want, got) {
			t.Fatalf("round %d: after %v the bot has not what everything gives (-full +bot):\n%.3000s", round, what, cmp.Diff(want, got))
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
	for _, kind := range e.edits() {
		if e.counts[kind.name] == 0 && !testing.Short() {
			t.Errorf("in %d rounds nobody has come to %s", rounds, kind.name)
		}
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
