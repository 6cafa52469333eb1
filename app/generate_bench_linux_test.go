package main

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/registrydata"
)

// share is how much of the public registry the benchmarks below take. All of it
// needs 10 GB of disk, 2,200,000 inodes and some minutes.
var share = flag.Float64("share", 0.01, "share of the public registry in the benchmarks of generate and check data, of 1")

const benchAWS = "providers/h/hashicorp/aws.json"

// publicRegistry unpacks shares of the public registry's data, each to a folder;
// hashicorp/aws and all keys are part of each.
func publicRegistry(b *testing.B, shares ...float64) (dirs []string) {
	b.Helper()
	keep := make([]float64, len(shares))
	for range shares {
		dirs = append(dirs, b.TempDir())
	}
	for name, body := range testdata.Files(b, testdata.Corpus) {
		_, entity := registrydata.EntityFromPath(name)
		for i, share := range shares {
			if entity && name != benchAWS {
				if keep[i] += share; keep[i] < 1 {
					continue
				}
				keep[i]--
			}
			full := filepath.Join(dirs[i], filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o750), os.WriteFile(full, body, 0o600)); err != nil {
				b.Fatal(err)
			}
		}
	}
	return dirs
}

// program builds the program.
func program(b *testing.B) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "registrar")
	if out, err := exec.CommandContext(b.Context(), "go", "build", "-o", name, ".").CombinedOutput(); err != nil { // #nosec G204 -- a test
		b.Fatalf("%v: %s", err, out)
	}
	return name
}

// cost is what a run of the program took.
type cost struct {
	wall, cpu time.Duration
	resident  float64 // MB at the most
}

func runs(b *testing.B, program string, code int, args ...string) cost {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), program, args...) // #nosec G204 -- a test
	start := time.Now()
	err := cmd.Run()
	took := cost{wall: time.Since(start)}
	if got := cmd.ProcessState.ExitCode(); got != code {
		b.Fatalf("%v: exit %d, want %d: %v", args, got, code, err)
	}
	took.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if use, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		took.resident = float64(use.Maxrss) / 1000
	}
	return took
}

func (c cost) report(b *testing.B, name string) {
	b.ReportMetric(c.wall.Seconds(), name+"-s")
	b.ReportMetric(c.cpu.Seconds(), name+"-cpu-s")
	b.ReportMetric(c.resident, name+"-MB")
}

// BenchmarkPublicRegistry runs the program over the public registry, or -share of
// it, and says what each run takes: seconds, seconds of processor time, memory.
//
//	check    check data
//	write    generate to an empty folder
//	bare     a loop that creates as many files of the same sizes in another
//	dry      generate --dry-run over the folder: nothing differs
func BenchmarkPublicRegistry(b *testing.B) {
	data, registrar := publicRegistry(b, *share)[0], program(b)
	for b.Loop() {
		runs(b, registrar, exitFindings, "check", "data", data).report(b, "check")
		dir := b.TempDir()
		out := filepath.Join(dir, "public")
		syscall.Sync()
		write := runs(b, registrar, exitOK, "generate", "--data", data, "--out", out)
		write.report(b, "write")
		runs(b, registrar, exitOK, "generate", "--data", data, "--out", out, "--dry-run").report(b, "dry")
		sizes, names := sizesBelow(b, out)
		syscall.Sync()
		start, bare := here(), cost{}
		bareLoop(b, filepath.Join(dir, "bare"), names, sizes)
		syscall.Sync() // generate ends with this too
		bare.add(start, here())
		b.ReportMetric(float64(len(names)), "files")
		b.ReportMetric(bare.wall.Seconds(), "bare-s")
		b.ReportMetric(bare.cpu.Seconds(), "bare-cpu-s")
		b.ReportMetric(write.wall.Seconds()/bare.wall.Seconds(), "write/bare")
		b.ReportMetric(write.cpu.Seconds()/bare.cpu.Seconds(), "write/bare-cpu")
		if err := os.RemoveAll(dir); err != nil {
			b.Fatal(err)
		}
	}
}

// sizesBelow are the files that clients read, in order, and their sizes.
func sizesBelow(b *testing.B, dir string) (sizes map[string]int64, names []string) {
	b.Helper()
	sizes = map[string]int64{}
	err := filepath.WalkDir(dir, func(full string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.Name() == ".registrar":
			return fs.SkipDir
		case e.IsDir():
			return nil
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, full)
		sizes[name] = info.Size()
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	return sizes, slices.Sorted(maps.Keys(sizes))
}

// bareLoop is the least that any program must do to have the files.
func bareLoop(b *testing.B, dir string, names []string, sizes map[string]int64) {
	b.Helper()
	body := make([]byte, 8<<20)
	for _, name := range names {
		name, size := filepath.Join(dir, name), sizes[name]
		err := os.WriteFile(name, body[:size], 0o600)
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.Join(os.MkdirAll(filepath.Dir(name), 0o750), os.WriteFile(name, body[:size], 0o600))
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkNewVersion adds a version to hashicorp/aws, which has 440, in a
// hundredth, a tenth and all of -share of the public registry: generate --only
// renders it, compares it with what is live, and publishes the difference.
func BenchmarkNewVersion(b *testing.B) {
	shares := []float64{*share / 100, *share / 10, *share}
	folders := publicRegistry(b, shares...)
	for i, data := range folders {
		b.Run(fmt.Sprintf("%.4f", shares[i]), func(b *testing.B) {
			out := b.TempDir()
			file := filepath.Join(data, filepath.FromSlash(benchAWS))
			content, err := os.ReadFile(file) // #nosec G304 -- a test's own folder
			if err != nil {
				b.Fatal(err)
			}
			p, err := registrydata.ParseProvider(content)
			if err != nil {
				b.Fatal(err)
			}
			generate := func(args ...string) generateSummary {
				return generates(b, exitOK, append(args, "--data", data, "--out", out)...)
			}
			generate()
			var compare, publish cost
			n := 0
			for b.Loop() {
				b.StopTimer()
				v := p.Versions[0]
				n++
				v.Version = fmt.Sprintf("99.0.%d", n)
				if err := errors.Join(p.Add(v), os.WriteFile(file, p.Bytes(), 0o600)); err != nil {
					b.Fatal(err)
				}
				want := len(v.Targets) + 1
				b.StartTimer()
				start := here()
				dry := generate("--only", benchAWS, "--dry-run")
				compared := here()
				s := generate("--only", benchAWS)
				compare.add(start, compared)
				publish.add(compared, here())
				if dry.FilesWritten != want || s.FilesWritten != want || s.EntitiesChanged != 1 {
					b.Fatalf("%d files: %+v, %+v", want, dry, s)
				}
			}
			compare.reportEach(b, "compare", n)
			publish.reportEach(b, "publish", n)
		})
	}
}

// here is what this process has taken until now.
func here() cost {
	var use syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &use)
	return cost{wall: time.Since(began), cpu: time.Duration(use.Utime.Nano() + use.Stime.Nano())}
}

var began = time.Now()

func (c *cost) add(from, to cost) {
	c.wall += to.wall - from.wall
	c.cpu += to.cpu - from.cpu
}

func (c cost) reportEach(b *testing.B, name string, n int) {
	b.ReportMetric(c.wall.Seconds()*1000/float64(n), name+"-ms")
	b.ReportMetric(c.cpu.Seconds()*1000/float64(n), name+"-cpu-ms")
}
