package validation

import (
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// RepositoryFacts is what GitHub says about a repository, after following
// renames. The zero value is a repository that does not exist or is private:
// GitHub answers both alike to a stranger.
type RepositoryFacts struct {
	Exists bool
	ID     int64
	// Repository is the canonical spelling, which differs from what was asked
	// after a rename or where the case differs.
	Repository registrydata.Repository
	Private    bool
	Archived   bool
	Fork       bool
	// Parent is the repository that a fork was made from.
	Parent        registrydata.Repository
	OwnerIsAnOrg  bool
	DefaultBranch string
}

// Tag is a git tag of a repository.
type Tag struct {
	Name string
	// Object is the id that the tag points to, Commit the commit behind it:
	// they differ for annotated tags.
	Object string
	Commit string
}

// Asset is one file of a release.
type Asset struct {
	ID   int64
	Name string
	Size int64
	// URL is the address of the file for everyone
	// (https://github.com/o/r/releases/download/tag/name).
	URL string
	// State is "uploaded", or "starter" while the upload is under way.
	State string
	// Digest is GitHub's own "sha256:<hex>" of the file, where it gives one.
	Digest string
}

// Release is a GitHub release and those of its files that judge it.
type Release struct {
	Tag        string
	Draft      bool
	Prerelease bool
	Published  time.Time
	Author     string // login of who made it
	Assets     []Asset

	// ChecksumsFile is the name of the file that Checksums came from, where it
	// was fetched by name without a list of Assets.
	ChecksumsFile string
	// Checksums, Signature and Manifest are the contents of
	// …_SHA256SUMS, …_SHA256SUMS.sig and …_manifest.json; nil where the
	// release has no such file.
	Checksums []byte
	Signature []byte
	Manifest  []byte
	// Zips are the facts of the archives that were downloaded, by file name.
	// An archive that is not in it was not downloaded.
	Zips map[string]ZipFacts
	// Faults say, by file name, why a file could not be read: too large, a
	// redirect to a host that is not allowed. Such a release is not published.
	Faults map[string]string
}

// ZipFacts is what was computed from an archive while it streamed past.
type ZipFacts struct {
	SHA256 string // lower-case hex
	H1     string // "h1:" + base64, golang.org/x/mod/sumdb/dirhash Hash1
	Size   int64  // bytes
	// Fault says why the archive cannot be used (not a zip, too large when
	// unpacked, …); the other fields may then be empty.
	Fault string
}

// KeyOnFile is a signing key of the metadata repository.
type KeyOnFile struct {
	Path  string
	Armor []byte
}
