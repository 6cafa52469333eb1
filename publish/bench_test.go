package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

// largeProvider is a provider of the size of hashicorp/aws: 440 versions of 14
// platforms, and the versions that came after.
func largeProvider(versions int) Update {
	e := registrydata.Entity{Kind: registrydata.KindProvider, Namespace: "acme", Name: "large"}
	p := &registrydata.Provider{}
	for v := range versions {
		version := registrydata.ProviderVersion{Version: fmt.Sprintf("1.%d.0", v), Protocols: []string{"5.0"}}
		for t := range 14 {
			version.Targets = append(version.Targets, registrydata.Target{
				OS: "linux", Arch: fmt.Sprint("arch", t), Filename: "terraform-provider-large.zip",
				DownloadURL: "https://github.com/acme/terraform-provider-large/releases/download/" + version.Version + "/x.zip",
				Shasum:      digest([]byte(fmt.Sprint(v, t))),
			})
		}
		p.Versions = append(p.Versions, version)
	}
	key := registrydata.SigningKey{KeyID: "0C0AF313E5FD9F80", ASCIIArmor: strings.Repeat("mQINBGB9+xkBEACabYZOWKmgZsHTdRDiyPJxhbuUiKX65GUWkyRMJKi/1dviVxOX\n", 50)}
	var r registrydata.Renderer
	return Update{
		Entity: e, Sources: map[string]string{e.Path(): fmt.Sprint(versions)},
		Objects: r.Provider(e.Provider(), p, []registrydata.SigningKey{key}),
	}
}

// BenchmarkUpdate adds a version to a provider that has 440, and takes it away
// again: what is written, and how long both take together.
func BenchmarkUpdate(b *testing.B) {
	before, after := largeProvider(440), largeProvider(441)
	for _, p := range places {
		b.Run(strings.ReplaceAll(p.name, " ", "_"), func(b *testing.B) {
			counted := &faulty{Target: p.open(b)()}
			pub, ctx := New(counted.target()), context.Background()
			if err := pub.Publish(ctx, before); err != nil {
				b.Fatal(err)
			}
			counted.writes = nil
			n := 0
			for b.Loop() {
				for _, u := range []Update{after, before} {
					if err := pub.Publish(ctx, u); err != nil {
						b.Fatal(err)
					}
					n++
				}
			}
			b.ReportMetric(float64(len(counted.writes))/float64(n), "writes/update")
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(n), "ms/update")
		})
	}
}

// BenchmarkCompare compares a provider of 440 versions with what is live, and
// finds one new version: nothing is written.
func BenchmarkCompare(b *testing.B) {
	memory := newMemory()
	pub, ctx := New(memory), context.Background()
	if err := pub.Publish(ctx, largeProvider(440)); err != nil {
		b.Fatal(err)
	}
	after := largeProvider(441)
	f, err := memory.Get(ctx, manifestPath(after.Entity))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d, err := pub.Compare(ctx, after)
		if err != nil || len(d.Write) != 15 || len(d.Delete) != 0 {
			b.Fatalf("%d to write, %d to delete, %v", len(d.Write), len(d.Delete), err)
		}
	}
	b.ReportMetric(float64(len(after.Objects)), "files")
	b.ReportMetric(float64(len(f.Body)), "manifest-B")
}

// BenchmarkPublishAnew writes a provider of 440 versions where nothing was.
func BenchmarkPublishAnew(b *testing.B) {
	u := largeProvider(440)
	for _, p := range places {
		b.Run(strings.ReplaceAll(p.name, " ", "_"), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				target := p.open(b)()
				b.StartTimer()
				if err := New(target).Publish(context.Background(), u); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(u.Objects)*b.N)/b.Elapsed().Seconds(), "files/s")
		})
	}
}

// manyEntities are entities of the sizes that the public registry has: most are
// modules of a few versions, most files are of providers.
func manyEntities() []Update {
	var updates []Update
	var r registrydata.Renderer
	for i := range 200 {
		e := registrydata.Entity{Kind: registrydata.KindModule, Namespace: fmt.Sprint("acme", i%50), Name: fmt.Sprint("net", i), Target: "aws"}
		m := &registrydata.Module{}
		for v := range 10 {
			m.Versions = append(m.Versions, registrydata.ModuleVersion{Version: fmt.Sprintf("v1.%d.0", v)})
		}
		updates = append(updates, Update{Entity: e, Objects: r.Module(e.Module(), m)})
	}
	for i := range 30 {
		u := largeProvider(15)
		u.Entity.Namespace = fmt.Sprint("acme", i%50)
		u.Entity.Name = fmt.Sprint("demo", i)
		for j, o := range u.Objects {
			u.Objects[j].Path = entityPrefix(u.Entity) + strings.TrimPrefix(o.Path, "v1/providers/acme/large/")
		}
		updates = append(updates, u)
	}
	return updates
}

// BenchmarkFolder writes many entities to an empty folder, in bulk and one by
// one, beside a bare loop that makes the same files.
func BenchmarkFolder(b *testing.B) {
	updates := manyEntities()
	files := 0
	for _, u := range updates {
		files += len(u.Objects)
	}
	run := func(name string, write func(dir string) error) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				dir := b.TempDir()
				b.StartTimer()
				if err := write(dir); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				_ = os.RemoveAll(dir)
				b.StartTimer()
			}
			b.ReportMetric(float64(files*b.N)/b.Elapsed().Seconds(), "files/s")
		})
	}
	run("bare_loop", func(dir string) error {
		for _, u := range updates {
			for _, o := range u.Objects {
				name := filepath.Join(dir, o.Path)
				err := os.WriteFile(name, o.Body, 0o600)
				if errors.Is(err, fs.ErrNotExist) {
					err = errors.Join(os.MkdirAll(filepath.Dir(name), 0o750), os.WriteFile(name, o.Body, 0o600))
				}
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	for _, bulk := range []bool{true, false} {
		run(map[bool]string{true: "bulk", false: "one_by_one"}[bulk], func(dir string) error {
			f, err := OpenFolder(dir)
			if err != nil {
				return err
			}
			defer f.Close()
			done := func() error { return nil }
			if bulk {
				if done, err = f.Bulk(); err != nil {
					return err
				}
			}
			pub := New(f)
			if err := together(context.Background(), updates, pub.Publish); err != nil {
				return err
			}
			return done()
		})
	}
}
