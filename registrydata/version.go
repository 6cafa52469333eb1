package registrydata

import (
	"fmt"
	"strings"

	"golang.org/x/mod/semver"
)

// maxVersion bounds the length of a version: it becomes a segment of a path.
const maxVersion = 128

// VersionKey returns the version that a git tag stands for: the tag without one
// leading "v". It reports false for a tag that is no semantic version as
// golang.org/x/mod/semver reads them, short forms ("v1", "1.3") included. Tags
// v1.0.0 and 1.0.0 have the same key; build metadata and case are kept.
func VersionKey(tag string) (string, bool) {
	key := strings.TrimPrefix(tag, "v")
	return key, versionFault(tag) == ""
}

// CompareVersions compares two versions or tags by semantic precedence, as
// strings.Compare does. Build metadata does not count. An invalid version is
// less than a valid one.
func CompareVersions(a, b string) int {
	return semver.Compare("v"+strings.TrimPrefix(a, "v"), "v"+strings.TrimPrefix(b, "v"))
}

// foldedKey is the key under which two versions would share a path of the API,
// whose paths are lower case: 1.0.0-RC1 and 1.0.0-rc1 cannot both be served.
func foldedKey(version string) string { return lowerASCII(strings.TrimPrefix(version, "v")) }

// versionFault says what keeps a version or tag from being one; "" if nothing.
func versionFault(version string) string {
	if len(version) > maxVersion {
		return fmt.Sprintf("has more than %d characters", maxVersion)
	}
	if !semver.IsValid("v" + strings.TrimPrefix(version, "v")) {
		return "is no semantic version"
	}
	return ""
}

// insertAt returns where a new version belongs in a list of n: before the first
// lower one, so after those of equal precedence.
func insertAt(n int, version string, at func(i int) string) int {
	for i := range n {
		if CompareVersions(at(i), version) < 0 {
			return i
		}
	}
	return n
}
