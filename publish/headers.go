package publish

import (
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

const jsonType = "application/json"

// How long a cache may keep an answer, in seconds. A list changes with every
// release; a download changes only when a key is added, and is purged then.
const (
	cacheList      = "public, max-age=60"
	cacheDownload  = "public, max-age=86400"
	cacheDiscovery = "public, max-age=3600"
	cacheAbsent    = "public, max-age=10"
	cacheNever     = "no-store" // what Registrar keeps for itself
)

func fileOf(o registrydata.Object) File {
	f := File{Body: o.Body, ContentType: jsonType}
	switch o.Kind {
	case registrydata.VersionList:
		f.CacheControl = cacheList
	case registrydata.Discovery:
		f.CacheControl = cacheDiscovery
	default:
		f.CacheControl = cacheDownload
	}
	return f
}

// cacheControl is what fileOf gave a file that now has nothing but its path.
func cacheControl(path string) string {
	switch {
	case strings.HasSuffix(path, "/versions"):
		return cacheList
	case strings.HasPrefix(path, "v1/"):
		return cacheDownload
	}
	return cacheDiscovery
}
