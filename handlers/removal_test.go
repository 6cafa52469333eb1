package handlers

import (
	"fmt"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

// What takes something out of the registry is told by what is changed.
func TestRemoves(t *testing.T) {
	for _, c := range []struct {
		rule    string
		changes []registrydata.Change
		want    bool
	}{
		{"a new file", []registrydata.Change{{Kind: registrydata.Added, Path: "providers/a/acme/demo.json"}}, false},
		{"new versions", []registrydata.Change{{Kind: registrydata.Modified, Path: "providers/a/acme/demo.json"}}, false},
		{"a removal", []registrydata.Change{{Kind: registrydata.Modified, Path: "providers/a/acme/demo.json"}, {Kind: registrydata.Modified, Path: registrydata.BlacklistPath}}, true},
		{"the first removal", []registrydata.Change{{Kind: registrydata.Added, Path: registrydata.BlacklistPath}}, true},
		{"a file that goes", []registrydata.Change{{Kind: registrydata.Deleted, Path: "modules/a/acme/net/aws.json"}}, true},
		{"a file that moves", []registrydata.Change{{Kind: registrydata.Added, OldPath: "keys/a/acme/a.asc", Path: "keys/a/acme/b.asc"}}, true},
	} {
		if got := removes(c.changes); got != c.want {
			t.Errorf("%s: %v", c.rule, got)
		}
	}
}

// Both addresses of one repository lose a version together, and an old address
// stands for the provider that is served there.
func TestServedTogether(t *testing.T) {
	al := registrydata.DefaultAliases()
	entity := func(ns, name string) registrydata.Entity {
		return registrydata.ProviderAddress{Namespace: ns, Name: name}.Entity()
	}
	for _, c := range []struct {
		asked          registrydata.Entity
		together, from string
	}{
		{entity("acme", "demo"), "[acme/demo]", "[]"},
		{entity("hashicorp", "aws"), "[hashicorp/aws opentofu/aws]", "[]"},
		{entity("opentofu", "aws"), "[opentofu/aws hashicorp/aws]", "[]"},
		{entity("hashicorp", "datadog"), "[hashicorp/datadog opentofu/datadog]", "[datadog/datadog]"},
		{registrydata.ModuleAddress{Namespace: "hashicorp", Name: "net", Target: "aws"}.Entity(), "[hashicorp/net/aws]", "[]"},
	} {
		if got := fmt.Sprint(servedTogether(al, c.asked)); got != c.together {
			t.Errorf("%s is served together with %s, want %s", c.asked, got, c.together)
		}
		if got := fmt.Sprint(copiedFrom(al, c.asked)); got != c.from {
			t.Errorf("%s is a copy of %s, want %s", c.asked, got, c.from)
		}
	}
}
