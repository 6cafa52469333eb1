package registrydata

import (
	"strings"
	"unicode/utf8"
)

// Kind tells providers and modules apart.
type Kind int

// The kinds of entity. The zero Kind is neither.
const (
	KindProvider Kind = iota + 1
	KindModule
)

// String returns "provider" or "module".
func (k Kind) String() string {
	switch k {
	case KindProvider:
		return "provider"
	case KindModule:
		return "module"
	}
	return "unknown"
}

// Entity is one thing that has a data file: a provider (Target is empty) or a
// module. It is comparable and may be an address that no client can use: such
// files exist in the registry and are served too.
type Entity struct {
	Kind                    Kind
	Namespace, Name, Target string
}

// Provider returns the address of a provider entity.
func (e Entity) Provider() ProviderAddress {
	return ProviderAddress{Namespace: e.Namespace, Name: e.Name}
}

// Module returns the address of a module entity.
func (e Entity) Module() ModuleAddress {
	return ModuleAddress{Namespace: e.Namespace, Name: e.Name, Target: e.Target}
}

// String returns "acme/demo" for a provider, "acme/net/aws" for a module.
func (e Entity) String() string {
	if e.Kind == KindModule {
		return e.Module().String()
	}
	return e.Provider().String()
}

// Path returns the entity's data file in the metadata repository.
func (e Entity) Path() string {
	if e.Kind == KindModule {
		return e.Module().Path()
	}
	return e.Provider().Path()
}

// Repository is where the entity's versions come from, with the aliases; with
// none, the repository that it is called after.
func (e Entity) Repository(al Aliases) Repository {
	if e.Kind == KindModule {
		return e.Module().Repository()
	}
	return e.Provider().Repository(al)
}

// Check tells whether a client can address the entity.
func (e Entity) Check() error {
	if e.Kind == KindModule {
		return e.Module().Check()
	}
	return e.Provider().Check()
}

// EntityFromPath returns the entity whose data file stands at path, a
// slash-separated path from the root of the metadata repository. Only the exact
// layout counts: lower case, the right one-letter folder, no segment that a
// file system could take for something else. Addresses that no client can use
// pass, because such files exist; Entity.Check tells.
func EntityFromPath(path string) (Entity, bool) {
	stem, ok := strings.CutSuffix(path, ".json")
	if !ok {
		return Entity{}, false
	}
	seg := strings.Split(stem, "/")
	var e Entity
	switch {
	case len(seg) == 4 && seg[0] == "providers":
		e = Entity{Kind: KindProvider, Namespace: seg[2], Name: seg[3]}
	case len(seg) == 5 && seg[0] == "modules":
		e = Entity{Kind: KindModule, Namespace: seg[2], Name: seg[3], Target: seg[4]}
	default:
		return Entity{}, false
	}
	for _, s := range seg {
		if !safeSegment(s) {
			return Entity{}, false
		}
	}
	return e, isLowerAlnum(e.Namespace[0]) && e.Path() == path
}

// safeSegment accepts what can stand between two slashes of a path or URL on
// any system: visible lower-case ASCII of the kind GitHub allows in names, not
// hidden and, because Windows drops it, no dot at the end.
func safeSegment(s string) bool {
	if s == "" || len(s) > 255 || !utf8.ValidString(s) || s[0] == '.' || s[len(s)-1] == '.' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isLowerAlnum(c) && strings.IndexByte("-_.+", c) < 0 {
			return false
		}
	}
	return true
}
