package validation

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	sshKey      = regexp.MustCompile(`(?m)(^|\s)(ssh-(rsa|dss|ed25519)|ecdsa-sha2-nistp[0-9]{3}|sk-ssh-ed25519@openssh\.com) AAAA`)
	sshBlock    = regexp.MustCompile(`(?i)BEGIN SSH2 PUBLIC KEY`)
	pemBlock    = regexp.MustCompile(`BEGIN ([A-Z0-9]+ ){0,2}(CERTIFICATE|PUBLIC KEY)-`)
	otherPGP    = regexp.MustCompile(`(?i)BEGIN PGP (MESSAGE|SIGNATURE|SIGNED)`)
	minisignKey = regexp.MustCompile(`(?m)^(untrusted comment: minisign|RW[A-Za-z0-9+/]{54}$|age1[a-z0-9]{50})`)
	keyAddress  = regexp.MustCompile(`(?i)https?://\S+`)
	hexDigits   = regexp.MustCompile(`(?i)(0x)?[0-9a-f]{4}([ :]{0,2}[0-9a-f]{4})+`)
	longBase64  = regexp.MustCompile(`(?m)^[ \t>|]*([A-Za-z0-9+/]{40,})=*\r?$`)
)

// wrongPaste answers a key field that holds no public key block by what it
// holds instead.
func wrongPaste(text string) Finding {
	text = strings.ToValidUTF8(text, "")
	if unanswered(plain(text)) {
		return keyError("key-missing", "There is no key in the issue.", exportKey)
	}
	for _, known := range wrongPastes {
		if known.matches(text) {
			return keyError(known.code, known.message, known.fix)
		}
	}
	return keyError("key-missing",
		fmt.Sprintf("There is no public key block in the issue. What was read begins with %s.", quote(strings.TrimSpace(text))), exportKey)
}

type paste struct {
	code    string
	matches func(string) bool
	message string
	fix     string
}

var wrongPastes = []paste{
	{"key-ssh", either(sshKey, sshBlock), "This is an SSH key. Releases are verified with an OpenPGP (GPG) key.",
		"Use the OpenPGP key that signs your SHA256SUMS files. " + exportKey},
	{"key-pem", either(pemBlock), "This is a PEM certificate or key. Releases are verified with an OpenPGP (GPG) key.",
		"Use the OpenPGP key that signs your SHA256SUMS files. " + exportKey},
	{"key-other-tool", either(minisignKey), "This is a key of another signing tool. Releases are verified with an OpenPGP (GPG) key.",
		"Use the OpenPGP key that signs your SHA256SUMS files. " + exportKey},
	{"key-other-block", either(otherPGP), "This is an OpenPGP block, but not that of a public key.", exportKey},
	{"key-not-armored", isBareKey, "This is the inside of a public key without its BEGIN and END lines.", exportKey},
	{"key-address", either(keyAddress), "This is an address, not a key. Addresses are not followed, because what they show can change.", exportKey},
	{"key-fingerprint-only", hexOfLength(32, 40, 64), "This is a fingerprint. The registry needs the whole public key.", exportKey},
	{"key-id-only", hexOfLength(8, 16), "This is a key ID. The registry needs the whole public key.", exportKey},
}

func either(patterns ...*regexp.Regexp) func(string) bool {
	return func(s string) bool {
		for _, p := range patterns {
			if p.MatchString(s) {
				return true
			}
		}
		return false
	}
}

func isBareKey(s string) bool {
	m := longBase64.FindStringSubmatch(s)
	if m == nil {
		return false
	}
	tag, ok := firstPacket(m[1])
	return ok && tag == tagPublicKey
}

// hexOfLength finds a run of hexadecimal digits of one of these lengths, as gpg
// prints ids and fingerprints.
func hexOfLength(lengths ...int) func(string) bool {
	return func(s string) bool {
		for _, m := range hexDigits.FindAllString(s, 20) {
			digits := strings.NewReplacer(" ", "", ":", "").Replace(strings.TrimPrefix(strings.ToLower(m), "0x"))
			for _, n := range lengths {
				if len(digits) == n {
					return true
				}
			}
		}
		return false
	}
}
