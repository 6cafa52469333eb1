package validation

import (
	"bytes"
	"crypto/dsa" //nolint:staticcheck // old keys use it; it is looked at, not used
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Bounds on what is handed to the OpenPGP library, which verifies every
// self-signature while it reads: with numbers of 65,535 bits, which the format
// allows, a single DSA signature would take minutes.
const (
	maxPackets = 1000
	maxRSABits = 16384
	maxDSABits = 4096
	maxDSAQ    = 512
)

// decodeArmor returns the packets of an armored public key block.
func decodeArmor(text []byte) ([]byte, error) {
	block, err := armor.Decode(bytes.NewReader(text))
	if errors.Is(err, io.EOF) {
		return nil, errors.New("read key: there is no armored block")
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	switch block.Type {
	case openpgp.PublicKeyType:
	case openpgp.PrivateKeyType:
		return nil, ErrPrivateKey
	default:
		return nil, fmt.Errorf("read key: the block is a %q, not a public key", cut(block.Type, maxQuoted))
	}
	body, err := io.ReadAll(io.LimitReader(block.Body, maxKey))
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	return body, nil
}

// readEntity reads the one key that the packets hold.
func readEntity(body []byte) (*openpgp.Entity, error) {
	if err := inspectPackets(body); err != nil {
		return nil, err
	}
	entities, err := openpgp.ReadKeyRing(bytes.NewReader(body))
	if err != nil && strings.Contains(err.Error(), "without any identities") {
		return nil, ErrNoSelfSigned // inspectPackets has seen a user id
	}
	if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if len(entities) != 1 {
		return nil, errors.New("read key: it could not be understood")
	}
	e := entities[0]
	if e.PrivateKey != nil {
		return nil, ErrPrivateKey
	}
	if self, _ := e.PrimarySelfSignature(); self == nil {
		return nil, ErrNoSelfSigned
	}
	return e, nil
}

// inspectPackets looks at a key's packets before anything of it is verified.
func inspectPackets(body []byte) error {
	packets := packet.NewReader(bytes.NewReader(body))
	var primaries, userIDs int
	for n := 0; ; n++ {
		p, err := packets.Next()
		var unsupported pgperrors.UnsupportedError
		switch {
		case errors.Is(err, io.EOF):
			return countsOf(primaries, userIDs)
		case n >= maxPackets:
			return ErrKeyTooLarge
		case errors.As(err, &unsupported):
			continue
		case err != nil:
			return fmt.Errorf("read key: %w", err)
		}
		switch p := p.(type) {
		case *packet.PrivateKey:
			return ErrPrivateKey
		case *packet.UserId:
			userIDs++
		case *packet.PublicKey:
			if !p.IsSubkey {
				primaries++
			}
			if err := checkSize(p); err != nil {
				return err
			}
		}
	}
}

func countsOf(primaries, userIDs int) error {
	switch {
	case primaries == 0:
		return errors.New("read key: there is no public key in the block that this registry's clients understand")
	case primaries > 1:
		return ErrSeveralKeys
	case userIDs == 0:
		return ErrNoUserID
	}
	return nil
}

// checkSize bounds the numbers of a key that signatures are verified with.
func checkSize(pk *packet.PublicKey) error {
	switch pk.PubKeyAlgo {
	case packet.PubKeyAlgoRSA, packet.PubKeyAlgoRSASignOnly, packet.PubKeyAlgoRSAEncryptOnly:
		if bits, err := pk.BitLength(); err != nil || bits > maxRSABits {
			return ErrKeyTooLarge
		}
	case packet.PubKeyAlgoDSA:
		key, ok := pk.PublicKey.(*dsa.PublicKey)
		if !ok || key.P.BitLen() > maxDSABits || key.Q.BitLen() > maxDSAQ || key.P.BitLen() < key.Y.BitLen() || key.P.BitLen() < key.G.BitLen() {
			return ErrKeyTooLarge
		}
	}
	return nil
}
