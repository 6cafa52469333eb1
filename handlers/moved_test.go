package handlers

import (
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// movedAway is acme's provider, transferred, as it stands at first sight.
func movedAway(change func(*moved)) moved {
	m := moved{
		entity: registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}.Entity(),
		repo:   registrydata.Repository{Owner: "acme", Name: "terraform-provider-demo"},
		state:  validation.RepositoryMoved, files: map[string][]byte{"providers/a/acme/demo.json": []byte("{}")},
		facts: validation.RepositoryFacts{Exists: true, ID: 7, Repository: registrydata.Repository{Owner: "other", Name: "terraform-provider-demo"}},
	}
	if change != nil {
		change(&m)
	}
	return m
}

func TestDecideMoved(t *testing.T) {
	at := func(open, merged, proposed, current bool) func(*moved) {
		return func(m *moved) {
			m.tip, m.pull = &Commit{SHA: "tip"}, &Pull{Number: 3, Open: open, Merged: merged}
			m.proposed, m.current, m.check = proposed, current, &CheckRun{}
		}
	}
	for _, c := range []struct {
		rule                string
		m                   moved
		branch, pull, check bool
	}{
		{"at first sight", movedAway(nil), true, true, true},
		{"all in place", movedAway(at(true, false, true, true)), false, false, false},
		{"overtaken by the metadata branch", movedAway(at(true, false, true, false)), true, true, true},
		{"a maintainer closed it", movedAway(at(false, false, true, false)), false, false, false},
		{"closed, and something else is to be proposed", movedAway(at(false, false, false, false)), true, true, true},
		{"withdrawn by us, and moved again", movedAway(func(m *moved) {
			at(false, false, true, false)(m)
			m.pull.Body = templates.WithdrawnPullBody("text")
		}), true, true, true},
		{"an earlier one was merged", movedAway(at(false, true, false, false)), true, true, true},
	} {
		p := testHandlers().decideMoved(c.m)
		if (p.branch != nil) != c.branch || (p.pull != nil) != c.pull || (p.check != nil) != c.check {
			t.Errorf("%s: %+v", c.rule, p)
		}
	}
}

// Only a warning that adds nothing new follows the policy for releases.
func TestWarningPolicy(t *testing.T) {
	for _, c := range []struct {
		merge, releases templates.Merge
		adds            bool
		want            templates.Merge
	}{
		{templates.MergeAutomatic, templates.MergeManual, false, templates.MergeManual},
		{templates.MergeAutomatic, templates.MergeManual, true, templates.MergeManual},
		{templates.MergeManual, templates.MergeAutomatic, false, templates.MergeAutomatic},
		{templates.MergeManual, templates.MergeAutomatic, true, templates.MergeManual},
		{templates.MergeAutomatic, templates.MergeAutomatic, true, templates.MergeAutomatic},
	} {
		h := New(Options{Policy: Policy{Merge: c.merge, Releases: c.releases}})
		if got := h.warningPolicy(c.adds); got != c.want {
			t.Errorf("merge %s, releases %s, adds %v: %s", c.merge, c.releases, c.adds, got)
		}
	}
}
