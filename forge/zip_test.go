package forge

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/dirhash"

	"github.com/tofu-registrar/registrar/validation"
)

// zipped makes an archive; a name that ends with a slash is a folder.
func zipped(t testing.TB, files ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := 0; i+1 < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil && files[i+1] != "" {
			_, err = io.WriteString(f, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// serveZips serves archives by path.
func serveZips(t *testing.T, zips map[string][]byte) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(zips[strings.TrimPrefix(r.URL.Path, "/")])
	}))
	t.Cleanup(srv.Close)
	return srv
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func TestZipFactsAreDirhash(t *testing.T) {
	zips := map[string][]byte{
		"provider": zipped(t, "terraform-provider-demo_v1.0.0", strings.Repeat("binary", 10_000), "LICENSE", "MPL", "docs/", "", "docs/a b.md", "ä"),
		"empty":    zipped(t),
		"large":    zipped(t, "x", strings.Repeat("0123456789", 1_000_000)),
		// Hash1 is of the names as they stand, in byte order.
		"order": zipped(t, "b", "2", "a", "1", "B", "3", "a/b", "4"),
	}
	srv := serveZips(t, zips)
	a := authorsOf(t, srv, Limits{})
	for name, content := range zips {
		file := filepath.Join(t.TempDir(), "x.zip")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		h1, err := dirhash.HashZip(file, dirhash.Hash1)
		if err != nil {
			t.Fatal(err)
		}
		want := validation.ZipFacts{SHA256: hexSum(content), H1: h1, Size: int64(len(content))}
		as := asset(srv, "/"+name)
		as.Size, as.Digest = want.Size, "sha256:"+strings.ToUpper(want.SHA256)
		got, err := a.Zip(context.Background(), as)
		if got != want || err != nil {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
	if left, _ := os.ReadDir(a.cfg.Limits.SpoolDir); len(left) != 0 {
		t.Errorf("spooled files are left: %v", left)
	}
}

// rawZip puts an archive together by hand: entries may lie.
type rawEntry struct {
	name           string
	content        []byte // as compressed
	method, flags  uint16
	size           uint32 // as announced
	crc            uint32
	offsetOverride int // -1: its own
}

func rawZip(entries ...rawEntry) []byte {
	var out, dir bytes.Buffer
	le := binary.LittleEndian
	for _, e := range entries {
		offset := out.Len()
		if e.offsetOverride >= 0 {
			offset = e.offsetOverride
		}
		local := le.AppendUint32(nil, 0x04034b50)
		for _, v := range []uint16{20, e.flags, e.method, 0, 0} {
			local = le.AppendUint16(local, v)
		}
		for _, v := range []uint32{e.crc, uint32(len(e.content)), e.size} {
			local = le.AppendUint32(local, v)
		}
		local = le.AppendUint16(le.AppendUint16(local, uint16(len(e.name))), 0)
		out.Write(local)
		out.WriteString(e.name)
		out.Write(e.content)

		head := le.AppendUint32(nil, 0x02014b50)
		for _, v := range []uint16{20, 20, e.flags, e.method, 0, 0} {
			head = le.AppendUint16(head, v)
		}
		for _, v := range []uint32{e.crc, uint32(len(e.content)), e.size} {
			head = le.AppendUint32(head, v)
		}
		for _, v := range []uint16{uint16(len(e.name)), 0, 0, 0, 0} {
			head = le.AppendUint16(head, v)
		}
		head = le.AppendUint32(le.AppendUint32(head, 0), uint32(offset))
		dir.Write(head)
		dir.WriteString(e.name)
	}
	at, size := out.Len(), dir.Len()
	out.Write(dir.Bytes())
	end := le.AppendUint32(nil, 0x06054b50)
	for _, v := range []uint16{0, 0, uint16(len(entries)), uint16(len(entries))} {
		end = le.AppendUint16(end, v)
	}
	end = le.AppendUint32(le.AppendUint32(end, uint32(size)), uint32(at))
	out.Write(le.AppendUint16(end, 0))
	return out.Bytes()
}

// bomb is an archive of zeros: deflate makes them a thousandth.
func bomb(t testing.TB, files int, each int64) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for i := range files {
		f, err := w.Create(fmt.Sprint(i))
		if err == nil {
			_, err = io.CopyN(f, zeros{}, each)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// overlapping is a bomb whose many entries share one body.
func overlapping(t testing.TB, entries int) []byte {
	t.Helper()
	var body bytes.Buffer
	w, err := flate.NewWriter(&body, flate.BestCompression)
	if err == nil {
		_, err = io.CopyN(w, zeros{}, 4<<20)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	sum := crc32.ChecksumIEEE(make([]byte, 4<<20))
	all := []rawEntry{{name: "00000", content: body.Bytes(), method: 8, size: 4 << 20, crc: sum, offsetOverride: -1}}
	for i := 1; i < entries; i++ {
		all = append(all, rawEntry{name: fmt.Sprintf("%05d", i), method: 8, size: 4 << 20, crc: sum, offsetOverride: 0})
	}
	out := rawZip(all...)
	// The later entries' compressed size is that of the first.
	le := binary.LittleEndian
	at := bytes.Index(out, []byte{'P', 'K', 1, 2})
	for range entries {
		le.PutUint32(out[at+20:], uint32(body.Len()))
		at += 46 + 5
	}
	return out
}

// announcing is an archive whose zip64 end record announces many entries.
func announcing(records uint64, padding int) []byte {
	le := binary.LittleEndian
	out := bytes.Repeat([]byte{0}, padding)
	at := uint64(len(out))
	end := le.AppendUint64(le.AppendUint32(nil, 0x06064b50), 44)
	end = le.AppendUint16(le.AppendUint16(end, 45), 45)
	end = le.AppendUint32(le.AppendUint32(end, 0), 0)
	for _, v := range []uint64{records, records, 10, 0} {
		end = le.AppendUint64(end, v)
	}
	out = append(out, end...)
	loc := le.AppendUint32(le.AppendUint32(nil, 0x07064b50), 0)
	out = append(out, le.AppendUint32(le.AppendUint64(loc, at), 1)...)
	eocd := le.AppendUint32(nil, 0x06054b50)
	for range 4 {
		eocd = le.AppendUint16(eocd, 0xffff)
	}
	eocd = le.AppendUint32(le.AppendUint32(eocd, 0xffffffff), 0xffffffff)
	return append(out, le.AppendUint16(eocd, 0)...)
}

// manyEntries is an archive whose table of contents is large, and announces few.
func manyEntries(n int) []byte {
	entries := make([]rawEntry, n)
	for i := range entries {
		entries[i] = rawEntry{name: fmt.Sprintf("%07d", i), offsetOverride: 0}
	}
	return rawZip(entries...)
}

func TestHostileZips(t *testing.T) {
	hello := crc32.ChecksumIEEE([]byte("hello"))
	entry := func(name string) rawEntry {
		return rawEntry{name: name, content: []byte("hello"), size: 5, crc: hello, offsetOverride: -1}
	}
	crypted, strange, wrong, long := entry("x"), entry("x"), entry("x"), entry("x")
	crypted.flags, strange.method, wrong.crc, long.size = 1, 99, 1, 50
	good := zipped(t, "x", strings.Repeat("hello", 1000))
	tests := map[string]struct {
		zip   []byte
		fault string
	}{
		"html":              {[]byte("<!DOCTYPE html><title>Sign in</title>" + strings.Repeat(" ", 3000)), "not a zip archive"},
		"nothing":           {nil, "not a zip archive"},
		"cut":               {good[:len(good)-30], "not a zip archive"},
		"cut in the middle": {append(bytes.Clone(good[:20]), good[40:]...), ""},
		"twice":             {rawZip(entry("x"), entry("x")), "twice"},
		"outside":           {rawZip(entry("../x")), "unsafe name"},
		"deep outside":      {rawZip(entry("a/../../x")), "unsafe name"},
		"absolute":          {rawZip(entry("/etc/x")), "unsafe name"},
		"windows":           {rawZip(entry(`C:\x`)), "unsafe name"},
		"backslash":         {rawZip(entry(`..\x`)), "unsafe name"},
		"newline":           {rawZip(entry("a\nb")), "unsafe name"},
		"nameless":          {rawZip(entry("")), "unsafe name"},
		"encrypted":         {rawZip(crypted), "encrypted"},
		"unknown method":    {rawZip(strange), "damaged"},
		"wrong checksum":    {rawZip(wrong), "damaged"},
		"too short":         {rawZip(long), "damaged"},
		"bomb":              {bomb(t, 1, 200<<20), "bomb"},
		"overlapping bomb":  {overlapping(t, 2000), "bomb"},
		"many files":        {manyEntries(12_000), "more than 10000 files"},
		"huge table":        {manyEntries(65_000 + 30_000), "table of contents"},
		"announced entries": {announcing(1_000_000, 40<<20), "more than 10000 files"},
	}
	zips := map[string][]byte{}
	for name, tt := range tests {
		zips[name] = tt.zip
	}
	srv := serveZips(t, zips)
	a := authorsOf(t, srv, Limits{})
	for name, tt := range tests {
		start := time.Now()
		facts, err := a.Zip(context.Background(), validation.Asset{URL: srv.URL + "/" + strings.ReplaceAll(name, " ", "%20")})
		if err != nil || facts.Fault == "" || !strings.Contains(facts.Fault, tt.fault) {
			t.Errorf("%s: %+v, %v; want a fault with %q", name, facts, err, tt.fault)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%s took %s", name, d)
		}
	}
}

// A zip of zips is not looked into: only what the archive itself holds counts.
func TestZipOfZips(t *testing.T) {
	inner := bomb(t, 1, 30<<20)
	outer := zipped(t, "a.zip", string(inner), "b.zip", string(inner))
	srv := serveZips(t, map[string][]byte{"x": outer})
	facts, err := authorsOf(t, srv, Limits{}).Zip(context.Background(), asset(srv, "/x"))
	if err != nil || facts.Fault != "" || facts.H1 == "" {
		t.Errorf("Zip = %+v, %v", facts, err)
	}
}

func TestZipSizes(t *testing.T) {
	content := zipped(t, "x", strings.Repeat("hello", 1000))
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/announced":
			w.Header().Set("Content-Length", "2147483648")
			_, _ = w.Write(content)
			return
		case "/cut":
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			_, _ = w.Write(content[:50])
			return
		}
		for {
			if _, err := w.Write(content); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	a := authorsOf(t, endless, Limits{Zip: 1 << 20})
	ctx := context.Background()
	for path, fault := range map[string]string{"/announced": "2.0 GiB", "/endless": "larger than 1.0 MiB"} {
		if facts, err := a.Zip(ctx, asset(endless, path)); err != nil || !strings.Contains(facts.Fault, fault) {
			t.Errorf("%s: %+v, %v", path, facts, err)
		}
	}
	if facts, err := a.Zip(ctx, asset(endless, "/cut")); err == nil || facts != (validation.ZipFacts{}) {
		t.Errorf("a connection that broke: %+v, %v; want an error, for a retry", facts, err)
	}
	lied := asset(endless, "/endless")
	lied.Size = 100
	if facts, err := a.Zip(ctx, lied); err != nil || !strings.Contains(facts.Fault, "100 B") {
		t.Errorf("more than GitHub lists: %+v, %v", facts, err)
	}
}

func TestZipDigestOfGitHub(t *testing.T) {
	content := zipped(t, "x", "hello")
	srv := serveZips(t, map[string][]byte{"x": content})
	as := asset(srv, "/x")
	as.Digest = "sha256:" + strings.Repeat("0", 64)
	facts, err := authorsOf(t, srv, Limits{}).Zip(context.Background(), as)
	if err != nil || !strings.Contains(facts.Fault, "sha256") || facts.SHA256 != hexSum(content) {
		t.Errorf("Zip = %+v, %v", facts, err)
	}
}

func TestZipIsReadOnce(t *testing.T) {
	content := zipped(t, "x", "hello")
	var calls int
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		_, _ = w.Write(content)
	}))
	defer srv.Close()
	a := authorsOf(t, srv, Limits{})
	as := asset(srv, "/x")
	as.ID = 5
	for range 3 {
		if facts, err := a.Zip(context.Background(), as); err != nil || facts.Fault != "" {
			t.Errorf("Zip = %+v, %v", facts, err)
		}
	}
	if calls != 1 {
		t.Errorf("downloaded %d times", calls)
	}
}

// Memory does not grow with the archive, nor with what it unpacks to.
func TestZipMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("hashes 130 MB")
	}
	// Some of it compresses by a thousand, some not at all.
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	noise, err := w.CreateHeader(&zip.FileHeader{Name: "noise", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	random := rand.NewChaCha8([32]byte{1})
	if _, err := io.CopyN(noise, random, 48<<20); err != nil {
		t.Fatal(err)
	}
	text, err := w.Create("zeros")
	if err == nil {
		_, err = io.CopyN(text, zeros{}, 80<<20)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	srv := serveZips(t, map[string][]byte{"x": buf.Bytes()})
	a := authorsOf(t, srv, Limits{})
	defer debug.SetGCPercent(debug.SetGCPercent(10)) // garbage is no growth
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var most uint64
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Millisecond):
				var now runtime.MemStats
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			}
		}
	})
	facts, err := a.Zip(context.Background(), asset(srv, "/x"))
	close(done)
	watch.Wait()
	if err != nil || facts.H1 == "" {
		t.Fatalf("Zip = %+v, %v", facts, err)
	}
	if grown := int64(most) - int64(before.HeapAlloc); grown > 24<<20 {
		t.Errorf("memory grew by %s", bytesText(grown))
	}
}

// Archives on disk never take more than the spool, and wait for each other.
func TestSpoolIsBounded(t *testing.T) {
	content := zipped(t, "x", "hello")
	var mu sync.Mutex
	running, most := 0, 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		running++
		most = max(most, running)
		mu.Unlock()
		time.Sleep(5 * time.Millisecond)
		mu.Lock()
		running--
		mu.Unlock()
		_, _ = w.Write(content)
	}))
	defer srv.Close()
	a := authorsOf(t, srv, Limits{})
	var group sync.WaitGroup
	for range 30 {
		as := asset(srv, "/x")
		as.Size = a.cfg.Limits.Zip / 4
		group.Go(func() {
			if facts, err := a.Zip(context.Background(), as); err != nil || facts.Fault != "" {
				t.Errorf("Zip = %+v, %v", facts, err)
			}
		})
	}
	group.Wait()
	if most > 8 || most < 2 {
		t.Errorf("%d at once, want up to 8", most)
	}
}

func FuzzZip(f *testing.F) {
	good := zipped(f, "terraform-provider-demo", "hello", "docs/", "")
	for _, seed := range [][]byte{
		good, nil, good[:len(good)-5], bomb(f, 2, 1<<18), overlapping(f, 3), announcing(1<<40, 100), manyEntries(50),
		rawZip(rawEntry{name: "../x", flags: 1, method: 99, size: 1 << 31}),
	} {
		f.Add(seed)
	}
	limits := Limits{Unpacked: 1 << 20, Entries: 100}.withDefaults()
	f.Fuzz(func(t *testing.T, content []byte) {
		h1, err := hashZip(context.Background(), bytes.NewReader(content), int64(len(content)), limits)
		if err != nil {
			var fault *Fault
			if !errors.As(err, &fault) {
				t.Errorf("an error that is not the archive's fault: %v", err)
			}
			return
		}
		// What is accepted has the hash that the clients compute.
		file := filepath.Join(t.TempDir(), "x.zip")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		want, err := dirhash.HashZip(file, dirhash.Hash1)
		if err != nil || h1 != want {
			t.Errorf("h1 = %s, want %s, %v", h1, want, err)
		}
	})
}
