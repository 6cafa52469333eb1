package handlers

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// served is every file that clients read, with its content.
func served(t *testing.T, p publish.Target) map[string]string {
	t.Helper()
	names, err := p.List(t.Context(), "v1/")
	must(t, err)
	out := map[string]string{}
	for _, name := range names {
		f, err := p.Get(t.Context(), name)
		must(t, err)
		out[name] = string(f.Body)
	}
	return out
}

// Links, files that are too large or no JSON, and files outside the layout are
// told of and left out. What is live of them stays, and all else is published:
// file by file, and from an archive.
func TestPublishBesideWhatCannotBeRead(t *testing.T) {
	many := maps.Clone(world1)
	for i := range mostReadSingly {
		many[fmt.Sprintf("modules/b/big/net%03d/aws.json", i)] = `{"versions":[{"version":"v1.0.0"}]}`
	}
	for name, first := range map[string]map[string]string{"file by file": world1, "archive": many} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t)
			r := history{"1": first}
			must(t, publishes(t, r, p))
			before := served(t, p)
			next := with(first,
				"providers/a/acme/one.json", linkTo+"two.json",
				"providers/a/acme/two.json", `{"versions":[`,
				"modules/a/acme/net/aws.json", `{"versions":[]}`+strings.Repeat(" ", registrydata.MaxFileSize),
				"providers/a/acme/new.json", linkTo+"../../../../secret",
				"providers/a/ACME/upper.json", provider("1.0.0=aa"),
				"providers/x/acme/astray.json", provider("1.0.0=aa"),
				"providers/a/acme/dot..json", provider("1.0.0=aa"),
				"keys/a/acme/key.asc", linkTo+"/etc/passwd",
				"README.md", "# Data",
				"providers/a/acme/three.json", provider("1.0.0=dd", "1.2.0=ff"))
			if len(first) > mostReadSingly {
				next[registrydata.AliasesPath] = "old/three acme/three" // so that everything is looked at
			}
			r["2"] = next
			var log bytes.Buffer
			must(t, publishes(t, r, p, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) }))
			after := served(t, p)
			for path, was := range before {
				if is, ok := after[path]; !ok {
					t.Errorf("%s is live no more", path)
				} else if is != was && !strings.Contains(path, "acme/three/") {
					t.Errorf("%s has changed", path)
				}
			}
			if _, ok := after["v1/providers/acme/three/1.2.0/download/linux/amd64"]; !ok {
				t.Error("acme/three had to wait")
			}
			for path := range after {
				if strings.Contains(path, "new") || strings.Contains(path, "upper") || strings.Contains(path, "astray") || strings.Contains(path, "dot") {
					t.Errorf("%s is live", path)
				}
			}
			for _, part := range []string{
				"path=providers/a/acme/one.json error=\"It is a symbolic link", "path=providers/a/acme/two.json error=\"line 1",
				"path=modules/a/acme/net/aws.json error=\"It has more than", "path=providers/a/acme/new.json",
				"path=keys/a/acme/key.asc error=\"It is a symbolic link",
				"layout of the registry's data: nobody is served it\" path=providers/a/ACME/upper.json", "path=providers/x/acme/astray.json", "path=providers/a/acme/dot..json",
			} {
				if strings.Count(log.String(), part) != 1 {
					t.Errorf("the log does not say once %q:\n%s", part, &log)
				}
			}
			if strings.Contains(log.String(), "README.md") {
				t.Errorf("the log complains of the README:\n%s", &log)
			}
		})
	}
}

// An archive gives what the files give one by one, keys and old addresses too.
func TestPublishFromArchive(t *testing.T) {
	files := with(world1, registrydata.AliasesPath, "old/two acme/two\nformer acme",
		"providers/f/former/four.json", provider("1.0.0=aa"),
		"keys/a/acme/a.asc", "no key", "keys/a/acme/one/b.asc", "none either", "keys/b/big/x.asc", "nor this")
	for i := range mostReadSingly {
		files[fmt.Sprintf("providers/b/big/p%03d.json", i)] = provider("1.0.0=aa")
	}
	single, whole := newPlace(t), newPlace(t)
	must(t, publishes(t, history{"1": files}, single, func(o *Options) { o.Archives = nil }))
	must(t, publishes(t, history{"1": files}, whole))
	if diff := cmp.Diff(served(t, single), served(t, whole)); diff != "" {
		t.Errorf("(-file by file +archive):\n%s", diff)
	}
	if n := len(served(t, whole)); n < 2*mostReadSingly {
		t.Errorf("only %d files are live", n)
	}
}

// crowd is a Publisher that counts how many updates there are at a time.
type crowd struct {
	*publish.Publisher
	mu        sync.Mutex
	now, most int
}

func (c *crowd) Publish(ctx context.Context, u Update) error {
	c.mu.Lock()
	c.now++
	c.most = max(c.most, c.now)
	c.mu.Unlock()
	defer func() { c.mu.Lock(); c.now--; c.mu.Unlock() }()
	return c.Publisher.Publish(ctx, u)
}

// Large entities are rendered one after the other, however many may be published
// at a time.
func TestPublishBoundsWhatIsRendered(t *testing.T) {
	files := map[string]string{}
	padding := strings.Repeat("x", 3<<20)
	for i := range 6 {
		files[fmt.Sprintf("modules/a/acme/net%d/aws.json", i)] = `{"padding":"` + padding + `","versions":[{"version":"v1.0.0"}]}`
	}
	p := newPlace(t)
	c := &crowd{Publisher: publish.New(p)}
	must(t, publishes(t, history{"1": files}, p, func(o *Options) { o.Publisher, o.Parallel = c, 32 }))
	if c.most != 1 || len(served(t, p)) != 12 {
		t.Errorf("%d large entities at a time, %d files", c.most, len(served(t, p)))
	}
}
