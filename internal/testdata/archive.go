package testdata

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"iter"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Corpus is the archive of the public registry of January 2025: its data files
// and keys.
const Corpus = "corpus.tar.xz"

// Files are the regular files of an archive of the shared data set, each with
// its path below the archive's one folder. They are unpacked with the xz
// program, since the standard library has no decoder, as far as they are asked
// for.
func Files(t testing.TB, archive string) iter.Seq2[string, []byte] {
	t.Helper()
	xz, err := exec.LookPath("xz")
	if err != nil {
		Missing(t, "the program xz: "+err.Error())
	}
	name := filepath.Join(Shared(t), archive)
	return func(yield func(string, []byte) bool) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		cmd := exec.CommandContext(ctx, xz, "--decompress", "--stdout", name) // #nosec G204 -- a test
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all, err := untar(out, yield)
		if !all {
			stop()
		}
		if ended := cmd.Wait(); all && err == nil {
			err = ended
		}
		if err != nil {
			t.Fatalf("%s: %v", archive, err)
		}
	}
}

// untar yields the regular files; all tells whether none is left.
func untar(r io.Reader, yield func(string, []byte) bool) (all bool, err error) {
	for files := tar.NewReader(r); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		body, err := io.ReadAll(files)
		if err != nil {
			return false, err
		}
		_, name, _ := strings.Cut(strings.TrimPrefix(h.Name, "./"), "/")
		if !yield(name, body) {
			return false, nil
		}
	}
}
