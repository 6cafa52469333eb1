package registry

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/registrydata"
)

// corpusFolder unpacks the public registry's data.
func corpusFolder(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	for name, body := range testdata.Files(b, testdata.Corpus) {
		full := filepath.Join(dir, filepath.FromSlash(name))
		must(b, os.MkdirAll(filepath.Dir(full), 0o750))
		must(b, os.WriteFile(full, body, 0o600))
	}
	return dir
}

// BenchmarkStart loads the public registry from a folder; BenchmarkReload finds
// that nothing in it has changed.
func BenchmarkStart(b *testing.B) {
	dir := corpusFolder(b)
	for b.Loop() {
		r := readFrom(b, NewFolder(dir))
		b.StopTimer()
		b.ReportMetric(float64(len(r.current.Load().entities)), "entities")
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/1e6, "MB-heap")
		runtime.KeepAlive(r)
		b.StartTimer()
	}
}

func BenchmarkReload(b *testing.B) {
	r := readFrom(b, NewFolder(corpusFolder(b)))
	for b.Loop() {
		must(b, r.Reload(b.Context()))
	}
}

// BenchmarkUpdate takes over a new version of the largest provider.
func BenchmarkUpdate(b *testing.B) {
	all := given(maps.Collect(testdata.Files(b, testdata.Corpus)))
	r := readFrom(b, all)
	const name = "providers/h/hashicorp/aws.json"
	for i := 0; b.Loop(); i++ {
		provider, err := registrydata.ParseProvider(all[name])
		must(b, err)
		v := provider.Versions[0]
		v.Version = fmt.Sprintf("99.0.%d", i)
		must(b, provider.Add(v))
		r.files.Put(name, provider.Bytes())
		next := r.files.snapshot(fmt.Sprint(i), r.current.Load())
		r.current.Store(next)
	}
}

// BenchmarkAnswer is a request without the network: for an answer that is kept,
// and for one that must be rendered, of a usual provider and of the largest list.
func BenchmarkAnswer(b *testing.B) {
	all := given(maps.Collect(testdata.Files(b, testdata.Corpus)))
	r := readFrom(b, all)
	for _, path := range []string{
		"v1/providers/hashicorp/random/3.6.0/download/linux/amd64", "v1/providers/hashicorp/aws/versions",
		"v1/providers/hashicorp/aws/5.0.0/download/linux/amd64", "v1/modules/terraform-aws-modules/vpc/aws/5.0.0/download",
	} {
		for _, kept := range []bool{true, false} {
			for _, coding := range []string{"", "gzip"} {
				b.Run(fmt.Sprintf("%s/kept=%v/%s", strings.ReplaceAll(path, "/", "_"), kept, coding), func(b *testing.B) {
					req := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/"+path, nil)
					req.Header.Set("Accept-Encoding", coding)
					b.ReportAllocs()
					for b.Loop() {
						if !kept {
							r.cache = newCache(0)
						}
						w := discard{http.Header{}}
						r.ServeHTTP(w, req)
						if w.Header().Get("Etag") == "" {
							b.Fatal("no answer")
						}
					}
					r.cache = newCache(defaultCache)
				})
			}
		}
	}
}

// BenchmarkRequests is requests by many clients for a thousand answers, over the
// loopback and HTTP/1.1; the client's share of the work is part of it.
func BenchmarkRequests(b *testing.B) {
	all := given(maps.Collect(testdata.Files(b, testdata.Corpus)))
	r := readFrom(b, all)
	var paths []string
	for i, name := range slices.Sorted(maps.Keys(all)) {
		if e, ok := registrydata.EntityFromPath(name); ok && i%27 == 0 {
			paths = append(paths, "/v1/"+e.Kind.String()+"s/"+e.String()+"/versions")
		}
	}
	server := httptest.NewServer(r)
	defer server.Close()
	transport := &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}
	defer transport.CloseIdleConnections()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL+paths[i%len(paths)], nil)
			must(b, err)
			resp, err := transport.RoundTrip(req)
			must(b, err)
			if _, err := resp.Body.Read(make([]byte, 1)); err != nil || resp.StatusCode != 200 {
				b.Error(resp.Status, err)
			}
			_ = resp.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// discard is a client that takes everything.
type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}
