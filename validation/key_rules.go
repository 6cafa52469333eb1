package validation

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// minRSABits and minDSABits are what a signing key should have at least.
	minRSABits = 2048
	minDSABits = 2048
)

// JudgeKeyMaterial applies all the rules that concern a key alone (spec §6.2).
// The armor may be anything that someone takes for a key.
//
//   - It MUST hold one public key block with one key that the clients' library
//     reads, and no private key.
//   - The key MUST NOT be revoked, MUST have a user id, MUST be able to sign.
//   - Expired, not yet valid, weak (RSA under 2048 bits, DSA), without a mail
//     address: warnings. Clients accept such keys.
func JudgeKeyMaterial(armor []byte, now time.Time) (Key, []Finding) {
	block, findings := cutKey(armor)
	if block == nil {
		return Key{}, findings
	}
	key, err := ParseKey(block)
	if err != nil {
		return Key{}, []Finding{unparsable(err)}
	}
	findings = append(findings, keyErrors(key)...)
	return key, append(findings, keyWarnings(key, now)...)
}

func unparsable(err error) Finding {
	switch {
	case errors.Is(err, ErrPrivateKey):
		return privateKeyFinding()
	case errors.Is(err, ErrKeyTooLarge):
		return keyError("key-too-large", "The key, or a number in it, is larger than any that is used for signing.",
			"Export the key alone with `gpg --armor --export --export-options export-minimal KEY-ID`.")
	case errors.Is(err, ErrSeveralKeys):
		return keyError("key-several", "The block holds more than one key.",
			"Export one key with `gpg --armor --export KEY-ID`, and open one issue for each other key.")
	case errors.Is(err, ErrNoUserID):
		return keyError("key-no-user-id", "The key has no user id. Clients refuse it.",
			"Add one with `gpg --edit-key KEY-ID adduid save` and export the key again.")
	case errors.Is(err, ErrNoSelfSigned):
		return keyError("key-no-self-signature", "The key has no user id that the key itself has signed. Clients refuse it.",
			"Export the key from where its private part is: some servers strip the signatures.")
	}
	return keyError("key-unreadable", fmt.Sprintf("The key can't be read: %v. It may have been cut off or changed while it was copied.", err), exportKey)
}

func keyErrors(key Key) []Finding {
	var out []Finding
	if key.Revoked {
		out = append(out, keyError("key-revoked", fmt.Sprintf("The key %s is revoked. Clients refuse what it has signed.", key.KeyID),
			"Make a new key, sign your next release with it, and submit that."))
	}
	if !key.CanSign {
		out = append(out, keyError("key-cannot-sign", fmt.Sprintf("The key %s is not made for signing, and has no subkey that is.", key.KeyID),
			"Submit the key that signs your releases: `gpg --verify …_SHA256SUMS.sig …_SHA256SUMS` names it."))
	}
	return out
}

func keyWarnings(key Key, now time.Time) []Finding {
	var out []Finding
	warn := func(code, message, fix string) {
		out = append(out, Finding{Code: code, Severity: Warning, Field: fieldKey, Message: message, Fix: fix})
	}
	if key.expired(now) {
		warn("key-expired", fmt.Sprintf("The key %s expired on %s. The registry takes it, so that releases signed with it stay verifiable.",
			key.KeyID, key.Expires.UTC().Format(time.DateOnly)),
			"Sign new releases with a renewed or a new key, and submit that too.")
	}
	if key.Created.After(now) {
		warn("key-from-the-future", fmt.Sprintf("The key %s says that it was made on %s. Until then clients take it for expired.",
			key.KeyID, key.Created.UTC().Format(time.DateOnly)), "Check the clock of the machine that made it.")
	}
	if weak(key) {
		warn("key-weak", fmt.Sprintf("The key %s is weak (%s).", key.KeyID, key.Algorithm),
			"Make a key of at least RSA-3072, or Ed25519, for your next releases.")
	}
	if len(key.UserIDs) > 0 && !strings.Contains(strings.Join(key.UserIDs, " "), "@") {
		warn("key-no-mail", fmt.Sprintf("No user id of the key %s holds a mail address.", key.KeyID),
			"It is good for users to know whom to write to, but it is not needed.")
	}
	return out
}

func weak(key Key) bool {
	switch {
	case strings.HasPrefix(key.Algorithm, "RSA-"):
		return key.Bits < minRSABits
	case strings.HasPrefix(key.Algorithm, "DSA-"):
		return key.Bits < minDSABits
	}
	return false
}
