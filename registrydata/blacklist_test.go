package registrydata

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

const blacklistSample = `{
  "providers": [
    {"namespace": "hashicorp", "name": "aws", "version": "6.57.0", "reason": "first"},
    {"namespace": "HashiCorp", "name": "AWS", "version": "v6.57.0", "reason": "again"},
    {"namespace": "acme", "name": "demo", "version": "1.0.0-RC1", "since": {"year": 2026}}
  ],
  "modules": [{"namespace": "acme", "name": "net", "target_system": "aws", "version": "v5.0.0", "reason": "broken"}],
  "note": []
}`

func TestBlacklist(t *testing.T) {
	bl, err := ParseBlacklist([]byte(blacklistSample))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		address, version, reason string
		listed                   bool
	}{
		{"hashicorp/aws", "6.57.0", "first", true},
		{"hashicorp/aws", "v6.57.0", "first", true},
		{"hashicorp/aws", "6.57", "", false},
		{"opentofu/aws", "6.57.0", "", false},
		{"acme/demo", "1.0.0-rc1", "", true},
		{"acme/net/aws", "5.0.0", "broken", true},
		{"acme/net/azurerm", "5.0.0", "", false},
	} {
		var reason string
		var listed bool
		if a, err := ParseModuleAddress(c.address); err == nil {
			reason, listed = bl.Module(a, c.version)
		} else if a, err := ParseProviderAddress(c.address); err == nil {
			reason, listed = bl.Provider(a, c.version)
		} else {
			t.Fatal(err)
		}
		if reason != c.reason || listed != c.listed {
			t.Errorf("%s %s: %q, %v; want %q, %v", c.address, c.version, reason, listed, c.reason, c.listed)
		}
	}
	if _, listed := (Blacklist{}).Provider(ProviderAddress{"a", "b"}, "1.0.0"); listed {
		t.Error("the zero Blacklist lists a version")
	}
}

func TestPublicBlacklist(t *testing.T) {
	body, err := os.ReadFile(filepath.Join(testdata.Shared(t), "format-2026", BlacklistPath))
	if err != nil {
		t.Fatal(err)
	}
	bl, err := ParseBlacklist(body)
	if err != nil {
		t.Fatal(err)
	}
	if reason, ok := bl.Provider(ProviderAddress{"opentofu", "aws"}, "6.1.0"); !ok || !strings.Contains(reason, "43213") {
		t.Errorf("opentofu/aws 6.1.0: %q, %v", reason, ok)
	}
}

func TestParseBlacklistRefuses(t *testing.T) {
	for in, want := range map[string]string{
		``:                                 "want an object, found end of file",
		`{} x`:                             "unexpected 'x' after the end",
		`{"providers": {}}`:                "providers: want a list, found an object",
		`{"providers": [1]}`:               "providers[0]: want an object, found a number",
		`{"providers": [], "providers":1}`: "providers: the key stands twice",
		`{"modules": [{"namespace": "a", "name": "b", "version": "1"}]}`:                                   `modules[0]: the entry lacks "target_system"`,
		`{"providers": [{"namespace": "a", "version": "1"}]}`:                                              `providers[0]: the entry lacks "name"`,
		`{"providers": [{"namespace": "a", "name": "b", "version": null}]}`:                                "providers[0].version: want a string, found null",
		`{"providers": [{"namespace": "a", "name": "b", "version": "1", "version": "2"}]}`:                 "providers[0].version: the key stands twice",
		`{"providers": [{"namespace": "a", "name": "b", "version": "1", "reason": {"x": [}}]}`:             "providers[0].reason: want a string, found an object",
		`{"providers": [{"namespace": "a", "name": "b", "version": "1"}, {"x": ` + strings.Repeat("[", 40): "nested more than 32 deep",
	} {
		_, err := ParseBlacklist([]byte(in))
		checkError(t, err, want)
	}
	for _, in := range []string{`{}`, `{"providers": null, "modules": []}`} {
		if _, err := ParseBlacklist([]byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// Whatever parses lists each of its versions under the address it names.
func FuzzParseBlacklist(f *testing.F) {
	for _, s := range []string{blacklistSample, `{}`, `{"providers": null}`, `{"modules": [{}]}`, "[", `{"providers": [{"namespace":"\u212a","name":"B","version":"v"}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		bl, err := ParseBlacklist(b)
		if err != nil {
			return
		}
		for key, reason := range bl.reasons {
			e, look := key.entity, bl.Provider
			if e.Kind == KindModule {
				look = func(_ ProviderAddress, version string) (string, bool) { return bl.Module(e.Module(), version) }
			}
			if got, ok := look(e.Provider(), key.version); !ok || got != reason {
				t.Errorf("%+v: %q, %v", key, got, ok)
			}
		}
	})
}
