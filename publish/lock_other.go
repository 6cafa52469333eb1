//go:build !unix

package publish

import (
	"os"
	"sync"
)

// held are the names of the locks that this process holds. Other processes are
// not kept away here.
var held sync.Map

// tryLock locks the file if nobody has; release is nil where somebody has.
func tryLock(file *os.File) (release func(), err error) {
	name := file.Name()
	if _, taken := held.LoadOrStore(name, true); taken {
		return nil, nil
	}
	return func() { held.Delete(name) }, nil
}

// flush does nothing: folders cannot be flushed on this system.
func flush(*os.File) error { return nil }

// flushAll does nothing: see flush.
func flushAll() {}
