package registrydata

// DataFile is the data file of an entity: of its two, one is set.
type DataFile struct {
	Provider *Provider
	Module   *Module
}

// ParseDataFile reads the data file of an entity of a kind. Errors are of type
// *ParseError.
func ParseDataFile(kind Kind, b []byte) (f DataFile, err error) {
	if kind == KindModule {
		f.Module, err = ParseModule(b)
	} else {
		f.Provider, err = ParseProvider(b)
	}
	return f, err
}

// Upkeep is what the file says about how it is kept up to date.
func (f DataFile) Upkeep() Upkeep {
	if f.Module != nil {
		return f.Module.Upkeep
	}
	return f.Provider.Upkeep
}

// Versions are as recorded, in the file's order.
func (f DataFile) Versions() (versions []string) {
	if f.Module != nil {
		for _, v := range f.Module.Versions {
			versions = append(versions, v.Version)
		}
		return versions
	}
	for _, v := range f.Provider.Versions {
		versions = append(versions, v.Version)
	}
	return versions
}

// Remove takes a version out and returns what it was recorded as, as
// Provider.Remove and Module.Remove do.
func (f DataFile) Remove(v string) (removed []string) {
	if f.Module != nil {
		for _, old := range f.Module.Remove(v) {
			removed = append(removed, old.Version)
		}
		return removed
	}
	for _, old := range f.Provider.Remove(v) {
		removed = append(removed, old.Version)
	}
	return removed
}

// Bytes returns the file's content.
func (f DataFile) Bytes() []byte {
	if f.Module != nil {
		return f.Module.Bytes()
	}
	return f.Provider.Bytes()
}
