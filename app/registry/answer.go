package registry

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tofu-registrar/registrar/registrydata"
)

// answer is a rendered answer with its headers, in the form in which they are
// put into a response.
type answer struct {
	from *entity // nil for the service discovery, which never changes
	kind kind
	body []byte

	// goodAt is the number of a snapshot that holds the entity which the answer
	// was rendered from; 0 where none has been looked at.
	goodAt atomic.Uint64

	cacheControl []string
	location     []string // X-Terraform-Get, nil where there is none
	etag         []string
	length       []string

	compress sync.Once
	zipped   []byte // nil where compression is not worth it
	weakETag []string
	zipLen   []string
}

// leastCompressed is the size in bytes from which answers are compressed.
const leastCompressed = 512

// How long a cache may keep an answer: as package publish has it.
const (
	cacheList      = "public, max-age=60"
	cacheDownload  = "public, max-age=86400"
	cacheDiscovery = "public, max-age=3600"
	cacheAbsent    = "public, max-age=10"
)

func newAnswer(from *entity, k kind, o registrydata.Object) *answer {
	sum := sha256.Sum256(o.Body)
	tag := `"` + hex.EncodeToString(sum[:])[:32] + `"`
	a := &answer{from: from, kind: k, body: o.Body, etag: []string{tag}, weakETag: []string{"W/" + tag}, length: lengthOf(o.Body)}
	switch o.Kind {
	case registrydata.VersionList:
		a.cacheControl = []string{cacheList}
	case registrydata.Discovery:
		a.cacheControl = []string{cacheDiscovery}
	default:
		a.cacheControl = []string{cacheDownload}
	}
	if o.Location != "" && !strings.ContainsAny(o.Location, "\r\n\x00") {
		a.location = []string{o.Location}
	}
	return a
}

func lengthOf(b []byte) []string { return []string{strconv.Itoa(len(b))} }

// cost is about what the answer needs of memory, compressed form included.
func (a *answer) cost() int { return len(a.body) + len(a.body)/4 + 1024 }

var zippers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// gzipped is the compressed body, made when it is first asked for.
func (a *answer) gzipped() ([]byte, bool) {
	a.compress.Do(func() {
		if len(a.body) < leastCompressed {
			return
		}
		var b bytes.Buffer
		z := zippers.Get().(*gzip.Writer)
		defer zippers.Put(z)
		z.Reset(&b)
		_, err := z.Write(a.body)
		if z.Close() == nil && err == nil && b.Len() < len(a.body) {
			a.zipped = bytes.Clone(b.Bytes())
			a.zipLen = lengthOf(a.zipped)
		}
	})
	return a.zipped, a.zipped != nil
}
