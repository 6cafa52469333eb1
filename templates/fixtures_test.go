package templates

import (
	"fmt"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

var exampleSite = Site{
	Name: "Example Registry", BaseURL: "https://registry.example.org",
	RepositoryURL: "https://github.com/example/registry", BotLogin: "registrar[bot]",
}

func finding(code string, severity validation.Severity, field, message, fix string) validation.Finding {
	return validation.Finding{Code: code, Severity: severity, Field: field, Message: message, Fix: fix}
}

var noKey = finding("no-key", validation.Info, "", "No signing key is on file for acme/demo. Until there is one, clients can't verify its releases.",
	"Once this submission is merged, submit the public key that signs your releases.")

var archived = finding("repository-archived", validation.Warning, "repository",
	"acme/terraform-provider-demo is archived: it will have no new versions.", "Unarchive it if it is maintained.")

func providerReport(verdict validation.Verdict, findings ...validation.Finding) validation.Report {
	return validation.Report{
		Kind: validation.KindProvider, Namespace: "acme", Name: "demo", Repository: "acme/terraform-provider-demo",
		Verdict: verdict, Findings: findings,
	}
}

// demoProvider has n versions: the newest five verified, one of two refused in
// the middle, and the key ids.
func demoProvider(n int, keys ...string) *ProviderCheck {
	p := &ProviderCheck{
		Address:    registrydata.ProviderAddress{Namespace: "acme", Name: "demo"},
		Repository: registrydata.Repository{Owner: "Acme", Name: "terraform-provider-demo"}, OtherTags: 1, Keys: keys,
	}
	for i := range n {
		version := fmt.Sprintf("1.%d.0", n-1-i)
		r := demoVersion(version, i < 5)
		if len(keys) > 0 {
			r.Signature, r.SignedBy = validation.SignatureGood, keys[0]
		}
		p.Versions = append(p.Versions, r)
	}
	if n > 3 {
		p.Versions[3] = validation.TagResult{Tag: p.Versions[3].Tag, Version: p.Versions[3].Version, Findings: []validation.Finding{
			finding("checksums-missing", validation.Error, p.Versions[3].Tag, "The release has no file terraform-provider-demo_"+p.Versions[3].Version+"_SHA256SUMS. It has \"demo | linux.zip\".", "Make a release that has it.")}}
	}
	return p
}

func demoVersion(version string, verified bool) validation.TagResult {
	data := registrydata.ProviderVersion{Version: version, Protocols: []string{"6.0"}}
	for i, platform := range []string{"darwin_arm64", "linux_amd64", "linux_riscv64"} {
		os, arch, _ := strings.Cut(platform, "_")
		t := registrydata.Target{OS: os, Arch: arch, Filename: "terraform-provider-demo_" + version + "_" + platform + ".zip", Shasum: strings.Repeat(fmt.Sprint(i), 64)}
		if verified {
			t.Size = int64(7_000_000 + i*123_456)
		}
		data.Targets = append(data.Targets, t)
	}
	return validation.TagResult{
		Tag: "v" + version, Version: version, Taken: true, Verified: verified, Data: data,
		Signature: validation.SignatureUnchecked, Issuers: []string{"0123456789ABCDEF"},
	}
}

func vpcModule() *ModuleCheck {
	m := &ModuleCheck{
		Address:    registrydata.ModuleAddress{Namespace: "acme", Name: "vpc", Target: "aws"},
		Repository: registrydata.Repository{Owner: "acme", Name: "terraform-aws-vpc"},
	}
	for i := range 12 {
		tag := fmt.Sprintf("v2.%d.0", 11-i)
		m.Versions = append(m.Versions, validation.TagResult{Tag: tag, Version: tag, Taken: true})
	}
	m.Versions[1].Findings = []validation.Finding{finding("tag-same-version", validation.Warning, "2.10.0", "The tags 2.10.0 and v2.10.0 are one version for clients. v2.10.0 is recorded.", "")}
	return m
}

func demoKey() *KeyCheck {
	expires := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	address := func(name string) registrydata.ProviderAddress {
		return registrydata.ProviderAddress{Namespace: "acme", Name: name}
	}
	return &KeyCheck{
		Namespace: "acme", Path: "keys/a/acme/provider-1700000000.asc",
		Key: validation.Key{
			KeyID: "0123456789ABCDEF", Fingerprint: "00112233445566778899AABB0123456789ABCDEF", Algorithm: "RSA-4096",
			Created: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC), Expires: &expires,
			UserIDs: []string{"Ada | Acme <ada@acme.example>"},
		},
		Coverage: []validation.KeyCoverage{
			{Provider: address("demo"), Tag: "v1.13.0", State: validation.CoverageVerifies, Before: validation.SignatureUnchecked, After: validation.SignatureGood},
			{Provider: address("other"), Tag: "v0.2.0", State: validation.CoverageBreaks, Before: validation.SignatureUnchecked, After: validation.SignatureUnknownIssuer},
			{Provider: address("third"), State: validation.CoverageUnknown, Detail: "the release has no files"},
		},
	}
}

func keyReport(verdict validation.Verdict, findings ...validation.Finding) validation.Report {
	return validation.Report{Kind: validation.KindProviderKey, Namespace: "acme", Verdict: verdict, Findings: findings}
}
