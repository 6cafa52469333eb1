package validation

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// A golden provider: "tags" lists each tag, and for a version tag "taken" or
// the code of the finding that kept it out. The options are the facts.
func TestProviderGoldens(t *testing.T) {
	runGoldens(t, "provider", func(g *golden) (string, []Finding) {
		v := JudgeProvider(goldenProvider(g))
		facts := reportLine(v.Report) + fmt.Sprintf("address=%s already-registered=%v\n", v.Address, v.AlreadyRegistered)
		if v.File != nil {
			for _, version := range v.File.Versions {
				facts += "records " + version.Version + "\n"
			}
			_, err := registrydata.ParseProvider(v.File.Bytes())
			must(g, err)
		}
		return facts, v.Findings
	})
}

func goldenProvider(g *golden) ProviderInput {
	s, _ := ReadSubmission(Answers{Kind: KindProvider, Repository: g.options["answer"]})
	in := ProviderInput{Submission: s, Author: "alice", Facts: goldenFacts(g, s), Now: testNow,
		ParentRegistered: g.is("parent-registered"), HasKey: g.is("key")}
	for _, a := range strings.Fields(g.options["registered"]) {
		address, err := registrydata.ParseProviderAddress(a)
		must(g, err)
		in.Registered = append(in.Registered, address)
	}
	for _, f := range g.lines("tags") {
		in.Tags = append(in.Tags, Tag{Name: f[0]})
		if len(f) > 1 {
			in.Results = append(in.Results, syntheticResult(f[0], f[1]))
		}
	}
	return in
}

func goldenFacts(g *golden, s Submission) RepositoryFacts {
	f := RepositoryFacts{Exists: g.options["exists"] != "no", Private: g.is("private"), Archived: g.is("archived"), Fork: g.options["parent"] != ""}
	if len(s.Candidates) > 0 {
		f.Repository = s.Candidates[0]
	}
	if name := g.options["renamed"]; name != "" {
		owner, repo, _ := strings.Cut(name, "/")
		f.Repository = registrydata.Repository{Owner: owner, Name: repo}
	}
	if owner, repo, ok := strings.Cut(g.options["parent"], "/"); ok {
		f.Parent = registrydata.Repository{Owner: owner, Name: repo}
	}
	return f
}

// syntheticResult is the verdict on a release, without the release.
func syntheticResult(tag, what string) TagResult {
	version := strings.TrimPrefix(tag, "v")
	if what == "taken" {
		return TagResult{Tag: tag, Version: version, Taken: true, Issuers: []string{"0123456789ABCDEF"}, Data: registrydata.ProviderVersion{
			Version: version, Protocols: []string{"5.0"}, Targets: []registrydata.Target{{OS: "linux", Arch: "amd64"}},
		}}
	}
	return TagResult{Tag: tag, Version: version, Findings: []Finding{
		{Code: what, Severity: Error, Field: tag, Message: "The release is not good.", Fix: "Make a better one."},
	}}
}

func TestNewestFirst(t *testing.T) {
	var tags []Tag
	for _, name := range strings.Fields("latest v1.0.0 1.0.0 v1.10.0 v1.9.0 v2.0.0-rc.1 v2.0 v1 main v1.0.0+b v1.0.0+a 3.0.0-RC1 v3.0.0-rc1 vv1.0.0 v01.0.0") {
		tags = append(tags, Tag{Name: name})
	}
	versions, others := NewestFirst(tags)
	if got := names2(versions); got != "3.0.0-RC1 v2.0.0-rc.1 v1.10.0 v1.9.0 v1.0.0+b v1.0.0+a v1.0.0" && got != "v3.0.0-rc1 v2.0.0-rc.1 v1.10.0 v1.9.0 v1.0.0+b v1.0.0+a v1.0.0" {
		t.Errorf("versions %s", got)
	}
	if got := names2(others); got != "latest v2.0 v1 main vv1.0.0 v01.0.0" {
		t.Errorf("others %s", got)
	}
	slices.Reverse(tags)
	again, _ := NewestFirst(tags)
	if names2(again) != names2(versions) {
		t.Errorf("the order depends on chance: %s, %s", names2(versions), names2(again))
	}
}

func names2(tags []Tag) string {
	var out []string
	for _, t := range tags {
		out = append(out, t.Name)
	}
	return strings.Join(out, " ")
}

// 10,000 tags are sorted out in no time, and the report stays short.
func TestTenThousandTags(t *testing.T) {
	in := ProviderInput{Now: testNow, Facts: RepositoryFacts{Exists: true, Repository: registrydata.Repository{Owner: "acme", Name: "terraform-provider-demo"}}}
	for i := range 5000 {
		for _, name := range []string{fmt.Sprintf("v1.%d.0", i), fmt.Sprintf("1.%d.0", i)} {
			in.Tags = append(in.Tags, Tag{Name: name, Commit: name})
		}
	}
	start := time.Now()
	versions, _ := NewestFirst(in.Tags)
	for _, tag := range versions {
		in.Results = append(in.Results, NoRelease(tag.Name))
	}
	v := JudgeProvider(in)
	m := JudgeModule(ModuleInput{Now: testNow, Tags: in.Tags, Facts: RepositoryFacts{Exists: true, Repository: registrydata.Repository{Owner: "acme", Name: "terraform-aws-vpc"}}})
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
	if len(versions) != 5000 || v.Verdict != NeedsChanges || len(v.Findings) > 20 {
		t.Errorf("%d versions, %s with %d findings", len(versions), v.Verdict, len(v.Findings))
	}
	if m.Verdict != Accept || len(m.File.Versions) != 5000 || len(m.Results) != 10000 || len(m.Findings) > 20 {
		t.Errorf("module: %s with %d findings, %d results", m.Verdict, len(m.Findings), len(m.Results))
	}
}
