package validation

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzParseChecksums(f *testing.F) {
	for _, s := range []string{"", "\n", anySum + "  a.zip\n", anySum + " *a.zip\r\n\r\n", strings.ToUpper(anySum) + "\ta", "x y z\n", "\ufeff" + anySum + "  a"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sums, findings := ParseChecksums(b)
		checkFindings(t, findings)
		for _, line := range sums.Lines {
			if !lowerSHA256.MatchString(line.Sum) || line.File == "" || strings.ContainsAny(line.File, "/\\ \n\x00") {
				t.Errorf("line %+v", line)
			}
		}
		// What is taken without an error is what the clients read from the bytes.
		if !HasErrors(findings) {
			for _, line := range bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
				if len(bytes.Fields(line)) != 2 {
					t.Errorf("took the line %q", line)
				}
			}
		}
	})
}

func FuzzParseKey(f *testing.F) {
	for _, name := range []string{"good", "subkey", "revoked", "expired", "no-mail"} {
		f.Add(key(f, name).armor)
	}
	f.Add(privateArmor(f, "good"))
	f.Add(halved(key(f, "rsa").armor))
	f.Add([]byte("ssh-rsa AAAA"))
	sums := []byte("content")
	sig := sign(f, "good", sums)
	f.Fuzz(func(t *testing.T, b []byte) {
		k, findings := JudgeKeyMaterial(b, testNow)
		checkFindings(t, findings)
		if HasErrors(findings) {
			return
		}
		if len(k.KeyID) != 16 || !k.CanSign || k.Revoked || len(k.UserIDs) == 0 {
			t.Errorf("took %+v", k)
		}
		VerifySignature([]Key{k}, sums, sig, testNow)
	})
}

func FuzzVerifySignature(f *testing.F) {
	sums := []byte("content")
	for _, by := range []string{"good", "subkey", "rsa"} {
		f.Add(sign(f, by, sums))
	}
	f.Add(armoredSignature(f, "good", sums))
	keys := []Key{parsed(f, "good"), parsed(f, "subkey"), parsed(f, "rsa")}
	f.Fuzz(func(t *testing.T, sig []byte) {
		r := VerifySignature(keys, []byte("other content"), sig, testNow)
		if r.State.installable() {
			t.Errorf("a signature of other content is %s", r.State)
		}
	})
}

func FuzzReadRepository(f *testing.F) {
	for _, s := range []string{"acme/terraform-provider-demo", "https://github.com/acme/terraform-aws-vpc/tree/main", "git@github.com:a/terraform-provider-b.git",
		"{owner}/terraform-{target}-{name}", "[x](https://github.com/a/b)", "a/b/c", "<!-- x", "registry.opentofu.org/a/b", "\u200b\u2011/\u2044", "::::////@@@@", "A00/.0", "terraform-provider-b).g", ""} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, answer string, module bool) {
		kind := KindProvider
		if module {
			kind = KindModule
		}
		s, r := JudgeOffline(Answers{Kind: kind, Repository: answer}, testNow)
		checkFindings(t, r.Findings)
		if (r.Verdict == Accept) != (len(s.Candidates) > 0) || len(s.Candidates) > 5 {
			t.Errorf("%s with the candidates %v", r.Verdict, s.Candidates)
		}
		for _, c := range s.Candidates {
			if _, ok := checkAddress(c, SubjectKind(c)); !ok || !ownerName.MatchString(c.Owner) || !pathName.MatchString(c.Name) {
				t.Errorf("the candidate %v", c)
			}
		}
		s, r = JudgeOffline(Answers{Kind: KindProviderKey, Namespace: answer, ProviderName: answer, Version: answer}, testNow)
		checkFindings(t, r.Findings)
		if s.Namespace != strings.ToLower(s.Namespace) || strings.ContainsAny(s.Namespace+s.Name, "/. \n") {
			t.Errorf("namespace %q, name %q", s.Namespace, s.Name)
		}
	})
}

func FuzzManifest(f *testing.F) {
	for _, s := range []string{`{"metadata":{"protocol_versions":["6.0"]}}`, `{}`, `[`, `{"metadata":{"protocol_versions":["x"]}}`, `{"metadata":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		protocols, findings := ParseManifest(b)
		checkFindings(t, findings)
		if len(protocols) == 0 {
			t.Error("no protocols")
		}
		for _, p := range protocols {
			if !protocolVersion.MatchString(p) {
				t.Errorf("took the protocol %q", p)
			}
		}
	})
}

func FuzzDataRules(f *testing.F) {
	good := demoFile().Bytes()
	f.Add(demoPath, []byte(nil), good)
	f.Add(demoPath, good, good)
	f.Add("modules/a/acme/vpc/aws.json", []byte(nil), []byte(`{"versions":[{"version":"v1.0.0","commit":""}]}`))
	f.Add("keys/a/acme/provider-1.asc", []byte(nil), key(f, "good").armor)
	f.Add("versions_blacklist.json", []byte(nil), []byte(`{"providers":[]}`))
	f.Fuzz(func(t *testing.T, path string, old, new []byte) {
		findings := judgeChange(path, old, new, "", testNow)
		checkFindings(t, findings)
		if len(findings) > maxDataFindings+1 {
			t.Errorf("%d findings", len(findings))
		}
	})
}

// checkFindings holds for the findings on any input: known severities, a fix
// for each error, text of a length that people read.
func checkFindings(t *testing.T, findings []Finding) {
	t.Helper()
	for _, f := range findings {
		if f.Code == "" || f.Message == "" || f.Severity != Error && f.Severity != Warning && f.Severity != Info {
			t.Errorf("%+v", f)
		}
		if f.Severity == Error && f.Fix == "" {
			t.Errorf("no fix: %+v", f)
		}
		if !utf8.ValidString(f.Message+f.Fix+f.Field) || len(f.Message) > 2000 || len(f.Fix) > 1000 || strings.ContainsAny(f.Message+f.Fix, "\n\r\x00\x1b") {
			t.Errorf("not fit to be read: %+v", f)
		}
	}
}
