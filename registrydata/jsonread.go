package registrydata

import (
	"fmt"
	"strings"
)

const (
	// MaxFileSize is the largest data file that is read, in bytes. The largest
	// of the public registry has 2.5 MB.
	MaxFileSize = 32 << 20
	// maxDepth bounds the nesting of a document. The format needs 5.
	maxDepth = 32
)

// reader reads one JSON document (RFC 8259) strictly: no key twice in an
// object, no invalid UTF-8, nothing after the document. It exists because the
// standard decoder takes the last of two equal keys, folds the case of keys and
// drops what it does not know. Strings without escapes are parts of the
// document's text, not copies.
type reader struct {
	s     string
	pos   int
	depth int
	path  []step
	// items is the stack of the layouts being read, known those already made.
	items []layoutItem
	known []*layout
}

// newReader checks the size and steps over what may stand before the document.
func newReader(b []byte) (*reader, error) {
	if len(b) > MaxFileSize {
		return nil, &ParseError{Line: 1, Reason: fmt.Sprintf("the file has %d bytes, at most %d are read", len(b), MaxFileSize)}
	}
	r := &reader{s: string(b)}
	if strings.HasPrefix(r.s, "\ufeff") {
		return nil, r.fail("the file begins with a byte order mark")
	}
	r.space()
	return r, nil
}

func (r *reader) fail(format string, args ...any) error {
	line := 1 + strings.Count(r.s[:min(r.pos, len(r.s))], "\n")
	return &ParseError{Where: formatPath(r.path), Line: line, Reason: fmt.Sprintf(format, args...)}
}

// end reports an error unless only white space follows.
func (r *reader) end() error {
	r.space()
	if r.pos < len(r.s) {
		return r.fail("unexpected %s after the end of the document", r.found())
	}
	return nil
}

func (r *reader) space() {
	for r.pos < len(r.s) {
		switch r.s[r.pos] {
		case ' ', '\n', '\t', '\r':
			r.pos++
		default:
			return
		}
	}
}

// peek returns the next byte, 0 at the end of the text.
func (r *reader) peek() byte {
	if r.pos < len(r.s) {
		return r.s[r.pos]
	}
	return 0
}

// found names what stands at the current position, for error messages.
func (r *reader) found() string {
	if r.pos >= len(r.s) {
		return "end of file"
	}
	switch c := r.s[r.pos]; {
	case c == '{':
		return "an object"
	case c == '[':
		return "a list"
	case c == '"':
		return "a string"
	case c == '-' || '0' <= c && c <= '9':
		return "a number"
	case strings.HasPrefix(r.s[r.pos:], "null"):
		return "null"
	case strings.HasPrefix(r.s[r.pos:], "true"), strings.HasPrefix(r.s[r.pos:], "false"):
		return "a boolean"
	case c > ' ' && c < 0x7f:
		return fmt.Sprintf("%q", c)
	default:
		return fmt.Sprintf("byte %#02x", c)
	}
}

// open steps into an object or list.
func (r *reader) open(c byte, what string) error {
	if r.peek() != c {
		return r.fail("want %s, found %s", what, r.found())
	}
	if r.depth++; r.depth > maxDepth {
		return r.fail("nested more than %d deep", maxDepth)
	}
	r.pos++
	r.space()
	return nil
}

// next steps over the comma before an element, or out of the list or object
// that closes with c, in which case it reports true.
func (r *reader) next(c byte, first bool) (done bool, err error) {
	if r.peek() == c {
		r.pos++
		r.depth--
		return true, nil
	}
	if first {
		return false, nil
	}
	if r.peek() != ',' {
		return false, r.fail("want a comma or %q, found %s", c, r.found())
	}
	r.pos++
	r.space()
	if r.peek() == c {
		return false, r.fail("a comma before %q", c)
	}
	return false, nil
}

// object reads an object and calls each for every key, with the reader at the
// key's value; token is the key as it was written, quotes included.
func (r *reader) object(each func(key, token string) error) error {
	if err := r.open('{', "an object"); err != nil {
		return err
	}
	var seen keySet
	for first := true; ; first = false {
		if done, err := r.next('}', first); done || err != nil {
			return err
		}
		start := r.pos
		if r.peek() != '"' {
			return r.fail("want a key, found %s", r.found())
		}
		key, err := r.str()
		if err != nil {
			return err
		}
		token := r.s[start:r.pos]
		r.path = append(r.path, step{key: key, index: -1})
		if !seen.add(key) {
			return r.fail("the key stands twice in its object")
		}
		r.space()
		if r.peek() != ':' {
			return r.fail("want a colon after the key, found %s", r.found())
		}
		r.pos++
		r.space()
		if err := each(key, token); err != nil {
			return err
		}
		r.space()
		r.path = r.path[:len(r.path)-1]
	}
}

// array reads a list of at most limit elements and calls each for every one,
// with the reader at it.
func (r *reader) array(limit int, each func() error) error {
	if err := r.open('[', "a list"); err != nil {
		return err
	}
	for i := 0; ; i++ {
		if done, err := r.next(']', i == 0); done || err != nil {
			return err
		}
		r.path = append(r.path, step{index: i})
		if i == limit {
			return r.fail("the list has more than %d elements", limit)
		}
		if err := each(); err != nil {
			return err
		}
		r.space()
		r.path = r.path[:len(r.path)-1]
	}
}

// null steps over a null if there is one.
func (r *reader) null() bool {
	if strings.HasPrefix(r.s[r.pos:], "null") {
		r.pos += len("null")
		return true
	}
	return false
}

// keySet holds the keys of one object: a few in an array, more in a map, so
// that neither usual nor hostile objects are slow.
type keySet struct {
	few  [8]string
	n    int
	many map[string]bool
}

// add reports whether the key is new.
func (k *keySet) add(key string) bool {
	for _, old := range k.few[:min(k.n, len(k.few))] {
		if old == key {
			return false
		}
	}
	if k.n < len(k.few) {
		k.few[k.n] = key
	} else {
		if k.many[key] {
			return false
		}
		if k.many == nil {
			k.many = map[string]bool{}
		}
		k.many[key] = true
	}
	k.n++
	return true
}
