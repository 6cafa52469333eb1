package forge

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// packed is a tar archive of some files, compressed.
func packed(t *testing.T, files int, size int64) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	for i := range files {
		if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("folder/%d", i), Typeflag: tar.TypeReg, Size: size}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(w, zero{}, size); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type zero struct{}

func (zero) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// An archive that swells, or holds too many files, ends at its bound: what was
// announced for a file does not count, and neither how small it came.
func TestArchiveThatSwellsIsBounded(t *testing.T) {
	swelling := packed(t, 1, 8<<20)
	if len(swelling) > 64<<10 {
		t.Fatalf("it does not swell: %d bytes", len(swelling))
	}
	for name, c := range map[string]struct {
		archive []byte
		most    int64
		files   int
		fails   bool
	}{
		"it fits":        {swelling, 9 << 20, 10, false},
		"too large":      {swelling, 1 << 20, 10, true},
		"as many files":  {packed(t, 10, 1), 1 << 20, 10, false},
		"too many files": {packed(t, 11, 1), 1 << 20, 10, true},
	} {
		var read int64
		err := readArchive(bytes.NewReader(c.archive), c.most, c.files, func(f ArchiveFile) error {
			n, err := io.Copy(io.Discard, f.Content)
			read += n
			return err
		})
		if errors.Is(err, errArchiveTooLarge) != c.fails || !c.fails && err != nil || read > c.most {
			t.Errorf("%s: %v after %d bytes", name, err, read)
		}
	}
}

// The bound of an API answer is one of what comes out of its compression.
func TestAnswerThatSwellsIsBounded(t *testing.T) {
	h := newFakeHub(t)
	cfg := Config{APIURL: h.URL, WebURL: h.URL, AppID: 1, PrivateKey: testKey(), Metadata: metadataRepo, Branch: "main", Log: quiet, Limits: Limits{Response: 1 << 20}}
	f, err := New(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if _, err := io.Copy(z, io.MultiReader(strings.NewReader(`{"title":"`), io.LimitReader(letters{}, 4<<20), strings.NewReader(`"}`))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil || body.Len() > 64<<10 {
		t.Fatalf("%d bytes, %v", body.Len(), err)
	}
	h.handle("GET /repos/acme/registry/issues/1", func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("no compressed answer is asked for")
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(body.Bytes())
	})
	if _, err := f.Metadata().Issue(context.Background(), 1); !errors.Is(err, errResponseTooLarge) {
		t.Errorf("%v", err)
	}
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
