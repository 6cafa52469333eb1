package forge_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// A release that is edited between its listing and its downloads gives a fault,
// so that it is judged again, and never a mixture.
func TestEditedWhileRead(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	must(t, h.ada.CreateRepository(ctx, authorsRepo))
	must(t, h.ada.PublishProvider(ctx, authorsRepo, actors.ProviderRelease{Name: "demo", Version: "1.0.0"}))
	rel, ok, err := h.authors.Release(ctx, providerRepo, "v1.0.0")
	if err != nil || !ok {
		t.Fatalf("release: %v %v", ok, err)
	}
	other := func(b []byte) []byte { return append(b[1:], 'x') } // of the same size
	must(t, h.ada.Replace(ctx, authorsRepo, "v1.0.0", "SHA256SUMS", other))
	must(t, h.ada.Replace(ctx, authorsRepo, "v1.0.0", "linux_amd64.zip", other))
	for _, a := range rel.Assets {
		switch a.Name {
		case "terraform-provider-demo_1.0.0_SHA256SUMS":
			_, err := h.authors.File(ctx, a, 1<<20)
			var fault *forge.Fault
			if !errors.As(err, &fault) {
				t.Errorf("%s: %v, want a fault", a.Name, err)
			}
			a.Digest, a.Size = "", a.Size+1 // as GitHub listed it before it had digests
			if _, err := h.authors.File(ctx, a, 1<<20); !errors.As(err, &fault) {
				t.Errorf("%s by its size: %v, want a fault", a.Name, err)
			}
		case "terraform-provider-demo_1.0.0_linux_amd64.zip":
			if facts, err := h.authors.Zip(ctx, a); err != nil || facts.Fault == "" {
				t.Errorf("%s: %+v, %v, want a fault", a.Name, facts, err)
			}
		case "terraform-provider-demo_1.0.0_manifest.json":
			if _, err := h.authors.File(ctx, a, 1<<20); err != nil {
				t.Errorf("%s, which nobody edited: %v", a.Name, err)
			}
		}
	}
	// Read anew it is whole again.
	rel, _, err = h.authors.Release(ctx, providerRepo, "v1.0.0")
	must(t, err)
	sums, _, _ := validation.ReleaseFiles(registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}, rel)
	if sums == nil {
		t.Fatal("no checksums")
	}
	if _, err := h.authors.File(ctx, *sums, 1<<20); err != nil {
		t.Errorf("read again: %v", err)
	}
}

// A file that is read again is not sent again unless it has changed.
func TestFileAgain(t *testing.T) {
	content, sent, status := "one", 0, 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if status != 0 {
			w.WriteHeader(status)
			return
		}
		etag := `"` + content + `"`
		w.Header().Set("ETag", etag)
		if r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent++
		_, _ = w.Write([]byte(content))
	}))
	defer srv.Close()
	a, err := forge.AnonymousAuthors(srv.URL, srv.URL, "")
	must(t, err)
	ctx := context.Background()
	for i, want := range []string{"one", "one", "two", "two", "two"} {
		if i == 2 {
			content = "two"
		}
		got, err := a.FileAgain(ctx, srv.URL+"/x", 100)
		if string(got) != want || err != nil {
			t.Errorf("%d: %q, %v", i, got, err)
		}
		got[0] = 'X' // is the caller's own
	}
	if sent != 2 {
		t.Errorf("sent %d times, want 2", sent)
	}
	if there, err := a.There(ctx, srv.URL+"/x"); !there || err != nil {
		t.Errorf("There = %v, %v", there, err)
	}
	var fault *forge.Fault
	for code, want := range map[int]string{404: "gone", 410: "gone", 500: "error", 429: "error"} {
		status = code
		there, err := a.There(ctx, srv.URL+"/x")
		if (want == "gone") == (err != nil) || there {
			t.Errorf("There of %d: %v, %v", code, there, err)
		}
		if _, err := a.FileAgain(ctx, srv.URL+"/x", 100); errors.As(err, &fault) != (want == "gone") {
			t.Errorf("FileAgain of %d: %v", code, err)
		}
	}
	for _, address := range []string{"https://10.0.0.1/x", "file:///etc/passwd", "http://[::1"} {
		if _, err := a.FileAgain(ctx, address, 100); !errors.As(err, &fault) {
			t.Errorf("FileAgain of %s: %v", address, err)
		}
		if _, err := a.There(ctx, address); !errors.As(err, &fault) {
			t.Errorf("There of %s: %v", address, err)
		}
	}
	// A redirect is not followed.
	moved := httptest.NewServer(http.RedirectHandler("http://10.0.0.1/x", http.StatusFound))
	defer moved.Close()
	a, err = forge.AnonymousAuthors(moved.URL, moved.URL, "")
	must(t, err)
	if there, err := a.There(ctx, moved.URL+"/x"); !there || err != nil {
		t.Errorf("There behind a redirect: %v, %v", there, err)
	}
}
