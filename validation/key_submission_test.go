package validation

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"

	"github.com/tofu-registrar/registrar/registrydata"
)

// A golden key submission: "key" is what was pasted, with {{name}} for the
// armor of a test key; "registered" lists the namespace's providers with the tag
// of the latest release, who signed it ("none": no signature, "fault": not
// readable) and the keys on file for the provider; "on-file" lists key files.
func TestKeyGoldens(t *testing.T) {
	runGoldens(t, "key", func(g *golden) (string, []Finding) {
		a := Answers{Kind: KindProviderKey, Namespace: g.options["namespace"], ProviderName: g.options["provider"], Key: goldenArmor(g, string(g.files["key"]))}
		if g.is("crlf") {
			a.Key = strings.ReplaceAll(a.Key, "\n", "\r\n")
		}
		s, _ := ReadSubmission(a)
		in := KeyInput{
			Submission: s, Author: g.options["author"], AuthorIsMember: g.is("member"), AllNamespaces: strings.Fields(g.options["namespaces"]),
			Aliases: registrydata.DefaultAliases(), IssueCreated: time.Unix(1772366400, 5), Now: testNow,
		}
		for _, f := range g.lines("registered") {
			p := registrydata.ProviderAddress{Namespace: s.Namespace, Name: f[0]}
			in.Providers = append(in.Providers, p)
			in.Latest = append(in.Latest, goldenLatest(g, p, f[1:]))
		}
		for _, f := range g.lines("on-file") {
			in.OnFile = append(in.OnFile, KeyOnFile{Path: f[0], Armor: g.key(f[1]).armor})
		}
		return keyFacts(g, a, JudgeKey(in))
	})
}

func goldenLatest(g *golden, p registrydata.ProviderAddress, f []string) LatestRelease {
	l := LatestRelease{Provider: p, Tag: f[0], Checksums: []byte("sums of " + p.Name)}
	switch f[1] {
	case "fault":
		l.Checksums, l.Fault = nil, "GitHub did not answer"
	case "none":
	case "stale":
		l.Signature = sign(g, f[2], []byte("other content"))
		f = f[1:]
	case "armored":
		l.Signature = armoredSignature(g, "good", l.Checksums)
	default:
		g.key(f[1])
		l.Signature = sign(g, f[1], l.Checksums)
	}
	for _, name := range f[2:] {
		g.key(name)
		l.Keys = append(l.Keys, parsed(g, name))
	}
	return l
}

var keyName = regexp.MustCompile(`\{\{([a-z-]+)\}\}\n?`)

func goldenArmor(g *golden, text string) string {
	return keyName.ReplaceAllStringFunc(text, func(m string) string {
		name := keyName.FindStringSubmatch(m)[1]
		if rest, ok := strings.CutPrefix(name, "private-"); ok {
			return string(privateArmor(g, rest))
		}
		return string(g.key(name).armor) + "\n"
	})
}

func privateArmor(t testing.TB, name string) []byte {
	return armoredAs(t, openpgp.PrivateKeyType, func(w io.Writer) error {
		return key(t, name).entity.SerializePrivateWithoutSigning(w, nil)
	})
}

func keyFacts(g *golden, a Answers, v KeyVerdict) (string, []Finding) {
	facts := reportLine(v.Report) + fmt.Sprintf("path=%s duplicate=%s key=%s\n", v.Path, v.Duplicate, v.Key.KeyID)
	if v.Path != "" {
		facts += fmt.Sprintf("armor as pasted: %v\n", strings.Contains(a.Key, string(v.Armor)))
		if _, err := ParseKey(v.Armor); err != nil {
			g.Errorf("what goes on file can't be read: %v", err)
		}
	}
	for _, c := range v.Coverage {
		facts += fmt.Sprintf("%s %s: %s (before %q, after %q, issuers %v) %s\n", c.Provider, c.Tag, c.State, c.Before, c.After, c.Issuers, c.Detail)
	}
	for _, f := range v.Findings {
		if strings.Contains(f.Message+f.Fix, "PRIVATE KEY") {
			g.Errorf("a private key is repeated: %+v", f)
		}
	}
	return facts, v.Findings
}

// What people paste where a public key belongs, each with the code it gets.
func TestWrongPastes(t *testing.T) {
	armor := string(key(t, "good").armor)
	inside := strings.Join(strings.Split(armor, "\n")[2:4], "\n")
	private := string(privateArmor(t, "good"))
	tests := map[string]struct{ text, code string }{
		"nothing":               {"", "key-missing"},
		"no response":           {"_No response_", "key-missing"},
		"words":                 {"it is on the keyserver", "key-missing"},
		"ssh":                   {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGb me@host", "key-ssh"},
		"ssh rsa":               {"  ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ", "key-ssh"},
		"ssh2 block":            {"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", "key-ssh"},
		"certificate":           {"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "key-pem"},
		"PEM public key":        {"-----BEGIN RSA PUBLIC KEY-----\nMIIB\n-----END RSA PUBLIC KEY-----", "key-pem"},
		"minisign":              {"untrusted comment: minisign public key 0123\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3", "key-other-tool"},
		"signature":             {string(armoredSignature(t, "good", []byte("x"))), "key-other-block"},
		"message":               {"-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----", "key-other-block"},
		"no armor":              {inside, "key-not-armored"},
		"address":               {"https://keys.openpgp.org/vks/v1/by-fingerprint/0123", "key-address"},
		"address with id":       {"https://github.com/acme.gpg", "key-address"},
		"fingerprint":           {"5E249E0C33D0BFCF948E213EFE007B07F3DCB6D4", "key-fingerprint-only"},
		"fingerprint in groups": {"5E24 9E0C 33D0 BFCF 948E  213E FE00 7B07 F3DC B6D4", "key-fingerprint-only"},
		"fingerprint colons":    {"5e24:9e0c:33d0:bfcf:948e:213e:fe00:7b07:f3dc:b6d4", "key-fingerprint-only"},
		"key id":                {"0xFE007B07F3DCB6D4", "key-id-only"},
		"short key id":          {"F3DCB6D4", "key-id-only"},
		"cut off":               {armor[:len(armor)/2], "key-unreadable"},
		"cut off and said so":   {armor[:200] + "\n[... key truncated in this copy ...]\n", "key-unreadable"},
		"a hole":                {armor[:150] + armor[250:], "key-unreadable"},
		"two keys":              {armor + "\n" + string(key(t, "other").armor), "key-several"},
		"10 keys cut off":       {strings.Repeat(armor[:100]+"\n", 10), "key-unreadable"},
		"1 MB":                  {strings.Repeat(armor, 2000), "key-too-large"},
		"private":               {private, "private-key"},
		"private, no end":       {private[:200], "private-key"},
		"private, no begin":     {private[40:], "private-key"},
		"private, damaged":      {strings.Replace(private, "-----BEGIN PGP PRIVATE KEY BLOCK-----", "--BEGIN PGP PRIVATE KEY", 1), "private-key"},
		"private as public":     {strings.ReplaceAll(private, "PRIVATE", "PUBLIC"), "private-key"},
		"private, no armor":     {strings.Join(strings.Split(private, "\n")[2:6], "\n"), "private-key"},
		"private and public":    {armor + "\n" + private, "private-key"},
		"private, quoted":       {"> " + strings.ReplaceAll(private, "\n", "\n> "), "private-key"},
		"ssh private":           {"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", "private-key"},
		"PEM private":           {"-----BEGIN EC PRIVATE KEY-----\nMHc", "private-key"},
		"no user id":            {string(armored(t, key(t, "good").entity.PrimaryKey.Serialize)), "key-no-user-id"},
		"two in one block": {string(armored(t, func(w io.Writer) error {
			return both(key(t, "good").entity.Serialize(w), key(t, "other").entity.Serialize(w))
		})), "key-several"},
		"revoked":     {string(key(t, "revoked").armor), "key-revoked"},
		"cannot sign": {string(key(t, "cannot-sign").armor), "key-cannot-sign"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, findings := JudgeKeyMaterial([]byte(tt.text), testNow)
			if len(findings) != 1 || findings[0].Code != tt.code || findings[0].Severity != Error || findings[0].Fix == "" {
				t.Errorf("%+v, want the error %s", findings, tt.code)
			}
		})
	}
}

// What can be mended is mended, and says so; what needs no mending keeps its
// bytes.
func TestKeysAreCutOut(t *testing.T) {
	armor := string(key(t, "good").armor) + "\n"
	lines := func(f func(string) string) string {
		var out []string
		for line := range strings.Lines(armor) {
			out = append(out, f(strings.TrimSuffix(line, "\n")))
		}
		return strings.Join(out, "\n") + "\n"
	}
	crlf := strings.ReplaceAll(armor, "\n", "\r\n")
	tests := map[string]struct {
		text  string
		exact string // what must come out; empty: a repaired key
	}{
		"alone":                 {armor, armor},
		"CR LF":                 {crlf, crlf},
		"text around":           {"Here it is:\n\n" + armor + "\nThanks", armor},
		"after words":           {"Key: " + armor, armor},
		"code fence":            {"```\n" + armor + "```\n", armor},
		"code fence, CR LF":     {"```asc\r\n" + crlf + "```\r\n", crlf},
		"no last newline":       {strings.TrimSuffix(armor, "\n"), strings.TrimSuffix(armor, "\n")},
		"headers":               {strings.Replace(armor, "\n\n", "\nVersion: GnuPG v2\nComment: https://gnupg.org\n\n", 1), strings.Replace(armor, "\n\n", "\nVersion: GnuPG v2\nComment: https://gnupg.org\n\n", 1)},
		"twice the same":        {armor + "\n\n" + armor, armor},
		"indented":              {lines(func(s string) string { return "    " + s }), ""},
		"quoted":                {lines(func(s string) string { return "> " + s }), ""},
		"quoted twice":          {lines(func(s string) string { return "> > " + s }), ""},
		"tab":                   {lines(func(s string) string { return "\t" + s }), ""},
		"no empty line":         {strings.Replace(armor, "\n\n", "\n", 1), ""},
		"an empty line each":    {strings.ReplaceAll(armor, "\n", "\n\n"), armor2(armor)},
		"in one line":           {strings.ReplaceAll(armor, "\n", " "), ""},
		"one long line":         {oneLongLine(armor), ""},
		"typographic dashes":    {strings.ReplaceAll(armor, "-----", "\u2014--"), ""},
		"HTML entities":         {strings.NewReplacer("+", "&#43;", "=", "&#61;", "-", "&#45;").Replace(armor), ""},
		"quoted in HTML":        {"&gt; " + strings.ReplaceAll(armor, "\n", "\n&gt; "), ""},
		"zero-width spaces":     {strings.ReplaceAll(armor, "\n", "\u200b\n"), ""},
		"no-break spaces":       {lines(func(s string) string { return "\u00a0\u00a0" + s }), ""},
		"lower-case markers":    {strings.NewReplacer("BEGIN PGP PUBLIC KEY BLOCK", "Begin PGP Public Key Block", "END PGP PUBLIC KEY BLOCK", "End PGP Public Key Block").Replace(armor), ""},
		"lone carriage returns": {strings.ReplaceAll(armor, "\n", "\r"), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			block, findings := cutKey([]byte(tt.text))
			got, err := ParseKey(block)
			if err != nil || got.Fingerprint != parsed(t, "good").Fingerprint {
				t.Fatalf("%v: %v\n%s", findings, err, block)
			}
			switch {
			case tt.exact == "" && (len(findings) != 1 || findings[0].Code != "key-repaired"):
				t.Errorf("findings %+v, want key-repaired", findings)
			case tt.exact != "" && (len(findings) != 0 || string(block) != tt.exact):
				t.Errorf("findings %+v, block\n%q\nwant\n%q", findings, block, tt.exact)
			}
			if again, more := cutKey(block); string(again) != string(block) || len(more) != 0 {
				t.Errorf("cut out once more it becomes %q %+v", again, more)
			}
		})
	}
}

// armor2 is an armor with an empty line after each line, which readers skip.
func armor2(armor string) string {
	return strings.TrimSuffix(strings.ReplaceAll(armor, "\n", "\n\n"), "\n")
}

// oneLongLine is an armor without the breaks of its base64.
func oneLongLine(armor string) string {
	head, rest, _ := strings.Cut(armor, "\n\n")
	data, end, _ := strings.Cut(rest, "\n-----END")
	return head + "\n\n" + strings.ReplaceAll(data[:len(data)-5], "\n", "") + data[len(data)-5:] + "\n-----END" + end
}

// A conversation about private keys holds none.
func TestTalkOfPrivateKeys(t *testing.T) {
	for _, text := range []string{"To begin with, private key material is not in here.", "- begin private key", "In the end my PRIVATE KEY stays with me", string(key(t, "good").armor), string(key(t, "rsa").armor)} {
		if HasPrivateKey(text) {
			t.Errorf("%.60q is taken for a private key", text)
		}
	}
}

// 64 kB of BEGIN lines take no time.
func TestManyBegins(t *testing.T) {
	start := time.Now()
	for _, text := range []string{strings.Repeat(beginLine+"\n", 6000), strings.Repeat(beginLine+"\n\n"+endLine+"\n", 3000), strings.Repeat("-", maxKey), strings.Repeat("- BEGIN PGP ", 20000)} {
		JudgeKeyMaterial([]byte(text), testNow)
	}
	if took := time.Since(start); took > 10*time.Second { // 0.2 s on an idle machine
		t.Errorf("took %s", took)
	}
}

func TestKeyNamespaces(t *testing.T) {
	armor := string(key(t, "good").armor)
	tests := []struct {
		namespace, provider string
		want                string // namespace/name, or the code of the error
	}{
		{"acme", "", "acme/"},
		{"ACME", "Demo", "acme/demo"},
		{"`acme`", "`demo`", "acme/demo"},
		{"@acme", "_No response_", "acme/"},
		{"https://github.com/Acme", "", "acme/"},
		{"https://github.com/orgs/acme/people", "", "acme/"},
		{"github.com/acme/", "none", "acme/"},
		{"acme/demo", "", "acme/demo"},
		{"acme/terraform-provider-demo", "", "acme/demo"},
		{"https://github.com/acme/terraform-provider-demo", "", "acme/demo"},
		{"registry.opentofu.org/acme/demo", "", "acme/demo"},
		{"acme", "acme/demo", "acme/demo"},
		{"terraform-provider-gpg", "", "terraform-provider-gpg/"},
		{"acme", "terraform-provider-demo", "provider-name-prefix"},
		{"acme", "acme/terraform-provider-demo", "provider-name-prefix"},
		{"acme", "two names", "provider-name-invalid"},
		{"acme", "my_demo", "provider-name-invalid"},
		{"acme", "terraform-x", "provider-name-invalid"},
		{"", "demo", "namespace-missing"},
		{"_No response_", "", "namespace-missing"},
		{"Acme Corporation", "", "namespace-invalid"},
		{"a--b", "", "namespace-invalid"},
		{"https://gitlab.com/acme", "", "namespace-invalid"},
		{strings.Repeat("a", 65), "", "namespace-invalid"},
		{"../../etc", "", "namespace-invalid"},
	}
	for _, tt := range tests {
		t.Run(tt.namespace+" "+tt.provider, func(t *testing.T) {
			s, r := JudgeOffline(Answers{Kind: KindProviderKey, Namespace: tt.namespace, ProviderName: tt.provider, Key: armor}, testNow)
			got := s.Namespace + "/" + s.Name
			if r.Verdict == NeedsChanges {
				got = r.Findings[0].Code
			}
			if got != tt.want {
				t.Errorf("%s %+v, want %s", got, r.Findings, tt.want)
			}
		})
	}
}

func TestSuggest(t *testing.T) {
	names := strings.Fields("hashicorp opentofu datadog aws google google-beta gridscale acme")
	tests := []struct{ typed, want string }{
		{"datadgo", "datadog"},
		{"hashcorp", "hashicorp"},
		{"gogle", "google"},
		{"google-", "google google-beta"},
		{"asw", "aws"},
		{"xyz", ""},
		{"hashi", "hashicorp"},
		{"", ""},
		{strings.Repeat("a", 10000), ""},
	}
	for _, tt := range tests {
		if got := strings.Join(suggest(tt.typed, names), " "); got != tt.want {
			t.Errorf("%.20s: %q, want %q", tt.typed, got, tt.want)
		}
	}
}
