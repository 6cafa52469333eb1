package validation

import (
	"slices"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

func TestStateOfRepository(t *testing.T) {
	asked := registrydata.Repository{Owner: "acme", Name: "terraform-provider-demo"}
	at := func(owner, name string, id int64) RepositoryFacts {
		return RepositoryFacts{Exists: true, ID: id, Repository: registrydata.Repository{Owner: owner, Name: name}}
	}
	private, archived := at("acme", "terraform-provider-demo", 7), at("acme", "terraform-provider-demo", 7)
	private.Private, archived.Archived = true, true
	for _, c := range []struct {
		rule       string
		remembered int64
		facts      RepositoryFacts
		want       RepositoryState
		codes      string
	}{
		{"there", 7, at("Acme", "Terraform-Provider-Demo", 7), RepositoryThere, ""},
		{"the first id is trusted", 0, at("acme", "terraform-provider-demo", 8), RepositoryThere, ""},
		{"archived", 7, archived, RepositoryThere, ""},
		{"deleted", 7, RepositoryFacts{}, RepositoryGone, "repository-gone"},
		{"private", 7, private, RepositoryGone, "repository-gone"},
		{"transferred", 7, at("other", "terraform-provider-demo", 7), RepositoryMoved, ""},
		{"renamed to what is no provider", 7, at("acme", "website", 7), RepositoryMoved, "repository-renamed"},
		{"replaced", 7, at("acme", "terraform-provider-demo", 8), RepositoryReplaced, "repository-replaced"},
		{"redirected to another one", 7, at("evil", "terraform-provider-demo", 8), RepositoryReplaced, "repository-replaced"},
	} {
		got := StateOfRepository(asked, c.remembered, c.facts)
		findings := RepositoryFindings(got, asked, c.remembered, c.facts)
		if got != c.want || len(findings) > 1 || c.codes != "" && (len(findings) != 1 || findings[0].Code != c.codes) || c.codes == "" && len(findings) > 0 {
			t.Errorf("%s: %s, %+v", c.rule, got, findings)
		}
	}
}

func TestRepositoryWarnings(t *testing.T) {
	const own = "This provider is deprecated."
	const moved = "This provider has moved to other/demo. Please update your source in required_providers."
	for _, c := range []struct {
		rule  string
		was   []string
		state RepositoryState
		to    string
		want  []string
	}{
		{"gone", []string{own}, RepositoryGone, "", []string{own, warningGone}},
		{"gone still", []string{warningGone, own}, RepositoryGone, "", []string{warningGone, own}},
		{"back again", []string{warningGone, own}, RepositoryThere, "", []string{own}},
		{"moved", []string{own, warningGone}, RepositoryMoved, "other/demo", []string{own, moved}},
		{"moved and told", []string{moved}, RepositoryMoved, "other/demo", []string{moved}},
		{"moved on", []string{moved}, RepositoryMoved, "third/demo", []string{"This provider has moved to third/demo. Please update your source in required_providers."}},
		{"moved to where nothing is registered", []string{own}, RepositoryMoved, "", []string{own}},
		{"a maintainer's word about a move stays", []string{moved}, RepositoryThere, "", []string{moved}},
		{"replaced: nothing is changed", []string{moved, warningGone}, RepositoryReplaced, "", []string{moved, warningGone}},
	} {
		if got := RepositoryWarnings(c.was, c.state, c.to); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q", c.rule, got)
		}
		if again := RepositoryWarnings(c.want, c.state, c.to); !slices.Equal(again, c.want) {
			t.Errorf("%s, once more: %q", c.rule, again)
		}
	}
}

func TestChangeUpkeep(t *testing.T) {
	was := changed(func(p *registrydata.Provider) { p.RepositoryID = 7 })
	for rule, c := range map[string]struct {
		new  []byte
		want string
	}{
		"learning the id":   {changed(func(p *registrydata.Provider) { p.RepositoryID = 7; p.MinimumVersion = "v1.0.0" }), ""},
		"another id":        {changed(func(p *registrydata.Provider) { p.RepositoryID = 8 }), "repository-id"},
		"forgetting the id": {demoFile().Bytes(), "repository-id"},
		"no version":        {changed(func(p *registrydata.Provider) { p.RepositoryID = 7; p.MinimumVersion = "latest" }), "minimum-version"},
	} {
		findings := judgeChange(demoPath, was, c.new, "", testNow)
		if got := codesOf(findings); c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || got[0] != c.want) {
			t.Errorf("%s: %v", rule, got)
		}
	}
}
