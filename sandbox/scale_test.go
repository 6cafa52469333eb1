package sandbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/sandbox"
)

// BenchmarkRepository makes a repository with a release, as a registry's authors
// have tens of thousands of, and reads its feed. It reports the memory that one
// takes; nothing of this makes a folder.
func BenchmarkRepository(b *testing.B) {
	dir := b.TempDir()
	s, err := sandbox.New(sandbox.Options{Dir: dir, BaseURL: "http://sandbox.test"})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if err := s.Knobs().Set(sandbox.Settings{RateLimit: 1 << 30}); err != nil {
		b.Fatal(err)
	}
	token := s.AddUser("acme").Token
	send := func(method, path, body string) string {
		req := httptest.NewRequest(method, path, strings.NewReader(body))
		if strings.HasPrefix(path, "/api/") {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, req)
		if rec.Code >= 300 {
			b.Fatal(method, path, rec.Code, rec.Body)
		}
		return rec.Body.String()
	}
	before := heap()
	b.ResetTimer()
	for i := range b.N {
		name := fmt.Sprintf("terraform-provider-n%d", i)
		send(http.MethodPost, "/api/v3/user/repos", `{"name":"`+name+`","auto_init":true}`)
		send(http.MethodPost, "/api/v3/repos/acme/"+name+"/releases", `{"tag_name":"v1.0.0"}`)
		if feed := send(http.MethodGet, "/acme/"+name+"/releases.atom", ""); !strings.Contains(feed, "v1.0.0") {
			b.Fatal(feed)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(heap()-before)/float64(b.N), "heap-B/repository")
	if made, err := os.ReadDir(filepath.Join(dir, "git")); err != nil || len(made) != 0 {
		b.Errorf("%d folders made, %v", len(made), err)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
