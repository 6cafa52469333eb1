package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/registrydata"
)

const contents = "GET /repos/acme/registry/contents/"

func TestFileIsAskedForOnce(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	ctx := context.Background()
	h.handle(contents+"providers/a/acme/de mo.json", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("ref") != sha("a") || !strings.Contains(r.Header.Get("Accept"), "raw") {
			t.Errorf("ref %q, Accept %q", r.URL.Query().Get("ref"), r.Header.Get("Accept"))
		}
		w.Header().Set("Content-Type", "application/vnd.github.raw+json; charset=utf-8")
		_, _ = w.Write([]byte("{}"))
	})
	for range 3 {
		content, ok, err := m.File(ctx, sha("a"), "providers/a/acme/de mo.json")
		if string(content) != "{}" || !ok || err != nil {
			t.Fatalf("File = %q, %v, %v", content, ok, err)
		}
		content[0] = 'x' // the caller's copy
	}
	if n := h.count(contents); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
}

func TestAbsentFile(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	ctx := context.Background()
	h.json(contents+"x", 404, `{"message":"Not Found"}`)
	h.json("GET /repos/acme/registry/git/commits/"+sha("a"), 200, fmt.Sprintf(`{"sha":%q,"tree":{"sha":%q}}`, sha("a"), sha("b")))
	for range 2 {
		if _, ok, err := m.File(ctx, sha("a"), "x"); ok || err != nil {
			t.Errorf("File of nothing: %v, %v", ok, err)
		}
		if entries, err := m.Dir(ctx, sha("a"), "x"); len(entries) > 0 || err != nil {
			t.Errorf("Dir of nothing: %v, %v", entries, err)
		}
	}
	if n := h.count("GET"); n != 2 {
		t.Errorf("%d calls, want 2: %q", n, h.calls)
	}
	// A commit that is not there either is no answer about the file.
	h.json("GET /repos/acme/registry/git/commits/"+sha("c"), 404, `{"message":"Not Found"}`)
	if _, _, err := m.File(ctx, sha("c"), "x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("File at an unknown commit: %v", err)
	}
	for _, bad := range []string{"../x", "a//b", "/a", "a/..", "."} {
		if _, _, err := m.File(ctx, sha("a"), bad); err == nil {
			t.Errorf("File(%q) was asked for", bad)
		}
	}
	if _, _, err := m.File(ctx, "main?x=", "x"); err == nil {
		t.Error("File at what is no commit id was asked for")
	}
}

func TestDir(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	ctx := context.Background()
	h.json(contents+"keys/a/acme", 200, fmt.Sprintf(`[{"name":"z.asc","sha":%q,"type":"file","size":5},{"name":"demo","sha":%q,"type":"dir"}]`, sha("1"), sha("2")))
	want := []Entry{{Name: "demo", Blob: sha("2"), Dir: true}, {Name: "z.asc", Blob: sha("1"), Size: 5}}
	for range 2 {
		got, err := m.Dir(ctx, sha("a"), "keys/a/acme")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("Dir: %v\n%s", err, diff)
		}
	}
	if n := h.count(contents); n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	// The listing tells which files there are, without a call.
	if _, ok, err := m.File(ctx, sha("a"), "keys/a/acme/other.asc"); ok || err != nil || h.count("GET") != 1 {
		t.Errorf("File beside it: %v, %v, %d calls", ok, err, h.count("GET"))
	}
	// A file is no folder, a folder no file.
	h.json(contents+"f", 200, `{"name":"f","type":"file"}`)
	if got, err := m.Dir(ctx, sha("a"), "f"); len(got) != 0 || err != nil {
		t.Errorf("Dir of a file = %v, %v", got, err)
	}
	h.json(contents+"d", 200, `[]`)
	if _, ok, err := m.File(ctx, sha("a"), "d"); ok || err != nil {
		t.Errorf("File of a folder: %v, %v", ok, err)
	}
}

// The contents API lists a thousand entries and is silent about the rest.
func TestLargeDir(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	files, listed := map[string]string{}, []map[string]string{}
	for i := range 1500 {
		name := fmt.Sprintf("p%04d.json", i)
		files["providers/t/tencent/"+name] = name
		if i < 1000 {
			listed = append(listed, map[string]string{"name": name, "type": "file", "sha": blobID([]byte(name))})
		}
	}
	h.repo(map[string]map[string]string{sha("a"): files})
	body, _ := json.Marshal(listed)
	h.json(contents+"providers/t/tencent", 200, string(body))
	got, err := m.Dir(context.Background(), sha("a"), "providers/t/tencent")
	if err != nil || len(got) != 1500 || got[1499].Name != "p1499.json" {
		t.Errorf("Dir: %d entries, %v", len(got), err)
	}
}

func TestFiles(t *testing.T) {
	h := newFakeHub(t)
	files := map[string]string{"README.md": "r", "providers/a/acme/demo.json": "d", "providers/b/bar/x.json": "x", "keys/a/acme/k.asc": "k"}
	repo := h.repo(map[string]map[string]string{sha("a"): files})
	for name, limit := range map[string]int{"at once": 100, "truncated": 2} {
		repo.limit = limit
		m := h.forge().Metadata()
		for dir, want := range map[string]int{"": 4, "providers": 2, "providers/a/acme": 1, "modules": 0, "README.md": 0} {
			got, err := m.Files(context.Background(), sha("a"), dir)
			if err != nil || len(got) != want {
				t.Errorf("%s: Files(%q) = %v, %v; want %d", name, dir, got, err, want)
			}
			for _, e := range got {
				if files[e.Name] == "" || e.Blob != blobID([]byte(files[e.Name])) {
					t.Errorf("%s: entry %+v", name, e)
				}
			}
		}
	}
}

func TestChanges(t *testing.T) {
	h := newFakeHub(t)
	base := map[string]string{
		"README.md": "r", "providers/a/acme/demo.json": "1", "providers/a/acme/old.json": "o",
		"modules/b/bar/net/aws.json": "m", "modules/b/bar/net/gcp.json": "g", "keys/a/acme/k.asc": "k",
	}
	next := map[string]string{
		"README.md": "r", "providers/a/acme/demo.json": "2", "providers/a/acme/new.json": "o",
		"modules/b/bar/net/aws.json": "m", "modules/b/bar/net/gcp.json": "g",
		"keys/a/acme/demo/k.asc": "k", "providers/z": "a file where a folder may be",
	}
	h.repo(map[string]map[string]string{sha("a"): base, sha("b"): next})
	m := h.forge().Metadata()
	ctx := context.Background()
	change := func(path string, kind registrydata.ChangeKind) registrydata.Change {
		return registrydata.Change{Path: path, Kind: kind}
	}
	want := []registrydata.Change{
		change("keys/a/acme/demo/k.asc", registrydata.Added), change("keys/a/acme/k.asc", registrydata.Deleted),
		change("providers/a/acme/demo.json", registrydata.Modified), change("providers/a/acme/new.json", registrydata.Added),
		change("providers/a/acme/old.json", registrydata.Deleted), change("providers/z", registrydata.Added),
	}
	got, err := m.Changes(ctx, sha("a"), sha("b"))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("Changes: %v\n%s", err, diff)
	}
	// 2 commits; the root, keys and providers with two folders each below, on
	// both sides; nothing of modules. keys/a/acme/demo is the tree that
	// keys/a/acme was before.
	if n := h.count("GET"); n != 2+2*(1+3+3) {
		t.Errorf("%d calls: %q", n, h.calls)
	}
	h.reset()
	if got, err := m.Changes(ctx, sha("b"), sha("a")); err != nil || len(got) != 6 || h.count("GET") != 0 {
		t.Errorf("the other way: %v, %v, %d calls", got, err, h.count("GET"))
	}
	if got, err := m.Changes(ctx, sha("a"), sha("a")); err != nil || len(got) != 0 {
		t.Errorf("to itself: %v, %v", got, err)
	}
	all, err := m.Changes(ctx, "", sha("a"))
	if err != nil || len(all) != len(base) || all[0].Kind != registrydata.Added {
		t.Errorf("from nothing: %v, %v", all, err)
	}
	// What was read on the way answers for files that did not change, or went.
	h.reset()
	if _, ok, err := m.File(ctx, sha("b"), "providers/a/acme/old.json"); ok || err != nil || h.count("GET") != 0 {
		t.Errorf("File: %v, %v, %d calls", ok, err, h.count("GET"))
	}
}

// Where much differs, two complete listings are read and not each folder.
func TestManyChanges(t *testing.T) {
	h := newFakeHub(t)
	base, next := map[string]string{}, map[string]string{}
	for i := range 200 {
		path := fmt.Sprintf("modules/x/ns%d/net/aws.json", i)
		base[path], next[path] = "1", "2"
	}
	h.repo(map[string]map[string]string{sha("a"): base, sha("b"): next})
	got, err := h.forge().Metadata().Changes(context.Background(), sha("a"), sha("b"))
	if err != nil || len(got) != 200 {
		t.Fatalf("Changes: %d, %v", len(got), err)
	}
	if n := h.count("GET"); n > 12 {
		t.Errorf("%d calls", n)
	}
}

func TestHead(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	ctx := context.Background()
	h.json("GET /repos/acme/registry/branches/main", 200, fmt.Sprintf(
		`{"name":"main","commit":{"sha":%q,"author":{"login":"anna"},"commit":{"tree":{"sha":%q}},"parents":[{"sha":%q}]}}`, sha("a"), sha("b"), sha("c")))
	want := Commit{SHA: sha("a"), Tree: sha("b"), Parent: sha("c"), Author: "anna"}
	if got, err := m.Head(ctx); got != want || err != nil || h.count("GET") != 1 {
		t.Errorf("Head = %+v, %v, %d calls", got, err, h.count("GET"))
	}
	h.json("GET /repos/acme/registry/branches/main", 404, `{"message":"Branch not found"}`)
	if _, err := m.Head(ctx); !errors.Is(err, ErrNotFound) {
		t.Errorf("Head of no branch: %v", err)
	}
	h.json("GET /repos/acme/registry/branches/release/x", 404, `{"message":"Branch not found"}`)
	if _, ok, err := m.Branch(ctx, "release/x"); ok || err != nil {
		t.Errorf("Branch: %v, %v", ok, err)
	}
}
