package registrydata

import (
	"fmt"
	"strings"
)

// Repository is a repository on GitHub, in the case in which it was written.
type Repository struct {
	Owner, Name string
}

// String returns "owner/name".
func (r Repository) String() string { return r.Owner + "/" + r.Name }

// Key returns the form under which two spellings of one repository are equal:
// GitHub ignores case.
func (r Repository) Key() string { return strings.ToLower(r.String()) }

// Prefixes of the names that GitHub repositories of providers and modules have.
const (
	providerPrefix = "terraform-provider-"
	modulePrefix   = "terraform-"
)

// ProviderAddress names a provider in the registry. Both parts are lower case.
type ProviderAddress struct {
	Namespace, Name string
}

// String returns "acme/demo".
func (a ProviderAddress) String() string { return a.Namespace + "/" + a.Name }

// Path returns the provider's data file, "providers/a/acme/demo.json".
func (a ProviderAddress) Path() string {
	return "providers/" + shard(a.Namespace) + "/" + a.Namespace + "/" + a.Name + ".json"
}

// Repository returns the GitHub repository that releases the provider. Its
// owner is the effective namespace (hashicorp's providers are built by
// opentofu).
func (a ProviderAddress) Repository(al Aliases) Repository {
	return Repository{Owner: al.EffectiveNamespace(a.Namespace), Name: providerPrefix + a.Name}
}

// Entity returns the address as an Entity.
func (a ProviderAddress) Entity() Entity {
	return Entity{Kind: KindProvider, Namespace: a.Namespace, Name: a.Name}
}

// ModuleAddress names a module in the registry. All parts are lower case.
type ModuleAddress struct {
	Namespace, Name, Target string
}

// String returns "acme/net/aws": namespace, name, target system.
func (a ModuleAddress) String() string { return a.Namespace + "/" + a.Name + "/" + a.Target }

// Path returns the module's data file, "modules/a/acme/net/aws.json".
func (a ModuleAddress) Path() string {
	return "modules/" + shard(a.Namespace) + "/" + a.Namespace + "/" + a.Name + "/" + a.Target + ".json"
}

// Repository returns the module's GitHub repository. The parts of its name
// stand the other way round: acme/net/aws is acme/terraform-aws-net.
func (a ModuleAddress) Repository() Repository {
	return Repository{Owner: a.Namespace, Name: modulePrefix + a.Target + "-" + a.Name}
}

// Entity returns the address as an Entity.
func (a ModuleAddress) Entity() Entity {
	return Entity{Kind: KindModule, Namespace: a.Namespace, Name: a.Name, Target: a.Target}
}

// shard is the one-letter folder of a namespace: its first character.
func shard(namespace string) string {
	if namespace == "" {
		return "_"
	}
	return strings.ToLower(namespace[:1])
}

// ParseProviderAddress reads "namespace/name" in any case and checks it.
func ParseProviderAddress(s string) (ProviderAddress, error) {
	parts := strings.Split(lowerASCII(s), "/")
	if len(parts) != 2 {
		return ProviderAddress{}, fmt.Errorf("provider address %s: want two parts, namespace/name", quoteShort(s))
	}
	a := ProviderAddress{Namespace: parts[0], Name: parts[1]}
	if err := a.Check(); err != nil {
		return ProviderAddress{}, err
	}
	return a, nil
}

// ParseModuleAddress reads "namespace/name/target" in any case and checks it.
func ParseModuleAddress(s string) (ModuleAddress, error) {
	parts := strings.Split(lowerASCII(s), "/")
	if len(parts) != 3 {
		return ModuleAddress{}, fmt.Errorf("module address %s: want three parts, namespace/name/target", quoteShort(s))
	}
	a := ModuleAddress{Namespace: parts[0], Name: parts[1], Target: parts[2]}
	if err := a.Check(); err != nil {
		return ModuleAddress{}, err
	}
	return a, nil
}

// ProviderFromRepository returns the address of the provider that a repository
// named terraform-provider-<name> holds. The address is not checked.
func ProviderFromRepository(r Repository) (ProviderAddress, bool) {
	name, ok := strings.CutPrefix(lowerASCII(r.Name), providerPrefix)
	if !ok || name == "" || r.Owner == "" {
		return ProviderAddress{}, false
	}
	return ProviderAddress{Namespace: lowerASCII(r.Owner), Name: name}, true
}

// ModuleFromRepository returns the address of the module that a repository
// named terraform-<target>-<name> holds: the first dash ends the target. A
// provider's repository is no module. The address is not checked.
func ModuleFromRepository(r Repository) (ModuleAddress, bool) {
	repo := lowerASCII(r.Name)
	if strings.HasPrefix(repo, providerPrefix) {
		return ModuleAddress{}, false
	}
	rest, ok := strings.CutPrefix(repo, modulePrefix)
	if !ok {
		return ModuleAddress{}, false
	}
	target, name, ok := strings.Cut(rest, "-")
	if !ok || target == "" || name == "" || r.Owner == "" {
		return ModuleAddress{}, false
	}
	return ModuleAddress{Namespace: lowerASCII(r.Owner), Name: name, Target: target}, true
}
