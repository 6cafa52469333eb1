package forge

import (
	"os"

	"golang.org/x/sys/unix"
)

// namelessFile makes a temporary file that never has a name, so that a process
// that is killed leaves nothing behind; nil where the file system has no such
// files.
func namelessFile(dir string) *os.File {
	file, err := os.OpenFile(dir, unix.O_TMPFILE|os.O_RDWR, 0o600) // #nosec G304 -- the operator's folder
	if err != nil {
		return nil
	}
	return file
}
