package validation

import (
	"fmt"
	"strings"
	"testing"
)

func TestRepositoryGoldens(t *testing.T) {
	runGoldens(t, "repository", func(g *golden) (string, []Finding) {
		a := Answers{Kind: Kind(g.options["form"]), WebURL: g.options["web"], Repository: strings.TrimSuffix(string(g.files["answer"]), "\n")}
		if g.is("crlf") {
			a.Repository = strings.ReplaceAll(a.Repository, "\n", "\r\n")
		}
		s, report := JudgeOffline(a, testNow)
		return reportLine(report) + fmt.Sprintf("candidates: %v\n", s.Candidates), report.Findings
	})
}

func reportLine(r Report) string {
	return fmt.Sprintf("%s: %s namespace=%s name=%s target=%s repository=%s\n", r.Verdict, r.Kind, r.Namespace, r.Name, r.Target, r.Repository)
}

// The shapes in which people give a repository, all of which mean one.
func TestRepositoryShapes(t *testing.T) {
	const provider = "Acme/terraform-provider-demo"
	for _, answer := range []string{
		provider,
		"https://github.com/" + provider,
		"http://github.com/" + provider,
		"HTTPS://GITHUB.COM/" + provider,
		"https://www.github.com/" + provider + "/",
		"www.github.com/" + provider,
		"github.com/" + provider + ".git",
		"https://github.com/" + provider + ".GIT/",
		"https://github.com/" + provider + "/tree/main/docs",
		"https://github.com/" + provider + "/releases/tag/v1.0.0",
		"https://github.com/" + provider + "?tab=readme-ov-file#usage",
		"https://github.com/" + provider + "/releases?page=2",
		"https://github.com:443/" + provider,
		"https://user@github.com/" + provider,
		"https://user:token@github.com/" + provider + ".git",
		"git@github.com:" + provider + ".git",
		"ssh://git@github.com/" + provider + ".git",
		"ssh://git@ssh.github.com:443/" + provider + ".git",
		"git://github.com/" + provider + ".git",
		"git+ssh://git@github.com/" + provider + ".git",
		"git::https://github.com/" + provider + ".git?ref=v1.0.0",
		"git::ssh://git@github.com/" + provider + ".git//sub?ref=v1",
		"https://api.github.com/repos/" + provider + "/releases",
		"https://raw.githubusercontent.com/" + provider + "/main/README.md",
		"`" + provider + "`",
		"```\n" + provider + "\n```",
		"<https://github.com/" + provider + ">",
		"[demo](https://github.com/" + provider + ")",
		"[" + provider + "](https://github.com/" + provider + ")",
		"**" + provider + "**",
		"_" + provider + "_",
		"\"" + provider + "\"",
		"- " + provider,
		"@" + provider,
		"/" + provider,
		provider + ".",
		provider + ", please",
		provider + " (the official provider)",
		"Please add " + provider + " soon, we use it 24/7.",
		"My repository is https://github.com/" + provider + ". Thanks!",
		"  " + provider + "  \r\n\r\n",
		"Acme / terraform-provider-demo",
		"Acme/terraform\u2011provider\u2013demo",
		"\u200bAcme/\ufeffterraform-provider-demo\u200d",
		"Acme\u2044terraform-provider-demo",
		"Acme\\terraform-provider-demo",
		"Acme/terraform\\-provider\\-demo",
		"{Acme}/terraform-provider-{demo}",
		"<!-- the repository --> " + provider,
		"registry.opentofu.org/Acme/demo",
		"https://registry.terraform.io/providers/Acme/demo/latest/docs",
		"https://search.opentofu.org/provider/Acme/demo/latest",
		"registry.terraform.io/Acme/demo",
		"Acme/demo",
		"`Acme/demo`",
	} {
		t.Run(answer, func(t *testing.T) {
			s, r := JudgeOffline(Answers{Kind: KindProvider, Repository: answer}, testNow)
			if len(s.Candidates) != 1 || s.Candidates[0].String() != provider {
				t.Fatalf("candidates %v, findings %+v", s.Candidates, r.Findings)
			}
			if r.Verdict != Accept || r.Kind != KindProvider || s.Namespace != "acme" || s.Name != "demo" || r.Repository != provider {
				t.Errorf("report %+v", r)
			}
		})
	}
}

func TestModuleShapes(t *testing.T) {
	const module = "acme/terraform-aws-vpc_net"
	for _, answer := range []string{
		module,
		"https://github.com/" + module + "/tree/main",
		"acme/vpc_net/aws",
		"registry.opentofu.org/acme/vpc_net/aws",
		"https://registry.terraform.io/modules/acme/vpc_net/aws/latest",
		"https://search.opentofu.org/module/acme/vpc_net/aws/v1.0.0",
		"acme / vpc_net / aws",
	} {
		t.Run(answer, func(t *testing.T) {
			s, r := JudgeOffline(Answers{Kind: KindModule, Repository: answer}, testNow)
			if r.Verdict != Accept || len(s.Candidates) != 1 || s.Candidates[0].String() != module ||
				s.Namespace != "acme" || s.Name != "vpc_net" || s.Target != "aws" {
				t.Errorf("%+v, findings %+v", s, r.Findings)
			}
		})
	}
}

// What can't be understood gets a code of its own.
func TestRepositoryRefusals(t *testing.T) {
	tests := []struct {
		kind         Kind
		answer, code string
	}{
		{KindProvider, "", "repository-missing"},
		{KindProvider, "_No response_", "repository-missing"},
		{KindModule, "  n/a ", "repository-missing"},
		{KindModule, "\u200b", "repository-missing"},
		{KindModule, "<!-- nothing -->", "repository-missing"},
		{KindModule, "owner}/terraform-{target}-{name", "repository-placeholder"},
		{KindModule, "{owner}/terraform-{target}-{name}", "repository-placeholder"},
		{KindProvider, "`{owner}/terraform-provider-{name}`", "repository-placeholder"},
		{KindProvider, "owner/terraform-provider-name", "repository-placeholder"},
		{KindProvider, "acme/terraform-provider-{name}", "repository-placeholder"},
		{KindModule, "[vulgar single word]", "repository-unreadable"},
		{KindModule, "hello", "repository-unreadable"},
		{KindProvider, "We run this 24/7 and need it", "repository-unreadable"},
		{KindProvider, "https://github.com", "repository-unreadable"},
		{KindProvider, "https://github.com/acme", "repository-name-missing"},
		{KindProvider, "https://github.com/orgs/acme/repositories", "repository-name-missing"},
		{KindProvider, "terraform-provider-demo", "repository-owner-missing"},
		{KindModule, "terraform-aws-vpc.git", "repository-owner-missing"},
		{KindProvider, "https://gitlab.com/acme/terraform-provider-demo", "repository-host"},
		{KindProvider, "gitlab.com/acme/terraform-provider-demo", "repository-host"},
		{KindProvider, "git@bitbucket.org:acme/terraform-provider-demo.git", "repository-host"},
		{KindProvider, "https://notgithub.com/acme/terraform-provider-demo", "repository-host"},
		{KindProvider, "https://github.com.evil.example/acme/terraform-provider-demo", "repository-host"},
		{KindProvider, "https://gist.github.com/acme/0123456789abcdef", "repository-host"},
		{KindModule, "https://github.com/opentofu/registry.git", "repository-name"},
		{KindModule, "https://github.com/terraform-mgc-modules/mgc-ssh-keys", "repository-name"},
		{KindModule, "quiquecmtt/opentofu-talos-cluster", "repository-name"},
		{KindModule, "Manuel-Antunes/google-tag-manager", "repository-name"},
		{KindModule, "acme/terraform-gitlab", "repository-name"},
		{KindProvider, "acme/opentofu-provider-demo", "repository-name"},
		{KindProvider, "acme/terraform-provider-", "repository-name"},
		{KindProvider, "https://github.com/acme/demo", "repository-name"},
		{KindProvider, "acme/terraform-provider-my_demo", "provider-name"},
		{KindProvider, "acme/terraform-provider-a--b", "provider-name"},
		{KindProvider, "acme/terraform-provider-demo-", "provider-name"},
		{KindProvider, "a--b/terraform-provider-demo", "provider-name"},
		{KindProvider, "acme/terraform-provider-terraform-x", "provider-name"},
		{KindModule, "acme/terraform-my_cloud-vpc", "module-name"},
		{KindModule, "acme/terraform-aws-module.vpc", "module-name"},
		{KindModule, "acme/terraform-aws-vpc-", "module-name"},
		{KindModule, "acme/terraform-aws-" + strings.Repeat("x", 65), "module-name"},
		{KindModule, "acme-/terraform-aws-vpc", "module-name"},
	}
	for _, tt := range tests {
		t.Run(tt.answer, func(t *testing.T) {
			s, r := JudgeOffline(Answers{Kind: tt.kind, Repository: tt.answer}, testNow)
			if r.Verdict != NeedsChanges || len(r.Findings) != 1 || r.Findings[0].Code != tt.code || len(s.Candidates) != 0 {
				t.Fatalf("%s %+v, want the finding %s", r.Verdict, r.Findings, tt.code)
			}
			if r.Findings[0].Field != "repository" || r.Findings[0].Fix == "" {
				t.Errorf("%+v", r.Findings[0])
			}
		})
	}
}

// A form filled with the other kind's repository is treated as what it is.
func TestKindIsCorrected(t *testing.T) {
	tests := []struct {
		form   Kind
		answer string
		want   Kind
	}{
		{KindProvider, "acme/terraform-aws-vpc", KindModule},
		{KindModule, "acme/terraform-provider-demo", KindProvider},
		{KindModule, "registry.opentofu.org/acme/demo", KindProvider},
		{KindProvider, "https://registry.terraform.io/modules/acme/vpc/aws/latest", KindModule},
		{KindProvider, "acme/vpc/aws", KindModule},
	}
	for _, tt := range tests {
		s, r := JudgeOffline(Answers{Kind: tt.form, Repository: tt.answer}, testNow)
		codes := fmt.Sprint(codesOf(r.Findings))
		if s.Kind != tt.want || r.Kind != tt.want || r.Verdict != Accept || !strings.Contains(codes, "kind-corrected") {
			t.Errorf("%s in the %s form: kind %s, %s, findings %s", tt.answer, tt.form, r.Kind, r.Verdict, codes)
		}
	}
}

func codesOf(findings []Finding) []string {
	var out []string
	for _, f := range findings {
		out = append(out, f.Code)
	}
	return out
}

func TestNoSubmissionIsIgnored(t *testing.T) {
	for _, a := range []Answers{{}, {Kind: KindNone}, {Kind: KindNone, PrivateKey: true, Repository: "acme/terraform-provider-demo"}} {
		s, r := JudgeOffline(a, testNow)
		if r.Verdict != Ignore || r.Kind != KindNone || len(r.Findings) != 0 || r.Findings == nil || len(s.Candidates) != 0 {
			t.Errorf("%+v: %+v", a, r)
		}
	}
}

// An address on the GitHub that the registry works with is understood too.
func TestOtherGitHub(t *testing.T) {
	for _, answer := range []string{"http://127.0.0.1:8080/acme/terraform-provider-demo", "127.0.0.1:8080/acme/terraform-provider-demo/releases"} {
		s, _ := ReadSubmission(Answers{Kind: KindProvider, WebURL: "http://127.0.0.1:8080", Repository: answer})
		if len(s.Candidates) != 1 || s.Candidates[0].String() != "acme/terraform-provider-demo" {
			t.Errorf("%s: %+v", answer, s)
		}
	}
	_, findings := ReadSubmission(Answers{Kind: KindProvider, Repository: "http://127.0.0.1:8080/acme/terraform-provider-demo"})
	if len(findings) != 1 || findings[0].Code != "repository-host" {
		t.Errorf("%+v", findings)
	}
}

func TestChooseRepository(t *testing.T) {
	s, _ := ReadSubmission(Answers{Kind: KindProvider, Repository: "Acme/demo"})
	i, findings := ChooseRepository(s, []RepositoryFacts{{}})
	if i != -1 || len(findings) != 1 || findings[0].Code != "repository-not-found" {
		t.Fatalf("%d %+v", i, findings)
	}
	_, private := ChooseRepository(s, []RepositoryFacts{{Exists: true, Private: true}})
	if len(private) != 1 || private[0] != findings[0] {
		t.Errorf("a private repository must get the words of a missing one: %+v", private)
	}
	i, findings = ChooseRepository(s, []RepositoryFacts{{Exists: true, Repository: s.Candidates[0]}})
	if i != 0 || len(findings) != 0 {
		t.Errorf("%d %+v", i, findings)
	}
	if c := s.Choose(0, nil); c.Kind != KindProvider || c.Namespace != "acme" || c.Name != "demo" {
		t.Errorf("%+v", c)
	}
	if i, _ := ChooseRepository(Submission{}, nil); i != -1 {
		t.Errorf("no candidates: %d", i)
	}
}

func TestVersionRequests(t *testing.T) {
	s, r := JudgeOffline(Answers{Kind: KindVersionRemoval, Type: "Provider", Repository: "acme/terraform-provider-demo", Version: "v1.2.0, 1.2.1 and 2.0.0-RC1, v1.2.0", Reason: "It leaks a token."}, testNow)
	if r.Verdict != Accept || fmt.Sprint(s.Versions) != "[1.2.0 1.2.1 2.0.0-RC1]" || s.Name != "demo" {
		t.Errorf("%+v %+v", s, r)
	}
	_, r = JudgeOffline(Answers{Kind: KindVersionReindex, Type: "Module", Repository: "acme/vpc/aws", Version: "all"}, testNow)
	if r.Verdict != Accept || r.Kind != KindVersionReindex || r.Target != "aws" || !strings.Contains(fmt.Sprint(codesOf(r.Findings)), "version-unreadable") {
		t.Errorf("%+v", r)
	}
	_, r = JudgeOffline(Answers{Kind: KindVersionReindex, Repository: "acme/demo"}, testNow)
	if r.Verdict != NeedsChanges {
		t.Errorf("%+v", r)
	}
}
