package validation

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

var demo = registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}

// A golden release: "assets" lists names, with an upload state or a digest
// after them where they matter; SHA256SUMS stands for itself, with SUM for the
// checksum of every archive; "zips" lists name, checksum and fault of each
// downloaded archive.
func TestReleaseGoldens(t *testing.T) {
	runGoldens(t, "release", func(g *golden) (string, []Finding) {
		in := goldenRelease(g)
		r := JudgeRelease(in)
		return releaseFacts(r), r.Findings
	})
}

var anySum = strings.Repeat("0123456789abcdef", 4)

func goldenRelease(g *golden) ReleaseInput {
	in := ReleaseInput{
		Provider: demo, Repository: registrydata.Repository{Owner: "Acme", Name: "terraform-provider-demo"},
		WebURL: g.options["web"], Full: g.is("full"), Now: testNow, Discovered: testNow.Add(time.Nanosecond),
		Release: Release{
			Tag: g.options["tag"], Draft: g.is("draft"), Published: testNow, Zips: map[string]ZipFacts{}, Faults: map[string]string{},
		},
	}
	for _, name := range strings.Fields(g.options["keys"]) {
		g.key(name)
		in.Keys = append(in.Keys, parsed(g, name))
	}
	if list, ok := g.options["blacklist"]; ok {
		var err error
		in.Blacklist, err = registrydata.ParseBlacklist([]byte(list))
		must(g, err)
	}
	for _, f := range g.lines("assets") {
		a := Asset{Name: f[0], State: "uploaded"}
		if len(f) > 1 && strings.HasPrefix(f[1], "sha256:") {
			a.Digest = f[1]
		} else if len(f) > 1 {
			a.State = f[1]
		}
		in.Release.Assets = append(in.Release.Assets, a)
	}
	for i, f := range g.lines("zips") {
		sum, fault, _ := strings.Cut(strings.Join(f[1:], " "), " ")
		in.Release.Zips[f[0]] = ZipFacts{
			SHA256: strings.ReplaceAll(sum, "SUM", anySum), H1: "h1:" + strings.Repeat("x", 43) + "=", Size: int64(1000 + i), Fault: fault,
		}
	}
	for _, f := range g.lines("faults") {
		in.Release.Faults[f[0]] = strings.Join(f[1:], " ")
	}
	if sums, ok := g.files["SHA256SUMS"]; ok {
		in.Release.Checksums = []byte(strings.ReplaceAll(string(sums), "SUM", anySum))
	}
	if manifest, ok := g.files["manifest.json"]; ok {
		in.Release.Manifest = manifest
	}
	goldenSignature(g, &in.Release)
	return in
}

// goldenSignature signs as the option "signature" says: a key's name, "armored
// good", "stale good" (the file was changed after it), or "none".
func goldenSignature(g *golden, r *Release) {
	words := strings.Fields(g.options["signature"])
	if len(words) == 0 || r.Checksums == nil {
		return
	}
	by := words[len(words)-1]
	if by == "none" {
		return
	}
	g.key(by)
	switch words[0] {
	case "armored":
		r.Signature = armoredSignature(g, by, r.Checksums)
	case "stale":
		r.Signature = sign(g, by, append([]byte("changed "), r.Checksums...))
	default:
		r.Signature = sign(g, by, r.Checksums)
	}
}

func releaseFacts(r TagResult) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s version=%s taken=%v verified=%v signature=%s signed-by=%s issuers=%v\n",
		r.Tag, r.Version, r.Taken, r.Verified, r.Signature, r.SignedBy, r.Issuers)
	if r.Data.Version != "" {
		fmt.Fprintf(&b, "protocols %v discovered %s\n%s\n%s\n", r.Data.Protocols, r.Data.Discovered, r.Data.ShasumsURL, r.Data.ShasumsSignatureURL)
	}
	for _, t := range r.Data.Targets {
		fmt.Fprintf(&b, "%s_%s %s %s… %d %s\n\t%s\n", t.OS, t.Arch, t.Filename, t.Shasum[:8], t.Size, t.H1, t.DownloadURL)
	}
	return b.String()
}

func TestNoRelease(t *testing.T) {
	r := NoRelease("v1.0.0")
	if r.Taken || r.Version != "1.0.0" || len(r.Findings) != 1 || r.Findings[0].Code != "release-missing" || r.Findings[0].Field != "v1.0.0" {
		t.Errorf("%+v", r)
	}
}

func TestReleaseFiles(t *testing.T) {
	names := func(list ...string) Release {
		r := Release{Tag: "v1.0.0"}
		for _, n := range list {
			r.Assets = append(r.Assets, Asset{Name: n})
		}
		return r
	}
	tests := map[string]struct {
		release             Release
		sums, sig, manifest string
	}{
		"usual": {names("terraform-provider-demo_1.0.0_SHA256SUMS", "terraform-provider-demo_1.0.0_SHA256SUMS.sig", "terraform-provider-demo_1.0.0_manifest.json"),
			"terraform-provider-demo_1.0.0_SHA256SUMS", "terraform-provider-demo_1.0.0_SHA256SUMS.sig", "terraform-provider-demo_1.0.0_manifest.json"},
		"extra v": {names("terraform-provider-demo_v1.0.0_SHA256SUMS", "terraform-provider-demo_v1.0.0_SHA256SUMS.sig"),
			"terraform-provider-demo_v1.0.0_SHA256SUMS", "terraform-provider-demo_v1.0.0_SHA256SUMS.sig", ""},
		"both": {names("terraform-provider-demo_v1.0.0_SHA256SUMS", "terraform-provider-demo_1.0.0_SHA256SUMS"),
			"terraform-provider-demo_1.0.0_SHA256SUMS", "", ""},
		"other case":      {names("terraform-provider-Demo_1.0.0_SHA256SUMS"), "terraform-provider-Demo_1.0.0_SHA256SUMS", "", ""},
		"other version":   {names("terraform-provider-demo_1.0.1_SHA256SUMS"), "", "", ""},
		"other signature": {names("terraform-provider-demo_1.0.0_SHA256SUMS", "terraform-provider-demo_1.0.0_SHA256SUMS.asc"), "terraform-provider-demo_1.0.0_SHA256SUMS", "", ""},
		"nothing":         {names(), "", "", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			sums, sig, manifest := ReleaseFiles(demo, tt.release)
			for i, got := range []*Asset{sums, sig, manifest} {
				want := []string{tt.sums, tt.sig, tt.manifest}[i]
				if got == nil && want != "" || got != nil && got.Name != want {
					t.Errorf("file %d is %v, want %q", i, got, want)
				}
			}
		})
	}
}

func TestZipsWantedAndMissing(t *testing.T) {
	r := Release{Tag: "v1.0.0", Assets: []Asset{
		{Name: "terraform-provider-demo_1.0.0_SHA256SUMS"},
		{Name: "terraform-provider-demo_1.0.0_linux_amd64.zip"},
		{Name: "terraform-provider-demo_1.0.0_linux_arm64.zip", State: "starter"},
		{Name: "terraform-provider-demo_1.0.0_windows_amd64.zip"},
	}}
	var sums strings.Builder
	for _, name := range []string{"linux_amd64.zip", "linux_arm64.zip", "darwin_arm64.zip", "manifest.json"} {
		sums.WriteString(anySum + "  terraform-provider-demo_1.0.0_" + name + "\n")
	}
	r.Checksums = []byte(sums.String())
	if zips := ZipsWanted(demo, r); len(zips) != 1 || zips[0].Name != "terraform-provider-demo_1.0.0_linux_amd64.zip" {
		t.Errorf("wanted %+v", zips)
	}
	missing := fmt.Sprint(MissingAssets(demo, r))
	for _, want := range []string{"linux_arm64.zip", "darwin_arm64.zip", "manifest.json", "SHA256SUMS.sig"} {
		if !strings.Contains(missing, want) {
			t.Errorf("missing %s, want %s in it", missing, want)
		}
	}
	if got := MissingAssets(demo, Release{Tag: "v1.0.0"}); len(got) != 1 || got[0] != "terraform-provider-demo_1.0.0_SHA256SUMS" {
		t.Errorf("of an empty release %v is missing", got)
	}
}

func TestTargetOrderIsTheReferences(t *testing.T) {
	var list []archive
	for _, p := range strings.Fields("zos_s390x linux_riscv64 solaris_amd64 windows_386 darwin_arm64 linux_arm linux_386 freebsd_amd64 darwin_amd64 linux_arm64 openbsd_arm linux_amd64 aix_ppc64") {
		os, arch, _ := strings.Cut(p, "_")
		list = append(list, archive{os: os, arch: arch})
	}
	sortArchives(list)
	var got []string
	for _, a := range list {
		got = append(got, a.os+"_"+a.arch)
	}
	const want = "darwin_amd64 darwin_arm64 freebsd_amd64 linux_386 linux_amd64 linux_arm linux_arm64 windows_386 openbsd_arm solaris_amd64 aix_ppc64 linux_riscv64 zos_s390x"
	if strings.Join(got, " ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestParseManifest(t *testing.T) {
	tests := map[string]struct{ manifest, protocols, code string }{
		"usual":            {`{"version":1,"metadata":{"protocol_versions":["6.0"]}}`, "[6.0]", ""},
		"two":              {`{"metadata":{"protocol_versions":["5.0","6.0","5.0"]}}`, "[5.0 6.0]", ""},
		"old beside new":   {`{"metadata":{"protocol_versions":["4.0","5.1"]}}`, "[4.0 5.1]", ""},
		"not JSON":         {`protocol_versions: 6.0`, "[5.0]", "manifest-unreadable"},
		"empty":            {``, "[5.0]", "manifest-unreadable"},
		"no metadata":      {`{}`, "[5.0]", "manifest-unreadable"},
		"numbers":          {`{"metadata":{"protocol_versions":[6.0]}}`, "[5.0]", "manifest-unreadable"},
		"one number":       {`{"metadata":{"protocol_versions":["6"]}}`, "[5.0]", "manifest-unreadable"},
		"words":            {`{"metadata":{"protocol_versions":["six"]}}`, "[5.0]", "manifest-unreadable"},
		"too many":         {`{"metadata":{"protocol_versions":["5.0"` + strings.Repeat(`,"5.0"`, 20) + `]}}`, "[5.0]", "manifest-unreadable"},
		"unsupported":      {`{"metadata":{"protocol_versions":["4.0","7.0"]}}`, "[4.0 7.0]", "protocols-unsupported"},
		"too large":        {`{"x":"` + strings.Repeat("x", 70000) + `"}`, "[5.0]", "manifest-unreadable"},
		"deeply nested":    {strings.Repeat("[", 60000), "[5.0]", "manifest-unreadable"},
		"byte order mark":  {"\ufeff" + `{"metadata":{"protocol_versions":["6.0"]}}`, "[5.0]", "manifest-unreadable"},
		"null of a string": {`null`, "[5.0]", "manifest-unreadable"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			protocols, findings := ParseManifest([]byte(tt.manifest))
			if fmt.Sprint(protocols) != tt.protocols || strings.Join(codesOf(findings), " ") != tt.code {
				t.Errorf("%v %+v", protocols, findings)
			}
		})
	}
	if protocols, findings := ParseManifest(nil); fmt.Sprint(protocols) != "[5.0]" || len(findings) != 0 {
		t.Errorf("without a manifest: %v %+v", protocols, findings)
	}
}

// A release of 5,000 platforms is refused, and nothing takes long.
func TestManyPlatforms(t *testing.T) {
	var sums strings.Builder
	for i := range 5000 {
		sums.WriteString(anySum + "  terraform-provider-demo_1.0.0_linux_a" + strconv.Itoa(i) + ".zip\n")
	}
	r := JudgeRelease(ReleaseInput{Provider: demo, Release: Release{Tag: "v1.0.0", Published: testNow, Checksums: []byte(sums.String())}, Now: testNow})
	if r.Taken || !strings.Contains(fmt.Sprint(codesOf(r.Findings)), "platforms-too-many") {
		t.Errorf("%v", codesOf(r.Findings))
	}
}
