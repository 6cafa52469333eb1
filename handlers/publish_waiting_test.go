package handlers

import (
	"slices"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
)

// TestWaitingForKeys: a key that comes brings back what waits for it, and nothing
// else.
func TestWaitingForKeys(t *testing.T) {
	failing := `{"versions":[{"version":"1.0.0","targets":[{"os":"linux","arch":"amd64","shasum":"aa"}]}],"versions_errors":[{"version":"1.1.0","message":"x","utc_time":""}]}`
	data := history{"1": {
		"providers/a/acme/failing.json": failing, "providers/a/acme/fine.json": provider("1.0.0=aa"),
		"providers/a/acme/demo.json": provider("1.0.0=aa"), "providers/o/other/failing.json": failing,
	}}
	b := &board{}
	h := New(Options{Snapshots: data, Threads: b, Site: templates.Site{BotLogin: "registrar[bot]"}})
	b.settle(t, h, templates.AlertReleases, condition("v1.1.0", "It is signed with another key."))
	for name, c := range map[string]struct {
		path string
		kind registrydata.ChangeKind
		want []Key
	}{
		"of the namespace":  {"keys/a/acme/new.asc", registrydata.Added, []Key{"repository acme/terraform-provider-demo", "repository acme/terraform-provider-failing"}},
		"of one provider":   {"keys/a/acme/demo/new.asc", registrydata.Added, []Key{"repository acme/terraform-provider-demo"}},
		"that is gone":      {"keys/a/acme/new.asc", registrydata.Deleted, nil},
		"of someone else":   {"keys/n/nobody/new.asc", registrydata.Added, nil},
		"and no key at all": {"providers/a/acme/failing.json", registrydata.Modified, nil},
	} {
		got, err := h.waitingForKeys(t.Context(), "1", map[string]registrydata.ChangeKind{c.path: c.kind})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("a key %s: got %v, %v", name, got, err)
		}
	}
}
