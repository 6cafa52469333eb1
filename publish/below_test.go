package publish

import (
	"context"
	"slices"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Two registries in one bucket see nothing of each other, and each knows what of
// it is live.
func TestBelow(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		target, ctx := p.open(t)(), context.Background()
		var parts []*Publisher
		for i, prefix := range []string{"one", "/two/deep/"} {
			part, err := Below(target, prefix)
			if err != nil {
				t.Fatal(err)
			}
			if _, locks := target.(Locker); locks != isLocker(part) {
				t.Error("the locks of the target are lost")
			}
			pub := New(part)
			parts = append(parts, pub)
			for _, u := range []Update{largeProvider(i + 1)} {
				if err := pub.Publish(ctx, u); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := parts[1].Publish(ctx, Update{Entity: largeProvider(1).Entity}); err != nil {
			t.Fatal(err)
		}
		want := []registrydata.Entity{largeProvider(1).Entity}
		if live, err := parts[0].Live(ctx); err != nil || !slices.Equal(live, want) {
			t.Errorf("live: %v, %v", live, err)
		}
		if live, err := parts[1].Live(ctx); err != nil || len(live) != 0 {
			t.Errorf("live: %v, %v", live, err)
		}
		names, err := target.List(ctx, "one/v1/")
		if err != nil || len(names) != 15 || names[0] != "one/v1/providers/acme/large/1.0.0/download/linux/arch0" {
			t.Errorf("%d files, %v", len(names), err)
		}
		if left, err := target.List(ctx, "two/deep/v1/"); err != nil || len(left) != 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
	if _, err := Below(newMemory(), "../up"); err == nil {
		t.Error("leads out of the target")
	}
}

func isLocker(t Target) bool {
	_, ok := t.(Locker)
	return ok
}
