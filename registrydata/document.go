package registrydata

import (
	"bytes"
	"strings"
)

// document is the text that a file was read from; empty for a new file.
type document struct {
	raw string
}

// finish ends an encoded file: with a newline if the text it was read from had
// one.
func (d document) finish(b []byte) []byte {
	if strings.HasSuffix(d.raw, "\n") {
		b = append(b, '\n')
	}
	return b
}

// bytes returns the text that the file was read from if its model, encoded as
// now, is what that text's model is encoded as; that is, if nothing has
// changed. So text that was formatted by hand is left alone.
func (d document) bytes(now []byte, reread func() []byte) []byte {
	if d.raw == "" || string(now) == d.raw {
		return now
	}
	if bytes.Equal(now, reread()) {
		return []byte(d.raw)
	}
	return now
}
