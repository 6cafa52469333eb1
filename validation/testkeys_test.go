package validation

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// testNow is when every test of this package takes place.
var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// testKey is a key pair made for the tests.
type testKey struct {
	entity *openpgp.Entity
	armor  []byte // of the public key
	id     string // 16 upper-case hexadecimal digits
}

// makeEntity makes one of the kinds of key that the tests need.
func makeEntity(t testing.TB, name string) *openpgp.Entity {
	t.Helper()
	usual := edConfig(testNow.AddDate(-1, 0, 0), 0)
	switch name {
	case "good", "other", "third":
		return newEntity(t, usual)
	case "future":
		return newEntity(t, edConfig(testNow.AddDate(1, 0, 0), 0))
	case "expired":
		return newEntity(t, edConfig(testNow.AddDate(-2, 0, 0), 365*24*3600))
	case "renewed":
		return renewedKey(t)
	case "rsa":
		return newEntity(t, rsaConfig(2048))
	case "weak":
		return newEntity(t, rsaConfig(1024))
	case "revoked":
		e := newEntity(t, usual)
		must(t, e.RevokeKey(packet.KeySuperseded, "", usual))
		return e
	case "cannot-sign", "subkey":
		e := newEntity(t, usual)
		unsign(t, e, usual)
		if name == "subkey" {
			must(t, e.AddSigningSubkey(usual))
		}
		return e
	case "no-mail":
		e, err := openpgp.NewEntity("Acme", "", "", usual)
		must(t, err)
		return e
	}
	t.Fatalf("no test key is called %q", name)
	return nil
}

var madeKeys sync.Map

// key returns the named key pair.
func key(t testing.TB, name string) testKey {
	t.Helper()
	if k, ok := madeKeys.Load(name); ok {
		return k.(testKey)
	}
	e := makeEntity(t, name)
	k := testKey{entity: e, armor: armored(t, e.Serialize), id: strings.ToUpper(e.PrimaryKey.KeyIdString())}
	actual, _ := madeKeys.LoadOrStore(name, k)
	return actual.(testKey)
}

// parsed returns the named key as ParseKey reads it.
func parsed(t testing.TB, name string) Key {
	t.Helper()
	k, err := ParseKey(key(t, name).armor)
	must(t, err)
	return k
}

// renewedKey is the expired key with an expiry that is still to come.
func renewedKey(t testing.TB) *openpgp.Entity {
	old := key(t, "expired").entity
	var buf bytes.Buffer
	must(t, old.SerializePrivateWithoutSigning(&buf, nil))
	e, err := openpgp.ReadEntity(packet.NewReader(&buf))
	must(t, err)
	for _, id := range e.Identities {
		life := uint32(10 * 365 * 24 * 3600)
		id.SelfSignature.KeyLifetimeSecs = &life
		id.SelfSignature.CreationTime = testNow.AddDate(0, -1, 0)
		must(t, id.SelfSignature.SignUserId(id.UserId.Id, e.PrimaryKey, e.PrivateKey, nil))
	}
	return e
}

// unsign takes the mark for signing from the primary key.
func unsign(t testing.TB, e *openpgp.Entity, c *packet.Config) {
	for _, id := range e.Identities {
		id.SelfSignature.FlagSign = false
		must(t, id.SelfSignature.SignUserId(id.UserId.Id, e.PrimaryKey, e.PrivateKey, c))
	}
}

func edConfig(created time.Time, lifetime uint32) *packet.Config {
	return &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, Curve: packet.Curve25519, KeyLifetimeSecs: lifetime,
		Time: func() time.Time { return created },
	}
}

func rsaConfig(bits int) *packet.Config {
	created := testNow.AddDate(-1, 0, 0)
	return &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: bits, Time: func() time.Time { return created }}
}

func newEntity(t testing.TB, c *packet.Config) *openpgp.Entity {
	t.Helper()
	e, err := openpgp.NewEntity("Acme Releases", "", "releases@acme.example", c)
	must(t, err)
	return e
}

// armored wraps what write writes into a public key block.
func armored(t testing.TB, write func(io.Writer) error) []byte {
	t.Helper()
	return armoredAs(t, openpgp.PublicKeyType, write)
}

func armoredAs(t testing.TB, kind string, write func(io.Writer) error) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := armor.Encode(&buf, kind, nil)
	must(t, err)
	must(t, write(w))
	must(t, w.Close())
	return buf.Bytes()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// sign makes a binary signature as an author's release job does.
func sign(t testing.TB, by string, content []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	at := testNow.AddDate(0, -6, 0)
	if by == "expired" || by == "renewed" {
		at = testNow.AddDate(-1, -6, 0)
	}
	e := *key(t, by).entity
	e.Revocations = nil // it was signed before
	must(t, openpgp.DetachSign(&buf, &e, bytes.NewReader(content), &packet.Config{Time: func() time.Time { return at }}))
	return buf.Bytes()
}

// armoredSignature is what gpg --armor --detach-sign makes.
func armoredSignature(t testing.TB, by string, content []byte) []byte {
	t.Helper()
	return armoredAs(t, openpgp.SignatureType, func(w io.Writer) error {
		_, err := w.Write(sign(t, by, content))
		return err
	})
}
