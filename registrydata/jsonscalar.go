package registrydata

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string.
func (r *reader) str() (string, error) {
	if r.peek() != '"' {
		return "", r.fail("want a string, found %s", r.found())
	}
	start := r.pos + 1
	for i := start; i < len(r.s); i++ {
		switch c := r.s[i]; {
		case c == '"':
			r.pos = i + 1
			return r.checked(r.s[start:i])
		case c == '\\':
			return r.escaped(start, i)
		case c < ' ':
			r.pos = i
			return "", r.fail("a control character in a string")
		}
	}
	r.pos = len(r.s)
	return "", r.fail("a string without an end")
}

func (r *reader) checked(s string) (string, error) {
	if !utf8.ValidString(s) {
		return "", r.fail("a string that is not valid UTF-8")
	}
	return s, nil
}

// escaped reads the string that began at start and has its first escape at i.
func (r *reader) escaped(start, i int) (string, error) {
	out := make([]byte, 0, i-start+64)
	out = append(out, r.s[start:i]...)
	for i < len(r.s) {
		switch c := r.s[i]; {
		case c == '"':
			r.pos = i + 1
			return r.checked(string(out))
		case c == '\\':
			var ok bool
			if out, i, ok = unescape(out, r.s, i+1); !ok {
				r.pos = i
				return "", r.fail("an escape that JSON does not have")
			}
		case c < ' ':
			r.pos = i
			return "", r.fail("a control character in a string")
		default:
			out = append(out, c)
			i++
		}
	}
	r.pos = len(r.s)
	return "", r.fail("a string without an end")
}

// unescape appends what the escape after a backslash stands for; i is the place
// after the backslash. A half of a surrogate pair is refused.
func unescape(out []byte, s string, i int) ([]byte, int, bool) {
	if i >= len(s) {
		return out, i, false
	}
	if k := strings.IndexByte(`"\/bfnrt`, s[i]); k >= 0 {
		return append(out, "\"\\/\b\f\n\r\t"[k]), i + 1, true
	}
	c, ok := hex4(s, i)
	if !ok {
		return out, i, false
	}
	i += 5
	if utf16.IsSurrogate(c) {
		if i >= len(s) || s[i] != '\\' {
			return out, i, false
		}
		low, ok := hex4(s, i+1)
		if c = utf16.DecodeRune(c, low); !ok || c == utf8.RuneError {
			return out, i, false
		}
		i += 6
	}
	return utf8.AppendRune(out, c), i, true
}

// hex4 reads the uXXXX of an escape at i.
func hex4(s string, i int) (rune, bool) {
	if i+5 > len(s) || s[i] != 'u' {
		return 0, false
	}
	var c rune
	for _, d := range []byte(s[i+1 : i+5]) {
		switch {
		case '0' <= d && d <= '9':
			c = c<<4 | rune(d-'0')
		case 'a' <= d && d <= 'f':
			c = c<<4 | rune(d-'a'+10)
		case 'A' <= d && d <= 'F':
			c = c<<4 | rune(d-'A'+10)
		default:
			return 0, false
		}
	}
	return c, true
}

// count reads an integer that is not negative.
func (r *reader) count() (int64, error) {
	what := r.found()
	token, err := r.number()
	if err != nil {
		if what != "a number" {
			err = r.fail("want a number, found %s", what)
		}
		return 0, err
	}
	n, err := strconv.ParseInt(token, 10, 64)
	if err != nil || n < 0 || token[0] == '-' {
		return 0, r.fail("want a whole number that is not negative, found %s", quoteShort(token))
	}
	return n, nil
}

// boolean reads true or false.
func (r *reader) boolean() (bool, error) {
	for _, yes := range []bool{true, false} {
		if word := strconv.FormatBool(yes); strings.HasPrefix(r.s[r.pos:], word) {
			r.pos += len(word)
			return yes, nil
		}
	}
	return false, r.fail("want true or false, found %s", r.found())
}

// number reads a number and returns its text.
func (r *reader) number() (string, error) {
	start := r.pos
	if r.peek() == '-' {
		r.pos++
	}
	ok := true
	if r.peek() == '0' {
		r.pos++
	} else {
		ok = r.digits()
	}
	if ok && r.peek() == '.' {
		r.pos++
		ok = r.digits()
	}
	if ok && (r.peek() == 'e' || r.peek() == 'E') {
		r.pos++
		if r.peek() == '+' || r.peek() == '-' {
			r.pos++
		}
		ok = r.digits()
	}
	if !ok {
		return "", r.fail("malformed number")
	}
	return r.s[start:r.pos], nil
}

// digits steps over digits and reports whether there was one.
func (r *reader) digits() bool {
	start := r.pos
	for '0' <= r.peek() && r.peek() <= '9' {
		r.pos++
	}
	return r.pos > start
}

// skip reads any value, checking it like every other, and returns its text.
func (r *reader) skip() (string, error) {
	start := r.pos
	var err error
	switch c := r.peek(); {
	case c == '{':
		err = r.object(func(string, string) error { _, err := r.skip(); return err })
	case c == '[':
		err = r.array(math.MaxInt, func() error { _, err := r.skip(); return err })
	case c == '"':
		_, err = r.str()
	case c == '-' || '0' <= c && c <= '9':
		_, err = r.number()
	default:
		err = r.literal()
	}
	return r.s[start:r.pos], err
}

func (r *reader) literal() error {
	for _, word := range []string{"null", "true", "false"} {
		if strings.HasPrefix(r.s[r.pos:], word) {
			r.pos += len(word)
			return nil
		}
	}
	return r.fail("want a value, found %s", r.found())
}

// maxStrings bounds a list of protocols or warnings.
const maxStrings = 1000

// strs reads a list of strings; null gives nil, [] an empty list.
func (r *reader) strs() ([]string, error) {
	if r.null() {
		return nil, nil
	}
	out := []string{}
	err := r.array(maxStrings, func() error {
		s, err := r.str()
		out = append(out, s)
		return err
	})
	return out, err
}
