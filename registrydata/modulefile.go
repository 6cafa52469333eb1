package registrydata

// The keys of a module file, in the order in which the reference writes them.
var (
	moduleSchema        = &schema{names: append([]string{"versions"}, upkeepKeys...), always: 0b1}
	moduleVersionSchema = &schema{names: []string{"version", "commit", "discovered"}, always: 0b1}
)

// ParseModule reads a module file of either generation. Errors are of type
// *ParseError.
func ParseModule(b []byte) (*Module, error) {
	r, err := newReader(b)
	if err != nil {
		return nil, err
	}
	m := &Module{}
	m.layout, err = r.record(moduleSchema, m, func(i int) (err error) {
		if i > 0 {
			return m.readKey(r, i-1)
		}
		m.Versions, err = readList(r, maxListed, func(v *ModuleVersion) error { return v.parse(r) })
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(m.Versions) == 0 {
		return nil, r.fail("versions: must hold at least one version")
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	m.doc = document{raw: r.s}
	return m, nil
}

// unread is the layout of an object while it is read: no longer a new one.
var unread = &layout{}

func (v *ModuleVersion) parse(r *reader) error {
	v.layout = unread
	lay, err := r.record(moduleVersionSchema, v, func(i int) (err error) {
		switch i {
		case 0:
			v.Version, err = r.moduleVersion()
		case 1:
			v.Commit, err = r.objectID()
		case 2:
			v.Discovered, err = r.str()
		}
		return err
	})
	if err != nil {
		return err
	}
	if v.layout = lay; v.Version == "" {
		return r.fail("the version has no tag")
	}
	return nil
}

// moduleVersion reads a tag that is a version.
func (r *reader) moduleVersion() (string, error) {
	s, err := r.str()
	if err != nil {
		return "", err
	}
	if fault := versionFault(s); fault != "" {
		return "", r.fail("%s %s", quoteShort(s), fault)
	}
	return s, nil
}

// objectID reads the id of a git object, or "" for none.
func (r *reader) objectID() (string, error) {
	s, err := r.str()
	if err == nil && s != "" && !isObjectID(s) {
		err = r.fail("%s: want a git object id of 40 or 64 hexadecimal digits", quoteShort(s))
	}
	return s, err
}

// Bytes returns the file's content: the very bytes it was read from if nothing
// has changed since; otherwise two-space indentation, with unknown keys, the
// order of keys and a final newline kept. A new file has no final newline.
func (m *Module) Bytes() []byte {
	return m.doc.bytes(m.encode(), func() []byte {
		old, err := ParseModule([]byte(m.doc.raw))
		if err != nil {
			return nil
		}
		return old.encode()
	})
}

func (m *Module) encode() []byte {
	w := &writer{buf: make([]byte, 0, len(m.doc.raw)+256)}
	w.record(moduleSchema, m, m.layout)
	return m.doc.finish(w.buf)
}

func (m *Module) empty(i int) bool {
	if i > 0 {
		return m.emptyKey(i - 1)
	}
	return len(m.Versions) == 0
}

func (m *Module) write(w *writer, i int) {
	if i > 0 {
		m.writeKey(w, i-1)
		return
	}
	w.list(m.Versions == nil, len(m.Versions), func(k int) {
		w.record(moduleVersionSchema, &m.Versions[k], m.Versions[k].layout)
	})
}

// empty: a new entry of the 2026 generation, the one with a time of discovery,
// has a commit even if that is not known.
func (v *ModuleVersion) empty(i int) bool {
	if i == 1 && v.layout == nil && v.Discovered != "" {
		return false
	}
	return *v.text(i) == ""
}

func (v *ModuleVersion) write(w *writer, i int) { w.str(*v.text(i)) }

func (v *ModuleVersion) text(i int) *string {
	return [...]*string{&v.Version, &v.Commit, &v.Discovered}[i]
}
