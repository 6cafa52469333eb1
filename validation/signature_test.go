package validation

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

func TestVerifySignature(t *testing.T) {
	sums := []byte("content of SHA256SUMS\n")
	by := func(name string) []byte { return sign(t, name, sums) }
	tests := []struct {
		name     string
		keys     []string
		sig      []byte
		state    SignatureState
		signedBy string
	}{
		{"the one key", []string{"good"}, by("good"), SignatureGood, "good"},
		{"right one second", []string{"other", "good"}, by("good"), SignatureGood, "good"},
		{"RSA", []string{"rsa"}, by("rsa"), SignatureGood, "rsa"},
		{"weak RSA, as the clients do", []string{"weak"}, by("weak"), SignatureGood, "weak"},
		{"signing subkey", []string{"good", "subkey"}, by("subkey"), SignatureGood, "subkey"},
		{"not on file", []string{"other"}, by("good"), SignatureUnknownIssuer, ""},
		{"expired", []string{"expired"}, by("expired"), SignatureExpiredKey, "expired"},
		{"expired, then renewed", []string{"expired", "renewed"}, by("expired"), SignatureGood, "renewed"},
		{"expired, then another", []string{"expired", "good"}, by("expired"), SignatureExpiredKey, "expired"},
		{"revoked", []string{"revoked", "good"}, by("revoked"), SignatureBad, ""},
		{"key not for signing", []string{"cannot-sign"}, signAnyway(t, sums), SignatureUnknownIssuer, ""},
		{"no keys", nil, by("good"), SignatureUnchecked, ""},
		{"no keys, garbage", nil, []byte("garbage"), SignatureBad, ""},
		{"garbage", []string{"good"}, bytes.Repeat([]byte{0xc2, 0xff}, 50), SignatureBad, ""},
		{"a key instead", []string{"good"}, serialized(t, "good"), SignatureBad, ""},
		{"other content", []string{"good"}, sign(t, "good", []byte("other")), SignatureBad, ""},
		{"cut off", []string{"good"}, by("good")[:40], SignatureBad, ""},
		{"armored", []string{"good"}, armoredSignature(t, "good", sums), SignatureArmored, ""},
		{"missing", []string{"good"}, nil, SignatureMissing, ""},
		{"empty", []string{"good"}, []byte{}, SignatureMissing, ""},
		{"too large", []string{"good"}, bytes.Repeat([]byte{0xc2}, 1<<20), SignatureBad, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var keys []Key
			for _, name := range tt.keys {
				keys = append(keys, parsed(t, name))
			}
			got := VerifySignature(keys, sums, tt.sig, testNow)
			want := ""
			if tt.signedBy != "" {
				want = key(t, tt.signedBy).id
			}
			if got.State != tt.state || got.SignedBy != want {
				t.Errorf("got %s by %q, want %s by %q (%s)", got.State, got.SignedBy, tt.state, want, got.Detail)
			}
			if (got.State == SignatureBad) != (got.Detail != "") {
				t.Errorf("state %s has the detail %q", got.State, got.Detail)
			}
		})
	}
}

func TestSignatureNamesItsIssuer(t *testing.T) {
	sums := []byte("content")
	got := VerifySignature([]Key{parsed(t, "other")}, sums, sign(t, "good", sums), testNow)
	if !slices.Equal(got.Issuers, []string{key(t, "good").id}) {
		t.Errorf("issuers %v, want %s", got.Issuers, key(t, "good").id)
	}
	both := append(sign(t, "good", sums), sign(t, "rsa", sums)...)
	got = VerifySignature([]Key{parsed(t, "rsa")}, sums, both, testNow)
	if len(got.Issuers) != 2 || got.State != SignatureGood {
		t.Errorf("two signatures in one file: %+v", got)
	}
	sub := VerifySignature([]Key{parsed(t, "subkey")}, sums, sign(t, "subkey", sums), testNow)
	if !slices.Equal(sub.Issuers, parsed(t, "subkey").SubkeyIDs) || sub.SignedBy != key(t, "subkey").id {
		t.Errorf("a subkey's signature: %+v", sub)
	}
}

// The clock is an argument: the same signature is good before the key expires.
func TestSignatureBeforeExpiry(t *testing.T) {
	sums := []byte("content")
	got := VerifySignature([]Key{parsed(t, "expired")}, sums, sign(t, "expired", sums), testNow.AddDate(-1, -3, 0))
	if got.State != SignatureGood {
		t.Errorf("state %s three months before expiry", got.State)
	}
	if e := parsed(t, "expired").Expires; !e.Equal(testNow.AddDate(-2, 0, 0).Add(365 * 24 * time.Hour)) {
		t.Errorf("expires %v", e)
	}
}

// signAnyway signs with a key that is not marked for signing, which the library
// refuses to do for the public key that the tests serialise.
func signAnyway(t *testing.T, content []byte) []byte {
	e := key(t, "cannot-sign").entity
	for _, id := range e.Identities {
		id.SelfSignature.FlagSign = true
		defer func() { id.SelfSignature.FlagSign = false }()
	}
	return sign(t, "cannot-sign", content)
}

func serialized(t *testing.T, name string) []byte {
	var buf bytes.Buffer
	must(t, key(t, name).entity.Serialize(&buf))
	return buf.Bytes()
}
