package publish

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

var demo = registrydata.Entity{Kind: registrydata.KindProvider, Namespace: "acme", Name: "demo"}

// rendered is an update of the demo provider with these versions; generation
// changes the content of every download.
func rendered(generation string, versions ...string) Update {
	u := Update{Entity: demo, Sources: map[string]string{demo.Path(): generation + strings.Join(versions, ",")}}
	if len(versions) == 0 {
		return Update{Entity: demo}
	}
	type entry struct {
		Version string `json:"version"`
	}
	var list struct {
		Versions []entry `json:"versions"`
	}
	for _, v := range versions {
		list.Versions = append(list.Versions, entry{v})
		for _, arch := range []string{"amd64", "arm64"} {
			u.Objects = append(u.Objects, registrydata.Object{
				Path: "v1/providers/acme/demo/" + v + "/download/linux/" + arch,
				Body: []byte(generation + v + arch), Kind: registrydata.Download,
			})
		}
	}
	body, _ := json.Marshal(list)
	// First, so that the order of the files is the publisher's own.
	u.Objects = append([]registrydata.Object{{Path: listPath(demo), Body: body, Kind: registrydata.VersionList}}, u.Objects...)
	return u
}

// live are the files that clients see.
func live(t *testing.T, target Target) map[string]string {
	t.Helper()
	names, err := target.List(context.Background(), "v1/")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, name := range names {
		f, err := target.Get(context.Background(), name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(f.Body)
	}
	return files
}

func publish(t *testing.T, target Target, u Update) {
	t.Helper()
	if err := New(target).Publish(context.Background(), u); err != nil {
		t.Fatal(err)
	}
}

func TestPublishOrder(t *testing.T) {
	folder, _ := openFolder(t)
	f := &faulty{Target: folder}
	publish(t, f, rendered("a", "1.0.0", "1.1.0"))
	list := slices.Index(f.writes, "put "+listPath(demo))
	if list != len(f.writes)-2 || !strings.HasSuffix(f.writes[len(f.writes)-1], "demo.json") {
		t.Errorf("the list and then the manifest must come last: %q", f.writes)
	}

	f.writes = nil
	publish(t, f, rendered("a", "1.1.0", "1.2.0"))
	step := func(prefix, part string) (first, last int) {
		first = -1
		for i, w := range f.writes {
			if strings.HasPrefix(w, prefix) && strings.Contains(w, part) {
				if first < 0 {
					first = i
				}
				last = i
			}
		}
		return first, last
	}
	_, added := step("put", "/1.2.0/")
	listed, _ := step("put", "/versions")
	removed, _ := step("delete", "/1.0.0/")
	if added >= listed || listed >= removed || removed < 0 {
		t.Errorf("want additions, list, deletions: %q", f.writes)
	}
	if touched, _ := step("put", "/1.1.0/"); touched >= 0 {
		t.Errorf("a file that did not change was written: %q", f.writes)
	}

	f.writes = nil
	publish(t, f, rendered("a"))
	unlisted, _ := step("delete", "/versions")
	removed, _ = step("delete", "/download/")
	if unlisted < 0 || removed < unlisted {
		t.Errorf("want the list to go first: %q", f.writes)
	}
	if names, _ := folder.List(context.Background(), manifestDir); len(live(t, folder)) != 0 || len(names) != 0 {
		t.Errorf("something is left: %v %v", live(t, folder), names)
	}
}

func TestPublishTwiceWritesNothing(t *testing.T) {
	folder, _ := openFolder(t)
	f := &faulty{Target: folder}
	o := registrydata.Object{Path: ".well-known/terraform.json", Body: []byte("{}"), Kind: registrydata.Discovery}
	for run := range 2 {
		f.writes = nil
		p := New(f)
		for _, u := range []Update{rendered("a", "1.0.0"), {Entity: registrydata.Entity{Kind: registrydata.KindModule, Namespace: "a", Name: "b", Target: "c"}}} {
			if err := p.Publish(context.Background(), u); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.PutStatic(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		if err := p.SetPublished(context.Background(), "abc"); err != nil {
			t.Fatal(err)
		}
		if run == 1 && len(f.writes) != 0 {
			t.Errorf("the second run wrote %q", f.writes)
		}
	}
	commit, err := New(f).Published(context.Background())
	if commit != "abc" || err != nil {
		t.Errorf("Published = %q, %v", commit, err)
	}
}

func TestPublishSources(t *testing.T) {
	folder, _ := openFolder(t)
	p, ctx := New(folder), context.Background()
	if got, err := p.Sources(ctx, demo); got != nil || err != nil {
		t.Errorf("Sources of nothing = %v, %v", got, err)
	}
	u := rendered("a", "1.0.0")
	publish(t, folder, u)
	u.Sources = maps.Clone(u.Sources)
	u.Sources["keys/a/acme/k.asc"] = "blob"
	f := &faulty{Target: folder}
	publish(t, f, u)
	if len(f.writes) != 1 {
		t.Errorf("new sources of the same files: wrote %q, want the manifest alone", f.writes)
	}
	if got, _ := p.Sources(ctx, demo); !maps.Equal(got, u.Sources) {
		t.Errorf("Sources = %v, want %v", got, u.Sources)
	}
}

// A first publication that was cut off leaves files that no manifest names.
func TestPublishRemovesOrphans(t *testing.T) {
	ctx := context.Background()
	for _, manifest := range []string{"", "not json"} {
		folder, _ := openFolder(t)
		orphan := "v1/providers/acme/demo/9.9.9/download/linux/amd64"
		neighbour := "v1/providers/acme/demo2/versions"
		for _, path := range []string{orphan, neighbour} {
			if err := folder.Put(ctx, path, File{Body: []byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
		if manifest != "" {
			if err := folder.Put(ctx, manifestPath(demo), File{Body: []byte(manifest)}); err != nil {
				t.Fatal(err)
			}
		}
		publish(t, folder, rendered("a", "1.0.0"))
		files := live(t, folder)
		if files[orphan] != "" || files[neighbour] == "" {
			t.Errorf("live: %v", files)
		}
	}
}

func TestPublishRefuses(t *testing.T) {
	folder, _ := openFolder(t)
	p := New(folder)
	for _, path := range []string{"../x", "v1//x", ""} {
		u := Update{Entity: demo, Objects: []registrydata.Object{{Path: path, Body: []byte("x")}}}
		if err := p.Publish(context.Background(), u); err == nil {
			t.Errorf("published at %q", path)
		}
	}
	o := registrydata.Object{Path: "v1/x", Body: []byte("x")}
	if err := p.Publish(context.Background(), Update{Entity: demo, Objects: []registrydata.Object{o, o}}); err == nil {
		t.Error("published a file twice")
	}
}
