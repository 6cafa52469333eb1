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
	if strings.Join(got, " ") != "v2.0.0@e v1.2.0@f" {
		t.Errorf("added %v", got)
	}
	if len(findings) != 1 || findings[0].Code != "tag-moved" || findings[0].Field != "v1.0.0" || findings[0].Severity != Warning {
		t.Errorf("findings %+v", findings)
	}
	for _, v := range added {
		must(t, known.Add(v))
	}
	if again, _ := ModuleVersions(known, tags, registrydata.Blacklist{}, registrydata.ModuleAddress{}, testNow); len(again) != 0 {
		t.Errorf("a second look adds %v", again)
	}
}

// An annotated tag is recorded by its own object, as the reference does, and is
// not moved as long as either id is the recorded one.
func TestAnnotatedTags(t *testing.T) {
	tag := Tag{Name: "v1.0.0", Object: strings.Repeat("a", 40), Commit: strings.Repeat("b", 40)}
	added, _ := ModuleVersions(nil, []Tag{tag}, registrydata.Blacklist{}, registrydata.ModuleAddress{}, testNow)
	if len(added) != 1 || added[0].Commit != tag.Object {
		t.Fatalf("added %+v", added)
	}
	for _, commit := range []string{tag.Object, tag.Commit, ""} {
		known := &registrydata.Module{Versions: []registrydata.ModuleVersion{{Version: "v1.0.0", Commit: commit}}}
		if _, findings := ModuleVersions(known, []Tag{tag}, registrydata.Blacklist{}, registrydata.ModuleAddress{}, testNow); len(findings) != 0 {
			t.Errorf("recorded as %q: %+v", commit, findings)
		}
	}
}
