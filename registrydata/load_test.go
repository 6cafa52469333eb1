package registrydata

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// memTree is a Tree of contents by path; nil is a link.
type memTree map[string][]byte

var (
	errLink = errors.New("it is a link")
	errDown = errors.New("nobody answers")
)

func (t memTree) File(_ context.Context, p string) ([]byte, bool, error) {
	content, ok := t[p]
	switch {
	case ok && string(content) == "down":
		return nil, false, errDown
	case ok && content == nil:
		return nil, false, &FileFault{Path: p, Err: errLink}
	}
	return content, ok, nil
}

func (t memTree) Dir(_ context.Context, dir string) ([]TreeEntry, error) {
	found := map[string]bool{}
	for p := range t {
		if rest, ok := strings.CutPrefix(p, dir+"/"); ok {
			name, _, below := strings.Cut(rest, "/")
			found[name] = below
		}
	}
	var out []TreeEntry
	for _, name := range slices.Sorted(maps.Keys(found)) {
		out = append(out, TreeEntry{Name: name, Dir: found[name]})
	}
	return out, nil
}

// testKeyID takes the text after "key " for a key's id.
func testKeyID(armor []byte) (string, error) {
	id, ok := strings.CutPrefix(string(armor), "key ")
	if !ok {
		return "", errors.New("no key")
	}
	return id, nil
}

const (
	oneProvider = `{"versions":[{"version":"1.0.0","targets":[{"os":"linux","arch":"amd64"}]}]}`
	oneModule   = `{"versions":[{"version":"v1.0.0"}]}`
)

func TestLoad(t *testing.T) {
	provider, module := []byte(oneProvider), []byte(oneModule)
	demo := ProviderAddress{"acme", "demo"}.Entity()
	keyA, keyB := []byte("key A"), []byte("key B")
	tests := map[string]struct {
		rule    string
		tree    memTree
		entity  Entity
		want    string // see showContent
		sources []string
	}{
		"module": {
			"a module has no keys", memTree{"modules/a/acme/net/aws.json": module, "keys/a/acme/x.asc": keyA},
			ModuleAddress{"acme", "net", "aws"}.Entity(), "module", []string{"modules/a/acme/net/aws.json"},
		},
		"absent": {"what has no file has no answers", memTree{}, demo, "gone", nil},
		"no keys": {
			"without a folder for keys the list is null", memTree{demo.Path(): provider}, demo, "provider keys=null", []string{demo.Path()},
		},
		"others' keys": {
			"with a folder that has no key for it, the list is empty",
			memTree{demo.Path(): provider, "keys/a/acme/other/x.asc": keyA}, demo, "provider keys=[]", []string{demo.Path()},
		},
		"keys": {
			"the namespace's come first, inside a folder by name",
			memTree{demo.Path(): provider, "keys/a/acme/demo/a.asc": []byte("key C"), "keys/a/acme/b.asc": keyB, "keys/a/acme/a.asc": keyA, "keys/a/acme/demo/x/y.asc": keyA},
			demo, "provider keys=[A B C]", []string{"keys/a/acme/a.asc", "keys/a/acme/b.asc", "keys/a/acme/demo/a.asc", demo.Path()},
		},
		"no key": {
			"a file that is no key is left out and named; what the answers would be with another content depends on it all the same",
			memTree{demo.Path(): provider, "keys/a/acme/a.asc": []byte("hello"), "keys/a/acme/b.asc": keyB, "keys/a/acme/c.asc": nil},
			demo, "provider keys=[B] fault=keys/a/acme/a.asc fault=keys/a/acme/c.asc", []string{"keys/a/acme/a.asc", "keys/a/acme/b.asc", demo.Path()},
		},
		"hashicorp": {
			"hashicorp's keys are opentofu's",
			memTree{"providers/h/hashicorp/aws.json": provider, "keys/h/hashicorp/a.asc": keyA, "keys/o/opentofu/b.asc": keyB},
			ProviderAddress{"hashicorp", "aws"}.Entity(), "provider keys=[B]", []string{"keys/o/opentofu/b.asc", "providers/h/hashicorp/aws.json"},
		},
		"old address": {
			"an old address serves what its provider serves, with its keys",
			memTree{"providers/d/datadog/datadog.json": provider, "keys/d/datadog/a.asc": keyA, "keys/o/opentofu/b.asc": keyB},
			ProviderAddress{"hashicorp", "datadog"}.Entity(), "provider keys=[A]", []string{"keys/d/datadog/a.asc", "providers/d/datadog/datadog.json"},
		},
		"old address with a file": {
			"a file of its own comes first",
			memTree{"providers/d/datadog/datadog.json": []byte("x"), "providers/h/hashicorp/datadog.json": provider, "keys/d/datadog/a.asc": keyA},
			ProviderAddress{"hashicorp", "datadog"}.Entity(), "provider keys=null", []string{"providers/h/hashicorp/datadog.json"},
		},
		"old address of nothing": {"an old address goes with its provider", memTree{}, ProviderAddress{"hashicorp", "datadog"}.Entity(), "gone", nil},
		"unreadable": {
			"what is served of a broken file stays", memTree{demo.Path(): []byte("{")}, demo,
			"unreadable fault=" + demo.Path(), []string{demo.Path()},
		},
		"link": {"a link is not followed", memTree{demo.Path(): nil}, demo, "unreadable fault=" + demo.Path(), nil},
		"old address of an unreadable": {
			"what is served at an old address stays too", memTree{"providers/d/datadog/datadog.json": []byte("{")},
			ProviderAddress{"opentofu", "datadog"}.Entity(), "unreadable fault=providers/d/datadog/datadog.json", []string{"providers/d/datadog/datadog.json"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := Loader{Tree: tt.tree, Aliases: DefaultAliases(), KeyID: testKeyID}.Load(t.Context(), tt.entity)
			if err != nil {
				t.Fatal(err)
			}
			if got := showContent(c); got != tt.want {
				t.Errorf("%s:\ngot  %s\nwant %s", tt.rule, got, tt.want)
			}
			if diff := cmp.Diff(tt.sources, slices.Sorted(maps.Keys(c.Sources))); diff != "" {
				t.Errorf("sources (-want +got):\n%s", diff)
			}
			for p, id := range c.Sources {
				if id != BlobID(tt.tree[p]) {
					t.Errorf("%s is recorded as %s", p, id)
				}
			}
			for _, o := range c.AllObjects(Renderer{}) {
				if !strings.Contains(o.Path, "/"+c.Entity.String()+"/") {
					t.Errorf("%s is rendered for %s", o.Path, c.Entity)
				}
			}
		})
	}
}

// Trouble on the way to a file is no verdict on it.
func TestLoadTrouble(t *testing.T) {
	demo := ProviderAddress{"acme", "demo"}.Entity()
	for _, tree := range []memTree{
		{demo.Path(): []byte("down")},
		{demo.Path(): []byte(oneProvider), "keys/a/acme/a.asc": []byte("down"), "keys/a/acme/b.asc": []byte("key B")},
	} {
		_, err := Loader{Tree: tree, KeyID: testKeyID}.Load(t.Context(), demo)
		if !errors.Is(err, errDown) {
			t.Errorf("%v: %v", slices.Sorted(maps.Keys(tree)), err)
		}
	}
}

func showContent(c Content) string {
	var words []string
	switch {
	case c.Unreadable:
		words = append(words, "unreadable")
	case c.Module != nil:
		words = append(words, "module")
	case c.Provider == nil:
		words = append(words, "gone")
	case c.Keys == nil:
		words = append(words, "provider", "keys=null")
	default:
		ids := []string{}
		for _, k := range c.Keys {
			ids = append(ids, k.KeyID)
		}
		words = append(words, "provider", fmt.Sprintf("keys=%v", ids))
	}
	for _, f := range c.Faults {
		words = append(words, "fault="+f.Path)
	}
	return strings.Join(words, " ")
}

func TestReadAliases(t *testing.T) {
	al, err := ReadAliases(t.Context(), memTree{})
	if err != nil || len(al.Addresses()) != 2*77 {
		t.Errorf("without a file: %d old addresses, %v", len(al.Addresses()), err)
	}
	al, err = ReadAliases(t.Context(), memTree{AliasesPath: []byte("old/b new/b\nold/a new/a # moved\n")})
	if diff := cmp.Diff([]ProviderAddress{{"old", "a"}, {"old", "b"}}, al.Addresses()); err != nil || diff != "" {
		t.Errorf("its own: %v %s", err, diff)
	}
	al, err = ReadAliases(t.Context(), memTree{AliasesPath: []byte("# none\n")})
	if err != nil || len(al.Addresses()) != 0 || al.EffectiveNamespace("hashicorp") != "hashicorp" {
		t.Errorf("an empty one: %v", err)
	}
	var fault *FileFault
	if _, err := ReadAliases(t.Context(), memTree{AliasesPath: []byte("\nx\n")}); !errors.As(err, &fault) || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("a broken one: %v", err)
	}
	if _, err := ReadAliases(t.Context(), memTree{AliasesPath: []byte("down")}); !errors.Is(err, errDown) {
		t.Errorf("trouble: %v", err)
	}
}

// Git names a file's content so.
func TestBlobID(t *testing.T) {
	if got := BlobID([]byte("hello\n")); got != "ce013625030ba8dba906f756967f9e9ca394464a" {
		t.Error(got)
	}
}
