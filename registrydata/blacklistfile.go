package registrydata

import (
	"fmt"
	"strings"
)

// BlacklistFile is the content of versions_blacklist.json, to add to it.
// Blacklist is the same for looking things up.
type BlacklistFile struct {
	Providers, Modules []Blacklisted

	doc    document
	layout *layout
}

// Blacklisted is an entry of the blacklist.
type Blacklisted struct {
	Namespace, Name string
	// TargetSystem is a module's target; empty for a provider.
	TargetSystem string
	// Version is without a leading "v".
	Version string
	Reason  string

	layout *layout
}

// The keys of the blacklist, in the order in which the reference writes them.
var (
	blacklistSchema = &schema{names: []string{"providers", "modules"}, always: 0b11}
	barredSchema    = &schema{names: []string{"namespace", "name", "target_system", "version", "reason"}, always: 0b11011}
)

// ParseBlacklistFile reads versions_blacklist.json; nothing at all is a file
// with empty lists. Errors are of type *ParseError.
func ParseBlacklistFile(b []byte) (*BlacklistFile, error) {
	f := &BlacklistFile{Providers: []Blacklisted{}, Modules: []Blacklisted{}}
	if len(b) == 0 {
		return f, nil
	}
	r, err := newReader(b)
	if err != nil {
		return nil, err
	}
	f.layout, err = r.record(blacklistSchema, f, func(i int) (err error) {
		list := f.list(i)
		*list, err = readList(r, maxListed, func(e *Blacklisted) error { return e.parse(r) })
		return err
	})
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return nil, err
	}
	f.doc = document{raw: r.s}
	return f, nil
}

// Add puts an entry for a version of an entity at the end of its list, unless
// the list names the version already.
func (f *BlacklistFile) Add(e Entity, version, reason string) error {
	if fault := versionFault(version); fault != "" {
		return fmt.Errorf("blacklist %s: version %s %s", e, quoteShort(version), fault)
	}
	list := f.list(0)
	if e.Kind == KindModule {
		list = f.list(1)
	}
	added := Blacklisted{Namespace: e.Namespace, Name: e.Name, TargetSystem: e.Target, Version: strings.TrimPrefix(version, "v"), Reason: reason}
	for _, old := range *list {
		if old.key(e.Kind) == added.key(e.Kind) {
			return nil
		}
	}
	*list = append(*list, added)
	return nil
}

func (b Blacklisted) key(kind Kind) blacklistKey {
	e := Entity{Kind: kind, Namespace: b.Namespace, Name: b.Name, Target: b.TargetSystem}
	return blacklistKey{e, b.Version}.folded()
}

// Bytes returns the file's content, as Provider.Bytes does.
func (f *BlacklistFile) Bytes() []byte {
	return f.doc.bytes(f.encode(), func() []byte {
		old, err := ParseBlacklistFile([]byte(f.doc.raw))
		if err != nil {
			return nil
		}
		return old.encode()
	})
}

func (f *BlacklistFile) encode() []byte {
	w := &writer{}
	w.record(blacklistSchema, f, f.layout)
	return f.doc.finish(w.buf)
}

func (f *BlacklistFile) list(i int) *[]Blacklisted {
	if i == 0 {
		return &f.Providers
	}
	return &f.Modules
}

func (f *BlacklistFile) empty(i int) bool { return len(*f.list(i)) == 0 }

func (f *BlacklistFile) write(w *writer, i int) {
	list := *f.list(i)
	w.list(list == nil, len(list), func(k int) { w.record(barredSchema, &list[k], list[k].layout) })
}

func (b *Blacklisted) parse(r *reader) (err error) {
	b.layout, err = r.record(barredSchema, b, func(i int) (err error) {
		*b.text(i), err = r.str()
		return err
	})
	return err
}

func (b *Blacklisted) empty(i int) bool       { return *b.text(i) == "" }
func (b *Blacklisted) write(w *writer, i int) { w.str(*b.text(i)) }
func (b *Blacklisted) text(i int) *string {
	return [...]*string{&b.Namespace, &b.Name, &b.TargetSystem, &b.Version, &b.Reason}[i]
}
