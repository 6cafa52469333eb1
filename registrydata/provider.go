package registrydata

import (
	"fmt"
	"slices"
)

// Provider is the content of a provider's data file.
type Provider struct {
	// Repository was meant for providers outside the usual repository name. No
	// file uses it.
	Repository string
	// Versions stand in descending order.
	Versions []ProviderVersion
	// VersionsErrors holds one entry for each failed attempt to take in a
	// release, by version descending, then time ascending.
	VersionsErrors []VersionError
	// Warnings are shown by clients at init.
	Warnings []string
	Upkeep

	doc    document
	layout *layout
}

// ProviderVersion is one released version of a provider.
type ProviderVersion struct {
	// Version is the release's tag without a leading "v".
	Version string
	// Protocols are the plugin protocol versions, such as "5.0".
	Protocols []string
	// ShasumsURL and ShasumsSignatureURL are where the release has its
	// SHA256SUMS file and the binary OpenPGP signature of it.
	ShasumsURL, ShasumsSignatureURL string
	// Targets are the platforms, in the order of the data file.
	Targets []Target
	// Discovered is when the registry first saw the version, in the form of
	// time.RFC3339Nano in UTC. Empty: not recorded.
	Discovered string

	layout *layout
}

// Target is a provider version built for one platform.
type Target struct {
	OS, Arch    string
	Filename    string // of the zip, as SHA256SUMS names it
	DownloadURL string
	Shasum      string // SHA-256 of the zip, 64 hexadecimal digits
	H1          string // "h1:" and base64, Go's dirhash.Hash1 over the zip's content; "" = not known
	Size        int64  // of the zip, in bytes; 0 = not known

	layout *layout
}

// VersionError records why a release was not taken in.
type VersionError struct {
	Version, Message string
	UTCTime          string // RFC 3339

	layout *layout
}

// Version returns the entry of a version, given with or without a leading "v"
// and in any case: two versions that differ in case only would share their
// paths in the API. Where a file holds a version twice the last entry counts,
// as it does in the API.
func (p *Provider) Version(v string) (*ProviderVersion, bool) {
	key := foldedKey(v)
	for i := len(p.Versions) - 1; i >= 0; i-- {
		if foldedKey(p.Versions[i].Version) == key {
			return &p.Versions[i], true
		}
	}
	return nil, false
}

// Add puts a new version into the list, before the first lower one, so that the
// list stays in descending order and nothing else moves. It refuses a version
// that is there already, since published versions do not change, and one that
// the API could not serve.
func (p *Provider) Add(v ProviderVersion) error {
	if err := v.check(); err != nil {
		return fmt.Errorf("add provider version %s: %w", quoteShort(v.Version), err)
	}
	if old, ok := p.Version(v.Version); ok {
		return fmt.Errorf("add provider version %s: %s is there already", quoteShort(v.Version), quoteShort(old.Version))
	}
	at := insertAt(len(p.Versions), v.Version, func(i int) string { return p.Versions[i].Version })
	p.Versions = append(p.Versions, ProviderVersion{})
	copy(p.Versions[at+1:], p.Versions[at:])
	p.Versions[at] = v
	return nil
}

// Remove takes a version out, given as to Version, and returns what it was
// recorded as: more than one where the file holds it twice. A file with no
// version left cannot be written: it has to go as a whole.
func (p *Provider) Remove(v string) (removed []ProviderVersion) {
	p.Versions = slices.DeleteFunc(slices.Clone(p.Versions), func(old ProviderVersion) bool {
		if foldedKey(old.Version) != foldedKey(v) {
			return false
		}
		removed = append(removed, old)
		return true
	})
	return removed
}

// check refuses what could not become a path of the API.
func (v *ProviderVersion) check() error {
	if fault := versionFault(v.Version); fault != "" {
		return fmt.Errorf("version %s", fault)
	}
	if v.Version[0] == 'v' {
		return fmt.Errorf("version must not begin with \"v\"")
	}
	if len(v.Targets) == 0 {
		return fmt.Errorf("no targets")
	}
	seen := map[string]bool{}
	for i := range v.Targets {
		t := &v.Targets[i]
		if !isPlatformPart(t.OS) || !isPlatformPart(t.Arch) {
			return fmt.Errorf("target %s/%s is no platform", quoteShort(t.OS), quoteShort(t.Arch))
		}
		if seen[t.platform()] {
			return fmt.Errorf("target %s stands twice", t.platform())
		}
		seen[t.platform()] = true
	}
	return nil
}

// platform returns "linux_amd64".
func (t *Target) platform() string { return t.OS + "_" + t.Arch }

// isPlatformPart accepts what GOOS and GOARCH values look like.
func isPlatformPart(s string) bool {
	if s == "" || len(s) > 32 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !isLowerAlnum(s[i]) {
			return false
		}
	}
	return true
}
