package registrydata

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// TestRender renders the data file of each case. Its section "options" holds
// the words compatible, keys=none or keys=empty, web=<url>; "keys" lines of a
// key id and a quoted armor. Each answer is a section whose name is "= " and
// the path; "answers" is their number, which -update does not change.
func TestRender(t *testing.T) {
	eachCase(t, "render", func(t *testing.T, ar *txtar.Archive) {
		objects := renderCase(t, ar)
		number, _ := section(ar, "answers")
		if want := strings.TrimSpace(number); want != strconv.Itoa(len(objects)) {
			t.Errorf("%d answers, want %s", len(objects), want)
		}
		var got, want []txtar.File
		for _, o := range objects {
			checkObject(t, o)
			got = append(got, txtar.File{Name: "= " + o.Path, Data: append(o.Body, '\n')})
		}
		inputs := 0
		for i, f := range ar.Files {
			if strings.HasPrefix(f.Name, "= ") {
				want = ar.Files[i:]
				break
			}
			inputs++
		}
		if *update {
			ar.Files = append(ar.Files[:inputs:inputs], got...)
			return
		}
		if diff := cmp.Diff(string(txtar.Format(&txtar.Archive{Files: want})), string(txtar.Format(&txtar.Archive{Files: got}))); diff != "" {
			t.Errorf("answers (-want +got):\n%s", diff)
		}
	})
}

func renderCase(t *testing.T, ar *txtar.Archive) []Object {
	t.Helper()
	var r Renderer
	keys := []SigningKey(nil)
	options, _ := section(ar, "options")
	for _, word := range strings.Fields(options) {
		switch {
		case word == "compatible":
			r.Compatible = true
		case word == "keys=empty":
			keys = []SigningKey{}
		case strings.HasPrefix(word, "web="):
			r.WebURL = word[len("web="):]
		default:
			t.Fatalf("unknown option %q", word)
		}
	}
	text, _ := section(ar, "keys")
	for line := range strings.Lines(text) {
		id, armor, _ := strings.Cut(strings.TrimSpace(line), " ")
		armor, err := strconv.Unquote(armor)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, SigningKey{ASCIIArmor: armor, KeyID: id})
	}
	for _, f := range ar.Files {
		e, ok := EntityFromPath(f.Name)
		if !ok {
			continue
		}
		if e.Kind == KindModule {
			m, err := ParseModule(f.Data)
			if err != nil {
				t.Fatal(err)
			}
			return r.Module(e.Module(), m)
		}
		p, err := ParseProvider(f.Data)
		if err != nil {
			t.Fatal(err)
		}
		return r.Provider(e.Provider(), p, keys)
	}
	t.Fatal("the case has no data file")
	return nil
}

// checkObject holds what is true of every answer.
func checkObject(t *testing.T, o Object) {
	t.Helper()
	var body struct{ Location string }
	if err := json.Unmarshal(o.Body, &body); err != nil {
		t.Errorf("%s: no JSON: %v", o.Path, err)
	}
	if body.Location != o.Location {
		t.Errorf("%s: header %q beside location %q", o.Path, o.Location, body.Location)
	}
	kind := Download
	if strings.HasSuffix(o.Path, "/versions") {
		kind = VersionList
	}
	if o.Kind != kind {
		t.Errorf("%s: kind %d, want %d", o.Path, o.Kind, kind)
	}
}

func TestDiscovery(t *testing.T) {
	o := Renderer{}.Discovery()
	var services map[string]string
	if err := json.Unmarshal(o.Body, &services); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"modules.v1": "/v1/modules/", "providers.v1": "/v1/providers/"}
	if diff := cmp.Diff(want, services); diff != "" || o.Kind != Discovery || o.Path != ".well-known/terraform.json" {
		t.Errorf("discovery at %q: %s", o.Path, diff)
	}
}

// What did not come from a parsed file cannot lead out of its folder or break a
// header either.
func TestRenderRefusesUnsafe(t *testing.T) {
	var r Renderer
	target := []Target{{OS: "linux", Arch: "amd64"}, {OS: "../..", Arch: "amd64"}}
	p := &Provider{Versions: []ProviderVersion{{Version: "1.0.0", Targets: target}, {Version: "../../x", Targets: target}}}
	var paths []string
	for _, o := range r.Provider(ProviderAddress{"acme", "demo"}, p, nil) {
		paths = append(paths, o.Path)
	}
	if diff := cmp.Diff([]string{"v1/providers/acme/demo/1.0.0/download/linux/amd64", "v1/providers/acme/demo/versions"}, paths); diff != "" {
		t.Error(diff)
	}
	if got := r.Provider(ProviderAddress{"..", "demo"}, p, nil); got != nil {
		t.Errorf("rendered an address that leads elsewhere: %v", got[0].Path)
	}
	m := &Module{Versions: []ModuleVersion{{Version: "v1.0.0", Commit: "x\r\nSet-Cookie: a=b"}, {Version: "1.0.0\r\nX: y"}}}
	for _, o := range r.Module(ModuleAddress{"acme", "net", "aws"}, m) {
		if strings.ContainsAny(o.Location+o.Path, "\r\n") {
			t.Errorf("%q: line end in %q", o.Path, o.Location)
		}
	}
	if got := r.Module(ModuleAddress{"acme", "net/../..", "aws"}, m); got != nil {
		t.Errorf("rendered an address that leads elsewhere: %v", got[0].Path)
	}
}

// A body that is kept is not written over by the answers after it, and
// iteration can stop anywhere.
func TestObjectsAreIndependent(t *testing.T) {
	p := benchProvider(40, 6)
	keys := []SigningKey{{ASCIIArmor: strings.Repeat("x", 5000), KeyID: "0123456789ABCDEF"}}
	a := ProviderAddress{"acme", "demo"}
	kept := Renderer{}.Provider(a, p, keys)
	i := 0
	for o := range (Renderer{}).EachProvider(a, p, keys) {
		if kept[i].Path != o.Path || string(kept[i].Body) != string(o.Body) {
			t.Fatalf("answer %d differs: %s, %s", i, kept[i].Path, o.Path)
		}
		i++
	}
	if i != len(kept) || i != 40*6+1 {
		t.Fatalf("%d and %d answers, want %d", i, len(kept), 40*6+1)
	}
	_ = append(kept[0].Body, "overrun"...)
	if !strings.HasPrefix(string(kept[1].Body), "{\n") {
		t.Error("appending to one body changed the next")
	}
	for stop := range kept {
		n := 0
		for range (Renderer{}).EachProvider(a, p, keys) {
			if n++; n > stop {
				break
			}
		}
	}
}

// benchProvider makes a provider of the given size.
func benchProvider(versions, targets int) *Provider {
	p := &Provider{}
	for i := range versions {
		v := ProviderVersion{
			Version:             fmt.Sprintf("1.%d.0", versions-i),
			Protocols:           []string{"5.0"},
			ShasumsURL:          "https://github.com/acme/terraform-provider-demo/releases/download/v1.0.0/terraform-provider-demo_1.0.0_SHA256SUMS",
			ShasumsSignatureURL: "https://github.com/acme/terraform-provider-demo/releases/download/v1.0.0/terraform-provider-demo_1.0.0_SHA256SUMS.sig",
			Discovered:          "2026-04-21T00:00:00Z",
		}
		for k := range targets {
			v.Targets = append(v.Targets, Target{
				OS: "linux", Arch: fmt.Sprintf("arch%d", k), Filename: "terraform-provider-demo_1.0.0_linux_amd64.zip",
				DownloadURL: "https://github.com/acme/terraform-provider-demo/releases/download/v1.0.0/terraform-provider-demo_1.0.0_linux_amd64.zip",
				Shasum:      strings.Repeat("0123456789abcdef", 4), H1: "h1:84vf/hqWqyWS/qyX4BslnbMjlSMb0iZLpAifu3DrTY8=", Size: 7187640,
			})
		}
		p.Versions = append(p.Versions, v)
	}
	return p
}
