package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Target holds the published files: a folder, or a bucket. Paths are relative,
// slash-separated and checked by CheckPath. A Target is safe for concurrent use.
//
// What an operator must mend (keys, the bucket, the clock, the disk) comes back
// as a *TroubleError, a server that wants to be left alone for longer than is
// worth waiting for as a *RateLimitError. Passing faults a Target retries itself.
type Target interface {
	// Get reads a file; ErrNotExist where there is none.
	Get(ctx context.Context, path string) (File, error)
	// Put writes a file whole: a reader sees the old content or the new.
	Put(ctx context.Context, path string, f File) error
	// PutIf is Put on the condition that the file still has the ETag that Get
	// gave, or, with "", that there is none; ErrChanged otherwise.
	PutIf(ctx context.Context, path string, f File, etag string) (newETag string, err error)
	// Delete removes a file; one that is not there is no error.
	Delete(ctx context.Context, path string) error
	// List names the files whose path begins with prefix, which ends with a
	// slash, sorted.
	List(ctx context.Context, prefix string) ([]string, error)
}

// Locker is implemented by targets that can keep all other processes away. To
// the others a run's claim on the manifest does that; see claim.
type Locker interface {
	// Lock waits for the lock of a name and returns what gives it back.
	Lock(ctx context.Context, name string) (unlock func(), err error)
}

// Planter is implemented by targets that can put a folder in place at once.
type Planter interface {
	// Plant writes all files of a folder, to be seen together, where there is no
	// such folder; false, and nothing is written, where that cannot be.
	Plant(ctx context.Context, dir string, objects []registrydata.Object) (bool, error)
}

// File is a file and how it is served.
type File struct {
	Body []byte
	// ContentType and CacheControl are HTTP headers. A target that cannot keep
	// them (a folder) leaves them to whoever serves it; see Handler.
	ContentType  string
	CacheControl string
	// ETag is set by Get.
	ETag string
}

var (
	// ErrNotExist is a file that is not there.
	ErrNotExist = errors.New("no such published file")
	// ErrChanged is a file that someone else changed in between (HTTP 412).
	ErrChanged = errors.New("the published file was changed by someone else")
)

// maxFile bounds what is read back, in bytes. The largest real answer is under
// 2 MB, the largest manifest under 3 MB.
const maxFile = 256 << 20

// CheckPath accepts relative paths whose every segment is a plain name on any
// system: not empty, not "." or "..", without backslash, colon or control
// character, of at most 255 bytes; at most 1,024 bytes in all (R2's limit).
func CheckPath(path string) error {
	if len(path) > 1024 {
		return fmt.Errorf("path %.200q cannot be published", path)
	}
	for _, seg := range strings.Split(path, "/") {
		bad := seg == "" || seg == "." || seg == ".." || len(seg) > 255 || strings.ContainsAny(seg, `\:`)
		if bad || strings.ContainsFunc(seg, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return fmt.Errorf("path %.200q cannot be published", path)
		}
	}
	return nil
}

// digest is the lower-case hex sha256 of a body.
func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
