package validation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// SignatureState says what the signature of a SHA256SUMS file is worth.
type SignatureState string

// The states of a signature. Clients install with Good and ExpiredKey;
// Unchecked (no key on file) installs from OpenTofu's own registry host only.
const (
	SignatureGood          SignatureState = "good"
	SignatureExpiredKey    SignatureState = "expired-key"
	SignatureUnknownIssuer SignatureState = "unknown-issuer"
	SignatureBad           SignatureState = "bad"
	SignatureArmored       SignatureState = "armored"
	SignatureMissing       SignatureState = "missing"
	SignatureUnchecked     SignatureState = "unchecked"
)

const (
	// maxSignature is the largest signature file that is looked at; a real one
	// has less than 1 kB.
	maxSignature = 64 << 10
	// maxIssuers is how many signatures of one file are looked at.
	maxIssuers = 16
)

// SignatureResult is what VerifySignature found.
type SignatureResult struct {
	State SignatureState
	// SignedBy is the id of the (primary) key that verified it: 16 upper-case
	// hexadecimal digits, or empty.
	SignedBy string
	// Issuers are the key ids that the signature names, in the same form; a
	// signing subkey's id is not that of its primary key.
	Issuers []string
	// Detail says what is wrong with a bad signature.
	Detail string
}

// VerifySignature checks the detached signature of a SHA256SUMS file as the
// clients do (spec protocols §2.2, §3): it MUST be binary; the keys are tried in
// order; one that is not the issuer's is passed over; an expired one counts if
// no other does; any other failure ends the search, because it ends the
// clients'. With no keys at all the signature is only read.
func VerifySignature(keys []Key, sums, sig []byte, now time.Time) SignatureResult {
	var r SignatureResult
	switch {
	case len(bytes.TrimSpace(sig)) == 0:
		r.State = SignatureMissing
		return r
	case bytes.HasPrefix(bytes.TrimSpace(sig), []byte("-----BEGIN")):
		r.State = SignatureArmored
		return r
	case len(sig) > maxSignature:
		r.State, r.Detail = SignatureBad, "it is too large for a signature"
		return r
	}
	issuers, err := issuersOf(sig)
	r.Issuers = issuers
	switch {
	case err != nil:
		r.State, r.Detail = SignatureBad, err.Error()
	case len(keys) == 0:
		r.State = SignatureUnchecked
	default:
		r.State, r.SignedBy, r.Detail = tryKeys(keys, sums, sig, now)
	}
	return r
}

func tryKeys(keys []Key, sums, sig []byte, now time.Time) (state SignatureState, signedBy, detail string) {
	state = SignatureUnknownIssuer
	for _, key := range keys {
		err := checkDetached(key, sums, sig, now)
		switch {
		case err == nil:
			return SignatureGood, key.KeyID, ""
		case errors.Is(err, pgperrors.ErrUnknownIssuer):
		case errors.Is(err, pgperrors.ErrKeyExpired), errors.Is(err, pgperrors.ErrSignatureExpired):
			if state != SignatureExpiredKey {
				state, signedBy = SignatureExpiredKey, key.KeyID
			}
		default:
			return SignatureBad, "", fmt.Sprintf("key %s: %v", key.KeyID, err)
		}
	}
	return state, signedBy, ""
}

// checkDetached asks the clients' own library. A panic of it on hostile bytes
// is a failed verification.
func checkDetached(key Key, sums, sig []byte, now time.Time) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the OpenPGP library gave up: %v", r)
		}
	}()
	config := &packet.Config{Time: func() time.Time { return now }}
	_, err = openpgp.CheckDetachedSignature(key.entities, bytes.NewReader(sums), bytes.NewReader(sig), config)
	return err
}

// issuersOf reads the key ids that a binary signature names.
func issuersOf(sig []byte) (ids []string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the OpenPGP library gave up: %v", r)
		}
	}()
	packets := packet.NewReader(bytes.NewReader(sig))
	for range maxIssuers {
		p, err := packets.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return ids, fmt.Errorf("it is no OpenPGP signature: %w", err)
		}
		s, ok := p.(*packet.Signature)
		if !ok {
			return ids, errors.New("it is no OpenPGP signature")
		}
		if s.IssuerKeyId != nil {
			ids = append(ids, fmt.Sprintf("%016X", *s.IssuerKeyId))
		}
	}
	if len(ids) == 0 {
		return nil, errors.New("it names no key that issued it")
	}
	return ids, nil
}
