package registrydata

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBlacklistFileKeepsWhatItHolds(t *testing.T) {
	f, err := ParseBlacklistFile([]byte(blacklistSample))
	if err != nil {
		t.Fatal(err)
	}
	if got := string(f.Bytes()); got != blacklistSample {
		t.Errorf("an unchanged file is written as\n%s", got)
	}
	demo, net := ProviderAddress{"acme", "demo"}.Entity(), ModuleAddress{"acme", "net", "aws"}.Entity()
	// Both are there already, one in another case and one with a "v".
	for e, v := range map[Entity]string{demo: "1.0.0-rc1", net: "5.0.0"} {
		if err := f.Add(e, v, "again"); err != nil {
			t.Fatal(err)
		}
	}
	if got := string(f.Bytes()); got != blacklistSample {
		t.Errorf("what is there already is written again:\n%s", got)
	}
	if err := f.Add(demo, "v2.0.0", "leaks <tokens>"); err != nil {
		t.Fatal(err)
	}
	if err := f.Add(demo, "../x", ""); err == nil {
		t.Error("a path was taken for a version")
	}
	again, err := ParseBlacklistFile(f.Bytes())
	if err != nil || len(again.Providers) != 4 || !strings.Contains(string(f.Bytes()), `"since": {`) || !strings.Contains(string(f.Bytes()), `"note": []`) {
		t.Errorf("%v:\n%s", err, f.Bytes())
	}
}

// A new file is as the reference would write it.
func TestNewBlacklistFile(t *testing.T) {
	f, err := ParseBlacklistFile(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Add(ModuleAddress{"acme", "net", "aws"}.Entity(), "v5.0.0", `says "no" <b>`); err != nil {
		t.Fatal(err)
	}
	want := `{
  "providers": [],
  "modules": [
    {
      "namespace": "acme",
      "name": "net",
      "target_system": "aws",
      "version": "5.0.0",
      "reason": "says \"no\" \u003cb\u003e"
    }
  ]
}`
	if diff := cmp.Diff(want, string(f.Bytes())); diff != "" {
		t.Error(diff)
	}
	bl, err := ParseBlacklist(f.Bytes())
	if reason, ok := bl.Module(ModuleAddress{"acme", "net", "aws"}, "5.0.0"); err != nil || !ok || reason != `says "no" <b>` {
		t.Errorf("%q, %v, %v", reason, ok, err)
	}
}

func TestRemove(t *testing.T) {
	p, err := ParseProvider([]byte(`{"versions": [{"version": "1.1.0"}, {"version": "1.0.0-RC1"}, {"version": "1.0.0-RC1"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Remove("v1.0.0-rc1"); len(got) != 2 || len(p.Versions) != 1 || p.Versions[0].Version != "1.1.0" {
		t.Errorf("removed %v, left %v", got, p.Versions)
	}
	if got := p.Remove("1.0"); len(got) != 0 {
		t.Errorf("removed %v", got)
	}
	m := &Module{Versions: []ModuleVersion{{Version: "v1.0.0"}, {Version: "1.0.0"}, {Version: "0.9"}}}
	if got := m.Remove("1.0.0"); len(got) != 2 || len(m.Versions) != 1 {
		t.Errorf("removed %v, left %v", got, m.Versions)
	}
}

func FuzzParseBlacklistFile(f *testing.F) {
	for _, s := range []string{blacklistSample, `{"modules": null}`, `{"providers": [{"version": 1}]}`, "[]", ""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := ParseBlacklistFile(b)
		if err != nil || len(b) == 0 {
			return
		}
		if string(file.Bytes()) != string(b) {
			t.Errorf("an unchanged file is written as\n%s", file.Bytes())
		}
		if err := file.Add(ProviderAddress{"acme", "demo"}.Entity(), "9.9.9", string(b)); err != nil {
			t.Fatal(err)
		}
		if _, err := ParseBlacklistFile(file.Bytes()); err != nil {
			t.Errorf("what was written does not parse: %v\n%s", err, file.Bytes())
		}
	})
}
