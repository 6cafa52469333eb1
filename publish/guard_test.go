package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/registrydata"
)

var network = registrydata.Entity{Kind: registrydata.KindModule, Namespace: "acme", Name: "net", Target: "aws"}

// release is what a provider's version renders to: a platform and its checksum
// each, and keys that every download repeats.
func release(version, keys string, sums ...string) []registrydata.Object {
	var objects []registrydata.Object
	for i := 0; i < len(sums); i += 2 {
		body, _ := json.Marshal(map[string]string{"os": sums[i], "shasum": sums[i+1], "signing_keys": keys})
		objects = append(objects, registrydata.Object{
			Path: "v1/providers/acme/demo/" + version + "/download/" + sums[i], Body: body, Kind: registrydata.Download,
		})
	}
	return objects
}

func moduleRelease(version, location string) []registrydata.Object {
	body, _ := json.Marshal(map[string]string{"location": location})
	return []registrydata.Object{{Path: "v1/modules/acme/net/aws/" + version + "/download", Body: body}}
}

func all(lists ...[]registrydata.Object) (objects []registrydata.Object) {
	objects = append(objects, registrydata.Object{Path: listPath(demo), Body: []byte(fmt.Sprint(len(lists))), Kind: registrydata.VersionList})
	for _, l := range lists {
		objects = append(objects, l...)
	}
	return objects
}

func TestGuardLosses(t *testing.T) {
	const commit1, commit2 = "1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"
	const git = "git::https://github.com/acme/terraform-aws-net?ref="
	v1 := release("1.0.0", "k", "linux/amd64", "aa", "linux/arm64", "bb")
	v2 := release("2.0.0-rc.1", "k", "linux/amd64", "cc")
	tests := []struct {
		name          string
		entity        registrydata.Entity
		before, after []registrydata.Object
		removal       Removal
		says          []string // of each loss
	}{
		{name: "nothing changes", before: all(v1, v2), after: all(v1, v2)},
		{name: "first publication", after: all(v1)},
		{name: "a version comes", before: all(v1), after: all(v1, v2)},
		{name: "a platform comes", before: all(release("1.0.0", "k", "linux/amd64", "aa")), after: all(v1)},
		{name: "a key comes", before: all(v1), after: all(release("1.0.0", "k and l", "linux/amd64", "aa", "linux/arm64", "bb"))},
		{name: "upper case", before: all(v1), after: all(release("1.0.0", "k", "linux/amd64", "AA", "linux/arm64", "BB"))},
		{name: "a version vanishes", before: all(v1, v2), after: all(v1), says: []string{"acme/demo 2.0.0-rc.1 would vanish"}},
		{name: "all vanish", before: all(v1, v2), says: []string{"acme/demo 1.0.0 would vanish", "acme/demo 2.0.0-rc.1 would vanish"}},
		{name: "a platform vanishes", before: all(v1), after: all(release("1.0.0", "k", "linux/amd64", "aa")), says: []string{"acme/demo 1.0.0 would lose linux/arm64"}},
		{name: "a checksum changes", before: all(v1), after: all(release("1.0.0", "k", "linux/amd64", "aa", "linux/arm64", "b2")), says: []string{"the checksum of acme/demo 1.0.0 would change for linux/arm64"}},
		{name: "a checksum goes", before: all(v1), after: all(release("1.0.0", "k", "linux/amd64", "aa", "linux/arm64", "")), says: []string{"the checksum of acme/demo 1.0.0 would change for linux/arm64"}},
		{name: "both", before: all(v1), after: all(release("1.0.0", "k", "linux/amd64", "a2")), says: []string{"acme/demo 1.0.0 would lose linux/arm64 and change linux/amd64"}},
		{name: "on purpose", before: all(v1, v2), after: all(v1), removal: Removal{Versions: []string{"v2.0.0-RC.1"}}},
		{name: "another on purpose", before: all(v1, v2), after: all(v1), removal: Removal{Versions: []string{"1.0.0"}}, says: []string{"acme/demo 2.0.0-rc.1 would vanish"}},
		{name: "all on purpose", before: all(v1, v2), removal: Removal{All: true}},
		{name: "replaced on purpose", before: all(v1), after: all(release("1.0.0", "k", "linux/amd64", "a2", "linux/arm64", "b2")), removal: Removal{Versions: []string{"1.0.0"}}},
		{name: "the list is no version", before: all(v1), after: v1},
		{name: "unreadable", before: []registrydata.Object{{Path: "v1/providers/acme/demo/1.0.0/download/linux/amd64", Body: []byte("?")}}, after: all(release("1.0.0", "k", "linux/amd64", "aa"))},
		{
			name: "another commit", entity: network, before: moduleRelease("1.0.0", git+commit1), after: moduleRelease("1.0.0", git+commit2),
			says: []string{"acme/net/aws 1.0.0 would come from another commit"},
		},
		{name: "a tag becomes a commit", entity: network, before: moduleRelease("1.0.0", git+"v1.0.0"), after: moduleRelease("1.0.0", git+commit1)},
		{
			name: "a commit becomes a tag", entity: network, before: moduleRelease("1.0.0", git+commit1), after: moduleRelease("1.0.0", git+"v1.0.0"),
			says: []string{"acme/net/aws 1.0.0 would come from another commit"},
		},
		{name: "a repository moves", entity: network, before: moduleRelease("1.0.0", git+commit1), after: moduleRelease("1.0.0", "git::https://github.com/other/x?depth=1&ref="+commit1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			entity := tt.entity
			if entity.Kind == 0 {
				entity = demo
			}
			guard := Guard{Allowed: map[registrydata.Entity]Removal{entity: tt.removal}}
			err := guard.Check([]Change{{Entity: entity, Before: LiveOf(tt.before), After: tt.after}})
			var got []string
			var refused *RefusedError
			if errors.As(err, &refused) {
				for _, l := range refused.Losses {
					got = append(got, l.String())
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.says, got); diff != "" {
				t.Errorf("losses (-want +got):\n%s", diff)
			}
			if err != nil && !strings.Contains(err.Error(), "version-removal") {
				t.Errorf("the error does not say what to do: %v", err)
			}
		})
	}
}

// gone is an entity that loses n of its m versions.
func gone(i, n, m int) Change {
	e := registrydata.Entity{Kind: registrydata.KindProvider, Namespace: "acme", Name: fmt.Sprint("demo", i)}
	c := Change{Entity: e, Before: Live{}}
	for v := range m {
		path := fmt.Sprintf("%s1.%d.0/download/linux/amd64", entityPrefix(e), v)
		c.Before[path] = LiveFile{SHA256: "x"}
		if v >= n {
			c.After = append(c.After, registrydata.Object{Path: path})
		}
	}
	return c
}

func TestGuardMaxDelete(t *testing.T) {
	tests := []struct {
		name     string
		entities int
		share    float64
		changes  []Change
		refused  bool
	}{
		{"one of a few", 5, 0, []Change{gone(0, 3, 3)}, false},
		{"two of a few", 5, 0, []Change{gone(0, 3, 3), gone(1, 1, 1)}, true},
		{"two of a few, where half may go", 5, 0.5, []Change{gone(0, 3, 3), gone(1, 1, 1)}, false},
		{"a hundredth", 300, 0, []Change{gone(0, 1, 1), gone(1, 1, 1), gone(2, 1, 1)}, false},
		{"more than a hundredth", 300, 0, []Change{gone(0, 1, 1), gone(1, 1, 1), gone(2, 1, 1), gone(3, 1, 100)}, true},
		{"parts", 10, 0, []Change{gone(0, 1, 3), gone(1, 1, 3), gone(2, 1, 3)}, false},
		{"too many parts", 10, 0, []Change{gone(0, 1, 3), gone(1, 1, 3), gone(2, 2, 3)}, true},
		{"no limit", 5, 1, []Change{gone(0, 1, 1), gone(1, 1, 1), gone(2, 1, 1)}, false},
		{"unknown registry", 0, 0, []Change{gone(0, 1, 1), gone(1, 1, 1)}, false},
		{"nothing goes", 5, 0, []Change{gone(0, 0, 3), gone(1, 0, 0)}, false},
	}
	for _, tt := range tests {
		guard := Guard{Allowed: map[registrydata.Entity]Removal{}, MaxDelete: tt.share, Entities: tt.entities}
		for _, c := range tt.changes {
			guard.Allowed[c.Entity] = Removal{All: true}
		}
		err := guard.Check(tt.changes)
		var refused *RefusedError
		if errors.As(err, &refused) != tt.refused {
			t.Errorf("%s: %v, want refused %v", tt.name, err, tt.refused)
		}
		if tt.refused && (refused.Removed <= refused.Limit || !strings.Contains(err.Error(), "raise max_delete")) {
			t.Errorf("%s: %+v %v", tt.name, refused, err)
		}
	}
}

// A long refusal is cut short; the data has all of it.
func TestGuardManyLosses(t *testing.T) {
	var changes []Change
	for i := range 300 {
		changes = append(changes, gone(i, 2, 3))
	}
	err := Guard{Entities: 300}.Check(changes)
	var refused *RefusedError
	if !errors.As(err, &refused) || len(refused.Losses) != 600 {
		t.Fatalf("Check = %v", err)
	}
	if text := err.Error(); len(text) > 1000 || !strings.Contains(text, "595 more") || strings.Contains(text, "\n") {
		t.Errorf("the error has %d bytes: %s", len(text), text)
	}
}

// What the publisher tells the guard is enough for it.
func TestPublisherChange(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		target, ctx := p.open(t)(), context.Background()
		before := Update{Entity: demo, Objects: all(release("1.0.0", "k", "linux/amd64", "aa"), release("1.1.0", "k", "linux/amd64", "bb"))}
		after := Update{Entity: demo, Objects: all(release("1.0.0", "l", "linux/amd64", "a2"), release("1.2.0", "l", "linux/amd64", "cc"))}
		publish(t, target, before)
		pub := New(target)
		c, err := pub.Change(ctx, after)
		if err != nil {
			t.Fatal(err)
		}
		err = Guard{}.Check([]Change{c})
		var refused *RefusedError
		if !errors.As(err, &refused) || len(refused.Losses) != 2 {
			t.Errorf("Check = %v", err)
		}
		if again, err := pub.Change(ctx, before); err != nil || (Guard{}).Check([]Change{again}) != nil {
			t.Errorf("of what is live: %v", err)
		}
		d, err := pub.Compare(ctx, after)
		dir := "v1/providers/acme/demo/"
		want := Difference{
			Entity: demo, Delete: []string{dir + "1.1.0/download/linux/amd64"},
			Write:    []string{dir + "1.0.0/download/linux/amd64", dir + "1.2.0/download/linux/amd64"},
			Replaces: true,
		}
		if diff := cmp.Diff(want, d); diff != "" || err != nil {
			t.Errorf("Compare: %v\n%s", err, diff)
		}
		if d, err := pub.Compare(ctx, before); err != nil || !d.None() {
			t.Errorf("Compare with what is live = %+v, %v", d, err)
		}
		if n, err := pub.Entities(ctx); n != 1 || err != nil {
			t.Errorf("Entities = %d, %v", n, err)
		}
		if got := live(t, target); len(got) != 3 {
			t.Errorf("looking has changed something: %v", got)
		}
	})
}
