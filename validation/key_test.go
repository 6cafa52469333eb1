package validation

import (
	"errors"
	"io"
	"sort"
	"strings"
	"testing"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

func TestParseKeyReadsOffWhatRulesNeed(t *testing.T) {
	tests := []struct {
		name, algorithm  string
		bits             int
		canSign, revoked bool
		expires          bool
		subkeys          int
	}{
		{"good", "Ed25519", 256, true, false, false, 0},
		{"expired", "Ed25519", 256, true, false, true, 0},
		{"renewed", "Ed25519", 256, true, false, true, 0},
		{"rsa", "RSA-2048", 2048, true, false, false, 0},
		{"weak", "RSA-1024", 1024, true, false, false, 0},
		{"revoked", "Ed25519", 256, true, true, false, 0},
		{"subkey", "Ed25519", 256, true, false, false, 1},
		{"cannot-sign", "Ed25519", 256, false, false, false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := parsed(t, tt.name)
			if k.Algorithm != tt.algorithm || k.Bits != tt.bits || k.CanSign != tt.canSign || k.Revoked != tt.revoked ||
				(k.Expires != nil) != tt.expires || len(k.SubkeyIDs) != tt.subkeys {
				t.Errorf("got %+v", k)
			}
			if k.KeyID != key(t, tt.name).id || len(k.Fingerprint) != 40 || !strings.HasSuffix(k.Fingerprint, k.KeyID) {
				t.Errorf("key id %s, fingerprint %s", k.KeyID, k.Fingerprint)
			}
		})
	}
	if parsed(t, "renewed").Fingerprint != parsed(t, "expired").Fingerprint {
		t.Error("a renewed key must keep its fingerprint")
	}
	if got := parsed(t, "renewed"); !got.expired(got.Expires.AddDate(0, 0, 1)) || got.expired(testNow) {
		t.Error("the newest self-signature must tell the expiry")
	}
}

func TestParseKeyRefuses(t *testing.T) {
	good := key(t, "good").entity
	var userID *packet.UserId
	for _, id := range good.Identities {
		userID = id.UserId
	}
	secret := func(w io.Writer) error { return good.SerializePrivateWithoutSigning(w, nil) }
	tests := map[string]struct {
		armor []byte
		want  error
	}{
		"private block":          {armoredAs(t, openpgp.PrivateKeyType, secret), ErrPrivateKey},
		"private key as public":  {armored(t, secret), ErrPrivateKey},
		"no user id":             {armored(t, good.PrimaryKey.Serialize), ErrNoUserID},
		"no self-signature":      {armored(t, func(w io.Writer) error { return both(good.PrimaryKey.Serialize(w), userID.Serialize(w)) }), ErrNoSelfSigned},
		"two keys":               {armored(t, func(w io.Writer) error { return both(good.Serialize(w), key(t, "other").entity.Serialize(w)) }), ErrSeveralKeys},
		"too large":              {[]byte(strings.Repeat("x", 1<<20)), ErrKeyTooLarge},
		"nothing":                {nil, nil},
		"empty block":            {armored(t, func(io.Writer) error { return nil }), nil},
		"signature block":        {armoredSignature(t, "good", []byte("x")), nil},
		"user id alone":          {armored(t, func(w io.Writer) error { return userID.Serialize(w) }), nil},
		"garbage":                {armored(t, func(w io.Writer) error { _, err := w.Write([]byte(strings.Repeat("\xff\x00", 300))); return err }), nil},
		"half a key":             {halved(key(t, "rsa").armor), nil},
		"packets without number": {armored(t, func(w io.Writer) error { _, err := w.Write([]byte{0x99, 0xff, 0xff}); return err }), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			k, err := ParseKey(tt.armor)
			if err == nil {
				t.Fatalf("accepted: %+v", k)
			}
			if tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
}

func both(a, b error) error { return errors.Join(a, b) }

// halved drops the second half of an armored block's lines but keeps its end.
func halved(armor []byte) []byte {
	lines := strings.Split(strings.TrimSpace(string(armor)), "\n")
	kept := append(lines[:len(lines)/2:len(lines)/2], lines[len(lines)-1])
	return []byte(strings.Join(kept, "\n") + "\n")
}

// A DSA key with numbers far beyond any standard would make the library spend
// minutes on one self-signature. It must be refused by its size alone.
func TestParseKeyRefusesHugeNumbers(t *testing.T) {
	mpi := func(bits int) []byte {
		b := make([]byte, 2+bits/8)
		b[0], b[1] = byte(bits>>8), byte(bits)
		for i := 2; i < len(b); i++ {
			b[i] = 0xff
		}
		return b
	}
	body := append([]byte{4, 0x50, 0, 0, 0, byte(packet.PubKeyAlgoDSA)}, mpi(32768)...)
	for range 3 {
		body = append(body, mpi(32760)...)
	}
	header := []byte{0xc6, 255, byte(len(body) >> 24), byte(len(body) >> 16), byte(len(body) >> 8), byte(len(body))}
	_, err := ParseKey(armored(t, func(w io.Writer) error {
		_, err := w.Write(append(header, body...))
		return err
	}))
	if !errors.Is(err, ErrKeyTooLarge) {
		t.Errorf("error %v, want %v", err, ErrKeyTooLarge)
	}
}

// Every key of the public registry goes through the rules. The algorithms are
// those that spec §1.7 counts.
func TestCorpusKeys(t *testing.T) {
	keys := corpusKeys(t)
	algorithms, codes := map[string]int{}, map[string]int{}
	for path, armor := range keys {
		k, findings := JudgeKeyMaterial(armor, testNow)
		if k.Algorithm == "" {
			k.Algorithm = "unreadable"
		}
		algorithms[k.Algorithm]++
		for _, f := range findings {
			codes[string(f.Severity)+" "+f.Code]++
			if f.Severity == Error {
				t.Logf("%s: %s", path, f.Message)
			}
		}
		block, repairs := cutKey(armor)
		if string(block) != string(armor) && string(block) != strings.TrimRight(string(armor), " \r\n") {
			t.Logf("%s: the block is not the whole file (%v)", path, repairs)
		}
	}
	logTable(t, "algorithm", algorithms)
	logTable(t, "finding", codes)
	want := map[string]int{"RSA-4096": 135, "RSA-3072": 12, "RSA-2048": 6, "DSA": 4, "Ed25519": 1}
	got := map[string]int{}
	for name, n := range algorithms {
		if strings.HasPrefix(name, "DSA-") {
			name = "DSA"
		}
		got[name] += n
	}
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%d keys are %s, want %d", got[name], name, n)
		}
	}
	if len(keys) != 158 {
		t.Errorf("the corpus has %d keys, want 158", len(keys))
	}
}

func logTable(t *testing.T, what string, counts map[string]int) {
	t.Helper()
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	sort.Slice(names, func(i, j int) bool {
		return counts[names[i]] > counts[names[j]] || counts[names[i]] == counts[names[j]] && names[i] < names[j]
	})
	for _, name := range names {
		t.Logf("%s %-28s %4d", what, name, counts[name])
	}
}

// corpusKeys reads the key files of the public registry's data set. It stops
// after the keys.
func corpusKeys(t *testing.T) map[string][]byte {
	t.Helper()
	keys := map[string][]byte{}
	for name, body := range testdata.Files(t, testdata.Corpus) {
		if strings.HasPrefix(name, "keys/") {
			keys[name] = body
		} else if len(keys) > 0 {
			break
		}
	}
	return keys
}
