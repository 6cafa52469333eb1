package sandboxtest

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/sandbox"
)

// recorder is a test that remembers what it was told instead of failing.
type recorder struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func (r *recorder) end() []string {
	for _, f := range slices.Backward(r.cleanups) {
		f()
	}
	return r.errors
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestFaithfulTestPasses(t *testing.T) {
	r := &recorder{TB: t}
	s := New(r)
	s.AddUser("ann")
	if body := get(t, s.APIURL()+"users/ann"); !strings.Contains(body, `"login":"ann"`) {
		t.Errorf("answer %s", body)
	}
	if errors := r.end(); len(errors) > 0 {
		t.Errorf("reported %q", errors)
	}
}

func TestUnknownRouteFailsTheTest(t *testing.T) {
	for _, c := range []struct {
		options []Option
		want    int
	}{{nil, 1}, {[]Option{WithUnknownRoutes()}, 0}} {
		r := &recorder{TB: t}
		s := New(r, c.options...)
		get(t, s.APIURL()+"usres/ann")
		if errors := r.end(); len(errors) != c.want {
			t.Errorf("reported %q, want %d", errors, c.want)
		}
	}
}

func TestUndescribedParameterFailsTheTest(t *testing.T) {
	r := &recorder{TB: t}
	s := New(r)
	s.AddUser("ann")
	get(t, s.APIURL()+"users/ann?colour=red")
	get(t, s.APIURL()+"users/ann?colour=red")
	errors := r.end()
	if len(errors) != 1 || !strings.Contains(errors[0], "parameter colour") || !strings.Contains(errors[0], "(2 times)") {
		t.Errorf("reported %q", errors)
	}
}

func TestWatchedSandbox(t *testing.T) {
	s, err := sandbox.New(sandbox.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	r := &recorder{TB: t}
	Watch(r, s)
	get(t, s.APIURL()+"no/such/route")
	if errors := r.end(); len(errors) != 1 || !strings.Contains(errors[0], "no/such/route") {
		t.Errorf("reported %q", errors)
	}
}

func TestWrongAnswerIsReported(t *testing.T) {
	w := newWatcher(t)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v3/users/ann", nil)
	if err != nil {
		t.Fatal(err)
	}
	w.see(sandbox.Exchange{Request: request, Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, ResponseBody: []byte("[]")})
	if faults := w.report(); len(faults) == 0 {
		t.Error("a list passes for a user")
	}
}
