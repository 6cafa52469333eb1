package registry

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

// packer appends values to a packed record.
type packer struct{ b []byte }

func (p *packer) uint(n int) { p.b = binary.AppendUvarint(p.b, uint64(n)) } // #nosec G115 -- a length, or a size that is not negative

func (p *packer) int(n int64) { p.b = binary.AppendVarint(p.b, n) }

func (p *packer) byte(c byte) { p.b = append(p.b, c) }

func (p *packer) str(s string) {
	p.uint(len(s))
	p.b = append(p.b, s...)
}

// strs keeps nil and an empty list apart: the API shows null and [].
func (p *packer) strs(list []string) {
	if list == nil {
		p.uint(0)
		return
	}
	p.uint(len(list) + 1)
	for _, s := range list {
		p.str(s)
	}
}

// The forms of a text that is usually a hash.
const (
	asText = iota
	asNothing
	asHash // the prefix and 20 or 32 bytes, encoded
	asLongHash
)

// hex writes a hash in lower-case hexadecimal as its bytes, anything else as text.
func (p *packer) hex(s string) {
	raw, err := hex.DecodeString(s)
	p.hash(s, raw, err == nil && hex.EncodeToString(raw) == s)
}

// h1 writes a hash in the form of Go's dirhash as its bytes.
func (p *packer) h1(s string) {
	text, ok := strings.CutPrefix(s, h1Prefix)
	raw, err := base64.StdEncoding.DecodeString(text)
	p.hash(s, raw, ok && err == nil && base64.StdEncoding.EncodeToString(raw) == text)
}

const h1Prefix = "h1:"

func (p *packer) hash(text string, raw []byte, exact bool) {
	switch {
	case text == "":
		p.byte(asNothing)
	case exact && len(raw) == 20:
		p.byte(asHash)
		p.b = append(p.b, raw...)
	case exact && len(raw) == 32:
		p.byte(asLongHash)
		p.b = append(p.b, raw...)
	default:
		p.byte(asText)
		p.str(text)
	}
}

// unpacker reads what a packer wrote. Texts are parts of the record.
type unpacker struct {
	s   string
	pos int
}

func (u *unpacker) uint() int {
	n, shift := 0, 0
	for {
		c := u.byte()
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			return n
		}
		shift += 7
	}
}

func (u *unpacker) int() int64 {
	n := uint64(u.uint()) // #nosec G115 -- the bits of the packed value
	return int64(n>>1) ^ -int64(n&1)
}

func (u *unpacker) byte() byte {
	u.pos++
	return u.s[u.pos-1]
}

func (u *unpacker) take(n int) string {
	u.pos += n
	return u.s[u.pos-n : u.pos]
}

func (u *unpacker) str() string { return u.take(u.uint()) }

func (u *unpacker) strs() []string {
	n := u.uint()
	if n == 0 {
		return nil
	}
	list := make([]string, n-1)
	for i := range list {
		list[i] = u.str()
	}
	return list
}

func (u *unpacker) hex() string {
	return u.hash(func(raw string) string { return hex.EncodeToString([]byte(raw)) })
}

func (u *unpacker) h1() string {
	return u.hash(func(raw string) string { return h1Prefix + base64.StdEncoding.EncodeToString([]byte(raw)) })
}

func (u *unpacker) skipHash() { u.hash(func(string) string { return "" }) }

func (u *unpacker) hash(encode func(raw string) string) string {
	switch u.byte() {
	case asNothing:
		return ""
	case asHash:
		return encode(u.take(20))
	case asLongHash:
		return encode(u.take(32))
	}
	return u.str()
}

// packedVersions are the records of an entity's versions, one after the other.
type packedVersions struct {
	records string
	// at is where each record begins, in the order of the data file.
	at []uint32
	// bySegment are the versions that can be asked for, as indexes of at, sorted
	// by their segment of a path. Of two with one segment it holds the last, which
	// is the one that counts.
	bySegment []uint32
}

// newPackedVersions packs n versions. A record begins with its version.
func newPackedVersions(n int, pack func(p *packer, i int)) packedVersions {
	v := packedVersions{at: make([]uint32, n)}
	var p packer
	for i := range n {
		v.at[i] = uint32(len(p.b)) // #nosec G115 -- data files have 32 MiB at most, and packing makes them smaller
		pack(&p, i)
	}
	v.records = string(p.b)
	v.index()
	return v
}

func (v *packedVersions) index() {
	last := make(map[string]uint32, len(v.at))
	for i := range v.at {
		last[v.segment(i)] = uint32(i) // #nosec G115 -- at most 50,000
	}
	v.bySegment = make([]uint32, 0, len(last))
	for _, i := range last {
		v.bySegment = append(v.bySegment, i)
	}
	slices.SortFunc(v.bySegment, func(a, b uint32) int {
		return strings.Compare(v.segment(int(a)), v.segment(int(b)))
	})
}

// read is an unpacker at the i-th version.
func (v *packedVersions) read(i int) *unpacker {
	return &unpacker{s: v.records, pos: int(v.at[i])}
}

// segment is what stands for the i-th version in a path.
func (v *packedVersions) segment(i int) string {
	u := unpacker{s: v.records, pos: int(v.at[i])}
	return strings.ToLower(strings.TrimPrefix(u.str(), "v"))
}

// find is the index of the version that a path asks for.
func (v *packedVersions) find(segment string) (int, bool) {
	k, ok := slices.BinarySearchFunc(v.bySegment, segment, func(i uint32, want string) int {
		return strings.Compare(v.segment(int(i)), want)
	})
	if !ok {
		return 0, false
	}
	return int(v.bySegment[k]), true
}
