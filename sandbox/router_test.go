package sandbox

import (
	"fmt"
	"net/http/httptest"
	"testing"
)

func TestRouter(t *testing.T) {
	t.Parallel()
	patterns := []string{
		"GET /repos/{owner}/{repo}/issues/{number}",
		"GET /repos/{owner}/{repo}/issues/comments/{id}",
		"GET /repos/{owner}/{repo}/issues/{number}/comments",
		"GET /repos/{owner}/{repo}/commits/{ref...}",
		"GET /repos/{owner}/{repo}/commits/{ref...}/check-runs",
		"POST /repos/{owner}/{repo}/issues/{number}/labels",
	}
	var r router
	names := map[*route]string{}
	for _, p := range patterns {
		rt := &route{}
		names[rt] = p
		r.add(p, rt)
	}
	for _, c := range []struct{ request, pattern, name, value string }{
		{"GET /repos/a/b/issues/5", patterns[0], "number", "5"},
		{"HEAD /repos/a/b/issues/5", patterns[0], "repo", "b"},
		{"GET /repos/a/b/issues/comments/5", patterns[1], "id", "5"},
		{"GET /repos/a/b/issues/5/comments", patterns[2], "number", "5"},
		{"GET /repos/a/b/issues/comments/comments", patterns[1], "id", "comments"},
		{"GET /repos/a/b/commits/feature/x", patterns[3], "ref", "feature/x"},
		{"GET /repos/a/b/commits/feature%2Fx/check-runs", patterns[4], "ref", "feature/x"},
		{"GET /repos/a/b/commits/feature/x/check-runs", patterns[4], "ref", "feature/x"},
		{"GET /repos/a/b/commits/check-runs", patterns[3], "ref", "check-runs"},
		{"GET /repos/a%2Fb/c/issues/5", patterns[0], "owner", "a/b"},
		{"GET /repos/a/b/issues/", "", "", ""},
		{"GET /repos//b/issues/5", "", "", ""},
		{"POST /repos/a/b/issues/5", "", "", ""},
		{"PUT /repos/a/b/issues/5", "", "", ""},
		{"GET /", "", "", ""},
	} {
		var method, path string
		if _, err := fmt.Sscan(c.request, &method, &path); err != nil {
			t.Fatal(err)
		}
		req := httptest.NewRequest(method, path, nil)
		got := r.find(req)
		if names[got] != c.pattern || (c.name != "" && req.PathValue(c.name) != c.value) {
			t.Errorf("%s: %q, %s=%q", c.request, names[got], c.name, req.PathValue(c.name))
		}
	}
}
