package registry

import (
	"archive/tar"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

// eachShared unpacks an archive of the shared data with the xz program and calls
// each for every file, with its path below the archive's one folder.
func eachShared(t testing.TB, archive string, each func(path string, body []byte)) {
	t.Helper()
	xz, err := exec.LookPath("xz")
	if err != nil {
		testdata.Missing(t, "the program xz: "+err.Error())
	}
	cmd := exec.CommandContext(t.Context(), xz, "--decompress", "--stdout", filepath.Join(testdata.Shared(t), archive))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(out); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		body, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(strings.TrimPrefix(h.Name, "./"), "/")
		each(name, body)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
}
