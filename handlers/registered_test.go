package handlers_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
)

// registeredAt is a metadata repository whose commits are lists of files.
type registeredAt struct {
	handlers.Snapshots
	head     string
	commits  map[string][]string
	listings int
	changes  int
}

func (r *registeredAt) Head(context.Context) (handlers.Commit, error) {
	return handlers.Commit{SHA: r.head}, nil
}

func (r *registeredAt) Files(_ context.Context, commit, _ string) (entries []handlers.Entry, err error) {
	r.listings++
	for _, f := range r.commits[commit] {
		entries = append(entries, handlers.Entry{Name: f})
	}
	return entries, nil
}

func (r *registeredAt) Changes(_ context.Context, from, to string) (changes []registrydata.Change, err error) {
	r.changes++
	if r.commits[from] == nil {
		return nil, forge.ErrNotFound
	}
	before := map[string]bool{}
	for _, f := range r.commits[from] {
		before[f] = true
	}
	for _, f := range r.commits[to] {
		if !before[f] {
			changes = append(changes, registrydata.Change{Path: f, Kind: registrydata.Added})
		}
		delete(before, f)
	}
	for f := range before {
		changes = append(changes, registrydata.Change{Path: f, Kind: registrydata.Deleted})
	}
	return changes, nil
}

func (r *registeredAt) File(context.Context, string, string) ([]byte, bool, error) {
	return nil, false, nil
}

func sourceNames(t *testing.T, r *handlers.Registered) (names []string) {
	t.Helper()
	_, sources, err := r.Sources(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sources {
		names = append(names, s.Kind.String()+" "+s.Repository.String()+" "+strings.Join(s.Paths, ","))
	}
	return names
}

// TestRegistered: each repository once, under all its addresses; a head that
// moved costs a comparison.
func TestRegistered(t *testing.T) {
	t.Parallel()
	at := &registeredAt{head: "1", commits: map[string][]string{
		"1": {"README.md", "providers/h/hashicorp/null.json", "providers/o/opentofu/null.json", "modules/8/8acme/net/aws.json",
			"keys/a/acme/provider.asc", "providers/a/acme/demo.json"},
		"2": {"providers/h/hashicorp/null.json", "modules/8/8acme/net/aws.json", "modules/9/9acme/x/y.json", "README.md"},
		"4": {"modules/9/9acme/x/y.json"},
	}}
	r := handlers.NewRegistered(at)
	want := []string{
		"module 8acme/terraform-aws-net modules/8/8acme/net/aws.json",
		"provider acme/terraform-provider-demo providers/a/acme/demo.json",
		"provider opentofu/terraform-provider-null providers/h/hashicorp/null.json,providers/o/opentofu/null.json",
	}
	for range 3 {
		if diff := cmp.Diff(want, sourceNames(t, r)); diff != "" {
			t.Error(diff)
		}
	}
	at.head = "2"
	want = []string{
		"module 8acme/terraform-aws-net modules/8/8acme/net/aws.json",
		"module 9acme/terraform-y-x modules/9/9acme/x/y.json",
		"provider opentofu/terraform-provider-null providers/h/hashicorp/null.json",
	}
	if diff := cmp.Diff(want, sourceNames(t, r)); diff != "" || at.listings != 1 || at.changes != 1 {
		t.Errorf("%d listings, %d comparisons %s", at.listings, at.changes, diff)
	}
	delete(at.commits, "2") // a force-push, and GitHub forgot what was before
	at.head = "4"
	if got := sourceNames(t, r); len(got) != 1 || at.listings != 2 {
		t.Errorf("after a force-push: %v, %d listings", got, at.listings)
	}
}

// TestRegisteredFails: what was listed is kept, and the error is told.
func TestRegisteredFails(t *testing.T) {
	t.Parallel()
	at := &failingHead{}
	if _, _, err := handlers.NewRegistered(at).Sources(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("%v", err)
	}
}

var errDown = errors.New("GitHub is down")

type failingHead struct{ handlers.Snapshots }

func (*failingHead) Head(context.Context) (handlers.Commit, error) {
	return handlers.Commit{}, errDown
}
