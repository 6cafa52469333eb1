package validation

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/registrydata"
)

// judgeChange judges a change by the aliases of the public registry.
func judgeChange(path string, old, new []byte, webURL string, now time.Time) []Finding {
	var out []Finding
	for _, f := range (DataRules{WebURL: webURL, Aliases: registrydata.DefaultAliases(), Now: now}).Change(path, old, new) {
		out = append(out, f.Finding)
	}
	return out
}

const demoPath = "providers/a/acme/demo.json"

// demoFile is a provider file with the versions 1.1.0 and 1.0.0.
func demoFile() *registrydata.Provider {
	p := &registrydata.Provider{}
	for _, v := range []string{"1.1.0", "1.0.0"} {
		base := "https://github.com/acme/terraform-provider-demo/releases/download/v" + v + "/"
		file := "terraform-provider-demo_" + v + "_"
		p.Versions = append(p.Versions, registrydata.ProviderVersion{
			Version: v, Protocols: []string{"6.0"}, Discovered: "2026-02-01T00:00:00Z",
			ShasumsURL: base + file + "SHA256SUMS", ShasumsSignatureURL: base + file + "SHA256SUMS.sig",
			Targets: []registrydata.Target{{
				OS: "linux", Arch: "amd64", Filename: file + "linux_amd64.zip", DownloadURL: base + file + "linux_amd64.zip",
				Shasum: anySum, H1: "h1:" + strings.Repeat("x", 43) + "=", Size: 5,
			}},
		})
	}
	return p
}

func changed(change func(p *registrydata.Provider)) []byte {
	p := demoFile()
	change(p)
	return p.Bytes()
}

func TestJudgeProviderFile(t *testing.T) {
	first := func(change func(v *registrydata.ProviderVersion)) []byte {
		return changed(func(p *registrydata.Provider) { change(&p.Versions[0]) })
	}
	target := func(change func(x *registrydata.Target)) []byte {
		return first(func(v *registrydata.ProviderVersion) { change(&v.Targets[0]) })
	}
	good, noHashes := demoFile().Bytes(), changed(func(p *registrydata.Provider) {
		for i := range p.Versions {
			p.Versions[i].Discovered, p.Versions[i].Targets[0].H1, p.Versions[i].Targets[0].Size = "", "", 0
		}
	})
	tests := map[string]struct {
		path     string
		old, new []byte
		want     string
	}{
		"new and good":           {"", nil, good, ""},
		"unchanged":              {"", good, good, ""},
		"a version more":         {"", changed(func(p *registrydata.Provider) { p.Versions = p.Versions[1:] }), good, ""},
		"filled in":              {"", noHashes, good, ""},
		"emptied again":          {"", good, noHashes, "version-changed version-changed"},
		"filled in badly":        {"", noHashes, target(func(x *registrydata.Target) { x.H1 = "h1:no" }), "hash-form"},
		"no JSON":                {"", nil, []byte("{"), "file-unreadable"},
		"no versions":            {"", nil, []byte(`{"versions": []}`), "file-unreadable"},
		"removed":                {"", good, nil, "file-deleted"},
		"never there":            {"", nil, nil, ""},
		"upper case in the path": {"providers/a/Acme/demo.json", nil, good, "path-layout"},
		"wrong folder":           {"providers/b/acme/demo.json", nil, good, "path-layout"},
		"no data":                {"providers/README.md", nil, []byte("x"), "path-layout"},
		"not addressable":        {"providers/a/acme/my_demo.json", nil, good, "address address-foreign file-name address-foreign address-foreign file-name address-foreign"},
		"elsewhere":              {"README.md", nil, []byte("x"), ""},
		"checksum changed":       {"", good, target(func(x *registrydata.Target) { x.Shasum = strings.Repeat("f", 64) }), "version-changed"},
		"protocol changed":       {"", good, first(func(v *registrydata.ProviderVersion) { v.Protocols = []string{"5.0"} }), "version-changed"},
		"platform added later": {"", good, first(func(v *registrydata.ProviderVersion) {
			v.Targets = append(v.Targets, v.Targets[0])
			v.Targets[1].Arch = "arm64"
		}), "version-changed"},
		"time changed":        {"", good, first(func(v *registrydata.ProviderVersion) { v.Discovered = "2026-02-02T00:00:00Z" }), "version-changed"},
		"version removed":     {"", good, changed(func(p *registrydata.Provider) { p.Versions = p.Versions[:1] }), "version-removed"},
		"version renamed":     {"", good, first(func(v *registrydata.ProviderVersion) { v.Version = "1.2.0" }), "address-foreign file-name address-foreign version-removed"},
		"wrong order":         {"", nil, changed(func(p *registrydata.Provider) { p.Versions[0], p.Versions[1] = p.Versions[1], p.Versions[0] }), "version-order"},
		"version twice":       {"", nil, changed(func(p *registrydata.Provider) { p.Versions[1] = p.Versions[0] }), "version-repeated"},
		"short version":       {"", nil, first(func(v *registrydata.ProviderVersion) { v.Version = "1.1" }), "version-invalid address-foreign file-name address-foreign"},
		"no protocol":         {"", nil, first(func(v *registrydata.ProviderVersion) { v.Protocols = nil }), "protocols-unsupported"},
		"old protocol":        {"", nil, first(func(v *registrydata.ProviderVersion) { v.Protocols = []string{"4.0"} }), "protocols-unsupported"},
		"no protocol version": {"", nil, first(func(v *registrydata.ProviderVersion) { v.Protocols = []string{"6.0", "x"} }), "protocols-invalid"},
		"no platforms":        {"", nil, first(func(v *registrydata.ProviderVersion) { v.Targets = nil }), "platforms-missing"},
		"platform twice":      {"", nil, first(func(v *registrydata.ProviderVersion) { v.Targets = append(v.Targets, v.Targets[0]) }), "platform-repeated"},
		"other repository": {"", nil, first(func(v *registrydata.ProviderVersion) {
			v.ShasumsURL = strings.Replace(v.ShasumsURL, "/acme/", "/evil/", 1)
		}), "address-foreign address-name"},
		"other host":            {"", nil, target(func(x *registrydata.Target) { x.DownloadURL = "https://evil.example/" + x.Filename }), "address-foreign"},
		"other file":            {"", nil, target(func(x *registrydata.Target) { x.DownloadURL += "?x" }), "address-foreign"},
		"path in the file name": {"", nil, target(func(x *registrydata.Target) { x.Filename = "../" + x.Filename }), "file-name address-foreign"},
		"other platform":        {"", nil, target(func(x *registrydata.Target) { x.OS = "darwin" }), "file-name"},
		"checksum not hex":      {"", nil, target(func(x *registrydata.Target) { x.Shasum = strings.Repeat("g", 64) }), "checksum-form"},
		"upper-case checksum":   {"", nil, target(func(x *registrydata.Target) { x.Shasum = strings.Repeat("A", 64) }), "checksum-form"},
		"hash without size":     {"", nil, target(func(x *registrydata.Target) { x.Size = 0 }), "size"},
		"no signature":          {"", nil, first(func(v *registrydata.ProviderVersion) { v.ShasumsSignatureURL = "" }), "address-name"},
		"other checksum file": {"", nil, first(func(v *registrydata.ProviderVersion) {
			v.ShasumsURL += "x"
			v.ShasumsSignatureURL = v.ShasumsURL + ".sig"
		}), "address-name"},
		"time in the future": {"", nil, first(func(v *registrydata.ProviderVersion) { v.Discovered = "2027-01-01T00:00:00Z" }), "discovered"},
		"no time":            {"", nil, first(func(v *registrydata.ProviderVersion) { v.Discovered = "yesterday" }), "discovered"},
		"control characters": {"", good, changed(func(p *registrydata.Provider) { p.Warnings = []string{"\x1b[2J"} }), "warning-text"},
		"a fair warning":     {"", good, changed(func(p *registrydata.Provider) { p.Warnings = []string{"This provider is deprecated."} }), ""},
		"long warning":       {"", good, changed(func(p *registrydata.Provider) { p.Warnings = []string{strings.Repeat("x", 2000)} }), "warning-text"},
		"repository field":   {"", good, changed(func(p *registrydata.Provider) { p.Repository = "evil/repo" }), "repository-field"},
		"blacklist":          {"versions_blacklist.json", nil, []byte(`{"providers":[],"modules":[]}`), ""},
		"bad blacklist":      {"versions_blacklist.json", nil, []byte(`{"providers":[{}]}`), "file-unreadable"},
		"no blacklist":       {"versions_blacklist.json", []byte("{}"), nil, "file-deleted"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.path == "" {
				tt.path = demoPath
			}
			findings := judgeChange(tt.path, tt.old, tt.new, "", testNow)
			if got := strings.Join(codesOf(findings), " "); got != tt.want {
				t.Errorf("%s, want %s (%+v)", got, tt.want, findings)
			}
			for _, f := range findings {
				if f.Severity == Error && f.Fix == "" {
					t.Errorf("no fix: %+v", f)
				}
			}
		})
	}
}

func TestJudgeModuleFile(t *testing.T) {
	const path = "modules/a/acme/vpc/aws.json"
	id := strings.Repeat("a", 40)
	file := func(versions ...string) []byte {
		m := &registrydata.Module{}
		for _, v := range versions {
			name, commit, _ := strings.Cut(v, "@")
			m.Versions = append(m.Versions, registrydata.ModuleVersion{Version: name, Commit: strings.Repeat(commit, 40)})
		}
		return m.Bytes()
	}
	tests := map[string]struct {
		old, new []byte
		want     string
	}{
		"good":             {nil, file("v1.1.0@a", "v1.0.0@b"), ""},
		"a version more":   {file("v1.0.0@b"), file("v1.1.0@a", "v1.0.0@b"), ""},
		"filled in":        {file("v1.0.0"), file("v1.0.0@b"), ""},
		"commit changed":   {file("v1.0.0@b"), file("v1.0.0@c"), "version-changed"},
		"commit emptied":   {file("v1.0.0@b"), file("v1.0.0"), "version-changed"},
		"removed":          {file("v1.1.0@a", "v1.0.0@b"), file("v1.1.0@a"), "version-removed"},
		"deleted":          {file("v1.0.0"), nil, "file-deleted"},
		"without commit":   {nil, file("v1.0.0"), "commit-missing"},
		"short":            {nil, file("v1.2@a"), "tag-short-version"},
		"twice":            {nil, file("v1.0.0@a", "1.0.0@a"), "version-repeated"},
		"twice since ever": {file("v1.0.0@a", "1.0.0@a"), file("v1.0.0@a", "1.0.0@a"), ""},
		"order":            {nil, file("v1.0.0@a", "v1.1.0@a"), "version-order"},
		"not a version":    {nil, []byte(`{"versions": [{"version": "latest", "commit": "` + id + `"}]}`), "file-unreadable"},
		"not JSON":         {nil, []byte(`x`), "file-unreadable"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			findings := judgeChange(path, tt.old, tt.new, "", testNow)
			if got := strings.Join(codesOf(findings), " "); got != tt.want {
				t.Errorf("%s, want %s (%+v)", got, tt.want, findings)
			}
		})
	}
}

func TestJudgeKeyFile(t *testing.T) {
	good, other := key(t, "good").armor, key(t, "other").armor
	tests := map[string]struct {
		path     string
		old, new []byte
		want     string
	}{
		"namespace":      {"keys/a/acme/provider-1.asc", nil, good, ""},
		"provider":       {"keys/a/acme/demo/provider-1.asc", nil, good, ""},
		"unchanged":      {"keys/a/acme/provider-1.asc", good, good, ""},
		"removed":        {"keys/a/acme/provider-1.asc", good, nil, "key-removed"},
		"replaced":       {"keys/a/acme/provider-1.asc", good, other, "key-changed"},
		"renewed":        {"keys/a/acme/provider-1.asc", key(t, "expired").armor, key(t, "renewed").armor, ""},
		"wrong folder":   {"keys/b/acme/provider-1.asc", nil, good, "path-layout"},
		"upper case":     {"keys/a/Acme/provider-1.asc", nil, good, "path-layout"},
		"prefix":         {"keys/a/acme/terraform-provider-demo/provider-1.asc", nil, good, "path-layout"},
		"too deep":       {"keys/a/acme/demo/x/provider-1.asc", nil, good, "path-layout"},
		"no namespace":   {"keys/provider-1.asc", nil, good, "path-layout"},
		"no key":         {"keys/a/acme/README.md", nil, []byte("hello"), "path-layout key-missing"},
		"path tricks":    {"keys/a/../../x.asc", nil, good, "path-layout"},
		"private":        {"keys/a/acme/provider-1.asc", nil, privateArmor(t, "good"), "private-key"},
		"revoked":        {"keys/a/acme/provider-1.asc", nil, key(t, "revoked").armor, "key-revoked"},
		"expired":        {"keys/a/acme/provider-1.asc", nil, key(t, "expired").armor, "key-expired"},
		"text around":    {"keys/a/acme/provider-1.asc", nil, append([]byte("my key\n"), good...), "key-file-form"},
		"needs a repair": {"keys/a/acme/provider-1.asc", nil, bytes.Replace(good, []byte("\n\n"), []byte("\n"), 1), "key-repaired key-file-form"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			findings := judgeChange(tt.path, tt.old, tt.new, "", testNow)
			if got := strings.Join(codesOf(findings), " "); got != tt.want {
				t.Errorf("%s, want %s (%+v)", got, tt.want, findings)
			}
		})
	}
}

// What is wrong with a huge file is told in part, and nothing hides behind that.
func TestDataFindingsAreBounded(t *testing.T) {
	p := demoFile()
	for i := range 1000 {
		v := p.Versions[1]
		v.Version = fmt.Sprintf("0.%d.0", 1000-i)
		p.Versions = append(p.Versions, v)
	}
	findings := judgeChange(demoPath, nil, p.Bytes(), "", testNow)
	if len(findings) != maxDataFindings+1 || findings[maxDataFindings].Code != "more-findings" || !HasErrors(findings[maxDataFindings:]) {
		t.Errorf("%d findings, the last %+v", len(findings), findings[len(findings)-1])
	}
}

// Real files of 2026 pass, as new ones and as they are; so does what
// JudgeRelease makes.
func TestRealDataFiles(t *testing.T) {
	root := filepath.Join(testdata.Shared(t), "format-2026")
	n := 0
	for _, path := range []string{"providers/a/abtme/apipbx.json", "providers/a/abtme/hetrixtools.json", "modules/5/536tech/catalog/databricks.json", "modules/5/536tech/schema/databricks.json", "versions_blacklist.json"} {
		b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(path)))
		must(t, err)
		now := testNow.AddDate(1, 0, 0)
		for _, old := range [][]byte{b, nil} {
			for _, f := range judgeChange(path, old, b, "", now) {
				if old == nil && f.Code == "version-repeated" {
					continue // the reference records v0.1.0 and 0.1.0
				}
				t.Errorf("%s (was there: %v): %+v", path, old != nil, f)
			}
		}
		n++
	}
	t.Logf("%d files", n)
}

func TestJudgedReleaseIsAGoodFile(t *testing.T) {
	sums := []byte(anySum + "  terraform-provider-demo_v1.0.0_linux_riscv64.zip\n")
	r := JudgeRelease(ReleaseInput{
		Provider: demo, Repository: registrydata.Repository{Owner: "ACME", Name: "Terraform-Provider-Demo"}, Keys: []Key{parsed(t, "good")},
		Now: testNow, Discovered: testNow, Release: Release{
			Tag: "1.0.0", Published: testNow, Checksums: sums, ChecksumsFile: "terraform-provider-demo_v1.0.0_SHA256SUMS", Signature: sign(t, "good", sums),
		},
	})
	file := providerFile([]TagResult{r})
	if findings := judgeChange(demoPath, nil, file.Bytes(), "", testNow); len(findings) != 0 || !r.Taken {
		t.Errorf("%+v %+v", r, findings)
	}
}
