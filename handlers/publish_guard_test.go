package handlers

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// What goes on purpose is a function of the data alone.
func TestPurpose(t *testing.T) {
	aliases := func(text string) registrydata.Aliases {
		al, err := registrydata.ParseAliases([]byte(text))
		must(t, err)
		return al
	}
	blacklist := func(text string) registrydata.Blacklist {
		bl, err := registrydata.ParseBlacklist([]byte(text))
		must(t, err)
		return bl
	}
	const added, deleted = registrydata.Added, registrydata.Deleted
	none := aliases("")
	cloud := aliases("old/cloud vendor/cloud")
	disk := aliases("old/cloud vendor/disk")
	former := aliases("former acme")
	named := blacklist(`{"providers":[{"namespace":"acme","name":"demo","version":"1.0.0"}],"modules":[{"namespace":"acme","name":"net","target_system":"aws","version":"v1.0.0"}]}`)
	demo := registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}.Entity()
	old := registrydata.ProviderAddress{Namespace: "old", Name: "cloud"}.Entity()
	net := registrydata.ModuleAddress{Namespace: "acme", Name: "net", Target: "aws"}.Entity()
	something := []registrydata.Object{{Path: "v1/providers/acme/demo/versions"}}
	all := publish.Removal{All: true}
	tests := []struct {
		name    string
		entity  registrydata.Entity
		why     purpose
		ownFile bool
		after   []registrydata.Object
		want    publish.Removal
	}{
		{name: "the data file is gone", entity: demo, want: all},
		{name: "nothing says so", entity: demo, ownFile: true, after: something},
		{name: "blacklisted", entity: demo, why: purpose{blacklist: named}, ownFile: true, after: something, want: publish.Removal{Versions: []string{"1.0.0"}}},
		{name: "a blacklisted module", entity: net, why: purpose{blacklist: named}, ownFile: true, after: something, want: publish.Removal{Versions: []string{"1.0.0"}}},
		{
			name: "a copy of what is blacklisted", entity: old, after: something,
			why: purpose{was: aliases("old/cloud acme/demo"), is: aliases("old/cloud acme/demo"), blacklist: named}, want: publish.Removal{Versions: []string{"1.0.0"}},
		},
		{
			name: "blacklisted in the namespace that it stands for", entity: registrydata.ProviderAddress{Namespace: "former", Name: "demo"}.Entity(), ownFile: true, after: something,
			why: purpose{was: former, is: former, blacklist: named}, want: publish.Removal{Versions: []string{"1.0.0"}},
		},
		{name: "the alias names another", entity: old, why: purpose{was: cloud, is: disk}, after: something, want: all},
		{name: "the alias is new", entity: old, why: purpose{was: none, is: disk}, after: something, want: all},
		{name: "the alias stays", entity: old, why: purpose{was: cloud, is: cloud}, after: something},
		{
			name: "the file before the alias is deleted", entity: old, after: something,
			why: purpose{was: cloud, is: cloud, changes: map[string]registrydata.ChangeKind{old.Path(): deleted}}, want: all,
		},
		{
			name: "a file comes before the alias", entity: old, ownFile: true, after: something,
			why: purpose{was: cloud, is: cloud, changes: map[string]registrydata.ChangeKind{old.Path(): added}},
		},
		{
			name: "a file comes in the place of the alias", entity: old, ownFile: true, after: something,
			why: purpose{was: cloud, is: none, changes: map[string]registrydata.ChangeKind{old.Path(): added}}, want: all,
		},
		{name: "another alias changes nothing for a file", entity: old, ownFile: true, why: purpose{was: cloud, is: disk}, after: something},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := publish.Live{}
			for _, v := range []string{"1.0.0", "1.1.0"} {
				path := "v1/providers/" + tt.entity.String() + "/" + v + "/download/linux/amd64"
				if tt.entity.Kind == registrydata.KindModule {
					path = "v1/modules/" + tt.entity.String() + "/" + v + "/download"
				}
				before[path] = publish.LiveFile{SHA256: "x"}
			}
			c := publish.Change{Entity: tt.entity, Before: before, After: tt.after}
			if diff := cmp.Diff(tt.want, tt.why.removal(c, tt.ownFile)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			lost := 2 - len(tt.want.Versions)
			if tt.want.All {
				lost = 0
			}
			if got := tt.why.judge(c, tt.ownFile); len(got) != lost {
				t.Errorf("lost by mistake: %v, want %d", got, lost)
			}
		})
	}
}
