package registrydata

import (
	"path"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// TestAddresses holds lines "input => output" of four rules.
func TestAddresses(t *testing.T) {
	rules := map[string]func(in string) string{
		"provider":   showProviderAddress,
		"module":     showModuleAddress,
		"repository": showRepository,
		"path":       showPath,
		"keys": func(in string) string {
			a, _ := ParseProviderAddress(in)
			return strings.Join(KeyDirectories(a, DefaultAliases()), " ")
		},
	}
	eachCase(t, "address", func(t *testing.T, ar *txtar.Archive) {
		for _, f := range ar.Files {
			for line := range strings.Lines(string(f.Data)) {
				in, want, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " => ")
				if !ok || rules[f.Name] == nil {
					t.Fatalf("%s: malformed line %q", f.Name, line)
				}
				if got := rules[f.Name](in); got != want {
					t.Errorf("%s %s\n got %s\nwant %s", f.Name, in, got, want)
				}
			}
		}
	})
}

func showProviderAddress(in string) string {
	a, err := ParseProviderAddress(in)
	if err != nil {
		return "error: " + err.Error()
	}
	return a.String() + " " + a.Path() + " " + a.Repository(DefaultAliases()).String()
}

func showModuleAddress(in string) string {
	a, err := ParseModuleAddress(in)
	if err != nil {
		return "error: " + err.Error()
	}
	return a.String() + " " + a.Path() + " " + a.Repository().String()
}

func showRepository(in string) string {
	owner, name, _ := strings.Cut(in, "/")
	p, isProvider := ProviderFromRepository(Repository{owner, name})
	m, isModule := ModuleFromRepository(Repository{owner, name})
	switch {
	case isProvider && isModule:
		return "both"
	case isProvider:
		return "provider " + p.String()
	case isModule:
		return "module " + m.String()
	}
	return "none"
}

func showPath(in string) string {
	e, ok := EntityFromPath(in)
	if !ok {
		return "none"
	}
	out := e.Kind.String() + " " + e.String()
	if e.Check() != nil {
		out += " unaddressable"
	}
	return out
}

func TestRepositoryKey(t *testing.T) {
	a, b := Repository{"Acme", "Terraform-Provider-X"}, Repository{"acme", "terraform-provider-x"}
	if a.Key() != b.Key() || a.String() != "Acme/Terraform-Provider-X" {
		t.Errorf("keys %q and %q, name %q", a.Key(), b.Key(), a)
	}
}

// An address that parses has a data file's path, a repository that gives the
// address back, and a spelling that parses to itself.
func FuzzParseProviderAddress(f *testing.F) {
	for _, s := range []string{"acme/demo", "Hashicorp/AWS", "a/b/c", "ac--me/x", "acme/terraform-x", "acme/\u212a", "acme/..", strings.Repeat("a", 64) + "/b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseProviderAddress(s)
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Errorf("error of %d bytes", len(err.Error()))
			}
			return
		}
		if again, err := ParseProviderAddress(a.String()); err != nil || again != a {
			t.Errorf("%q: parses to %v, %v", a, again, err)
		}
		if e, ok := EntityFromPath(a.Path()); !ok || e != a.Entity() {
			t.Errorf("%q: path %q gives %v, %v", a, a.Path(), e, ok)
		}
		if back, ok := ProviderFromRepository(a.Repository(Aliases{})); !ok || back != a {
			t.Errorf("%q: repository gives %v, %v", a, back, ok)
		}
	})
}

// A path that gives an entity is the entity's path, and harmless.
func FuzzEntityFromPath(f *testing.F) {
	for _, s := range []string{
		"providers/a/acme/demo.json", "modules/a/acme/net/aws.json", "modules/a/acme/../aws.json", "providers/a/acme/.json",
		"providers/A/Acme/demo.json", "providers//acme/demo.json", "providers/a/a\x00/b.json", "modules/m/m/module.hcloud/x.json", "providers/./../x.json",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, ok := EntityFromPath(s)
		if !ok {
			return
		}
		if e.Path() != s {
			t.Errorf("%q: entity's path is %q", s, e.Path())
		}
		if path.Clean("/"+s) != "/"+s || strings.ContainsAny(s, "\\ \x00") || lowerASCII(s) != s {
			t.Errorf("%q: not a harmless path", s)
		}
	})
}
