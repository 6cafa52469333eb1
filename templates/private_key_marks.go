package templates

import (
	"encoding/base64"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"
)

// keyMark is a line that begins or ends a block of key material.
type keyMark struct {
	span
	begins  bool
	private bool
}

const (
	dash  = `(?:[-\x{2010}-\x{2015}\x{2212}]|&#0*45;|&#x0*2d;|&(?:hyphen|dash|ndash|mdash|minus);)`
	space = `(?:[\s_+*\x{a0}]|&nbsp;|&#0*(?:32|160);|&#x0*(?:20|a0);|%20)`
)

// privateMark is a mark around a private key (RFC 9580 §6.2, RFC 7468). Its
// dashes and spaces may be damaged or escaped: typed as one long dash, as HTML
// character references, missing, in any case.
var (
	privateMark = regexp.MustCompile(`(?i)(?:` + dash + `+` + space + `*)?\b(BEGIN|END)` + space + `*(?:[A-Z0-9]+` + space +
		`+){0,3}?(?:PGP)?` + space + `*(?:PRIVATE|SECRET)` + space + `*KEY(?:` + space + `*BLOCK)?(?:` + space + `*` + dash + `+)?`)
	otherMark = regexp.MustCompile(`(?i)` + dash + `{2,}` + space + `*(BEGIN|END)\b[A-Z0-9 ]{0,40}` + dash + `*`)
	dashes    = regexp.MustCompile(dash + `{2}`)
)

// keyMarks finds the marks of a body, in order and apart. A mark of a private
// key that has no dashes counts where it has the line to itself: prose that
// only names it is no key.
func keyMarks(body string) []keyMark {
	var marks []keyMark
	for _, m := range privateMark.FindAllStringSubmatchIndex(body, -1) {
		if s := (span{m[0], m[1]}); dashes.MatchString(body[m[0]:m[1]]) || aloneOnLine(body, s) {
			marks = append(marks, keyMark{span: s, begins: len("BEGIN") == m[3]-m[2], private: true})
		}
	}
	private := marks
	for _, m := range otherMark.FindAllStringSubmatchIndex(body, -1) {
		for len(private) > 0 && private[0].end <= m[0] {
			private = private[1:]
		}
		if len(private) == 0 || m[1] <= private[0].start {
			marks = append(marks, keyMark{span: span{m[0], m[1]}, begins: len("BEGIN") == m[3]-m[2]})
		}
	}
	slices.SortFunc(marks, func(a, b keyMark) int { return a.start - b.start })
	return marks
}

func aloneOnLine(body string, s span) bool {
	before := body[strings.LastIndexAny(body[:s.start], "\r\n")+1 : s.start]
	after := body[s.end:]
	if i := strings.IndexAny(after, "\r\n"); i >= 0 {
		after = after[:i]
	}
	return strings.Trim(before, "> \t`") == "" && strings.Trim(after, " \t`") == ""
}

const base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

func notBase64(r rune) bool { return !strings.ContainsRune(base64Letters, r) }

// looksLikeKey tells whether a line holds base64 that is no prose: a long run,
// or a shorter one of capitals, small letters and digits.
func looksLikeKey(text string) bool {
	return slices.ContainsFunc(strings.FieldsFunc(text, notBase64), func(run string) bool {
		return len(run) >= 24 || len(run) >= 8 && mixed(run)
	})
}

func mixed(run string) bool {
	return strings.ContainsAny(run, base64Letters[:26]) && strings.ContainsAny(run, base64Letters[26:52]) &&
		strings.ContainsAny(run, base64Letters[52:62])
}

// endsKey tells whether a line that directly follows key material is the last
// of it: a short rest, or the checksum.
func endsKey(text string) bool {
	text = strings.TrimSpace(text[margin(text):])
	if text == "" || strings.ContainsFunc(text, notBase64) {
		return false
	}
	return strings.ContainsAny(text, base64Letters[52:]) || strings.ContainsAny(text[1:], base64Letters[:26])
}

// isSecretKey tells whether a line of base64 begins an OpenPGP secret key: a
// packet with tag 5, a known version, a creation time from 1990 to 2038 and an
// algorithm (RFC 9580 §4.2, §5.5.2, §9.1). One line in 250,000 of anything else
// looks like that.
func isSecretKey(text string) bool {
	if len(text) < 40 || strings.ContainsFunc(text[:40], notBase64) {
		return false
	}
	b, err := base64.StdEncoding.DecodeString(text[:16])
	if err != nil {
		return false
	}
	body := secretKeyPacket(b)
	if len(body) < 6 || body[0] < 4 || body[0] > 6 {
		return false
	}
	created := binary.BigEndian.Uint32(body[1:5])
	return created > 631152000 && created < 1<<31 && slices.Contains(keyAlgorithms, body[5])
}

// keyAlgorithms are the numbers of public-key algorithms.
var keyAlgorithms = []byte{1, 2, 3, 16, 17, 18, 19, 20, 22, 25, 26, 27, 28}

// secretKeyPacket is the content of a secret key's packet, as far as it is
// there; nil where the bytes are none.
func secretKeyPacket(b []byte) []byte {
	switch {
	case b[0]>>2 == 0b100101: // old format, tag 5; two bits tell the size of the length
		return b[1+[]int{1, 2, 4, 0}[b[0]&3]:]
	case b[0] != 0b11000101: // new format, tag 5
		return nil
	case b[1] < 192 || b[1] >= 224 && b[1] < 255:
		return b[2:]
	case b[1] < 224:
		return b[3:]
	}
	return b[6:]
}
