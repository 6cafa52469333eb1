package registrydata

// BlacklistPath is where a metadata repository holds its blacklist.
const BlacklistPath = "versions_blacklist.json"

// Blacklist names versions that must not be taken in. It says nothing about
// versions that are in the data already. The zero Blacklist names none.
type Blacklist struct {
	reasons map[blacklistKey]string
}

type blacklistKey struct {
	entity  Entity
	version string
}

// folded returns the key in the form in which it is looked up.
func (k blacklistKey) folded() blacklistKey {
	k.entity.Namespace = lowerASCII(k.entity.Namespace)
	k.entity.Name = lowerASCII(k.entity.Name)
	k.entity.Target = lowerASCII(k.entity.Target)
	k.version = foldedKey(k.version)
	return k
}

// ParseBlacklist reads versions_blacklist.json. Errors are of type *ParseError.
// An entry matches whatever the case of its names, and with or without the "v"
// of its version: the reference matches exactly and so lets versions slip
// through.
func ParseBlacklist(b []byte) (Blacklist, error) {
	r, err := newReader(b)
	if err != nil {
		return Blacklist{}, err
	}
	bl := Blacklist{reasons: map[blacklistKey]string{}}
	err = r.object(func(key, _ string) error {
		switch key {
		case "providers":
			return bl.readList(r, KindProvider)
		case "modules":
			return bl.readList(r, KindModule)
		}
		_, err := r.skip()
		return err
	})
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return Blacklist{}, err
	}
	return bl, nil
}

func (bl Blacklist) readList(r *reader, kind Kind) error {
	if r.null() {
		return nil
	}
	return r.array(maxListed, func() error {
		key, reason, err := readBlacklisted(r, kind)
		if _, there := bl.reasons[key]; err == nil && !there {
			bl.reasons[key] = reason
		}
		return err
	})
}

// readBlacklisted reads one entry.
func readBlacklisted(r *reader, kind Kind) (key blacklistKey, reason string, err error) {
	key.entity.Kind = kind
	fields := map[string]*string{
		"namespace": &key.entity.Namespace,
		"name":      &key.entity.Name,
		"version":   &key.version,
		"reason":    &reason,
	}
	if kind == KindModule {
		fields["target_system"] = &key.entity.Target
	}
	err = r.object(func(name, _ string) (err error) {
		if field, ok := fields[name]; ok {
			*field, err = r.str()
			return err
		}
		_, err = r.skip()
		return err
	})
	if err != nil {
		return key, "", err
	}
	for _, name := range []string{"namespace", "name", "target_system", "version"} {
		if field, ok := fields[name]; ok && *field == "" {
			return key, "", r.fail("the entry lacks %q", name)
		}
	}
	return key.folded(), reason, nil
}

// Provider tells whether a version of a provider is blacklisted, and why.
func (bl Blacklist) Provider(a ProviderAddress, version string) (reason string, ok bool) {
	reason, ok = bl.reasons[blacklistKey{a.Entity(), version}.folded()]
	return reason, ok
}

// Module tells whether a version of a module is blacklisted, and why.
func (bl Blacklist) Module(a ModuleAddress, version string) (reason string, ok bool) {
	reason, ok = bl.reasons[blacklistKey{a.Entity(), version}.folded()]
	return reason, ok
}
