package validation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

func TestAuditVersion(t *testing.T) {
	sum := func(c string) string { return strings.Repeat(c, 64) }
	recorded := registrydata.ProviderVersion{Version: "1.0.0"}
	for i, arch := range []string{"386", "amd64", "arm", "arm64", "riscv64"} {
		recorded.Targets = append(recorded.Targets, registrydata.Target{
			OS: "linux", Arch: arch, Filename: "demo_" + arch + ".zip", Shasum: sum(string("abcde"[i])),
		})
	}
	all := ""
	for _, target := range recorded.Targets {
		all += target.Shasum + "  " + target.Filename + "\n"
	}
	tests := map[string]struct {
		now  RecordedNow
		want string
	}{
		"the same":                 {RecordedNow{Checksums: []byte(all)}, "[]"},
		"in capitals, with CR LF":  {RecordedNow{Checksums: []byte(strings.ToUpper(sum("a")) + strings.TrimPrefix(strings.ReplaceAll(all, "\n", "\r\n"), sum("a")))}, "[]"},
		"with a blank line":        {RecordedNow{Checksums: []byte(all + "\n\n")}, "[]"},
		"more files":               {RecordedNow{Checksums: []byte(all + sum("f") + "  other.zip\n")}, "[]"},
		"edited":                   {RecordedNow{Checksums: []byte(strings.Replace(all, sum("a"), sum("9"), 1))}, "[recorded-checksum-differs]"},
		"a line is gone":           {RecordedNow{Checksums: []byte(strings.Replace(all, sum("a"), "", 1))}, "[recorded-archive-unlisted]"},
		"all are new":              {RecordedNow{Checksums: []byte(strings.NewReplacer(sum("a"), sum("1"), sum("b"), sum("1"), sum("c"), sum("1"), sum("d"), sum("1"), sum("e"), sum("1")).Replace(all))}, "[recorded-checksum-differs recorded-checksum-differs recorded-checksum-differs recorded-checksum-differs]"},
		"empty":                    {RecordedNow{}, "[recorded-archive-unlisted]"},
		"gone":                     {RecordedNow{Fault: "the file is not there any more"}, "[recorded-checksums-gone]"},
		"an archive is gone":       {RecordedNow{Checksums: []byte(all), Missing: []string{"demo_386.zip"}}, "[recorded-archive-gone]"},
		"a page instead of a file": {RecordedNow{Checksums: []byte("<!DOCTYPE html><html>two words</html>")}, "[recorded-archive-unlisted]"},
	}
	for name, tt := range tests {
		tt.now.Version, tt.now.Tag = recorded, "v1.0.0"
		got := AuditVersion(tt.now)
		if fmt.Sprint(codesOf(got)) != tt.want {
			t.Errorf("%s: %v, want %s", name, codesOf(got), tt.want)
		}
		for _, f := range got {
			if f.Field != "v1.0.0" || f.Severity != Error || f.Fix == "" || f.Message == "" {
				t.Errorf("%s: %+v", name, f)
			}
		}
	}
}

func TestAuditTags(t *testing.T) {
	m := &registrydata.Module{Versions: []registrydata.ModuleVersion{{Version: "v1.1.0"}, {Version: "1.0.0"}}}
	got := AuditTags(m, []Tag{{Name: "v1.1.0"}, {Name: "v1.0.0"}})
	if len(got) != 1 || got[0].Code != "recorded-tag-gone" || got[0].Field != "1.0.0" {
		t.Errorf("%+v", got)
	}
}

func TestAuditArchives(t *testing.T) {
	target := registrydata.Target{Filename: "demo.zip", Shasum: strings.Repeat("a", 64)}
	for want, zip := range map[string]ZipFacts{
		"[]":                          {SHA256: strings.Repeat("A", 64)},
		"[recorded-archive-differs]":  {SHA256: strings.Repeat("b", 64)},
		"[recorded-archive-unusable]": {Fault: "it is gone"},
	} {
		if got := fmt.Sprint(codesOf(AuditArchives("v1", []ArchiveNow{{target, zip}}))); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if n := len(AuditArchives("v1", make([]ArchiveNow, 100))); n > maxToldFiles {
		t.Errorf("%d findings", n)
	}
}
