package registrydata

import "strings"

// schema lists the keys of an object of the format in the order in which a new
// one is written. Those whose bit is set in always are written even if empty.
type schema struct {
	names  []string
	always uint32
}

// layout remembers of an object what its fields do not: the order of its keys
// and the keys that this package does not know. Objects with the same layout
// share it. A nil layout is that of a new object.
type layout struct {
	items []layoutItem
	has   uint32 // bit i: field i was there
	extra bool   // there are unknown keys
}

// layoutItem is one key of an object as it was read.
type layoutItem struct {
	field int    // index in the schema, unknownField for a key not in it
	empty bool   // a field that was there but empty: it is written as long as it stays so
	token string // an unknown key as it was written, with its quotes
	raw   string // and its value
}

const unknownField = -1

// record is an object that is written by its schema and layout.
type record interface {
	// empty reports whether field i holds nothing.
	empty(i int) bool
	// write writes the value of field i.
	write(w *writer, i int)
}

// record reads an object into its fields: read is called with the reader at the
// value of field i, and must read it.
func (r *reader) record(sch *schema, rec record, read func(i int) error) (*layout, error) {
	base, expect := len(r.items), 0
	err := r.object(func(key, token string) error {
		i := sch.find(key, expect)
		if i == unknownField {
			return r.unknown(sch, key, token)
		}
		expect = i + 1
		if err := read(i); err != nil {
			return err
		}
		r.items = append(r.items, layoutItem{field: i, empty: rec.empty(i)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	lay := r.intern(r.items[base:])
	r.items = r.items[:base]
	return lay, nil
}

// find returns the index of a key. Keys mostly come in order, so the expected
// one is tried first.
func (sch *schema) find(key string, expect int) int {
	if expect < len(sch.names) && sch.names[expect] == key {
		return expect
	}
	for i, name := range sch.names {
		if name == key {
			return i
		}
	}
	return unknownField
}

// unknown keeps a key that the format does not have. One that differs from a
// key of the format in case only is refused: the reference would read it as
// that key.
func (r *reader) unknown(sch *schema, key, token string) error {
	for _, name := range sch.names {
		if strings.EqualFold(name, key) {
			return r.fail("the key must be written %q", name)
		}
	}
	raw, err := r.skip()
	if err != nil {
		return err
	}
	r.items = append(r.items, layoutItem{field: unknownField, token: token, raw: raw})
	return nil
}

// intern returns a layout with the items, shared where possible.
func (r *reader) intern(items []layoutItem) *layout {
	lay := layout{}
	for _, it := range items {
		if it.field == unknownField {
			lay.extra = true
		} else {
			lay.has |= 1 << it.field
		}
	}
	if !lay.extra {
		for _, old := range r.known {
			if old.sameOrder(items) {
				return old
			}
		}
	}
	lay.items = append([]layoutItem(nil), items...)
	if !lay.extra && len(r.known) < 16 {
		r.known = append(r.known, &lay)
	}
	return &lay
}

func (lay *layout) sameOrder(items []layoutItem) bool {
	if len(lay.items) != len(items) {
		return false
	}
	for i, it := range items {
		if lay.items[i].field != it.field || lay.items[i].empty != it.empty {
			return false
		}
	}
	return true
}

// order returns the keys to write for rec: those of the layout, less the fields
// that have become empty, plus the fields that have got a value, each behind
// the one it follows in the schema.
func (lay *layout) order(sch *schema, rec record) []layoutItem {
	if lay != nil && lay.unchanged(sch, rec) {
		return lay.items
	}
	var out []layoutItem
	if lay == nil {
		lay = &layout{}
		for i := range sch.names {
			if sch.always&(1<<i) != 0 {
				out = append(out, layoutItem{field: i})
			}
		}
	}
	for _, it := range lay.items {
		if it.kept(sch, rec) {
			out = append(out, it)
		}
	}
	for i := range sch.names {
		if !rec.empty(i) {
			out = place(out, i)
		}
	}
	return out
}

func (lay *layout) unchanged(sch *schema, rec record) bool {
	for _, it := range lay.items {
		if !it.kept(sch, rec) {
			return false
		}
	}
	for i := range sch.names {
		if lay.has&(1<<i) == 0 && !rec.empty(i) {
			return false
		}
	}
	return true
}

func (it layoutItem) kept(sch *schema, rec record) bool {
	return it.field == unknownField || sch.always&(1<<it.field) != 0 || it.empty || !rec.empty(it.field)
}

// place puts field i behind its nearest predecessor, if it is not there yet.
func place(items []layoutItem, i int) []layoutItem {
	at, pred := 0, unknownField
	for k, it := range items {
		if it.field == i {
			return items
		}
		if it.field != unknownField && it.field < i && it.field > pred {
			at, pred = k+1, it.field
		}
	}
	items = append(items, layoutItem{})
	copy(items[at+1:], items[at:])
	items[at] = layoutItem{field: i}
	return items
}
