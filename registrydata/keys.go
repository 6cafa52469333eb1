package registrydata

// KeyFile is one file in a key folder of the metadata repository: an armored
// OpenPGP public key, byte for byte as its owner submitted it.
type KeyFile struct {
	Name  string
	Armor []byte
}

// SigningKey is a key as the API shows it. KeyID is the id of the primary key
// in 16 upper-case hexadecimal digits; the caller computes it, since reading
// OpenPGP is not this package's business.
type SigningKey struct {
	ASCIIArmor, KeyID string
}

// NamespaceKeyDirectory returns the folder of the keys that hold for every
// provider of a namespace, "keys/a/acme".
func NamespaceKeyDirectory(namespace string) string {
	return "keys/" + shard(namespace) + "/" + namespace
}

// ProviderKeyDirectory returns the folder of the keys that hold for one
// provider in addition to those of its namespace, "keys/a/acme/demo".
func ProviderKeyDirectory(a ProviderAddress) string {
	return NamespaceKeyDirectory(a.Namespace) + "/" + a.Name
}

// KeyDirectories returns the folders whose direct files are the provider's
// keys, in the order in which the API shows them: namespace first, then
// provider; inside a folder the order is that of the file names. The namespace
// is the effective one (hashicorp's keys are opentofu's). Of these two folders
// only the first decides between a null and an empty list of keys: a provider
// folder cannot exist without it.
func KeyDirectories(a ProviderAddress, al Aliases) []string {
	a.Namespace = al.EffectiveNamespace(a.Namespace)
	return []string{NamespaceKeyDirectory(a.Namespace), ProviderKeyDirectory(a)}
}
