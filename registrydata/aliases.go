package registrydata

import (
	_ "embed" // for the default aliases
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// AliasesPath is where a metadata repository may hold its own aliases, in the
// form that ParseAliases reads.
const AliasesPath = "provider-aliases.txt"

// maxAliases bounds the lines of an aliases file.
const maxAliases = 10_000

//go:embed aliases.txt
var defaultAliases []byte

// Aliases say which names of the registry stand for others. They are data of
// the metadata repository (AliasesPath), with DefaultAliases where it has none.
// The zero Aliases hold none.
type Aliases struct {
	namespaces map[string]string                   // hashicorp: opentofu
	providers  map[ProviderAddress]ProviderAddress // copy: source
	copies     map[ProviderAddress][]ProviderAddress
}

var loadDefaultAliases = sync.OnceValues(func() (Aliases, error) { return ParseAliases(defaultAliases) })

// DefaultAliases returns the aliases of the public registry: hashicorp's
// repositories and keys are opentofu's, and 77 providers that moved to their
// vendors stay at their old addresses.
func DefaultAliases() Aliases {
	al, _ := loadDefaultAliases() // a test reads the embedded file
	return al
}

// ParseAliases reads an aliases file: one pair a line, either of namespaces
// ("hashicorp opentofu") or of providers ("hashicorp/datadog datadog/datadog",
// old address first); # begins a comment. An alias of an alias is refused.
func ParseAliases(b []byte) (Aliases, error) {
	al := Aliases{namespaces: map[string]string{}, providers: map[ProviderAddress]ProviderAddress{}}
	if len(b) > MaxFileSize {
		return Aliases{}, fmt.Errorf("aliases: the file has more than %d bytes", MaxFileSize)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		if n++; n > maxAliases {
			return Aliases{}, fmt.Errorf("aliases: more than %d lines", maxAliases)
		}
		line, _, _ = strings.Cut(line, "#")
		if err := al.addLine(strings.Fields(line)); err != nil {
			return Aliases{}, fmt.Errorf("aliases, line %d: %w", n, err)
		}
	}
	if err := al.link(); err != nil {
		return Aliases{}, fmt.Errorf("aliases: %w", err)
	}
	return al, nil
}

func (al Aliases) addLine(pair []string) error {
	switch {
	case len(pair) == 0:
		return nil
	case len(pair) != 2:
		return fmt.Errorf("want two names, found %d", len(pair))
	case strings.Contains(pair[0], "/"):
		return al.addProvider(pair[0], pair[1])
	}
	for _, ns := range pair {
		if err := checkProviderPart(ns); err != nil {
			return fmt.Errorf("namespace %s: %w", quoteShort(ns), err)
		}
	}
	if _, twice := al.namespaces[pair[0]]; twice || pair[0] == pair[1] {
		return fmt.Errorf("namespace %s: has an alias already or stands for itself", quoteShort(pair[0]))
	}
	al.namespaces[pair[0]] = pair[1]
	return nil
}

func (al Aliases) addProvider(from, to string) error {
	old, err := ParseProviderAddress(from)
	if err != nil {
		return err
	}
	source, err := ParseProviderAddress(to)
	if err != nil {
		return err
	}
	if _, twice := al.providers[old]; twice || old == source {
		return fmt.Errorf("provider %s: has an alias already or stands for itself", old)
	}
	al.providers[old] = source
	return nil
}

// link adds, for an old address, the same name in the namespace that the old
// one stands for (opentofu/datadog beside hashicorp/datadog), and the way back
// from a source to its copies.
func (al *Aliases) link() error {
	for from, to := range al.namespaces {
		if _, chain := al.namespaces[to]; chain {
			return fmt.Errorf("namespace %s stands for %s, which stands for another", from, to)
		}
	}
	for old, source := range al.namedProviders() {
		twin := ProviderAddress{Namespace: al.EffectiveNamespace(old.Namespace), Name: old.Name}
		if _, named := al.providers[twin]; !named && twin != source {
			al.providers[twin] = source
		}
	}
	al.copies = map[ProviderAddress][]ProviderAddress{}
	for old, source := range al.providers {
		if _, chain := al.providers[source]; chain {
			return fmt.Errorf("provider %s stands for %s, which stands for another", old, source)
		}
		al.copies[source] = append(al.copies[source], old)
	}
	for _, list := range al.copies {
		slices.SortFunc(list, compareProviders)
	}
	return nil
}

func (al Aliases) namedProviders() map[ProviderAddress]ProviderAddress {
	named := make(map[ProviderAddress]ProviderAddress, len(al.providers))
	for old, source := range al.providers {
		named[old] = source
	}
	return named
}

func compareProviders(a, b ProviderAddress) int { return strings.Compare(a.String(), b.String()) }

// EffectiveNamespace returns the namespace that a namespace's repositories and
// keys come from: opentofu for hashicorp, itself for most.
func (al Aliases) EffectiveNamespace(namespace string) string {
	if to, ok := al.namespaces[namespace]; ok {
		return to
	}
	return namespace
}

// NamespacesServedBy returns the namespaces whose repositories and keys come
// from a namespace, itself included, sorted: hashicorp and opentofu for
// opentofu; none for hashicorp.
func (al Aliases) NamespacesServedBy(namespace string) []string {
	var out []string
	if al.EffectiveNamespace(namespace) == namespace {
		out = append(out, namespace)
	}
	for from, to := range al.namespaces {
		if to == namespace {
			out = append(out, from)
		}
	}
	slices.Sort(out)
	return out
}

// Resolve returns the provider whose data file and keys are served at an old
// address, such as datadog/datadog for hashicorp/datadog and opentofu/datadog.
// It reports false, with the address itself, for any other. A data file that
// stands at an old address all the same comes first: ask only without one.
func (al Aliases) Resolve(a ProviderAddress) (ProviderAddress, bool) {
	if to, ok := al.providers[a]; ok {
		return to, true
	}
	return a, false
}

// Copies returns the old addresses at which a provider is served too, sorted.
func (al Aliases) Copies(a ProviderAddress) []ProviderAddress {
	return slices.Clone(al.copies[a])
}

// Addresses returns all the old addresses, sorted.
func (al Aliases) Addresses() []ProviderAddress {
	return slices.SortedFunc(maps.Keys(al.providers), compareProviders)
}
