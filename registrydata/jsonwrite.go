package registrydata

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// writer appends a document to a buffer in the form of json.MarshalIndent with
// two spaces, whose bytes the reference writes: HTML characters escaped, empty
// lists as [], nil lists as null.
type writer struct {
	buf   []byte
	depth int
}

const spaces = "                                                                "

// line begins a new line at the current depth.
func (w *writer) line() {
	w.buf = append(w.buf, '\n')
	w.buf = append(w.buf, spaces[:2*w.depth]...)
}

// open begins an object or list.
func (w *writer) open(c byte) {
	w.buf = append(w.buf, c)
	w.depth++
}

// elem begins an element or key of the object or list that is open.
func (w *writer) elem() {
	if c := w.buf[len(w.buf)-1]; c != '{' && c != '[' {
		w.buf = append(w.buf, ',')
	}
	w.line()
}

// end ends the object or list.
func (w *writer) end(c byte) {
	w.depth--
	if last := w.buf[len(w.buf)-1]; last != '{' && last != '[' {
		w.line()
	}
	w.buf = append(w.buf, c)
}

// key begins a key of the format, which needs no escaping.
func (w *writer) key(name string) {
	w.elem()
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, name...)
	w.buf = append(w.buf, `": `...)
}

func (w *writer) str(s string)   { w.buf = appendString(w.buf, s) }
func (w *writer) int(n int64)    { w.buf = strconv.AppendInt(w.buf, n, 10) }
func (w *writer) bool(yes bool)  { w.buf = strconv.AppendBool(w.buf, yes) }
func (w *writer) raw(s string)   { w.buf = append(w.buf, s...) }
func (w *writer) bytes(b []byte) { w.buf = append(w.buf, b...) }

func (w *writer) field(name, value string) {
	w.key(name)
	w.str(value)
}

func (w *writer) strs(list []string) {
	if list == nil {
		w.raw("null")
		return
	}
	w.open('[')
	for _, s := range list {
		w.elem()
		w.str(s)
	}
	w.end(']')
}

// list writes n elements, null if the list is nil.
func (w *writer) list(isNil bool, n int, elem func(i int)) {
	if isNil {
		w.raw("null")
		return
	}
	w.open('[')
	for i := range n {
		w.elem()
		elem(i)
	}
	w.end(']')
}

// record writes an object by its layout.
func (w *writer) record(sch *schema, rec record, lay *layout) {
	w.open('{')
	for _, it := range lay.order(sch, rec) {
		if it.field != unknownField {
			w.key(sch.names[it.field])
			rec.write(w, it.field)
			continue
		}
		w.elem()
		w.raw(it.token)
		w.raw(": ")
		w.indented(it.raw)
	}
	w.end('}')
}

// indented writes a value that this package does not know, in the house's
// indentation.
func (w *writer) indented(raw string) {
	var b bytes.Buffer
	if err := json.Indent(&b, []byte(raw), spaces[:2*w.depth], "  "); err != nil {
		w.raw(raw)
		return
	}
	w.bytes(b.Bytes())
}

// plain marks the bytes that stand for themselves in a string as
// encoding/json writes it.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return t
}()

// appendString appends s as a JSON string with the escapes of encoding/json.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		if plain[s[i]] {
			i++
			continue
		}
		c, size := utf8.DecodeRuneInString(s[i:])
		if c >= utf8.RuneSelf && c != '\u2028' && c != '\u2029' && (c != utf8.RuneError || size > 1) {
			i += size
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, c rune) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', byte(c))
	case '\b':
		return append(dst, `\b`...)
	case '\f':
		return append(dst, `\f`...)
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	}
	return append(dst, '\\', 'u', hex[c>>12&15], hex[c>>8&15], hex[c>>4&15], hex[c&15])
}
