package forge

import (
	"os"
	"testing"
)

// A process can be killed at any moment: there must be none at which its
// temporary file has a name.
func TestSpooledFileNeverHasAName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := namelessFile(dir)
	if file == nil {
		t.Logf("no nameless files in %s: nothing to test", dir)
		return
	}
	defer file.Close()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("%v in the folder, %v", entries, err)
	}
	if namelessFile(dir+"/none") != nil {
		t.Error("a file in a folder that is not there")
	}
}
