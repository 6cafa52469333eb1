package validation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
)

// A golden module: "tags" lists each tag and the first digit of its commit.
func TestModuleGoldens(t *testing.T) {
	runGoldens(t, "module", func(g *golden) (string, []Finding) {
		s, _ := ReadSubmission(Answers{Kind: KindModule, Repository: g.options["answer"]})
		in := ModuleInput{Submission: s, Author: "alice", Facts: goldenFacts(g, s), Now: testNow,
			Registered: g.is("registered"), ParentRegistered: g.is("parent-registered"), Tags: goldenTags(g)}
		if list, ok := g.options["blacklist"]; ok {
			var err error
			in.Blacklist, err = registrydata.ParseBlacklist([]byte(list))
			must(g, err)
		}
		v := JudgeModule(in)
		facts := reportLine(v.Report) + fmt.Sprintf("address=%s already-registered=%v\n", v.Address, v.AlreadyRegistered)
		for _, r := range v.Results {
			facts += fmt.Sprintf("tag %s version=%s taken=%v %v\n", r.Tag, r.Version, r.Taken, codesOf(r.Findings))
		}
		if v.File != nil {
			facts += string(v.File.Bytes()) + "\n"
		}
		return facts, v.Findings
	})
}

func goldenTags(g *golden) []Tag {
	var out []Tag
	for _, f := range g.lines("tags") {
		t := Tag{Name: f[0]}
		if len(f) > 1 {
			t.Commit = strings.Repeat(f[1], 40)
			t.Object = t.Commit
		}
		if len(f) > 2 {
			t.Object = strings.Repeat(f[2], 40)
		}
		out = append(out, t)
	}
	return out
}

func TestModuleVersionsNeverRewrite(t *testing.T) {
	id := func(c string) string { return strings.Repeat(c, 40) }
	known := &registrydata.Module{Versions: []registrydata.ModuleVersion{
		{Version: "v2", Commit: id("2")},
		{Version: "1.1.0"},
		{Version: "v1.0.0", Commit: id("a")},
	}}
	tags := []Tag{
		{Name: "v1.0.0", Object: id("b"), Commit: id("b")}, // moved
		{Name: "1.0.0", Object: id("c")},                   // the same version
		{Name: "v1.1.0", Object: id("d")},                  // recorded without v
		{Name: "v2.0.0", Object: id("e")},                  // a version that clients can ask for
		{Name: "v1.2.0", Object: id("f"), Commit: id("0")},
		{Name: "v1.1", Object: id("f")}, // the short form of one that is recorded
		{Name: "latest", Object: id("f")},
	}
	added, findings := ModuleVersions(known, tags, registrydata.Blacklist{}, registrydata.ModuleAddress{}, testNow)
	var got []string
	for _, v := range added {
		got = append(got, v.Version+"@"+v.Commit[:1])
		if v.Discovered != "2026-03-01T12:00:00Z" {
			t.Errorf("discovered %s", v.Discovered)
		}
	}
	if strings.Join(got, " ") != "v2.0.0@e v1.2.0@0" {
		t.Errorf("added %v", got)
	}
	if len(findings) != 2 || findings[0].Code != "tag-moved" || findings[0].Field != "v1.0.0" || findings[0].Severity != Warning ||
		findings[1].Code != "tag-same-version" || findings[1].Field != "1.0.0" || findings[1].Severity != Warning {
		t.Errorf("findings %+v", findings)
	}
	for _, v := range added {
		must(t, known.Add(v))
	}
	if again, _ := ModuleVersions(known, tags, registrydata.Blacklist{}, registrydata.ModuleAddress{}, testNow); len(again) != 0 {
		t.Errorf("a second look adds %v", again)
	}
}

// TestModuleTags: one version under two names, by what is recorded of it.
func TestModuleTags(t *testing.T) {
	id := func(c string) string { return strings.Repeat(c, 40) }
	yes, no := true, false
	both := []Tag{{Name: "1.0.0", Commit: id("b")}, {Name: "v1.0.0", Commit: id("a")}}
	for rule, c := range map[string]struct {
		known registrydata.Module
		tags  []Tag
		added string // tags
		told  string // tags
	}{
		"two tags on one commit are one version, with v":    {tags: []Tag{{Name: "1.0.0", Commit: id("a")}, {Name: "v1.0.0", Commit: id("a")}}, added: "v1.0.0"},
		"two tags on two commits are one version, told":     {tags: both, added: "v1.0.0", told: "1.0.0"},
		"what was recorded first stays, in its form, told":  {known: registrydata.Module{Versions: []registrydata.ModuleVersion{{Version: "1.0.0", Commit: id("b")}}}, tags: both, told: "v1.0.0"},
		"recorded twice already, nobody can mend it":        {known: registrydata.Module{Versions: []registrydata.ModuleVersion{{Version: "v1.0.0", Commit: id("a")}, {Version: "1.0.0", Commit: id("b")}}}, tags: both},
		"recorded without a commit, nothing can be told":    {known: registrydata.Module{Versions: []registrydata.ModuleVersion{{Version: "v1.0.0"}}}, tags: both},
		"a short tag moves along by custom":                 {known: registrydata.Module{Versions: []registrydata.ModuleVersion{{Version: "v1", Commit: id("a")}}}, tags: []Tag{{Name: "v1", Commit: id("c")}}},
		"below the minimum, and the minimum itself":         {known: registrydata.Module{Upkeep: registrydata.Upkeep{MinimumVersion: "1.0.0"}}, tags: []Tag{{Name: "v0.9.0"}, {Name: "v1.0.0"}}, added: "v1.0.0"},
		"pre-releases are in":                               {tags: []Tag{{Name: "v1.0.0-rc1"}}, added: "v1.0.0-rc1"},
		"pre-releases are in where the file says so":        {known: registrydata.Module{Upkeep: registrydata.Upkeep{Prereleases: &yes}}, tags: []Tag{{Name: "v1.0.0-rc1"}}, added: "v1.0.0-rc1"},
		"pre-releases are out where the file wants it so":   {known: registrydata.Module{Upkeep: registrydata.Upkeep{Prereleases: &no}}, tags: []Tag{{Name: "v1.0.0-rc1"}, {Name: "v1.0.0+b1"}}, added: "v1.0.0+b1"},
		"a minimum that is a pre-release lets the next one": {known: registrydata.Module{Upkeep: registrydata.Upkeep{MinimumVersion: "1.0.0-rc1"}}, tags: []Tag{{Name: "v1.0.0-beta"}, {Name: "v1.0.0-rc2"}}, added: "v1.0.0-rc2"},
	} {
		var added, told []string
		versions, findings := ModuleVersions(&c.known, c.tags, registrydata.Blacklist{}, registrydata.ModuleAddress{}, testNow)
		for _, v := range versions {
			added = append(added, v.Version)
		}
		for _, f := range findings {
			told = append(told, f.Field)
		}
		if strings.Join(added, " ") != c.added || strings.Join(told, " ") != c.told {
			t.Errorf("%s: added %v, told %v", rule, added, told)
		}
	}
}

// The commit behind an annotated tag is recorded. The tag is not moved as long as
// either id is the recorded one: the reference records the tag's own.
func TestAnnotatedTags(t *testing.T) {
	tag := Tag{Name: "v1.0.0", Object: strings.Repeat("a", 40), Commit: strings.Repeat("b", 40)}
	added, _ := ModuleVersions(nil, []Tag{tag}, registrydata.Blacklist{}, registrydata.ModuleAddress{}, testNow)
	if len(added) != 1 || added[0].Commit != tag.Commit {
		t.Fatalf("added %+v", added)
	}
	for _, commit := range []string{tag.Object, tag.Commit, ""} {
		known := &registrydata.Module{Versions: []registrydata.ModuleVersion{{Version: "v1.0.0", Commit: commit}}}
		if _, findings := ModuleVersions(known, []Tag{tag}, registrydata.Blacklist{}, registrydata.ModuleAddress{}, testNow); len(findings) != 0 {
			t.Errorf("recorded as %q: %+v", commit, findings)
		}
	}
}
