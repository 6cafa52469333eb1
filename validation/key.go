package validation

import (
	"errors"
	"fmt"
	"sort"
	"sync"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Key is a public signing key.
type Key struct {
	KeyID       string // of the primary key: 16 upper-case hexadecimal digits
	Fingerprint string // of the primary key: 40 (version 4) or 64 such digits
	Algorithm   string // "RSA-4096", "Ed25519", "DSA-1024"
	Bits        int    // of the primary key's modulus or curve
	Created     time.Time
	// Expires is what the primary user id's newest self-signature says; nil:
	// never.
	Expires *time.Time
	// Revoked: the key or its primary user id is.
	Revoked bool
	// CanSign: the primary key or a subkey is marked for signing, expired or
	// not. Clients accept no signature of another.
	CanSign bool
	UserIDs []string // sorted
	// SubkeyIDs are the ids of the subkeys that can sign, in the form of KeyID.
	SubkeyIDs []string

	entities openpgp.EntityList
}

// The reasons for which ParseKey refuses a block that it could decode.
var (
	ErrPrivateKey   = errors.New("the block holds a private key")
	ErrSeveralKeys  = errors.New("the block holds more than one key")
	ErrNoUserID     = errors.New("the key has no user id")
	ErrNoSelfSigned = errors.New("the key has no user id that the key itself has signed")
	ErrKeyTooLarge  = errors.New("the key is too large")
)

// ParseKey reads one armored public key of at most 256 kB, as the clients' own
// library reads it. It fails on anything that clients could not use as one key:
// the Err values above, or an error that says what is wrong with the bytes.
func ParseKey(armor []byte) (key Key, err error) {
	if len(armor) > maxKey {
		return Key{}, ErrKeyTooLarge
	}
	defer func() {
		if r := recover(); r != nil {
			key, err = Key{}, fmt.Errorf("read key: the OpenPGP library gave up: %v", r)
		}
	}()
	body, err := decodeArmor(armor)
	if err != nil {
		return Key{}, err
	}
	entity, err := readEntity(body)
	if err != nil {
		return Key{}, err
	}
	return describe(entity), nil
}

// describe reads off what the rules want to know.
func describe(e *openpgp.Entity) Key {
	self, identity := e.PrimarySelfSignature()
	key := Key{
		KeyID:       fmt.Sprintf("%016X", e.PrimaryKey.KeyId),
		Fingerprint: fmt.Sprintf("%X", e.PrimaryKey.Fingerprint),
		Created:     e.PrimaryKey.CreationTime.UTC(),
		Revoked:     len(e.Revocations) > 0 || identity != nil && len(identity.Revocations) > 0,
		CanSign:     self.FlagsValid && self.FlagSign && e.PrimaryKey.PubKeyAlgo.CanSign(),
		entities:    openpgp.EntityList{e},
	}
	key.Algorithm, key.Bits = algorithm(e.PrimaryKey)
	if s := self.KeyLifetimeSecs; s != nil && *s > 0 {
		expires := key.Created.Add(time.Duration(*s) * time.Second)
		key.Expires = &expires
	}
	for name := range e.Identities {
		key.UserIDs = append(key.UserIDs, name)
	}
	sort.Strings(key.UserIDs)
	for _, sub := range e.Subkeys {
		if sub.Sig.FlagsValid && sub.Sig.FlagSign && sub.PublicKey.PubKeyAlgo.CanSign() && len(sub.Revocations) == 0 {
			key.CanSign = true
			key.SubkeyIDs = append(key.SubkeyIDs, fmt.Sprintf("%016X", sub.PublicKey.KeyId))
		}
	}
	return key
}

// algorithm names the algorithm of a key as people do.
func algorithm(pk *packet.PublicKey) (name string, bits int) {
	if n, err := pk.BitLength(); err == nil {
		bits = int(n)
	}
	switch pk.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSASignOnly, packet.PubKeyAlgoRSAEncryptOnly:
		return fmt.Sprintf("RSA-%d", bits), bits
	case packet.PubKeyAlgoDSA:
		return fmt.Sprintf("DSA-%d", bits), bits
	}
	curve, err := pk.Curve()
	if err != nil {
		return fmt.Sprintf("algorithm %d", pk.PubKeyAlgo), bits
	}
	switch curve {
	case packet.Curve25519:
		return "Ed25519", 256
	case packet.Curve448:
		return "Ed448", 448
	}
	return "ECDSA-" + string(curve), bits
}

// expired tells whether the key was not valid any more at a time.
func (k Key) expired(now time.Time) bool { return k.Expires != nil && now.After(*k.Expires) }

// KeyIDs reads the id off each armored key once, for a run that meets the same
// keys again and again: most providers of a namespace are served with the same.
// It is safe for concurrent use.
func KeyIDs() func(armor []byte) (string, error) {
	type read struct {
		id  string
		err error
	}
	var known sync.Map
	return func(armor []byte) (string, error) {
		if r, ok := known.Load(string(armor)); ok {
			return r.(read).id, r.(read).err
		}
		k, err := ParseKey(armor)
		known.Store(string(armor), read{k.KeyID, err})
		return k.KeyID, err
	}
}
