package actors

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// SigningKey is an author's own OpenPGP key pair.
type SigningKey struct{ entity *openpgp.Entity }

// NewSigningKey makes a key pair (Ed25519, or RSA where bits are given).
func NewSigningKey(name, email string, bits int) (*SigningKey, error) {
	cfg := &packet.Config{Algorithm: packet.PubKeyAlgoEdDSA}
	if bits > 0 {
		cfg = &packet.Config{Algorithm: packet.PubKeyAlgoRSA, RSABits: bits}
	}
	e, err := openpgp.NewEntity(name, "", email, cfg)
	if err != nil {
		return nil, fmt.Errorf("make a signing key for %s: %w", name, err)
	}
	return &SigningKey{entity: e}, nil
}

// ID is the key id in 16 upper-case hexadecimal digits.
func (k *SigningKey) ID() string { return fmt.Sprintf("%016X", k.entity.PrimaryKey.KeyId) }

// Public is the armored public key, as an author pastes it.
func (k *SigningKey) Public() (string, error) {
	return armored(openpgp.PublicKeyType, k.entity.Serialize)
}

// Private is the armored private key, as an author should never paste it.
func (k *SigningKey) Private() (string, error) {
	return armored(openpgp.PrivateKeyType, func(w io.Writer) error { return k.entity.SerializePrivate(w, nil) })
}

func armored(kind string, serialize func(io.Writer) error) (string, error) {
	var b strings.Builder
	w, err := armor.Encode(&b, kind, nil)
	if err != nil {
		return "", err
	}
	if err := serialize(w); err != nil {
		return "", fmt.Errorf("armor a key: %w", err)
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return b.String() + "\n", nil
}

// Sign makes the binary detached signature that registries want.
func (k *SigningKey) Sign(content []byte) ([]byte, error) {
	var sig bytes.Buffer
	if err := openpgp.DetachSign(&sig, k.entity, bytes.NewReader(content), nil); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return sig.Bytes(), nil
}
