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

// KeyFolder is a folder that may hold keys, as it was read.
type KeyFolder struct {
	// Exists tells that it holds something, if only a folder with a file in it: git
	// knows no empty folders, so an empty one on a disk is not there.
	Exists bool
	// Keys are those of its direct files that can be read, in the order of names.
	Keys []SigningKey
}

// ServedKeys are the keys that a provider is served with, of its folders in the
// order of KeyDirectories. They are nil, which the API shows as null, where the
// namespace has no folder for keys; a folder without a key of its own gives an
// empty list, shown as [].
func ServedKeys(namespace, own KeyFolder) []SigningKey {
	if !namespace.Exists {
		return nil
	}
	keys := make([]SigningKey, 0, len(namespace.Keys)+len(own.Keys))
	return append(append(keys, namespace.Keys...), own.Keys...)
}
