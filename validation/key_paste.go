package validation

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
)

// fieldKey is the field of findings about the key that was pasted.
const fieldKey = "key"

const exportKey = "Run `gpg --armor --export KEY-ID` and paste its whole output, from the BEGIN to the END line, into the key field of the issue."

// cutKey finds the one public key block in what an author pasted.
//
//   - A private key MUST be refused before anything else is said.
//   - One block, whole, MUST be found wherever it stands, and kept byte for
//     byte where it needs no repair (spec §1.7).
//   - Two different blocks MUST be refused: they are two keys to decide on.
//   - Anything else MUST be answered by what it looks like.
func cutKey(text []byte) ([]byte, []Finding) {
	if len(text) > maxKey {
		return nil, []Finding{keyError("key-too-large",
			fmt.Sprintf("The key is larger than %d kB. Nobody's signing key is.", maxKey>>10),
			"Export the key alone with `gpg --armor --export --export-options export-minimal KEY-ID`.")}
	}
	if HasPrivateKey(string(text)) {
		return nil, []Finding{privateKeyFinding()}
	}
	found := findKeyBlocks(text)
	switch {
	case len(found.blocks) > 1:
		return nil, []Finding{keyError("key-several",
			fmt.Sprintf("There are %d different key blocks in the issue.", len(found.blocks)),
			"Leave one in, and open one issue for each other key.")}
	case found.open:
		return nil, []Finding{keyError("key-unreadable",
			"The key block begins but never ends: it was cut off.", exportKey)}
	case len(found.blocks) == 0:
		return nil, []Finding{wrongPaste(string(text))}
	}
	if len(found.repaired) == 0 {
		return found.blocks[0], nil
	}
	return found.blocks[0], []Finding{{
		Code: "key-repaired", Severity: Info, Field: fieldKey,
		Message: "The key was damaged on its way into the issue and was repaired: " + list(found.repaired, 5) + ".",
	}}
}

func keyError(code, message, fix string) Finding {
	return Finding{Code: code, Severity: Error, Field: fieldKey, Message: message, Fix: fix}
}

func privateKeyFinding() Finding {
	return keyError("private-key",
		"This is a private key. Everyone who has seen it can sign in your name. Deleting it does not help: GitHub keeps the history of an issue and sends it by mail.",
		"Revoke this key now (`gpg --gen-revoke KEY-ID`), make a new one, sign your next release with it, and submit the new public key: `gpg --armor --export NEW-KEY-ID`.")
}

var (
	// privateLine is the first or last line of a private key, known by its dashes
	// or, where they were lost, by its capitals.
	privateLine = regexp.MustCompile(`(?i:\p{Pd}{2,}[ \t]?(BEGIN|END)[ \t]{1,5}([A-Z0-9]{1,12}[ \t]{1,5}){0,2}PRIVATE[ \t]{1,5}KEY)` +
		`|(BEGIN|END) (PGP|OPENSSH|RSA|EC|DSA|ENCRYPTED) PRIVATE KEY`)
	base64Line = regexp.MustCompile(`^[ \t>|]*([A-Za-z0-9+/]{40,}=*)[ \t\r]*$`)
)

// HasPrivateKey tells whether a text holds a private key, OpenPGP or other,
// whole or damaged: told by its BEGIN or END line, or by the first line of
// base64 that begins with a secret key packet.
func HasPrivateKey(text string) bool {
	if privateLine.MatchString(text) {
		return true
	}
	inside := false
	for line := range strings.Lines(text) {
		m := base64Line.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m != nil && !inside {
			if tag, ok := firstPacket(m[1]); ok && tag == tagSecretKey {
				return true
			}
		}
		inside = m != nil
	}
	return false
}

// OpenPGP packet tags (RFC 9580 §5).
const (
	tagSecretKey = 5
	tagPublicKey = 6
)

// firstPacket reads the tag of the OpenPGP packet that a base64 text begins
// with. Only a key packet of version 4 to 6 with a known algorithm counts.
func firstPacket(text string) (tag int, ok bool) {
	text = strings.TrimRight(text[:min(len(text), 40)], "=")
	b, err := base64.RawStdEncoding.DecodeString(text[:len(text)/4*4])
	if err != nil || len(b) < 16 || b[0]&0x80 == 0 {
		return 0, false
	}
	tag, header := int(b[0]&0x3f), 2
	switch {
	case b[0]&0x40 == 0: // old format: the low two bits tell the size of the length
		tag >>= 2
		header = 1 + 1<<(b[0]&3)
	case b[1] >= 192 && b[1] < 224:
		header = 3
	case b[1] == 255:
		header = 6
	}
	version, algorithm := b[header], b[header+5]
	known := tag == tagSecretKey || tag == tagPublicKey
	return tag, known && version >= 4 && version <= 6 && algorithm > 0 && algorithm <= 35
}
