package handlers

import (
	"fmt"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

func versionsOf(n int) []registrydata.ProviderVersion {
	out := make([]registrydata.ProviderVersion, n)
	for i := range out {
		v := fmt.Sprintf("1.%d.0", n-i)
		out[i] = registrydata.ProviderVersion{Version: v, ShasumsURL: "https://example.org/a/b/releases/download/v" + v + "/x_SHA256SUMS"}
	}
	return out
}

// Whatever the number of versions, each has its turn after as many rounds as it
// takes, and no round looks at more than its share.
func TestAuditTurns(t *testing.T) {
	for _, n := range []int{1, 2, 7, 8, 9, 16, 31, 32, 100, 404} {
		versions := versionsOf(n)
		seen := map[int]bool{}
		first := 687
		for round := first; round < first+(n+auditInTurn-1)/auditInTurn+1; round++ {
			chosen := auditTurn(versions, nil, "", round)
			if len(chosen) > auditNewest+auditInTurn {
				t.Errorf("%d versions, round %d: %d chosen", n, round, len(chosen))
			}
			for _, i := range chosen {
				seen[i] = true
			}
			if chosen[0] != 0 {
				t.Errorf("%d versions: the newest is not looked at", n)
			}
		}
		if len(seen) != n {
			t.Errorf("%d of %d versions were looked at", len(seen), n)
		}
	}
}

func TestAuditOfOneTag(t *testing.T) {
	versions := versionsOf(100)
	if got := fmt.Sprint(auditTurn(versions, []string{"v1.3.0", "v9.9.9"}, "v1.50.0", 3)); got != "[50 97]" {
		t.Errorf("a tag and an alerted one: %s", got)
	}
	if got := auditTurn(versions, nil, "v2.0.0", 3); len(got) != 0 {
		t.Errorf("a tag that is not recorded: %v", got)
	}
	if got := auditTurn(nil, nil, "", 3); len(got) != 0 {
		t.Errorf("nothing recorded: %v", got)
	}
}

func TestBackfillNames(t *testing.T) {
	e := registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}.Entity()
	if got, ok := backfillBranches.entity(backfillBranches.of(e)); !ok || got != e {
		t.Errorf("%s: got %v, %v", backfillBranches.of(e), got, ok)
	}
	if got := BackfillKey(e).Subject(); got != "repository acme/terraform-provider-demo" {
		t.Errorf("subject %q", got)
	}
	if got := AuditKey(e, "v1.0.0"); got != "audit providers/a/acme/demo.json v1.0.0" {
		t.Errorf("key %q", got)
	}
	for _, branch := range []string{"main", "backfill/", "backfill/provider-acme", "release/provider-acme/demo"} {
		if e, ok := backfillBranches.entity(branch); ok {
			t.Errorf("%s: %v", branch, e)
		}
	}
}

// What lacks a size or a hash, of whichever platform.
func TestLacking(t *testing.T) {
	known := registrydata.Target{H1: "h1:x", Size: 1}
	p := &registrydata.Provider{Versions: []registrydata.ProviderVersion{
		{Targets: []registrydata.Target{known, known}}, {Targets: []registrydata.Target{known, {H1: "h1:x"}}},
		{Targets: []registrydata.Target{{Size: 1}, known}}, {},
	}}
	if got := fmt.Sprint(lacking(p)); got != "[1 2]" {
		t.Errorf("lacking %s", got)
	}
}
