package forge_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/sandbox"
	"github.com/tofu-registrar/registrar/validation"
)

// largeMemory is how much memory a process may take that does nothing but read
// archives, whatever their size and number.
const largeMemory = 64 << 20

// A process that reads a large archive, and one that reads many at once, stay
// within 64 MB. (BenchmarkLargeZip does the same with half a gigabyte.)
func TestLargeZipMemory(t *testing.T) {
	for name, sizes := range map[string][]int64{
		"one":  {150 << 20},
		"many": {10 << 20, 10 << 20, 10 << 20, 10 << 20, 10 << 20, 10 << 20, 10 << 20, 10 << 20, 10 << 20, 10 << 20, 10 << 20, 10 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			got := readLarge(t, sizes)
			if got.Memory == 0 || got.Memory > largeMemory {
				t.Errorf("reading took %d MB at the most, want 64 at the most", got.Memory>>20)
			}
		})
	}
}

// BenchmarkLargeZip reads an archive of 500 MB from the sandbox, which makes its
// bytes up as it goes, in a process of its own, and sixteen of 64 MB at once:
//
//	MB/s   from the first request to the last hash
//	line   the same bytes read by a client that throws them away
//	RSS    the most memory that the process had
func BenchmarkLargeZip(b *testing.B) {
	many := make([]int64, 16)
	for i := range many {
		many[i] = 64 << 20
	}
	for name, sizes := range map[string][]int64{"500MB": {500 << 20}, "16x64MB": many} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				got := readLarge(b, sizes)
				if got.Memory > largeMemory {
					b.Errorf("%d MB of memory, want 64 at the most", got.Memory>>20)
				}
				b.ReportMetric(float64(got.Bytes)/1e6/got.Took.Seconds(), "MB/s")
				b.ReportMetric(float64(got.Bytes)/1e6/got.Line.Seconds(), "line-MB/s")
				b.ReportMetric(float64(got.Memory)/1e6, "RSS-MB")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// largeRead is what the process is asked to do, and what it answers.
type largeRead struct {
	WebURL, APIURL, Host string
	Assets               []validation.Asset

	Facts      []validation.ZipFacts
	Bytes      int64
	Memory     int64         // bytes resident at the most
	Took, Line time.Duration // for all archives; of which Line without any work on them
	Err        string
}

// largeVariable makes this test program the process that reads.
const largeVariable = "REGISTRAR_TEST_LARGE"

// readLarge has a process of its own read archives of about these sizes.
func readLarge(t testing.TB, sizes []int64) largeRead {
	t.Helper()
	ctx := t.Context()
	s, err := sandbox.New(sandbox.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	ada, err := actors.New(s.URL(), "ada", s.AddUser("ada").Token)
	if err != nil {
		t.Fatal(err)
	}
	r := authorsRepo
	r.Owner = "ada"
	if err := ada.CreateRepository(ctx, r); err != nil {
		t.Fatal(err)
	}
	if err := ada.PublishRelease(ctx, r, "v1.0.0", nil); err != nil {
		t.Fatal(err)
	}
	ask := largeRead{WebURL: s.URL(), APIURL: s.APIURL(), Host: strings.TrimPrefix(s.AssetsURL(), "http://")}
	want := map[string]string{}
	for i, size := range sizes {
		sum := sha256.New()
		n, err := io.Copy(sum, storedZip(size, uint64(i)))
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("large_%d.zip", i)
		want[hex.EncodeToString(sum.Sum(nil))] = name
		if err := s.AddGeneratedAsset(r.Owner, r.Name, "v1.0.0", name, n, func() io.Reader { return storedZip(size, uint64(i)) }); err != nil {
			t.Fatal(err)
		}
		ask.Assets = append(ask.Assets, validation.Asset{ID: int64(i + 1), Name: name, Size: n, URL: fmt.Sprintf("%s/%s/releases/download/v1.0.0/%s", s.URL(), r, name)})
	}
	answer := askLarge(t, ask)
	for i, f := range answer.Facts {
		if f.Fault != "" || want[f.SHA256] != ask.Assets[i].Name || f.Size != ask.Assets[i].Size || !strings.HasPrefix(f.H1, "h1:") {
			t.Fatalf("%s: %+v", ask.Assets[i].Name, f)
		}
	}
	return answer
}

func askLarge(t testing.TB, ask largeRead) (answer largeRead) {
	t.Helper()
	text, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestReadLargeProcess$") // #nosec G204 -- this very program
	cmd.Env = append(os.Environ(), largeVariable+"=1")
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.Output()
	line, _, _ := bytes.Cut(out, []byte("\n"))
	if err := json.Unmarshal(line, &answer); err != nil {
		t.Fatalf("the process that reads says %.500q", out)
	}
	if err != nil || answer.Err != "" || len(answer.Facts) != len(ask.Assets) {
		t.Fatalf("the process that reads: %v, %s", err, answer.Err)
	}
	return answer
}

// storedZip is an archive of one file that cannot be compressed, made as it is
// read.
func storedZip(size int64, seed uint64) io.Reader {
	r, w := io.Pipe()
	go func() {
		z := zip.NewWriter(w)
		f, err := z.CreateHeader(&zip.FileHeader{Name: "terraform-provider-demo", Method: zip.Store})
		block := make([]byte, 1<<20)
		random := rand.New(rand.NewPCG(seed, 0)) // #nosec G404 -- the same each time
		for i := range block {
			block[i] = byte(random.Uint32())
		}
		for left := size; left > 0 && err == nil; left -= int64(len(block)) {
			_, err = f.Write(block)
		}
		if err == nil {
			err = z.Close()
		}
		_ = w.CloseWithError(err)
	}()
	return r
}

// TestReadLargeProcess is the process that reads, where it is started as such.
func TestReadLargeProcess(t *testing.T) {
	if os.Getenv(largeVariable) == "" {
		return
	}
	var ask largeRead
	if err := json.NewDecoder(os.Stdin).Decode(&ask); err != nil {
		t.Fatal(err)
	}
	if err := ask.read(t.Context()); err != nil {
		ask.Err = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(ask); err != nil {
		t.Fatal(err)
	}
}

func (l *largeRead) read(ctx context.Context) error {
	authors, err := forge.AnonymousAuthors(l.WebURL, l.APIURL, "", l.Host)
	if err != nil {
		return err
	}
	l.Facts = make([]validation.ZipFacts, len(l.Assets))
	start := time.Now()
	var g errgroup.Group
	for i, asset := range l.Assets {
		l.Bytes += asset.Size
		g.Go(func() (err error) {
			l.Facts[i], err = authors.Zip(ctx, asset)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	l.Took = time.Since(start)
	if l.Memory, err = peakMemory(); err != nil {
		return err
	}
	return l.drain(ctx)
}

// drain reads the same bytes and does nothing with them.
func (l *largeRead) drain(ctx context.Context) error {
	start := time.Now()
	var g errgroup.Group
	for _, asset := range l.Assets {
		g.Go(func() error {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, asset.URL, nil)
			if err != nil {
				return err
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		})
	}
	err := g.Wait()
	l.Line = time.Since(start)
	return err
}

// peakMemory is the most that was resident of this process, in bytes.
func peakMemory() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		var kB int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kB); n == 1 {
			return kB << 10, nil
		}
	}
	return 0, fmt.Errorf("no VmHWM in /proc/self/status")
}
