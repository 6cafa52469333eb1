package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

const releases = "GET /repos/acme/terraform-provider-demo/releases"

// serveReleases serves n releases, newest first, in pages; every tenth is a
// draft.
func serveReleases(h *fakeHub, n int, withLast bool) {
	h.handle(releases, func(w http.ResponseWriter, r *http.Request) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		page = max(page, 1)
		var all []map[string]any
		for i := (page - 1) * size; i < min(page*size, n); i++ {
			all = append(all, map[string]any{
				"tag_name": fmt.Sprintf("v0.0.%d", n-i), "draft": i%10 == 9,
				"published_at": time.Date(2026, 1, 1, 0, 0, -i, 0, time.UTC),
				"assets": []map[string]any{{"id": i + 1, "name": "x.zip", "size": 5_000_000_000, "state": "uploaded",
					"digest": "sha256:ab", "browser_download_url": h.URL + "/x.zip"}},
			})
		}
		last := (n + size - 1) / size
		if page < last {
			link := fmt.Sprintf(`<%s/x?page=%d>; rel="next"`, h.URL, page+1)
			if withLast {
				link += fmt.Sprintf(`, <%s/x?page=%d>; rel="last"`, h.URL, last)
			}
			w.Header().Set("Link", link)
		}
		body, _ := json.Marshal(all)
		writeJSON(w, 200, string(body))
	})
}

func TestReleases(t *testing.T) {
	for _, withLast := range []bool{true, false} {
		h := newFakeHub(t)
		a := h.forge().Authors()
		serveReleases(h, 450, withLast)
		got, err := a.Releases(context.Background(), demoRepo)
		if err != nil || len(got) != 405 || h.count(releases) != 5 {
			t.Fatalf("%d releases, %v, %d calls", len(got), err, h.count(releases))
		}
		for i := 1; i < len(got); i++ {
			if got[i].Published.After(got[i-1].Published) {
				t.Fatalf("not newest first at %d", i)
			}
		}
		first := got[0]
		if first.Tag != "v0.0.450" || len(first.Assets) != 1 || first.Assets[0].Size != 5_000_000_000 || first.Assets[0].Digest != "sha256:ab" {
			t.Errorf("first: %+v", first)
		}
	}
}

func TestReleasesBounds(t *testing.T) {
	h := newFakeHub(t)
	cfg := h.config()
	cfg.Limits.Releases = 150
	f, err := New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	serveReleases(h, 5000, true)
	if got, err := f.Authors().Releases(context.Background(), demoRepo); err != nil || len(got) != 135 || h.count(releases) != 2 {
		t.Errorf("%d releases, %v, %d calls", len(got), err, h.count(releases))
	}
	cfg.Limits.Response = 1000
	f, err = New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var fault *Fault
	if _, err := f.Authors().Releases(context.Background(), demoRepo); !errors.As(err, &fault) {
		t.Errorf("a list that is too large: %v", err)
	}
}

func TestRelease(t *testing.T) {
	h := newFakeHub(t)
	a := h.forge().Authors()
	ctx := context.Background()
	h.handle(releases+"/tags/v1#%25/x", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, 200, `{"tag_name":"v1#%25/x"}`) })
	if rel, ok, err := a.Release(ctx, demoRepo, "v1#%25/x"); !ok || err != nil || rel.Tag != "v1#%25/x" {
		t.Errorf("Release = %+v, %v, %v", rel, ok, err)
	}
	h.json(releases+"/tags/v2", 404, `{"message":"Not Found"}`)
	for _, tag := range []string{"v2", "", "..", "../../x", "a b", "a?b"} {
		if _, ok, err := a.Release(ctx, demoRepo, tag); ok || err != nil {
			t.Errorf("%q: %v, %v", tag, ok, err)
		}
	}
}

func TestRepository(t *testing.T) {
	h := newFakeHub(t)
	a := h.forge().Authors()
	ctx := context.Background()
	// A renamed repository redirects to its id.
	h.handle("GET /repos/acme/old", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, h.URL+"/repositories/5", http.StatusMovedPermanently)
	})
	h.json("GET /repositories/5", 200, `{"id":5,"name":"terraform-provider-Demo","owner":{"login":"Acme","type":"Organization"},"archived":true,"fork":true,
		"default_branch":"main","parent":{"name":"terraform-provider-demo","owner":{"login":"upstream"}}}`)
	got, err := a.Repository(ctx, registrydata.Repository{Owner: "acme", Name: "old"})
	want := registrydata.Repository{Owner: "Acme", Name: "terraform-provider-Demo"}
	if err != nil || !got.Exists || got.Repository != want || !got.Archived || !got.Fork || !got.OwnerIsAnOrg || got.Parent.Owner != "upstream" {
		t.Errorf("Repository = %+v, %v", got, err)
	}
	for status, body := range map[int]string{404: `{"message":"Not Found"}`, 451: `{"message":"Repository access blocked"}`, 403: `{"message":"Repository access blocked"}`} {
		h.json("GET /repos/acme/gone", status, body)
		if got, err := a.Repository(ctx, registrydata.Repository{Owner: "acme", Name: "gone"}); got.Exists || err != nil {
			t.Errorf("%d: %+v, %v", status, got, err)
		}
	}
	for _, repo := range []registrydata.Repository{{}, {Owner: "acme", Name: ".."}, {Owner: "..", Name: "x"}, {Owner: "a", Name: "x/../../../app"}} {
		if got, err := a.Repository(ctx, repo); got.Exists || err != nil {
			t.Errorf("%s: %+v, %v", repo, got, err)
		}
	}
}

func TestPublicMember(t *testing.T) {
	h := newFakeHub(t)
	a := h.forge().Authors()
	h.handle("GET /orgs/acme/public_members/anna", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) })
	h.json("GET /orgs/acme/public_members/bert", 404, `{"message":"Not Found"}`)
	for user, want := range map[string]bool{"anna": true, "bert": false, "../anna": false, "": false} {
		if got, err := a.IsPublicMember(context.Background(), "acme", user); got != want || err != nil {
			t.Errorf("%q: %v, %v", user, got, err)
		}
	}
	h.json("GET /orgs/acme/public_members/cleo", 500, `{}`)
	if _, err := a.IsPublicMember(context.Background(), "acme", "cleo"); err == nil {
		t.Error("GitHub's failure was taken for an answer")
	}
}

func TestAnonymousAuthors(t *testing.T) {
	for _, token := range []string{"", "secret"} {
		h := newFakeHub(t)
		h.handle("GET /repos/acme/terraform-provider-demo", func(w http.ResponseWriter, r *http.Request) {
			want := ""
			if token != "" {
				want = "Bearer secret"
			}
			if got := r.Header.Get("Authorization"); got != want {
				t.Errorf("Authorization %q, want %q", got, want)
			}
			writeJSON(w, 200, `{"id":5,"name":"terraform-provider-demo","owner":{"login":"acme","type":"User"}}`)
		})
		a, err := AnonymousAuthors(h.URL, h.URL, token)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := a.Repository(context.Background(), demoRepo); !got.Exists || err != nil {
			t.Errorf("Repository = %+v, %v", got, err)
		}
	}
	if _, err := AnonymousAuthors("nonsense", "", ""); err == nil {
		t.Error("a wrong address was accepted")
	}
}
