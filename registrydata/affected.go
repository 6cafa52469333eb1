package registrydata

import (
	"slices"
	"strings"
)

// ChangeKind says what happened to a file.
type ChangeKind int

// What can happen to a file. A renamed file is Added with its OldPath.
const (
	Added ChangeKind = iota + 1
	Modified
	Deleted
)

// Change is one changed file of the metadata repository.
type Change struct {
	Path string
	Kind ChangeKind
	// OldPath is where a renamed file stood before; empty otherwise.
	OldPath string
}

// AffectedSet is what must be rendered again after a set of changes.
type AffectedSet struct {
	// Entities whose answers may differ, sorted by path: their data file was
	// added, changed or deleted, or keys of theirs alone. An entity need not
	// have a data file: it may have been deleted, or be an old address at which
	// another provider is served (Aliases.Resolve).
	Entities []Entity
	// Namespaces whose providers, every one that has a data file, may differ:
	// their keys changed. Sorted. The caller lists the providers; old addresses
	// that are served from such a namespace stand among Entities.
	Namespaces []string
	// All is set when the aliases changed: everything may differ.
	All bool
	// Blacklist is set when the blacklist changed. No answer depends on it, but
	// versions that were refused may be taken in now.
	Blacklist bool
	// Ignored are the changed paths that no answer depends on, sorted.
	Ignored []string
}

// Affected returns what a set of changes concerns. It is a function of the
// paths alone, so it names too much rather than too little: an entity in the
// set may render to the same bytes as before.
func Affected(changes []Change, al Aliases) AffectedSet {
	s := affectedSet{al: al, entities: map[Entity]bool{}, namespaces: map[string]bool{}, ignored: map[string]bool{}}
	for _, c := range changes {
		s.add(c.Path, c.Kind)
		if c.OldPath != "" && c.OldPath != c.Path {
			s.add(c.OldPath, Deleted)
		}
	}
	s.out.Entities = sortedKeys(s.entities, func(a, b Entity) int { return strings.Compare(a.Path(), b.Path()) })
	s.out.Namespaces = sortedKeys(s.namespaces, strings.Compare)
	s.out.Ignored = sortedKeys(s.ignored, strings.Compare)
	return s.out
}

type affectedSet struct {
	al         Aliases
	entities   map[Entity]bool
	namespaces map[string]bool
	ignored    map[string]bool
	out        AffectedSet
}

func (s *affectedSet) add(path string, kind ChangeKind) {
	if e, ok := EntityFromPath(path); ok {
		s.addEntity(e)
		return
	}
	switch {
	case path == AliasesPath:
		s.out.All = true
	case path == BlacklistPath:
		s.out.Blacklist = true
	case s.addKey(path, kind):
	default:
		s.ignored[path] = true
	}
}

// addEntity adds an entity and, for a provider, its old addresses.
func (s *affectedSet) addEntity(e Entity) {
	s.entities[e] = true
	if e.Kind != KindProvider {
		return
	}
	for _, twin := range s.al.Copies(e.Provider()) {
		s.entities[twin.Entity()] = true
	}
}

// addKey adds what a key file concerns. A key that comes or goes concerns every
// provider of its namespace even if it is one provider's: it may be the first
// or last thing in the namespace's folder, and a folder without keys is
// rendered otherwise than no folder (an empty list, not null). It reports false
// for a key that nobody is served: no file of keys, or of a namespace whose
// keys come from another.
func (s *affectedSet) addKey(path string, kind ChangeKind) bool {
	a, own, ok := keyFromPath(path)
	if !ok {
		return false
	}
	served := s.al.NamespacesServedBy(a.Namespace)
	for _, ns := range served {
		if own && kind == Modified {
			s.addEntity(ProviderAddress{Namespace: ns, Name: a.Name}.Entity())
			continue
		}
		s.namespaces[ns] = true
		for source, copies := range s.al.copies {
			if source.Namespace != ns {
				continue
			}
			for _, old := range copies {
				s.entities[old.Entity()] = true
			}
		}
	}
	return len(served) > 0
}

// keyFromPath takes keys/a/acme/file.asc and keys/a/acme/demo/file.asc apart;
// own reports the second form, which is the key of one provider. Any file in
// these folders counts as a key, whatever its name.
func keyFromPath(path string) (a ProviderAddress, own, ok bool) {
	seg := strings.Split(path, "/")
	if len(seg) < 4 || len(seg) > 5 || seg[0] != "keys" || seg[len(seg)-1] == "" {
		return a, false, false
	}
	a.Namespace = seg[2]
	if !safeSegment(a.Namespace) || seg[1] != shard(a.Namespace) {
		return a, false, false
	}
	if len(seg) == 4 {
		return a, false, true
	}
	a.Name = seg[3]
	return a, true, safeSegment(a.Name)
}

func sortedKeys[K comparable](set map[K]bool, compare func(a, b K) int) []K {
	var out []K
	for k := range set {
		out = append(out, k)
	}
	slices.SortFunc(out, compare)
	return out
}
