package validation

import (
	"slices"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/registrydata"
)

func TestLookalikes(t *testing.T) {
	for name, want := range map[string]string{
		"hashicorp": "", "HashiCorp": "", "acme": "", "hashlcorp": "hashicorp", "hash1corp": "hashicorp", "hashicrop": "hashicorp",
		"hashi-corp": "hashicorp", "hashicorpp": "hashicorp", "hashicorps-friends": "", "0kta": "okta", "okto": "",
		"doudflare": "cloudflare", "clouddflare": "cloudflare", "terraform-aws-module": "terraform-aws-modules", "rnongodb": "mongodb",
		"grafanas": "grafana", "gitlab": "", "azure1": "azure",
	} {
		if got := imitates(name, popular.namespaces); got != want {
			t.Errorf("namespace %s: like %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"aws": "", "acs": "", "kubemetes": "kubernetes", "kubernetis": "kubernetes", "g1thub": "github", "azurem": "azurerm"} {
		if got := imitates(name, popular.providers); got != want {
			t.Errorf("provider %s: like %q, want %q", name, got, want)
		}
	}
}

func TestNewcomers(t *testing.T) {
	codes := func(findings []Finding) string {
		var out []string
		for _, f := range findings {
			out = append(out, f.Code)
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		namespace, provider string
		n                   Newcomer
		want                string
	}{
		{"hashicrop", "aws", Newcomer{NamespaceIsNew: true}, "namespace-lookalike namespace-of-another"},
		{"hashicrop", "aws", Newcomer{}, ""},
		{"acme", "demo", Newcomer{NamespaceIsNew: true, AuthorIsMember: true}, ""},
		{"acme", "azurerrm", Newcomer{}, "name-lookalike"},
		{"acme", "", Newcomer{NamespaceIsNew: true}, "namespace-of-another"},
	} {
		if got := codes(newNames(c.namespace, c.provider, "eve", c.n)); got != c.want {
			t.Errorf("%+v: %q, want %q", c, got, c.want)
		}
	}
}

// Warnings that come too often are read by nobody: of the public registry's
// namespaces and providers, few look like a popular one.
func TestLookalikesOfThePublicRegistry(t *testing.T) {
	namespaces, providers := map[string]bool{}, map[string]bool{}
	for name := range testdata.Files(t, testdata.Corpus) {
		if e, ok := registrydata.EntityFromPath(name); ok {
			namespaces[e.Namespace] = true
			if e.Kind == registrydata.KindProvider {
				providers[e.Provider().Name] = true
			}
		}
	}
	var found []string
	for n := range namespaces {
		if like := imitates(n, popular.namespaces); like != "" {
			found = append(found, n+" like "+like)
		}
	}
	inNamespaces := len(found)
	for n := range providers {
		if like := imitates(n, popular.providers); like != "" {
			found = append(found, n+" like "+like)
		}
	}
	slices.Sort(found)
	t.Logf("%d namespaces of %d, %d providers of %d: %s", inNamespaces, len(namespaces), len(found)-inNamespaces, len(providers), strings.Join(found, ", "))
	if len(found)*100 > len(namespaces)+len(providers) {
		t.Errorf("more than one in a hundred names is warned of")
	}
}
