package handlers

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// provider is a data file with versions, each of one platform and a checksum:
// "1.0.0=aa".
func provider(versions ...string) string {
	var list []string
	for _, v := range versions {
		version, sum, _ := strings.Cut(v, "=")
		list = append(list, fmt.Sprintf(`{"version":%q,"targets":[{"os":"linux","arch":"amd64","shasum":%q}]}`, version, sum))
	}
	return `{"versions":[` + strings.Join(list, ",") + `]}`
}

func with(files map[string]string, changes ...string) map[string]string {
	out := maps.Clone(files)
	for i := 0; i < len(changes); i += 2 {
		if out[changes[i]] = changes[i+1]; changes[i+1] == "" {
			delete(out, changes[i])
		}
	}
	return out
}

// world1 is the data of these tests.
var world1 = map[string]string{
	"providers/a/acme/one.json":   provider("1.0.0=aa", "1.1.0=bb"),
	"providers/a/acme/two.json":   provider("1.0.0=cc"),
	"providers/a/acme/three.json": provider("1.0.0=dd"),
	"modules/a/acme/net/aws.json": `{"versions":[{"version":"v1.0.0"}]}`,
}

// publishes runs the handler and returns its error.
func publishes(t *testing.T, r history, p publish.Target, change ...func(*Options)) error {
	t.Helper()
	o := Options{Snapshots: r, Archives: r, Publisher: publish.New(p)}
	for _, c := range change {
		c(&o)
	}
	_, err := New(o).Reconcile(t.Context(), PublishKey)
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func live(t *testing.T, p publish.Target, path string) bool {
	t.Helper()
	_, err := p.Get(t.Context(), path)
	if err != nil && !errors.Is(err, publish.ErrNotExist) {
		t.Fatal(err)
	}
	return err == nil
}

// An entity that would lose a version stays as it is, and the others do not wait
// for it. The commit is not recorded until the loss is on purpose or undone.
func TestPublishHoldsBackWhatLoses(t *testing.T) {
	p := newPlace(t)
	r := history{"1": world1}
	must(t, publishes(t, r, p))
	p.since()
	r["2"] = with(world1,
		"providers/a/acme/one.json", provider("1.1.0=bb", "2.0.0=ee"),
		"providers/a/acme/two.json", provider("1.0.0=c2"),
		"providers/a/acme/three.json", provider("1.0.0=dd", "1.2.0=ff"))
	for range 2 {
		err := publishes(t, r, p)
		var refused *publish.RefusedError
		if !errors.As(err, &refused) || len(refused.Losses) != 2 {
			t.Fatalf("not refused: %v", err)
		}
		for _, part := range []string{
			"acme/one 1.0.0 would vanish", "the checksum of acme/two 1.0.0 would change",
			"versions_blacklist.json", "registrar generate --remove providers/a/acme/one.json@1.0.0",
		} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("the error does not say %q: %v", part, err)
			}
		}
		if !live(t, p, "v1/providers/acme/one/1.0.0/download/linux/amd64") || live(t, p, "v1/providers/acme/one/2.0.0/download/linux/amd64") {
			t.Error("acme/one is not as it was")
		}
		if !live(t, p, "v1/providers/acme/three/1.2.0/download/linux/amd64") {
			t.Error("acme/three had to wait")
		}
		if commit, err := publish.New(p).Published(t.Context()); commit != "1" || err != nil {
			t.Errorf("published: %q, %v", commit, err)
		}
	}
	want := []string{"v1/providers/acme/three/1.2.0/download/linux/amd64", "v1/providers/acme/three/versions"}
	if diff := cmp.Diff(want, p.since()); diff != "" {
		t.Errorf("two runs have written (-want +got):\n%s", diff)
	}

	blacklist := `{"providers":[{"namespace":"ACME","name":"one","version":"v1.0.0","reason":"stolen"},{"namespace":"acme","name":"two","version":"1.0.0","reason":"made anew"}]}`
	r["3"] = with(r["2"], registrydata.BlacklistPath, blacklist)
	must(t, publishes(t, r, p))
	if live(t, p, "v1/providers/acme/one/1.0.0/download/linux/amd64") || !live(t, p, "v1/providers/acme/one/2.0.0/download/linux/amd64") {
		t.Error("what the blacklist names did not go")
	}
	if commit, err := publish.New(p).Published(t.Context()); commit != "3" || err != nil {
		t.Errorf("published: %q, %v", commit, err)
	}
}

// A commit that removes too much publishes nothing at all, and counts the
// registry only then. An operator may allow it.
func TestPublishHoldsBackWhatRemovesTooMuch(t *testing.T) {
	p := newPlace(t)
	r := history{"1": world1}
	must(t, publishes(t, r, p))
	p.since()
	one := with(world1, "providers/a/acme/two.json", "", "providers/a/acme/three.json", provider("1.0.0=dd", "1.2.0=ff"))
	r["2"] = one
	must(t, publishes(t, r, p))
	if slices.Contains(p.lists, ".registrar/manifests/") {
		t.Error("one entity goes, and the registry was counted")
	}
	p.since()
	r["3"] = with(one, "providers/a/acme/one.json", "", "providers/a/acme/three.json", "", "modules/a/acme/net/aws.json", `{"versions":[{"version":"v1.0.0"},{"version":"v1.1.0"}]}`)
	err := publishes(t, r, p)
	var refused *publish.RefusedError
	if !errors.As(err, &refused) || refused.Removed != 2 || refused.Limit != 1 || !strings.Contains(err.Error(), "max_delete") {
		t.Fatalf("not refused: %v", err)
	}
	if got := p.since(); len(got) > 0 {
		t.Errorf("something was written all the same: %v", got)
	}
	must(t, publishes(t, r, p, func(o *Options) { o.MaxDelete = 1 }))
	if live(t, p, "v1/providers/acme/one/versions") || !live(t, p, "v1/modules/acme/net/aws/1.1.0/download") {
		t.Error("the operator's limit did not count")
	}
}

// An entity that fails does not stop the others; the next run does what is left.
func TestPublishGoesOnBesideAFailure(t *testing.T) {
	p := newPlace(t)
	broken := errors.New("broken pipe")
	p.fails = func(op, path string) error {
		if op == "put" && strings.HasPrefix(path, "v1/providers/acme/two/") {
			return broken
		}
		return nil
	}
	r := history{"1": world1}
	err := publishes(t, r, p)
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "publish provider acme/two") {
		t.Fatalf("the error: %v", err)
	}
	for _, path := range []string{"providers/acme/one", "providers/acme/three", "modules/acme/net/aws"} {
		if !live(t, p, "v1/"+path+"/versions") {
			t.Errorf("%s is not live", path)
		}
	}
	if commit, _ := publish.New(p).Published(t.Context()); commit != "" || live(t, p, "v1/providers/acme/two/versions") {
		t.Errorf("recorded %q", commit)
	}
	p.since()
	p.fails = nil
	must(t, publishes(t, r, p))
	want := []string{"v1/providers/acme/two/1.0.0/download/linux/amd64", "v1/providers/acme/two/versions"}
	if diff := cmp.Diff(want, p.since()); diff != "" {
		t.Errorf("the second run has written (-want +got):\n%s", diff)
	}
	must(t, publishes(t, r, p))
	if got := p.since(); len(got) > 0 {
		t.Errorf("the third run has written %v", got)
	}
}

// Trouble with the place is one error, however many entities meet it, and so is
// an outage that nobody has a name for.
func TestPublishTroubleIsOneError(t *testing.T) {
	files := map[string]string{}
	for i := range 240 {
		files[fmt.Sprintf("modules/a/acme/net%03d/aws.json", i)] = `{"versions":[{"version":"v1.0.0"}]}`
	}
	trouble := &publish.TroubleError{Kind: publish.ErrDisk, Problem: "there is no room left", Remedy: "free some"}
	for name, tt := range map[string]struct {
		err  error
		says int // times
	}{
		"trouble": {trouble, 1},
		"outage":  {errors.New("connection refused"), mostTold},
	} {
		p := newPlace(t)
		p.fails = func(op, path string) error {
			if op == "put" && strings.HasPrefix(path, "v1/") {
				return tt.err
			}
			return nil
		}
		err := publishes(t, history{"1": files}, p)
		if !errors.Is(err, tt.err) || strings.Count(err.Error(), tt.err.Error()) != tt.says {
			t.Errorf("%s: %v", name, err)
		}
		if got := p.since(); len(got) >= len(files) {
			t.Errorf("%s: %d of %d were tried", name, len(got), len(files))
		}
	}
}

// An ordinary update costs what it changes, whatever the registry's size.
func TestPublishCostsWhatItChanges(t *testing.T) {
	p := newPlace(t)
	files := maps.Clone(world1)
	for i := range 50 {
		files[fmt.Sprintf("modules/b/big/net%03d/aws.json", i)] = `{"versions":[{"version":"v1.0.0"}]}`
	}
	r := history{"1": files, "2": with(files, "providers/a/acme/two.json", provider("1.0.0=cc", "1.0.1=dd"))}
	must(t, publishes(t, history{"1": files}, p))
	p.since()
	must(t, publishes(t, r, p))
	if len(p.lists) > 0 || p.reads > 8 {
		t.Errorf("%d files read, lists of %v", p.reads, p.lists)
	}
	want := []string{"v1/providers/acme/two/1.0.1/download/linux/amd64", "v1/providers/acme/two/versions"}
	if diff := cmp.Diff(want, p.since()); diff != "" {
		t.Errorf("written (-want +got):\n%s", diff)
	}
}
