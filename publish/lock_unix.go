//go:build unix

package publish

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks the file if nobody has; release is nil where somebody has.
func tryLock(file *os.File) (release func(), err error) {
	fd := int(file.Fd())
	for {
		switch err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB); {
		case err == nil:
			return func() { _ = syscall.Flock(fd, syscall.LOCK_UN) }, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return nil, nil
		case !errors.Is(err, syscall.EINTR):
			return nil, err
		}
	}
}

// flush makes a folder's entries last.
func flush(dir *os.File) error { return dir.Sync() }

// flushAll makes everything last that was written before.
func flushAll() { syscall.Sync() }
