package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	refs   = "POST /repos/acme/registry/git/refs"
	move   = "PATCH /repos/acme/registry/git/refs/heads/submission/issue-1"
	exists = `{"message":"Reference already exists"}`
)

func draft() BranchDraft {
	return BranchDraft{
		Name: "submission/issue-1", Base: Commit{SHA: sha("a"), Tree: sha("b")}, Message: "Add acme/demo",
		Date:  time.Date(2026, 3, 1, 12, 0, 0, 5, time.FixedZone("", 3600)),
		Files: map[string][]byte{"b.json": []byte("text"), "a.asc": {0xff, 0xfe}},
	}
}

func prepareWrites(h *fakeHub, seen map[string]string) {
	for name, answer := range map[string]string{
		"POST /repos/acme/registry/git/blobs":   fmt.Sprintf(`{"sha":%q}`, sha("d")),
		"POST /repos/acme/registry/git/trees":   fmt.Sprintf(`{"sha":%q}`, sha("e")),
		"POST /repos/acme/registry/git/commits": fmt.Sprintf(`{"sha":%q}`, sha("f")),
	} {
		h.handle(name, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			h.mu.Lock()
			seen[name[strings.LastIndexByte(name, '/')+1:]] = strings.TrimSpace(string(body))
			h.mu.Unlock()
			writeJSON(w, 201, answer)
		})
	}
	h.json(refs, 201, `{}`)
}

func TestPutBranch(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	seen := map[string]string{}
	prepareWrites(h, seen)
	got, err := m.PutBranch(context.Background(), draft())
	want := Commit{SHA: sha("f"), Tree: sha("e"), Parent: sha("a"), Author: "registrar[bot]", Date: draft().Date}
	if got != want || err != nil {
		t.Fatalf("PutBranch = %+v, %v", got, err)
	}
	who := `{"date":"2026-03-01T11:00:00Z","email":"99+registrar[bot]@users.noreply.github.com","name":"registrar[bot]"}`
	for part, want := range map[string]string{
		"blobs": `{"content":"//4=","encoding":"base64"}`,
		"trees": fmt.Sprintf(`{"base_tree":%q,"tree":[{"path":"a.asc","mode":"100644","type":"blob","sha":%q},{"path":"b.json","mode":"100644","type":"blob","content":"text"}]}`,
			sha("b"), sha("d")),
		"commits": fmt.Sprintf(`{"author":%s,"committer":%s,"message":"Add acme/demo","parents":[%q],"tree":%q}`, who, who, sha("a"), sha("e")),
	} {
		if seen[part] != want {
			t.Errorf("%s: sent %s\nwant %s", part, seen[part], want)
		}
	}
	if n := h.count(""); n != 4 {
		t.Errorf("%d calls: %q", n, h.calls)
	}
}

func TestPutBranchMovesItsOwn(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	prepareWrites(h, map[string]string{})
	h.json(refs, 422, exists)
	h.handle(move, func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			SHA   string
			Force bool
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.SHA != sha("f") || !in.Force {
			t.Errorf("move: %+v, %v", in, err)
		}
		writeJSON(w, 200, `{}`)
	})
	if _, err := m.PutBranch(context.Background(), draft()); err != nil || h.count(move) != 1 {
		t.Errorf("PutBranch: %v, %d moves", err, h.count(move))
	}
}

func TestForeignBranchesAreRefused(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	for _, name := range []string{"main", "submission", "submissions/x", "feature/submission/x", "submission/", "submission/../main", "release/a..b", ""} {
		b := draft()
		b.Name = name
		if _, err := m.PutBranch(context.Background(), b); err == nil {
			t.Errorf("PutBranch(%q) was allowed", name)
		}
		if err := m.DeleteBranch(context.Background(), name); err == nil {
			t.Errorf("DeleteBranch(%q) was allowed", name)
		}
	}
	if n := h.count(""); n != 0 {
		t.Errorf("%d calls: %q", n, h.calls)
	}
}

func TestPutBranchDeletes(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	seen := map[string]string{}
	prepareWrites(h, seen)
	h.repo(map[string]map[string]string{sha("a"): {"there": "x"}})
	h.handle(contents+"there", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.github.raw")
		_, _ = w.Write([]byte("x"))
	})
	h.json(contents+"gone", 404, `{"message":"Not Found"}`)
	b := draft()
	b.Files = map[string][]byte{"there": nil, "gone": nil, "empty": {}}
	if _, err := m.PutBranch(context.Background(), b); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"base_tree":%q,"tree":[{"path":"empty","mode":"100644","type":"blob","content":""},{"path":"there","mode":"100644","type":"blob","sha":null}]}`, sha("b"))
	if seen["trees"] != want {
		t.Errorf("sent %s\nwant %s", seen["trees"], want)
	}
}

// GitHub may have done what it answers 502 for.
func TestDidItButAnswered502(t *testing.T) {
	ctx := context.Background()
	branch := func(tip string) string {
		return fmt.Sprintf(`{"commit":{"sha":%q,"commit":{"tree":{"sha":%q}}}}`, tip, sha("e"))
	}
	pull := `{"number":8,"state":"open","head":{"ref":"submission/issue-1","repo":{"id":1}},"base":{"ref":"main","repo":{"id":1}},"user":{"login":"registrar[bot]","type":"Bot"}}`
	merged := fmt.Sprintf(`{"number":8,"state":"closed","merged":true,"merge_commit_sha":%q,"head":{"sha":%q}}`, sha("9"), sha("f"))
	own := func(body string) string {
		return fmt.Sprintf(`[{"id":3,"number":5,"title":"T","body":%q,"user":{"login":"registrar[bot]","type":"Bot"},"state":"open"}]`, body)
	}
	tests := map[string]struct {
		answers map[string]string // of what is looked at afterwards
		fail    string
		do      func(m *Metadata) error
		undone  map[string]string // where it was not done
	}{
		"create ref": {
			map[string]string{"GET /repos/acme/registry/branches/submission/issue-1": branch(sha("f"))}, refs,
			func(m *Metadata) error { _, err := m.PutBranch(ctx, draft()); return err },
			map[string]string{"GET /repos/acme/registry/branches/submission/issue-1": branch(sha("0"))},
		},
		"create pull": {
			map[string]string{"GET /repos/acme/registry/pulls": "[" + pull + "]"}, "POST /repos/acme/registry/pulls",
			func(m *Metadata) error {
				p, err := m.CreatePull(ctx, PullDraft{Branch: "submission/issue-1"})
				if err == nil && (p.Number != 8 || !p.Own) {
					err = fmt.Errorf("pull %+v", p)
				}
				return err
			},
			map[string]string{"GET /repos/acme/registry/pulls": "[]"},
		},
		"merge": {
			map[string]string{"GET /repos/acme/registry/pulls/8": merged}, "PUT /repos/acme/registry/pulls/8/merge",
			func(m *Metadata) error { return m.Merge(ctx, 8, sha("f"), "t", "m") },
			map[string]string{"GET /repos/acme/registry/pulls/8": pull},
		},
		"comment": {
			map[string]string{"GET /repos/acme/registry/issues/5/comments": own("hello")}, "POST /repos/acme/registry/issues/5/comments",
			func(m *Metadata) error { return m.CreateComment(ctx, 5, "hello") },
			map[string]string{"GET /repos/acme/registry/issues/5/comments": own("other")},
		},
		"issue": {
			map[string]string{"GET /repos/acme/registry/issues": own("b")}, "POST /repos/acme/registry/issues",
			func(m *Metadata) error {
				n, err := m.CreateIssue(ctx, "T", "b", nil)
				if err == nil && n != 5 {
					err = fmt.Errorf("issue %d", n)
				}
				return err
			},
			map[string]string{"GET /repos/acme/registry/issues": own("other")},
		},
		"check run": {
			map[string]string{"GET /repos/acme/registry/commits/" + sha("f") + "/check-runs": `{"check_runs":[{"id":4,"name":"n","external_id":"x","app":{"id":7},"conclusion":"success"}]}`},
			"POST /repos/acme/registry/check-runs",
			func(m *Metadata) error {
				return m.PutCheck(ctx, CheckRun{SHA: sha("f"), Name: "n", ExternalID: "x", Conclusion: "success"})
			},
			map[string]string{"GET /repos/acme/registry/commits/" + sha("f") + "/check-runs": `{"check_runs":[]}`},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for done, answers := range map[bool]map[string]string{true: tt.answers, false: tt.undone} {
				h := newFakeHub(t)
				m := h.forge().Metadata()
				prepareWrites(h, map[string]string{})
				h.json(tt.fail, 502, "bad gateway")
				for call, answer := range answers {
					h.json(call, 200, answer)
				}
				if err := tt.do(m); (err == nil) != done {
					t.Errorf("done %v: %v", done, err)
				}
				if h.count(tt.fail) != 1 {
					t.Errorf("done %v: the write was sent %d times", done, h.count(tt.fail))
				}
			}
		})
	}
}

func TestCreatePullThatExists(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	h.json("POST /repos/acme/registry/pulls", 422, `{"message":"Validation Failed","errors":[{"resource":"PullRequest","code":"custom","message":"A pull request already exists for acme:submission/issue-1."}]}`)
	h.handle("GET /repos/acme/registry/pulls", func(w http.ResponseWriter, r *http.Request) {
		if got := r.URL.Query().Get("head"); got != "acme:submission/issue-1" {
			t.Errorf("head = %q", got)
		}
		writeJSON(w, 200, `[{"number":9,"state":"open","head":{"ref":"submission/issue-1","repo":{"id":2}},"base":{"ref":"main","repo":{"id":1}}},
			{"number":8,"state":"open","head":{"ref":"submission/issue-1","repo":{"id":1}},"base":{"ref":"main","repo":{"id":1}}},
			{"number":7,"state":"closed","merged_at":"2026-01-01T00:00:00Z","merge_commit_sha":"m","head":{"ref":"submission/issue-1","repo":{"id":1}},"base":{"ref":"main","repo":{"id":1}}}]`)
	})
	p, err := m.CreatePull(context.Background(), PullDraft{Branch: "submission/issue-1"})
	if err != nil || p.Number != 8 {
		t.Errorf("CreatePull = %+v, %v", p, err)
	}
	all, err := m.PullsByBranch(context.Background(), "submission/issue-1")
	if err != nil || len(all) != 2 || !all[1].Merged || all[1].MergeSHA != "m" {
		t.Errorf("PullsByBranch = %+v, %v", all, err)
	}
}

func TestMergeRefused(t *testing.T) {
	for status, want := range map[int]bool{405: true, 409: true, 422: true, 404: false, 403: false} {
		h := newFakeHub(t)
		m := h.forge().Metadata()
		h.json("PUT /repos/acme/registry/pulls/8/merge", status, `{"message":"no"}`)
		h.json("GET /repos/acme/registry/pulls/8", 200, `{"number":8,"state":"open"}`)
		err := m.Merge(context.Background(), 8, sha("f"), "t", "m")
		if err == nil || errors.Is(err, ErrNotMergeable) != want {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestOwnComments(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	h.json("GET /repos/acme/registry/issues/5/comments", 200, `[
		{"id":1,"user":{"login":"anna","type":"User"},"body":"a"},
		{"id":2,"user":{"login":"registrar[bot]","type":"Bot"},"performed_via_github_app":{"id":7},"body":"b","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-02T00:00:00Z","issue_url":"x/issues/5"},
		{"id":3,"user":{"login":"other[bot]","type":"Bot"},"performed_via_github_app":{"id":8},"body":"c"},
		{"id":4,"user":{"login":"registrar[bot]","type":"User"},"body":"d"},
		{"id":5,"user":null,"body":"e"},
		{"id":6,"user":{"login":"Registrar[bot]","type":"Bot"},"body":"f"}]`)
	got, err := m.OwnComments(context.Background(), 5)
	if err != nil || len(got) != 2 || got[0].ID != 2 || got[1].ID != 6 {
		t.Fatalf("OwnComments = %+v, %v", got, err)
	}
	if c := got[0]; !c.ByBot || !c.Edited || c.Issue != 5 {
		t.Errorf("comment %+v", c)
	}
}

// Absent things that are to be absent are no errors.
func TestRemovingTwice(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	ctx := context.Background()
	h.json("DELETE /repos/acme/registry/issues/5/labels/needs work", 404, `{"message":"Label does not exist"}`)
	if err := m.RemoveLabel(ctx, 5, "needs work"); err != nil {
		t.Error(err)
	}
	for status, message := range map[int]string{422: "Reference does not exist", 404: "Not Found"} {
		h.json("DELETE /repos/acme/registry/git/refs/heads/release/x", status, fmt.Sprintf(`{"message":%q}`, message))
		if err := m.DeleteBranch(ctx, "release/x"); err != nil {
			t.Error(err)
		}
	}
	h.json("GET /repos/acme/registry/issues/comments/3", 404, `{"message":"Not Found"}`)
	if _, ok, err := m.Comment(ctx, 3); ok || err != nil {
		t.Errorf("Comment: %v, %v", ok, err)
	}
}

func TestCanWrite(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	for permission, want := range map[string]bool{"admin": true, "write": true, "read": false, "none": false} {
		h.json("GET /repos/acme/registry/collaborators/anna/permission", 200, fmt.Sprintf(`{"permission":%q}`, permission))
		if got, err := m.CanWrite(context.Background(), "anna"); got != want || err != nil {
			t.Errorf("%s: %v, %v", permission, got, err)
		}
	}
	h.json("GET /repos/acme/registry/collaborators/nobody/permission", 404, `{"message":"Not Found"}`)
	for _, login := range []string{"nobody", "../../x", "a/b", "", "a?b"} {
		if got, err := m.CanWrite(context.Background(), login); got || err != nil {
			t.Errorf("%q: %v, %v", login, got, err)
		}
	}
}

func TestCheckAnnotationsInBatches(t *testing.T) {
	h := newFakeHub(t)
	m := h.forge().Metadata()
	sent := map[string][]int{}
	record := func(name string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var in struct {
				Status, Conclusion string
				Output             struct {
					Annotations []struct {
						Start int `json:"start_line"`
					}
				}
			}
			if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Status != "completed" || in.Conclusion != "failure" {
				t.Errorf("%s: %+v, %v", name, in, err)
			}
			sent[name] = append(sent[name], len(in.Output.Annotations))
			writeJSON(w, 200, `{"id":4}`)
		}
	}
	h.handle("POST /repos/acme/registry/check-runs", record("post"))
	h.handle("PATCH /repos/acme/registry/check-runs/4", record("patch"))
	c := CheckRun{SHA: sha("f"), Name: "n", Conclusion: "failure", Annotations: make([]Annotation, 120)}
	if err := m.PutCheck(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	// The one with annotations cannot be updated, only followed by another.
	c.ID, c.Annotations = 4, nil
	if err := m.PutCheck(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sent["post"], []int{50, 0}) || !slices.Equal(sent["patch"], []int{50, 20}) {
		t.Errorf("sent %v", maps.All(sent))
	}
}

func TestFailedDeliveries(t *testing.T) {
	h := newFakeHub(t)
	f := h.forge()
	at := func(minute int) string { return fmt.Sprintf("2026-01-01T00:%02d:00Z", minute) }
	h.handle("GET /app/hook/deliveries", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cursor") == "" {
			w.Header().Set("Link", fmt.Sprintf(`<%s/app/hook/deliveries?per_page=100&cursor=v1_2>; rel="next"`, h.URL))
			writeJSON(w, 200, fmt.Sprintf(`[{"id":9,"guid":"g3","delivered_at":%q,"status_code":200},{"id":8,"guid":"g2","delivered_at":%q,"status_code":502,"event":"push"}]`, at(9), at(8)))
			return
		}
		writeJSON(w, 200, fmt.Sprintf(`[{"id":7,"guid":"g3","delivered_at":%q,"status_code":500},{"id":6,"guid":"g1","delivered_at":%q,"status_code":0},{"id":1,"guid":"g0","delivered_at":%q,"status_code":500}]`, at(7), at(6), at(1)))
	})
	got, err := f.ListFailedDeliveries(context.Background(), time.Date(2026, 1, 1, 0, 5, 0, 0, time.UTC))
	if err != nil || len(got) != 2 || got[0].ID != 8 || got[0].Event != "push" || got[1].ID != 6 {
		t.Errorf("ListFailedDeliveries = %+v, %v", got, err)
	}
	h.json("POST /app/hook/deliveries/8/attempts", 202, `{}`)
	if err := f.Redeliver(context.Background(), 8); err != nil {
		t.Error(err)
	}
	h.json("POST /app/hook/deliveries/9/attempts", 404, `{}`)
	if err := f.Redeliver(context.Background(), 9); !errors.Is(err, ErrNotFound) {
		t.Errorf("Redeliver: %v", err)
	}
}
