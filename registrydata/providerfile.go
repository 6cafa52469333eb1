package registrydata

// The keys of a provider file, in the order in which the reference writes them.
var (
	providerSchema     = &schema{names: append([]string{"repository", "versions", "versions_errors", "warnings"}, upkeepKeys...), always: 0b10}
	versionSchema      = &schema{names: []string{"version", "protocols", "shasums_url", "shasums_signature_url", "targets", "discovered"}, always: 0b11111}
	targetSchema       = &schema{names: []string{"os", "arch", "filename", "download_url", "shasum", "h1", "size"}, always: 0b11111}
	versionErrorSchema = &schema{names: []string{"version", "message", "utc_time"}, always: 0b111}
)

const (
	// maxListed bounds the versions, failed attempts or blacklist entries of a
	// file. The longest list of the public registry has about 2,500.
	maxListed = 50_000
	// maxTargets bounds the platforms of a version; Go has about 50.
	maxTargets = 256
)

// ParseProvider reads a provider file of either generation. Errors are of type
// *ParseError.
func ParseProvider(b []byte) (*Provider, error) {
	r, err := newReader(b)
	if err != nil {
		return nil, err
	}
	p := &Provider{}
	if p.layout, err = r.record(providerSchema, p, func(i int) error { return p.read(r, i) }); err != nil {
		return nil, err
	}
	if len(p.Versions) == 0 {
		return nil, r.fail("versions: must hold at least one version")
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	p.doc = document{raw: r.s}
	return p, nil
}

func (p *Provider) read(r *reader, i int) (err error) {
	switch i {
	case 0:
		p.Repository, err = r.str()
	case 1:
		p.Versions, err = readList(r, maxListed, func(v *ProviderVersion) error { return v.parse(r) })
	case 2:
		p.VersionsErrors, err = readList(r, maxListed, func(e *VersionError) error { return e.parse(r) })
	case 3:
		p.Warnings, err = r.strs()
	default:
		err = p.readKey(r, i-4)
	}
	return err
}

func (v *ProviderVersion) parse(r *reader) (err error) {
	v.layout, err = r.record(versionSchema, v, func(i int) error { return v.read(r, i) })
	if err == nil && v.Version == "" {
		err = r.fail("the version has no number")
	}
	return err
}

func (v *ProviderVersion) read(r *reader, i int) (err error) {
	switch i {
	case 0:
		v.Version, err = r.providerVersion()
	case 1:
		v.Protocols, err = r.strs()
	case 2:
		v.ShasumsURL, err = r.str()
	case 3:
		v.ShasumsSignatureURL, err = r.str()
	case 4:
		v.Targets, err = readList(r, maxTargets, func(t *Target) error { return t.parse(r) })
	case 5:
		v.Discovered, err = r.str()
	}
	return err
}

func (t *Target) parse(r *reader) (err error) {
	t.layout, err = r.record(targetSchema, t, func(i int) error { return t.read(r, i) })
	if err == nil && (t.OS == "" || t.Arch == "") {
		err = r.fail("the target has no os or no arch")
	}
	return err
}

func (t *Target) read(r *reader, i int) (err error) {
	switch i {
	case 0:
		t.OS, err = r.platformPart()
	case 1:
		t.Arch, err = r.platformPart()
	case 2:
		t.Filename, err = r.str()
	case 3:
		t.DownloadURL, err = r.str()
	case 4:
		t.Shasum, err = r.str()
	case 5:
		t.H1, err = r.str()
	case 6:
		t.Size, err = r.count()
	}
	return err
}

func (e *VersionError) parse(r *reader) (err error) {
	e.layout, err = r.record(versionErrorSchema, e, func(i int) (err error) {
		switch i {
		case 0:
			e.Version, err = r.str()
		case 1:
			e.Message, err = r.str()
		case 2:
			e.UTCTime, err = r.str()
		}
		return err
	})
	return err
}

// providerVersion reads a version that the API can serve.
func (r *reader) providerVersion() (string, error) {
	s, err := r.str()
	if err != nil {
		return "", err
	}
	if s != "" && s[0] == 'v' {
		return "", r.fail("%s: a provider's version is written without the \"v\"", quoteShort(s))
	}
	if fault := versionFault(s); fault != "" {
		return "", r.fail("%s %s", quoteShort(s), fault)
	}
	return s, nil
}

func (r *reader) platformPart() (string, error) {
	s, err := r.str()
	if err == nil && !isPlatformPart(s) {
		err = r.fail("%s: want letters a-z and digits, at most 32", quoteShort(s))
	}
	return s, err
}

// readList reads a list of at most limit objects; null gives nil, [] an empty list.
func readList[T any](r *reader, limit int, parse func(*T) error) ([]T, error) {
	if r.null() {
		return nil, nil
	}
	list := []T{}
	err := r.array(limit, func() error {
		var zero T
		list = append(list, zero)
		return parse(&list[len(list)-1])
	})
	return list, err
}

// Bytes returns the file's content: the very bytes it was read from if nothing
// has changed since; otherwise two-space indentation, with unknown keys, the
// order of keys and a final newline kept. A new file has no final newline.
func (p *Provider) Bytes() []byte {
	return p.doc.bytes(p.encode(), func() []byte {
		old, err := ParseProvider([]byte(p.doc.raw))
		if err != nil {
			return nil
		}
		return old.encode()
	})
}

func (p *Provider) encode() []byte {
	w := &writer{buf: make([]byte, 0, len(p.doc.raw)+4096)}
	w.record(providerSchema, p, p.layout)
	return p.doc.finish(w.buf)
}

func (p *Provider) empty(i int) bool {
	switch i {
	case 0:
		return p.Repository == ""
	case 1:
		return len(p.Versions) == 0
	case 2:
		return len(p.VersionsErrors) == 0
	case 3:
		return len(p.Warnings) == 0
	}
	return p.emptyKey(i - 4)
}

func (p *Provider) write(w *writer, i int) {
	switch i {
	case 0:
		w.str(p.Repository)
	case 1:
		w.list(p.Versions == nil, len(p.Versions), func(k int) {
			w.record(versionSchema, &p.Versions[k], p.Versions[k].layout)
		})
	case 2:
		w.list(p.VersionsErrors == nil, len(p.VersionsErrors), func(k int) {
			w.record(versionErrorSchema, &p.VersionsErrors[k], p.VersionsErrors[k].layout)
		})
	case 3:
		w.strs(p.Warnings)
	default:
		p.writeKey(w, i-4)
	}
}

func (v *ProviderVersion) empty(i int) bool {
	switch i {
	case 0:
		return v.Version == ""
	case 1:
		return len(v.Protocols) == 0
	case 2:
		return v.ShasumsURL == ""
	case 3:
		return v.ShasumsSignatureURL == ""
	case 4:
		return len(v.Targets) == 0
	}
	return v.Discovered == ""
}

func (v *ProviderVersion) write(w *writer, i int) {
	switch i {
	case 0:
		w.str(v.Version)
	case 1:
		w.strs(v.Protocols)
	case 2:
		w.str(v.ShasumsURL)
	case 3:
		w.str(v.ShasumsSignatureURL)
	case 4:
		w.list(v.Targets == nil, len(v.Targets), func(k int) {
			w.record(targetSchema, &v.Targets[k], v.Targets[k].layout)
		})
	case 5:
		w.str(v.Discovered)
	}
}

func (t *Target) empty(i int) bool {
	if i == 6 {
		return t.Size == 0
	}
	return *t.text(i) == ""
}

func (t *Target) write(w *writer, i int) {
	if i == 6 {
		w.int(t.Size)
		return
	}
	w.str(*t.text(i))
}

func (t *Target) text(i int) *string {
	return [...]*string{&t.OS, &t.Arch, &t.Filename, &t.DownloadURL, &t.Shasum, &t.H1}[i]
}

func (e *VersionError) empty(i int) bool       { return *e.text(i) == "" }
func (e *VersionError) write(w *writer, i int) { w.str(*e.text(i)) }
func (e *VersionError) text(i int) *string {
	return [...]*string{&e.Version, &e.Message, &e.UTCTime}[i]
}
