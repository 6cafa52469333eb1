package registrydata

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tofu-registrar/registrar/internal/testdata"
)

func TestDefaultAliases(t *testing.T) {
	al, err := loadDefaultAliases()
	if err != nil {
		t.Fatal(err)
	}
	datadog := ProviderAddress{"datadog", "datadog"}
	for _, old := range []ProviderAddress{{"hashicorp", "datadog"}, {"opentofu", "datadog"}} {
		if to, ok := al.Resolve(old); !ok || to != datadog {
			t.Errorf("%s resolves to %s, %v", old, to, ok)
		}
	}
	if to, ok := al.Resolve(datadog); ok || to != datadog {
		t.Errorf("%s resolves to %s, %v", datadog, to, ok)
	}
	if diff := cmp.Diff([]ProviderAddress{{"hashicorp", "datadog"}, {"opentofu", "datadog"}}, al.Copies(datadog)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"hashicorp", "opentofu"}, al.NamespacesServedBy("opentofu")); diff != "" {
		t.Error(diff)
	}
	if got := al.NamespacesServedBy("hashicorp"); got != nil {
		t.Errorf("hashicorp serves %v", got)
	}
	if got := len(al.providers); got != 2*77 {
		t.Errorf("%d old addresses, want 77 under two namespaces", got)
	}
}

func TestDefaultAliasesAreThePublicOnes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(testdata.Shared(t), "provider-aliases.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want, err := ParseAliases(append([]byte("hashicorp opentofu\n"), text...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, DefaultAliases(), cmp.AllowUnexported(Aliases{})); diff != "" {
		t.Error(diff)
	}
}

func TestZeroAliases(t *testing.T) {
	var al Aliases
	a := ProviderAddress{"hashicorp", "aws"}
	if to, ok := al.Resolve(a); ok || to != a || al.Copies(a) != nil || al.EffectiveNamespace("hashicorp") != "hashicorp" {
		t.Error("the zero Aliases hold some")
	}
}

func TestParseAliasesRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"one":                              "line 1: want two names, found 1",
		"# fine\n\na b c":                  "line 3: want two names, found 3",
		"a a":                              "stands for itself",
		"a b\na c":                         "line 2: namespace \"a\": has an alias already",
		"a b\nb c":                         "namespace a stands for b, which stands for another",
		"a _b":                             `namespace "_b"`,
		"a/b c":                            `provider address "c": want two parts`,
		"a/b_ c/d":                         `provider name "b_"`,
		"a/b a/b":                          "stands for itself",
		"a/b c/d\nA/B e/f":                 "line 2: provider a/b: has an alias already",
		"a/b c/d\nc/d e/f":                 "provider a/b stands for c/d, which stands for another",
		strings.Repeat("\n", 10_001):       "more than 10000 lines",
		strings.Repeat("#", MaxFileSize+1): "more than 33554432 bytes",
	} {
		_, err := ParseAliases([]byte(in))
		checkError(t, err, want)
	}
}

// An old address whose name its successor namespace holds itself, or that is
// named for that namespace too, gets no second one.
func TestAliasesKeepWhatIsNamed(t *testing.T) {
	al, err := ParseAliases([]byte("old/a new/a\nold/b vendor/b\nnew/b other/b\nold new"))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := al.Resolve(ProviderAddress{"new", "a"}); ok {
		t.Error("new/a stands for itself")
	}
	if to, _ := al.Resolve(ProviderAddress{"new", "b"}); to.String() != "other/b" {
		t.Errorf("new/b stands for %s", to)
	}
}
