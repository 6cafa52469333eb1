package registrydata

import (
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

// One large provider with one key: the cost of an update.
func BenchmarkRenderProvider(b *testing.B) {
	p := benchProvider(440, 14)
	keys := []SigningKey{{ASCIIArmor: strings.Repeat("mQINBGB9+xkBEACabYZOWKmgZsHTdRDiyPJxhbuUiKX65GUWkyRMJKi/1dviVxOX\n", 50), KeyID: "0C0AF313E5FD9F80"}}
	a := ProviderAddress{"acme", "demo"}
	var r Renderer
	size, n := 0, 0
	for o := range r.EachProvider(a, p, keys) {
		size += len(o.Body)
		n++
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		for range r.EachProvider(a, p, keys) {
			continue
		}
	}
	b.ReportMetric(float64(n), "answers")
}

func BenchmarkParseProvider(b *testing.B) {
	body := benchProvider(440, 14).Bytes()
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseProvider(body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBytesOfProvider(b *testing.B) {
	p, err := ParseProvider(benchProvider(440, 14).Bytes())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(p.Bytes())))
	b.ReportAllocs()
	for b.Loop() {
		p.Bytes()
	}
}

// The whole corpus, read, rendered and hashed; unpacking it does not count.
// Every provider gets the same key of usual size, where in truth one in eleven
// has one.
func BenchmarkCorpus(b *testing.B) {
	type file struct {
		entity Entity
		body   []byte
	}
	var files []file
	for path, body := range testdata.Files(b, testdata.Corpus) {
		if e, ok := EntityFromPath(path); ok {
			files = append(files, file{e, body})
		}
	}
	keys := []SigningKey{{ASCIIArmor: strings.Repeat("mQINBGB9+xkBEACabYZOWKmgZsHTdRDiyPJxhbuUiKX65GUWkyRMJKi/1dviVxOX\n", 50), KeyID: "0C0AF313E5FD9F80"}}
	var r Renderer
	b.ResetTimer()
	for b.Loop() {
		n, size := 0, 0
		count := func(o Object) {
			n++
			size += len(o.Body)
			sha256.Sum256(o.Body)
		}
		for _, f := range files {
			if f.entity.Kind == KindModule {
				m, err := ParseModule(f.body)
				if err != nil {
					b.Fatal(err)
				}
				for o := range r.EachModule(f.entity.Module(), m) {
					count(o)
				}
				continue
			}
			p, err := ParseProvider(f.body)
			if err != nil {
				b.Fatal(err)
			}
			for o := range r.EachProvider(f.entity.Provider(), p, keys) {
				count(o)
			}
		}
		b.ReportMetric(float64(n), "answers")
		b.ReportMetric(float64(size)/1e6, "MB-rendered")
	}
}
