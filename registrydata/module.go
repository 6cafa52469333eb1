package registrydata

import (
	"fmt"
	"slices"
)

// Module is the content of a module's data file.
type Module struct {
	// Versions stand in descending order.
	Versions []ModuleVersion
	Upkeep

	doc    document
	layout *layout
}

// ModuleVersion is one tagged version of a module.
type ModuleVersion struct {
	// Version is the git tag verbatim, so with or without a leading "v".
	Version string
	// Commit is the object id that the tag had when it was first seen. Empty:
	// not recorded.
	Commit string
	// Discovered is when the registry first saw the version, in the form of
	// time.RFC3339Nano in UTC. Empty: not recorded.
	Discovered string

	layout *layout
}

// Version returns the entry of a version, given as a tag or without its "v" and
// in any case. Where a file holds a version twice the last entry counts, as it
// does in the API.
func (m *Module) Version(v string) (*ModuleVersion, bool) {
	key := foldedKey(v)
	for i := len(m.Versions) - 1; i >= 0; i-- {
		if foldedKey(m.Versions[i].Version) == key {
			return &m.Versions[i], true
		}
	}
	return nil, false
}

// Add puts a new version into the list, before the first lower one, so that the
// list stays in descending order and nothing else moves. It refuses a version
// that is there already under whichever of its tags (v1.0.0 and 1.0.0 are one
// version), since published versions do not change, and a tag that is no
// version.
func (m *Module) Add(v ModuleVersion) error {
	if fault := versionFault(v.Version); fault != "" {
		return fmt.Errorf("add module version %s: the tag %s", quoteShort(v.Version), fault)
	}
	if v.Commit != "" && !isObjectID(v.Commit) {
		return fmt.Errorf("add module version %s: commit %s is no git object id", quoteShort(v.Version), quoteShort(v.Commit))
	}
	if old, ok := m.Version(v.Version); ok {
		return fmt.Errorf("add module version %s: %s is there already", quoteShort(v.Version), quoteShort(old.Version))
	}
	at := insertAt(len(m.Versions), v.Version, func(i int) string { return m.Versions[i].Version })
	m.Versions = append(m.Versions, ModuleVersion{})
	copy(m.Versions[at+1:], m.Versions[at:])
	m.Versions[at] = v
	return nil
}

// Remove takes a version out under all its tags, given as to Version, and
// returns what it was recorded as. A file with no version left cannot be
// written: it has to go as a whole.
func (m *Module) Remove(v string) (removed []ModuleVersion) {
	m.Versions = slices.DeleteFunc(slices.Clone(m.Versions), func(old ModuleVersion) bool {
		if foldedKey(old.Version) != foldedKey(v) {
			return false
		}
		removed = append(removed, old)
		return true
	})
	return removed
}

// isObjectID accepts SHA-1 and SHA-256 object ids in lower-case hexadecimal.
func isObjectID(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
