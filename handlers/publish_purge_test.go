package handlers

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// cache is a Purger that remembers what it was told to forget.
type cache struct {
	err    error
	orders int
	paths  []string
}

func (c *cache) Purge(_ context.Context, s publish.Stale) error {
	c.orders++
	if c.err == nil {
		c.paths = append(c.paths, s.Paths...)
	}
	return c.err
}

// What was published is purged, whatever became of the rest of the run, and what
// a run that was cut off left to purge is purged by the next, though it has
// nothing to publish.
func TestPublishPurgesWhateverHappens(t *testing.T) {
	p, c := newPlace(t), &cache{}
	run := func(r history) error {
		return publishes(t, r, p, func(o *Options) { o.Publisher = publish.New(p, publish.WithPurger(c)) })
	}
	down := errors.New("Cloudflare is down")
	r := history{"1": world1}
	c.err = down
	if err := run(r); !errors.Is(err, down) {
		t.Fatalf("no error where the purge fails: %v", err)
	}
	if commit, err := publish.New(p).Published(t.Context()); commit != "" || err != nil {
		t.Errorf("recorded %q, %v", commit, err)
	}
	c.err, c.orders = nil, 0
	p.since()
	must(t, run(r))
	if got := p.since(); len(got) > 0 || !slices.Contains(c.paths, "v1/providers/acme/one/versions") {
		t.Errorf("the second run has written %v and purged %v", got, c.paths)
	}

	// Nothing to do costs a look, and no order.
	*c = cache{}
	must(t, run(r))
	if len(p.lists) != 1 || c.orders != 0 {
		t.Errorf("lists of %v, %d orders", p.lists, c.orders)
	}

	// Cut off between upload and purge, with the commit recorded by another.
	other := publish.New(p, publish.WithPurger(&cache{err: down}))
	must(t, other.PutStatic(t.Context(), registrydata.Object{Path: "v1/x", Body: []byte("{}")}))
	must(t, run(r))
	if !slices.Equal(c.paths, []string{"v1/x"}) {
		t.Errorf("what another run left was not purged: %v", c.paths)
	}

	// One entity is held back, another fails, the third is published and purged.
	*c = cache{}
	broken := errors.New("broken pipe")
	p.fails = func(op, path string) error {
		if op == "put" && path == "v1/providers/acme/two/2.0.0/download/linux/amd64" {
			return broken
		}
		return nil
	}
	r["2"] = with(world1,
		"providers/a/acme/one.json", provider("1.1.0=bb"),
		"providers/a/acme/two.json", provider("1.0.0=cc", "2.0.0=ee"),
		"providers/a/acme/three.json", provider("1.0.0=dd", "1.2.0=ff"))
	err := run(r)
	if !errors.Is(err, broken) || !errors.As(err, new(*publish.RefusedError)) {
		t.Errorf("the error: %v", err)
	}
	if !slices.Contains(c.paths, "v1/providers/acme/three/versions") || slices.Contains(c.paths, "v1/providers/acme/one/versions") {
		t.Errorf("purged %v", c.paths)
	}
}
