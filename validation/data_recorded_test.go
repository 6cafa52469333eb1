package validation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Each finding on a recorded file names its place and line.
func TestRecorded(t *testing.T) {
	const provider = `{
  "versions": [
    {
      "version": "1.0.0",
      "protocols": ["5.0"],
      "shasums_url": "https://github.com/acme/terraform-provider-demo/releases/download/v1.0.0/terraform-provider-demo_1.0.0_SHA256SUMS",
      "shasums_signature_url": "",
      "targets": [
        {"os": "linux", "arch": "amd64", "filename": "terraform-provider-demo_1.0.0_linux_amd64.zip",
         "download_url": "https://github.com/acme/terraform-provider-demo/releases/download/v1.0.0/terraform-provider-demo_1.0.0_linux_amd64.zip",
         "shasum": "x"}
      ]
    },
    {
      "version": "2.0"
    }
  ]
}`
	tests := map[string]struct {
		path, content string
		want          string // "line where code" a line
	}{
		"places": {demoPath, provider, `
			7 versions[0].shasums_signature_url address-name
			11 versions[0].targets[0].shasum checksum-form
			15 versions[1].version version-invalid
			14 versions[1].protocols protocols-unsupported
			14 versions[1].shasums_url address-foreign
			14 versions[1].shasums_signature_url address-name
			14 versions[1].targets platforms-missing
			15 versions[1].version version-blacklisted
			15 versions[1].version version-order`},
		"no JSON":         {demoPath, "hello", `1  file-unreadable`},
		"missing version": {demoPath, "{\n\"versions\": [\n{\"targets\": null}]}", `3 versions[0] file-unreadable`},
		"cut off":         {"modules/a/acme/vpc/aws.json", "{\"versions\": [\n{\"version\": \"v1", `2 versions[0].version file-unreadable`},
		"module twice": {"modules/a/acme/vpc/aws.json", `{"versions": [
			{"version": "v1.0.0"},
			{"version": "1.0.0"},
			{"version": "v1"}]}`, `
			4 versions[2].version tag-short-version
			3 versions[1].version version-repeated
			4 versions[2].version version-synonym`},
		"without commits":  {"modules/a/acme/vpc/aws.json", `{"versions": [{"version": "v1.0.0"}]}`, ""},
		"unaddressable":    {"modules/a/acme/vpc-/aws.json", `{"versions": [{"version": "v1.0.0"}]}`, `1  address`},
		"upper case":       {"modules/a/Acme/vpc/aws.json", "", "1  path-layout"},
		"trailing dot":     {"modules/a/acme/vpc./aws.json", "", "1  path-layout"},
		"out of the tree":  {"modules/a/../vpc/aws.json", "", "1  path-layout"},
		"doubled":          {"modules/a/acme/acme/vpc/aws.json", "", "1  path-doubled"},
		"doubled provider": {"providers/a/acme/acme/demo.json", "", "1  path-doubled"},
		"wrong letter":     {"providers/b/acme/demo.json", "", "1  path-layout"},
		"no key":           {"keys/a/acme/x.asc", "hello", "1 key key-missing"},
		"aliases":          {registrydata.AliasesPath, "a b c", "1  file-unreadable"},
		"blacklist":        {registrydata.BlacklistPath, "{\n\"modules\": [{}]}", "2 modules[0] file-unreadable"},
		"elsewhere":        {"README.md", "hello", ""},
	}
	rules := DataRules{Aliases: registrydata.DefaultAliases(), Now: testNow}
	var err error
	rules.Blacklist, err = registrydata.ParseBlacklist([]byte(`{"providers": [{"namespace": "acme", "name": "demo", "version": "2.0", "reason": "broken"}]}`))
	must(t, err)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range rules.Recorded(tt.path, []byte(tt.content)) {
				where := f.Where
				if strings.HasPrefix(f.Code, "key-") && where == "" {
					where = f.Field
				}
				got = append(got, fmt.Sprintf("%d %s %s", f.Line, where, f.Code))
				if f.File != tt.path || f.Fix == "" {
					t.Errorf("%+v", f)
				}
			}
			var want []string
			for line := range strings.Lines(strings.TrimSpace(tt.want)) {
				want = append(want, strings.TrimSpace(line))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRepository(t *testing.T) {
	al, err := registrydata.ParseAliases([]byte("old new\nolder/gone new/demo\nx/y new/nothing\nold/other acme/demo\n"))
	must(t, err)
	in := Recorded{OwnAliases: true, Entities: map[registrydata.Entity]bool{}}
	for _, p := range []string{"providers/a/acme/demo.json", "providers/o/old/other.json", "providers/n/new/demo.json", "modules/b/beta/vpc/aws.json"} {
		e, ok := registrydata.EntityFromPath(p)
		if !ok {
			t.Fatal(p)
		}
		in.Entities[e] = true
	}
	good, other := key(t, "good").armor, key(t, "other").armor
	for p, armor := range map[string][]byte{
		"keys/a/acme/a.asc":                         good,
		"keys/a/acme/b.asc":                         good,
		"keys/a/acme/c.asc":                         other,
		"keys/a/acme/demo/a.asc":                    good,
		"keys/a/acme/terraform-provider-demo/a.asc": []byte("no key"),
		"keys/b/beta/a.asc":                         good,
		"keys/n/new/gone/a.asc":                     good,
		"keys/n/new/demo/a.asc":                     good,
		"keys/o/old/a.asc":                          good,
		"keys/a/acme/demo/x/a.asc":                  other,
	} {
		in.Keys = append(in.Keys, KeyOnFile{Path: p, Armor: armor})
	}
	want := []string{
		"keys/a/acme/b.asc key-repeated",
		"keys/a/acme/demo/a.asc key-repeated",
		"keys/a/acme/demo/x key-orphan",
		"keys/a/acme/terraform-provider-demo key-orphan",
		"keys/b/beta key-orphan",
		"keys/n/new/gone key-orphan",
		"keys/o/old key-orphan",
		"provider-aliases.txt alias-unused",   // old/other
		"provider-aliases.txt alias-dangling", // x/y
	}
	var got []string
	for _, f := range (DataRules{Aliases: al, Now: testNow}).Repository(in) {
		got = append(got, f.File+" "+f.Code)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNotRead(t *testing.T) {
	for why, code := range map[Unread]string{UnreadLink: "file-link", UnreadSpecial: "file-special", UnreadLarge: "file-too-large"} {
		f := DataRules{}.NotRead("keys/a/acme/a.asc", why)
		if f.Code != code || f.Severity != Error || f.Fix == "" || f.Message == "" {
			t.Errorf("%+v", f)
		}
	}
}
