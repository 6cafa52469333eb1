package registrydata

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// TestEdit applies the lines of "do" to the data file "before" of each case and
// compares with "after". Both sections end with a newline that the file does
// not have, unless the do section holds the line "newline".
func TestEdit(t *testing.T) {
	eachCase(t, "edit", func(t *testing.T, ar *txtar.Archive) {
		before, _ := section(ar, "before")
		after, _ := section(ar, "after")
		do, _ := section(ar, "do")
		if !strings.Contains(do, "newline\n") {
			before, after = strings.TrimSuffix(before, "\n"), strings.TrimSuffix(after, "\n")
		}
		kind, do, _ := strings.Cut(do, "\n")
		var got string
		switch kind {
		case "provider":
			got = editProvider(t, before, do)
		case "module":
			got = editModule(t, before, do)
		default:
			t.Fatalf("unknown kind %q", kind)
		}
		if diff := cmp.Diff(after, got); diff != "" {
			t.Errorf("file (-want +got):\n%s", diff)
		}
	})
}

func editProvider(t *testing.T, before, do string) string {
	t.Helper()
	p := &Provider{}
	if before != "" {
		var err error
		if p, err = ParseProvider([]byte(before)); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(do) {
		verb, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "newline":
		case "add":
			v := ProviderVersion{Version: arg, Protocols: []string{"5.0"}, Targets: []Target{{OS: "linux", Arch: "amd64", Filename: "a&b.zip"}}}
			if err := p.Add(v); err != nil {
				t.Fatal(err)
			}
		case "error":
			p.VersionsErrors = append(p.VersionsErrors, VersionError{Version: "9.9.9", Message: arg, UTCTime: "2026-01-02T03:04:05Z"})
		case "discovered":
			p.Versions[0].Discovered = arg
		case "size":
			p.Versions[0].Targets[0].Size, p.Versions[0].Targets[0].H1 = 12, arg
		case "warn":
			p.Warnings = append(p.Warnings, arg)
		case "unwarn":
			p.Warnings = nil
		case "id", "minimum", "prereleases":
			editUpkeep(t, &p.Upkeep, verb, arg)
		default:
			t.Fatalf("unknown verb %q", verb)
		}
	}
	return string(p.Bytes())
}

func editModule(t *testing.T, before, do string) string {
	t.Helper()
	m := &Module{}
	if before != "" {
		var err error
		if m, err = ParseModule([]byte(before)); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(do) {
		f := strings.Fields(line)
		switch f[0] {
		case "newline":
		case "add":
			v := ModuleVersion{Version: f[1]}
			if len(f) > 2 {
				v.Discovered = f[2]
			}
			if len(f) > 3 {
				v.Commit = f[3]
			}
			if err := m.Add(v); err != nil {
				t.Fatal(err)
			}
		case "id", "minimum", "prereleases":
			editUpkeep(t, &m.Upkeep, f[0], f[1])
		default:
			t.Fatalf("unknown verb %q", f[0])
		}
	}
	return string(m.Bytes())
}

func editUpkeep(t *testing.T, u *Upkeep, verb, arg string) {
	t.Helper()
	var err error
	switch verb {
	case "id":
		u.RepositoryID, err = strconv.ParseInt(arg, 10, 64)
	case "minimum":
		u.MinimumVersion = arg
	case "prereleases":
		yes := arg == "yes"
		u.Prereleases = &yes
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestAddKeepsOrder(t *testing.T) {
	m := &Module{}
	for _, tag := range []string{"v1.0.0", "1.2.0", "v0.9", "v1.0.0-rc.1", "1.10.0", "1.2.0+b", "v1.2.0+a", "2"} {
		if err := m.Add(ModuleVersion{Version: tag}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for _, v := range m.Versions {
		got = append(got, v.Version)
	}
	want := []string{"2", "1.10.0", "1.2.0", "1.2.0+b", "v1.2.0+a", "v1.0.0", "v1.0.0-rc.1", "v0.9"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAddRefuses(t *testing.T) {
	target := []Target{{OS: "linux", Arch: "amd64"}}
	p := &Provider{Versions: []ProviderVersion{{Version: "1.0.0-RC1", Targets: target}}}
	for version, want := range map[string]string{
		"1.0.0-RC1":                         "is there already",
		"1.0.0-rc1":                         "is there already",
		"v2.0.0":                            `must not begin with "v"`,
		"latest":                            "is no semantic version",
		"":                                  "is no semantic version",
		"1.0.0/..":                          "is no semantic version",
		"1.0.0-" + strings.Repeat("a", 200): "more than 128 characters",
	} {
		checkError(t, p.Add(ProviderVersion{Version: version, Targets: target}), want)
	}
	for want, targets := range map[string][]Target{
		"no targets":      nil,
		"is no platform":  {{OS: "linux"}},
		"no platform":     {{OS: "linux", Arch: "../x"}},
		"is no platform ": {{OS: "Linux", Arch: "amd64"}},
		"stands twice":    {target[0], target[0]},
	} {
		checkError(t, p.Add(ProviderVersion{Version: "2.0.0", Targets: targets}), strings.TrimSpace(want))
	}
	m := &Module{Versions: []ModuleVersion{{Version: "v1.0.0"}}}
	for version, want := range map[string]string{
		"v1.0.0": "is there already", "1.0.0": `"v1.0.0" is there already`, "vv1.0.0": "no semantic version", "main": "no semantic version",
	} {
		checkError(t, m.Add(ModuleVersion{Version: version}), want)
	}
	checkError(t, m.Add(ModuleVersion{Version: "v2.0.0", Commit: "HEAD"}), "no git object id")
	if len(p.Versions) != 1 || len(m.Versions) != 1 {
		t.Error("a refused version was added")
	}
}

func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}

func TestVersionLookup(t *testing.T) {
	p := &Provider{Versions: []ProviderVersion{{Version: "1.0.0-RC1"}, {Version: "0.1.0", Discovered: "first"}, {Version: "0.1.0", Discovered: "last"}}}
	if v, ok := p.Version("v1.0.0-rc1"); !ok || v != &p.Versions[0] {
		t.Errorf("v1.0.0-rc1: %v, %v", v, ok)
	}
	if v, ok := p.Version("0.1.0"); !ok || v.Discovered != "last" {
		t.Errorf("0.1.0: %v, %v", v, ok)
	}
	if _, ok := p.Version("0.1"); ok {
		t.Error("0.1 found")
	}
	m := &Module{Versions: []ModuleVersion{{Version: "v0.1"}}}
	if v, ok := m.Version("0.1"); !ok || v.Version != "v0.1" {
		t.Errorf("0.1: %v, %v", v, ok)
	}
}

func TestVersionKey(t *testing.T) {
	for tag, want := range map[string]string{
		"v1.0.0": "1.0.0 true", "1.0.0": "1.0.0 true", "v1": "1 true", "20102020093709": "20102020093709 true", "1.0.0-RC1+b.1": "1.0.0-RC1+b.1 true",
		"vv1.0.0": "v1.0.0 false", "V1.0.0": "V1.0.0 false", "01.0.0": "01.0.0 false", "release-1": "release-1 false", "": " false", "v": " false", "1.0.0.0": "1.0.0.0 false",
	} {
		key, ok := VersionKey(tag)
		if got := fmt.Sprint(key, " ", ok); got != want {
			t.Errorf("%q: %s, want %s", tag, got, want)
		}
	}
	if CompareVersions("v1.10.0", "1.9.0") <= 0 || CompareVersions("1.0.0-rc", "v1.0.0") >= 0 || CompareVersions("1.0.0+a", "1.0.0+b") != 0 || CompareVersions("x", "0") >= 0 {
		t.Error("versions compare wrongly")
	}
}

// The writer's bytes are those of encoding/json, which the reference writes
// with.
func TestNewFileIsMarshalIndent(t *testing.T) {
	type target struct {
		OS          string `json:"os"`
		Arch        string `json:"arch"`
		Filename    string `json:"filename"`
		DownloadURL string `json:"download_url"`
		Shasum      string `json:"shasum"`
		H1          string `json:"h1"`
		Size        int64  `json:"size"`
	}
	type version struct {
		Version    string   `json:"version"`
		Protocols  []string `json:"protocols"`
		Shasums    string   `json:"shasums_url"`
		Signature  string   `json:"shasums_signature_url"`
		Targets    []target `json:"targets"`
		Discovered string   `json:"discovered,omitempty"`
	}
	type failure struct {
		Version string `json:"version"`
		Message string `json:"message"`
		UTCTime string `json:"utc_time"`
	}
	type file struct {
		Repository string    `json:"repository,omitempty"`
		Versions   []version `json:"versions"`
		Errors     []failure `json:"versions_errors,omitempty"`
		Warnings   []string  `json:"warnings,omitempty"`
	}
	p := benchProvider(3, 2)
	p.Repository = "x/y"
	p.Versions[1].Protocols, p.Versions[1].Discovered = nil, ""
	p.Versions[2].Protocols = []string{}
	p.VersionsErrors = []VersionError{{Version: "1.0.0", Message: "<a> & \"b\"\n\x7f\u2028\x00", UTCTime: "2026-01-01T00:00:00Z"}}
	p.Warnings = []string{"é\\ü \xff 😀"}
	want := file{Repository: p.Repository, Warnings: p.Warnings}
	for _, v := range p.Versions {
		w := version{Version: v.Version, Protocols: v.Protocols, Shasums: v.ShasumsURL, Signature: v.ShasumsSignatureURL, Discovered: v.Discovered}
		for _, x := range v.Targets {
			w.Targets = append(w.Targets, target{x.OS, x.Arch, x.Filename, x.DownloadURL, x.Shasum, x.H1, x.Size})
		}
		want.Versions = append(want.Versions, w)
	}
	for _, e := range p.VersionsErrors {
		want.Errors = append(want.Errors, failure{e.Version, e.Message, e.UTCTime})
	}
	b, err := json.MarshalIndent(want, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(b), string(p.Bytes())); diff != "" {
		t.Error(diff)
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "<&>\"\\/\x00\b\f\n\r\t\x1f\x7f", "\u2028\u2029\ufffd", "\xff\xed\xa0\x80", "é😀"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if got := appendString(nil, s); string(got) != string(want) {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	})
}
