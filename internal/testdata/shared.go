// Package testdata finds the large public data set that some tests read and
// that the repository itself does not hold.
package testdata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Shared returns the folder of the shared data set: $REGISTRAR_SHARED_DATA, or
// the folder shared/data beside the repository. Where there is none the test
// skips with its reason; with REGISTRAR_TEST_ALL=1 it fails instead.
func Shared(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("REGISTRAR_SHARED_DATA")
	if dir == "" {
		_, file, _, _ := runtime.Caller(0)
		dir = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		Missing(t, "the shared data set (set REGISTRAR_SHARED_DATA): "+err.Error())
	}
	return dir
}

// Missing skips a test for want of something outside Go and git, or fails it
// when REGISTRAR_TEST_ALL=1 asks that nothing be skipped.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("REGISTRAR_TEST_ALL") == "1" {
		t.Fatalf("REGISTRAR_TEST_ALL=1 and missing: %s", what)
	}
	t.Skipf("missing: %s", what)
}
