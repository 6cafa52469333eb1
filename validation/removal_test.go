package validation

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

func askedToRemove(versions, reason string) Submission {
	s, _ := ReadSubmission(Answers{Kind: KindVersionRemoval, Type: "Provider", Repository: "acme/terraform-provider-demo", Version: versions, Reason: reason})
	return s
}

func fileOf(versions ...string) []byte {
	var list []string
	for _, v := range versions {
		list = append(list, fmt.Sprintf(`{"version": %q, "targets": []}`, v))
	}
	return []byte(`{"versions": [` + strings.Join(list, ",") + `]}`)
}

func TestReadRemoval(t *testing.T) {
	for _, c := range []struct{ versions, reason, want, codes string }{
		{"v1.2.0, 1.2.1 and 2.0.0-RC1", "leaks", "[1.2.0 1.2.1 2.0.0-RC1]", ""},
		{"- `1.2.0`\n- v1.2.0\n", "leaks", "[1.2.0]", ""},
		{"all before 2.0.0", "leaks", "[]", "version-unreadable"},
		{">= 1.0.0", "leaks", "[]", "version-unreadable"},
		{"1.2.0", " <!-- x --> \u200b", "[1.2.0]", "reason-missing"},
		{"1.2.0", "_No response_", "[1.2.0]", "reason-missing"},
		{"", "leaks", "[]", "version-missing"},
		{strings.Repeat("1.0.0 ", 200), "leaks", "[1.0.0]", ""},
	} {
		s := askedToRemove(c.versions, c.reason)
		if fmt.Sprint(s.Versions) != c.want || strings.Join(codesOf(s.Findings), ",") != c.codes {
			t.Errorf("%q: versions %v, findings %+v", c.versions, s.Versions, s.Findings)
		}
	}
	var many []string
	for i := range maxRequestedVersions + 1 {
		many = append(many, fmt.Sprintf("1.0.%d", i))
	}
	if s := askedToRemove(strings.Join(many, " "), "leaks"); !HasErrors(s.Findings) {
		t.Error("more versions than can be named are accepted")
	}
}

func TestJudgeRemoval(t *testing.T) {
	demo := registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}.Entity()
	twin := registrydata.ProviderAddress{Namespace: "twin", Name: "demo"}.Entity()
	net := registrydata.ModuleAddress{Namespace: "acme", Name: "net", Target: "aws"}.Entity()
	barred := []byte(`{"providers": [{"namespace": "acme", "name": "demo", "version": "0.1.0", "reason": "old"}]}`)
	for _, c := range []struct {
		rule      string
		versions  string
		addresses []registrydata.Entity
		recorded  []RecordedFile
		codes     string
		deleted   []string
		kept      map[string]string // what the changed file still names
	}{
		{"one of two", "1.0.0", []registrydata.Entity{demo}, []RecordedFile{{demo, fileOf("1.1.0", "1.0.0")}}, "", nil, map[string]string{demo.Path(): "1.1.0"}},
		{"the last", "1.0.0", []registrydata.Entity{demo}, []RecordedFile{{demo, fileOf("1.0.0")}}, "last-version", []string{demo.Path()}, nil},
		{"both addresses", "1.0.0", []registrydata.Entity{demo, twin}, []RecordedFile{{demo, fileOf("1.1.0", "1.0.0")}, {twin, fileOf("1.0.0")}}, "last-version", []string{twin.Path()}, map[string]string{demo.Path(): "1.1.0"}},
		{"only where it is", "1.1.0", []registrydata.Entity{demo, twin}, []RecordedFile{{demo, fileOf("1.1.0", "1.0.0")}, {twin, fileOf("1.0.0")}}, "", nil, map[string]string{demo.Path(): "1.0.0"}},
		{"a module's two tags", "1.0.0", []registrydata.Entity{net}, []RecordedFile{{net, []byte(`{"versions": [{"version": "v1.1.0"}, {"version": "v1.0.0"}, {"version": "1.0.0"}]}`)}}, "", nil, map[string]string{net.Path(): "v1.1.0"}},
		{"not registered", "1.0.0", []registrydata.Entity{demo}, nil, "not-registered", nil, nil},
		{"not recorded", "1.0.0 9.9.9", []registrydata.Entity{demo}, []RecordedFile{{demo, fileOf("1.1.0", "1.0.0")}}, "version-not-recorded", nil, nil},
		{"gone already", "0.1.0", []registrydata.Entity{demo}, []RecordedFile{{demo, fileOf("1.1.0")}}, "version-not-recorded", nil, nil},
	} {
		t.Run(c.rule, func(t *testing.T) {
			v, err := JudgeRemoval(RemovalInput{Submission: askedToRemove(c.versions, "It leaks\na \"token\". \x00"), Issue: 7, Addresses: c.addresses, Recorded: c.recorded, Blacklist: barred})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(codesOf(v.Findings), ","); got != c.codes {
				t.Errorf("findings %+v", v.Findings)
			}
			if v.Verdict != Accept {
				if v.Files != nil || v.Removed != nil {
					t.Errorf("refused, and yet %v", v.Removed)
				}
				return
			}
			checkRemovalFiles(t, v, c.deleted, c.kept)
			list, err := registrydata.ParseBlacklist(v.Files[registrydata.BlacklistPath])
			if err != nil {
				t.Fatal(err)
			}
			version := strings.Fields(c.versions)[0]
			for _, e := range c.addresses {
				reason, ok := list.Provider(e.Provider(), version)
				if e.Kind == registrydata.KindModule {
					reason, ok = list.Module(e.Module(), version)
				}
				if !ok || reason != `It leaks a "token". (#7)` {
					t.Errorf("%s is listed: %v, %q", e, ok, reason)
				}
			}
		})
	}
}

// What a removal wants passes the rules for data files, and nothing less does.
func checkRemovalFiles(t *testing.T, v RemovalVerdict, deleted []string, kept map[string]string) {
	t.Helper()
	var gone []string
	for path, content := range v.Files {
		if content == nil {
			gone = append(gone, path)
		}
	}
	if !slices.Equal(gone, deleted) {
		t.Errorf("deletes %v, want %v", gone, deleted)
	}
	for path, version := range kept {
		if content := string(v.Files[path]); strings.Count(content, `"version"`) != 1 || !strings.Contains(content, `"`+version+`"`) {
			t.Errorf("%s:\n%s", path, content)
		}
	}
	if want := len(deleted) + len(kept) + 1; len(v.Files) != want {
		t.Errorf("%d files, want %d", len(v.Files), want)
	}
}

func TestJudgeRemovalUnreadable(t *testing.T) {
	demo := registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}.Entity()
	in := RemovalInput{Submission: askedToRemove("1.0.0", "leaks"), Addresses: []registrydata.Entity{demo}, Recorded: []RecordedFile{{demo, []byte("{")}}}
	if _, err := JudgeRemoval(in); err == nil {
		t.Error("a data file that cannot be read is no finding for the author")
	}
	in.Recorded[0].Content, in.Blacklist = fileOf("1.0.0"), []byte("[")
	if _, err := JudgeRemoval(in); err == nil {
		t.Error("a blacklist that cannot be read is no finding for the author")
	}
}

// A version may be taken out by a change that puts it on the blacklist, and by
// no other.
func TestChangeRemoves(t *testing.T) {
	list, err := registrydata.ParseBlacklist([]byte(`{"providers": [{"namespace": "acme", "name": "demo", "version": "1.0.0", "reason": "leaks | <b>"}],
		"modules": [{"namespace": "acme", "name": "net", "target_system": "aws", "version": "1.0.0", "reason": "x"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	without := changed(func(p *registrydata.Provider) { p.Remove("1.0.0") })
	module := []byte(`{"versions": [{"version": "v1.1.0"}, {"version": "v1.0.0"}]}`)
	for _, c := range []struct {
		rule, path string
		old, new   []byte
		blacklist  registrydata.Blacklist
		severity   Severity
	}{
		{"without an entry", demoPath, demoFile().Bytes(), without, registrydata.Blacklist{}, Error},
		{"with one", demoPath, demoFile().Bytes(), without, list, Warning},
		{"another version", demoPath, demoFile().Bytes(), changed(func(p *registrydata.Provider) { p.Remove("1.1.0") }), list, Error},
		{"of a module", "modules/a/acme/net/aws.json", module, []byte(`{"versions": [{"version": "v1.1.0"}]}`), list, Warning},
		{"a whole file", demoPath, fileOf("1.0.0"), nil, list, Warning},
	} {
		findings := DataRules{Blacklist: c.blacklist, Now: testNow}.Change(c.path, c.old, c.new)
		if len(findings) != 1 || findings[0].Severity != c.severity {
			t.Errorf("%s: %+v", c.rule, findings)
		}
	}
}
