package templates

import (
	"html"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

// material is a line of a secret key, as gpg --armor writes it (made up: the
// packet's head is right, the rest is not a key).
const material = "lQdGBGZtXHUBEADK9mVvR0Zb3bXkq0S7Yd1cJ8sT2uP5wXyZaBcDeFgHiJkLmNoP"

const privateKey = "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n" + material + "\n" + material + "\nQ8==\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----"

// likePublic is a line of a public key, the others are of nothing: the packet of
// the year 2106, and that of an algorithm that there is not.
const (
	likePublic     = "mQGNBGZtXHUBDADK9mVvR0Zb3bXkq0S7Yd1cJ8sT2uP5wXyZaBcDeFgHiJkLmNoP"
	wrongTime      = "lQdGBP/tXHUBEADK9mVvR0Zb3bXkq0S7Yd1cJ8sT2uP5wXyZaBcDeFgHiJkLmNoP"
	wrongAlgorithm = "lQdGBGZtXHVjEADK9mVvR0Zb3bXkq0S7Yd1cJ8sT2uP5wXyZaBcDeFgHiJkLmNoP"
)

func inPublic(text string) string {
	return "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + text + "\n-----END PGP PUBLIC KEY BLOCK-----"
}

// Of all public keys of the registry none is taken for a private one.
func TestPublicKeysOfTheRegistryAreLeft(t *testing.T) {
	keys := 0
	for name, content := range testdata.Files(t, testdata.Corpus) {
		if !strings.HasPrefix(name, "keys/") {
			continue
		}
		keys++
		if got, found := RedactPrivateKey("### Provider GPG Key\n\n" + string(content) + "\n"); found {
			t.Errorf("%s: %s", name, got)
		}
	}
	if keys < 100 {
		t.Errorf("%d keys", keys)
	}
}

// In each case § stands for the notice, and the rest comes back byte for byte.
func TestRedactPrivateKeyTakesTheKeyAndNothingElse(t *testing.T) {
	lines := strings.Split(privateKey, "\n")
	for name, c := range map[string]struct{ body, want string }{
		"whole":             {"before\n\n" + privateKey + "\n\nafter", "before\n\n§\n\nafter"},
		"CRLF":              {strings.ReplaceAll("a\n"+privateKey+"\nb\n", "\n", "\r\n"), "a\r\n§\r\nb\r\n"},
		"CR":                {strings.ReplaceAll("a\n"+privateKey+"\nb\n", "\n", "\r"), "a\r§\rb\r"},
		"in a fence":        {"```\n" + privateKey + "\n```\n", "```\n§\n```\n"},
		"quoted":            {"> " + strings.ReplaceAll(privateKey, "\n", "\n> ") + "\n> bye", "> §\n> bye"},
		"indented":          {"    " + strings.ReplaceAll(privateKey, "\n", "\n    ") + "\nbye", "    §\nbye"},
		"two":               {privateKey + "\nand\n" + privateKey, "§\nand\n§"},
		"beside a public":   {publicKey + "\n" + privateKey + "\n" + publicKey, publicKey + "\n§\n" + publicKey},
		"HTML-escaped":      {"<pre>" + strings.ReplaceAll(html.EscapeString(privateKey), "-", "&#45;") + "</pre>", "<pre>§</pre>"},
		"HTML line breaks":  {"<p>" + strings.ReplaceAll(privateKey, "\n", "<br>") + "</p>", "<p>§</p>"},
		"in a JSON string":  {`{"key": "` + strings.ReplaceAll(privateKey, "\n", `\n`) + `"}`, `{"key": "§"}`},
		"non-breaking":      {strings.ReplaceAll(privateKey, "PGP PRIVATE KEY", "PGP\u00a0PRIVATE&nbsp;KEY"), "§"},
		"long dashes":       {strings.ReplaceAll(privateKey, "-----", "—–") + "!", "§!"},
		"few dashes":        {strings.ReplaceAll(privateKey, "-----", "--"), "§"},
		"no dashes":         {strings.ReplaceAll(privateKey, "-----", ""), "§"},
		"lower case":        {strings.ReplaceAll(privateKey, "PRIVATE KEY BLOCK", "private key block"), "§"},
		"no BLOCK":          {strings.ReplaceAll(privateKey, " BLOCK", ""), "§"},
		"secret":            {strings.ReplaceAll(privateKey, "PRIVATE", "SECRET"), "§"},
		"other kinds":       {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk=\n-----END OPENSSH PRIVATE KEY-----", "§"},
		"PKCS 8":            {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIFHDBOBgkqh\n-----END ENCRYPTED PRIVATE KEY-----.", "§."},
		"no END":            {strings.Join(lines[:7], "\n") + "\n\nHere you are, that is my key\n", "§\n\nHere you are, that is my key\n"},
		"no END, heading":   {strings.Join(lines[:5], "\n") + "\n\n### DCO\n\n- [X] I sign", "§\n\n### DCO\n\n- [X] I sign"},
		"no END, damaged":   {lines[0] + "\n" + material + "\noops a line of words\n" + material + "\n\nbye", "§\n\nbye"},
		"no END, fence":     {"```\n" + strings.Join(lines[:5], "\n") + "\n```\n" + material[1:], "```\n§\n```\n" + material[1:]},
		"no END, public":    {strings.Join(lines[:5], "\n") + "\n" + publicKey, "§\n" + publicKey},
		"no BEGIN":          {"### Provider GPG Key\n\n" + strings.Join(lines[3:], "\n") + "\nbye", "### Provider GPG Key\n\n§\nbye"},
		"no marks":          {"### Provider GPG Key\n\n" + material + "\n" + material + "\n=abcd\n\nbye", "### Provider GPG Key\n\n§\n\nbye"},
		"as a public key":   {"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + material + "\n-----END PGP PUBLIC KEY BLOCK-----", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n§\n-----END PGP PUBLIC KEY BLOCK-----"},
		"begins as public":  {strings.Replace(privateKey, "PRIVATE", "PUBLIC", 1), "§"},
		"ends as public":    {strings.Replace(privateKey, "END PGP PRIVATE", "END PGP PUBLIC", 1), "§"},
		"only the first":    {lines[0] + "\n\nI don't have more", "§\n\nI don't have more"},
		"only the last":     {"that's it\n" + lines[7], "that's it\n§"},
		"before a mark":     {material + privateKey, "§§"},
		"in an HTML remark": {"<!--\n" + privateKey + "\n-->", "<!--\n§\n-->"},

		"behind a public key":    {inPublic("mDMEZ\n=abcd\n" + material), inPublic("mDMEZ\n=abcd\n§")},
		"a public key":           {publicKey, publicKey},
		"as good as a secret":    {inPublic(likePublic + "\n" + material + "\n" + likePublic), inPublic(likePublic + "\n" + material + "\n" + likePublic)},
		"with blank lines":       {inPublic(likePublic + "\n\n" + material), inPublic(likePublic + "\n\n" + material)},
		"no time, no algorithm":  {wrongTime + "\n" + wrongAlgorithm, wrongTime + "\n" + wrongAlgorithm},
		"prose about it":         {"Please begin a PGP private key block, end of private key.", "Please begin a PGP private key block, end of private key."},
		"prose about the reason": {"In the end my private key leaked\nand " + material[1:] + " is fine", "In the end my private key leaked\nand " + material[1:] + " is fine"},
		"nothing":                {"", ""},
	} {
		want := strings.ReplaceAll(c.want, "§", redactedKey)
		got, found := RedactPrivateKey(c.body)
		if got != want || found != (c.body != want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, want)
		}
	}
}

func FuzzRedactPrivateKey(f *testing.F) {
	f.Add("a\n", privateKey, "\nb")
	f.Add("```\n", strings.ReplaceAll(privateKey, "\n", "\r\n"), "\n```")
	f.Add("> ", "-----BEGIN PRIVATE KEY-----\n"+material, "\n\n### DCO")
	f.Add("", material+"\n=abcd", "")
	f.Add(publicKey, "&#45;&#45;BEGIN&nbsp;SECRET KEY", "END PRIVATE KEY")
	f.Fuzz(func(t *testing.T, before, key, after string) {
		body := before + key + after
		redacted, found := RedactPrivateKey(body)
		if found == (redacted == body) && !strings.Contains(body, redactedKey) {
			t.Errorf("found %v, and the body changed: %v", found, redacted != body)
		}
		if again, more := RedactPrivateKey(redacted); more {
			t.Errorf("a second look finds more:\n%q\n%q", redacted, again)
		}
		rest := body
		for _, kept := range strings.Split(redacted, redactedKey) {
			i := strings.Index(rest, kept)
			if i < 0 {
				t.Fatalf("%q does not stand in the body behind what was kept before it", kept)
			}
			rest = rest[i+len(kept):]
		}
		if strings.Contains(redacted, privateKey) {
			t.Errorf("a whole key is left in %q", redacted)
		}
	})
}
