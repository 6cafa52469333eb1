package forge

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
)

// alertList has an alert of the App, an issue that a person gave the label, one
// of the App without it, and a pull request with it.
const alertList = `[
	{"number":1,"title":"alert","body":"b","state":"open","user":{"login":"registrar[bot]","type":"Bot"},"labels":[{"name":"registry-alert"}]},
	{"number":2,"state":"open","user":{"login":"mallory","type":"User"},"labels":[{"name":"registry-alert"}]},
	{"number":3,"state":"open","user":{"login":"registrar[bot]","type":"Bot"},"labels":[]},
	{"number":4,"state":"open","user":{"login":"registrar[bot]","type":"Bot"},"labels":[{"name":"registry-alert"}],"pull_request":{}},
	{"number":5,"state":"open","user":{"login":"other[bot]","type":"Bot"},"labels":[{"name":"registry-alert"}]}
]`

// TestAlertIssues: only the App's own issues are alerts, and an unchanged list is
// asked for with its ETag, which costs no quota.
func TestAlertIssues(t *testing.T) {
	h := newFakeHub(t)
	var unchanged atomic.Int64
	h.handle("GET /repos/acme/registry/issues", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("labels") != AlertLabel || q.Get("per_page") != "100" {
			t.Errorf("asked for %s", r.URL.RawQuery)
		}
		w.Header().Set("ETag", `"`+q.Get("state")+`"`)
		if r.Header.Get("If-None-Match") != "" {
			unchanged.Add(1)
			w.WriteHeader(http.StatusNotModified)
			return
		}
		writeJSON(w, 200, alertList)
	})
	m := h.forge().Metadata()
	for range 3 {
		open, err := m.AlertIssues(t.Context())
		if err != nil || len(open) != 1 || open[0].Number != 1 || open[0].Body != "b" || !open[0].Open {
			t.Fatalf("%+v, %v", open, err)
		}
	}
	if closed, err := m.ClosedAlerts(t.Context()); err != nil || len(closed) != 1 {
		t.Errorf("closed: %+v, %v", closed, err)
	}
	if unchanged.Load() != 2 {
		t.Errorf("%d of 3 answers were unchanged", unchanged.Load())
	}
}

// Alerts are no submissions: a sweep does not look at them.
func TestOpenIssuesWithoutAlerts(t *testing.T) {
	h := newFakeHub(t)
	h.json("GET /repos/acme/registry/issues", 200, alertList)
	issues, err := h.forge().Metadata().OpenIssues(t.Context())
	var numbers []int
	for _, i := range issues {
		numbers = append(numbers, i.Number)
	}
	if err != nil || !slices.Equal(numbers, []int{2, 3, 5}) {
		t.Errorf("%v, %v", numbers, err)
	}
}
