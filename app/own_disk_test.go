package main

import (
	"flag"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

// ownDiskVariable names the folder of a test's child that may mount a disk on it.
const ownDiskVariable = "REGISTRAR_TEST_OWN_DISK"

// ownDisk is a folder on which this process may mount a disk in memory.
type ownDisk string

// onOwnDisk runs a test as a child that may mount disks of its own: as root of
// nothing but itself.
func onOwnDisk(t *testing.T, run func(t *testing.T, disk ownDisk)) {
	t.Helper()
	if dir := os.Getenv(ownDiskVariable); dir != "" {
		run(t, ownDisk(dir))
		return
	}
	t.Parallel()
	unshare := []string{"--user", "--map-root-user", "--mount"}
	if err := exec.Command("unshare", append(unshare, "mount", "-t", "tmpfs", "none", t.TempDir())...).Run(); err != nil {
		testdata.Missing(t, "a small disk: unshare: "+err.Error())
	}
	words := append(unshare, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	flag.Visit(func(f *flag.Flag) {
		if !strings.HasPrefix(f.Name, "test.") || f.Name == "test.timeout" {
			words = append(words, "-"+f.Name+"="+f.Value.String())
		}
	})
	cmd := exec.CommandContext(t.Context(), "unshare", words...) // #nosec G204 G702 -- this very test
	cmd.Env = append(os.Environ(), ownDiskVariable+"="+t.TempDir())
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil || !slices.Contains(strings.Fields(string(out)), "PASS") {
		t.Error(err)
	}
}

// mount mounts the disk, or with "remount" changes it.
func (d ownDisk) mount(t *testing.T, options string) {
	t.Helper()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "none", string(d)).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v: %s", err, out)
	}
}
