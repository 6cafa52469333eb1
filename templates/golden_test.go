package templates

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

var update = flag.Bool("update", false, "write the goldens anew")

// golden is one text, and the rule that it shows.
type golden struct {
	name, rule string
	text       string
}

func goldens() []golden {
	needsChanges := Comment{
		Site: exampleSite, Issue: 12, State: StateNeedsChanges,
		Report: providerReport(validation.NeedsChanges,
			finding("repository-name", validation.Error, "repository", `The answer "demo|<!-- @acme" names the repository terraform_provider_demo, which has a name that the registry cannot use.`,
				"Rename the repository on GitHub, for example to acme/terraform-provider-demo (it redirects the old name), then edit the issue."),
			finding("no-valid-release", validation.Error, "repository", "None of the 2 version tags has a release that clients could install.",
				"Make a release with `goreleaser release`, then comment /recheck."),
			archived, noKey),
		Answers:  validation.Answers{Kind: validation.KindProvider, FormKind: validation.KindProvider, Repository: "`demo|<!-- @acme`\nplease"},
		Provider: demoProvider(14),
	}
	keyRefused := Comment{
		Site: exampleSite, Issue: 12, State: StateNeedsChanges,
		Report: keyReport(validation.NeedsChanges, finding("key-breaks", validation.Error, "key",
			"The key 0123456789ABCDEF would cover all providers of the namespace, and 1 of them could not be installed any more: acme/other.",
			"Give the name of the provider in the form, so that the key covers that one alone: it fits demo.")),
		Answers: validation.Answers{Kind: validation.KindProviderKey, Namespace: "acme", Key: publicKey},
		Key:     demoKey(),
	}
	accepted := Comment{
		Site: exampleSite, Issue: 12, State: StatePullRequest, Merge: MergeManual,
		Report: providerReport(validation.Accept, archived, noKey), Provider: demoProvider(14),
		Pull: &PullLink{34, "https://github.com/example/registry/pull/34"},
	}
	moduleAccepted := Comment{
		Site: exampleSite, Issue: 12, State: StatePullRequest, Merge: MergeAutomatic,
		Report: validation.Report{Kind: validation.KindModule, Namespace: "acme", Name: "vpc", Target: "aws", Findings: []validation.Finding{
			finding("kind-corrected", validation.Info, "repository", "By its name, acme/terraform-aws-vpc holds a module. It is treated as one, although the form was the one for a provider.", "")}},
		Module: vpcModule(), Pull: accepted.Pull,
	}
	with := func(c Comment, state State) Comment { c.State = state; return c }
	live := Comment{Site: exampleSite, Issue: 12, State: StateLive, Report: providerReport(validation.Accept)}
	liveKnown := with(accepted, StateLive)
	liveKnown.Provider = demoProvider(3)
	liveModule := with(moduleAccepted, StateLive)
	request := validation.Answers{Kind: validation.KindVersionRemoval, Type: "Provider", Repository: "acme/terraform-provider-demo", Version: "1.2.3", Reason: "malware"}
	again := request
	again.Kind = validation.KindVersionReindex
	demo := registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}.Entity()
	removal := &Removal{Reason: "malware | see #12 by @mallory (#12)", Removed: []validation.Removed{
		{Entity: demo, Versions: []string{"1.2.3", "1.2.2", "1.2.1"}}, {Entity: registrydata.ProviderAddress{Namespace: "twin", Name: "demo"}.Entity(), Versions: []string{"1.2.3"}, Last: true}}}
	removed := Comment{
		Site: exampleSite, Issue: 12, State: StatePullRequest, Merge: MergeAutomatic, Answers: request, Removal: removal, Pull: accepted.Pull,
		Report: validation.Report{Kind: validation.KindVersionRemoval, Namespace: "acme", Name: "demo", Findings: []validation.Finding{
			finding("last-version", validation.Warning, "version", "No other version of twin/demo is recorded: the provider is taken out of the registry.", "")}},
	}
	gonePull := WarningPull{Site: exampleSite, Kind: validation.KindProvider, Address: "acme/demo", Repository: "acme/terraform-provider-demo", State: validation.RepositoryGone,
		Warning: "The repository of this provider is gone or not public any more. Its versions may stop being available.", Files: []string{"providers/a/acme/demo.json"}, Merge: MergeManual}
	movedPull := gonePull
	movedPull.State, movedPull.Now, movedPull.Added, movedPull.Provider = validation.RepositoryMoved, registrydata.Repository{Owner: "other", Name: "terraform-provider-demo"}, "other/demo", demoProvider(3)
	movedPull.Warning = "This provider has moved to other/demo. Please update your source in required_providers."
	movedPull.Files, movedPull.Findings = append(movedPull.Files, "providers/o/other/demo.json"), []validation.Finding{noKey}
	backfill := BackfillPull{Site: exampleSite, Address: "acme/demo", Versions: []string{"1.2.0", "1.1.0", "1.0.0"}, Left: 2, Files: []string{"providers/a/acme/demo.json"}, Merge: MergeAutomatic}
	removalRefused := with(removed, StateNeedsChanges)
	removalRefused.Removal, removalRefused.Report.Findings = nil, []validation.Finding{finding("version-not-recorded", validation.Error, "version", "Version 1.2.3 of acme/demo is not in the registry.", "Leave it out. The registry has 1.0.0.")}
	batch := BatchPull{Site: exampleSite, Entries: []BatchEntry{
		{Kind: validation.KindProvider, Address: "acme/demo", Versions: []string{"1.2.0", "1.1.0", "1.0.0"}, Pull: 21},
		{Kind: validation.KindModule, Address: "acme/vpc/aws", Versions: []string{"v2.1.0"}, Pull: 22},
		{Kind: validation.KindProvider, Address: "acme/other", Pull: 24},
	}}
	removalPull := SubmissionPull{Site: exampleSite, Issue: 12, Author: "ada", AuthorIsMember: true, Merge: MergeApproved, Report: removed.Report, Removal: removal,
		Files: []string{"providers/a/acme/demo.json", "providers/t/twin/demo.json", "versions_blacklist.json"}}

	releaseVersion := demoVersion("1.14.0", true)
	releaseVersion.Signature, releaseVersion.SignedBy = validation.SignatureGood, "0123456789ABCDEF"
	alert, updated := demoAlerts()
	opened := alertText(alert)
	files := []CheckedFile{
		{Path: "providers/a/acme/demo.json", Subject: "provider acme/demo", Findings: []FileFinding{
			{finding("version-changed", validation.Error, "1.2.0", "The recorded version 1.2.0 was changed.", "Leave it as it is."), 14},
			{finding("protocols-unsupported", validation.Warning, "1.3.0", "The manifest names the plugin protocols 7.0.", "Correct it."), 3}}},
		{Path: "modules/a/acme/vpc/aws.json", Subject: "module acme/vpc/aws"},
		{Path: "keys/a/acme/old.asc", Subject: "key of acme", Removed: true},
	}
	checkText := func(c CheckRun) string {
		t := CheckRunText(c)
		out := "title: " + t.Title + "\n\n" + t.Summary + "\n----\n" + t.Text
		for _, a := range t.Annotations {
			out += "\nannotation: " + a.Path + " " + a.Level + " " + a.Title + ": " + a.Message
		}
		return out + "\n"
	}
	pull := SubmissionPull{
		Site: exampleSite, Issue: 12, Author: "ada", AuthorIsMember: true, Merge: MergeApproved, Report: accepted.Report, Provider: demoProvider(3, "0123456789ABCDEF"),
		Facts: validation.RepositoryFacts{Exists: true, Repository: accepted.Provider.Repository, OwnerIsAnOrg: true, Archived: true}, Files: []string{"providers/a/acme/demo.json"},
	}
	keyPull := SubmissionPull{Site: exampleSite, Issue: 12, Author: "mallory", Merge: MergeManual, Report: keyReport(validation.Accept), Key: demoKey(), Files: []string{"keys/a/acme/provider-1700000000.asc"}}
	release := ReleasePull{
		Site: exampleSite, Kind: validation.KindProvider, Address: "acme/demo", Repository: "acme/terraform-provider-demo",
		Versions: []validation.TagResult{releaseVersion}, Keys: []string{"0123456789ABCDEF"}, Files: []string{"providers/a/acme/demo.json"}, Merge: MergeAutomatic,
	}

	failed := release
	failed.Versions, failed.Failed = nil, []string{"1.15.0", "1.14.0"}

	return []golden{
		{"checking", "The first word, within a second.", SubmissionComment(with(accepted, StateChecking))},
		{"needs-changes-provider", "Verdict, then each fault with its fix, what was read and what was checked, and how to go on; a stranger's text stays in its place.", SubmissionComment(needsChanges)},
		{"needs-changes-key", "A key that would break another provider is refused with the list.", SubmissionComment(keyRefused)},
		{"needs-changes-nothing", "The form was edited away: how to get it back.", SubmissionComment(Comment{Site: exampleSite, Issue: 12, State: StateNeedsChanges, Report: validation.Report{Kind: none, Verdict: validation.Ignore}})},
		{"pull-request-provider", "Ready, and what the author can do meanwhile; ten versions at once, the older ones folded.", SubmissionComment(accepted)},
		{"pull-request-module", "A module in the provider form is told so; nobody has to merge.", SubmissionComment(moduleAccepted)},
		{"already-registered", "Nothing to add, and how to use what is there.", SubmissionComment(Comment{Site: exampleSite, Issue: 12, State: StateAlreadyRegistered,
			Report: providerReport(validation.NeedsChanges, finding("already-registered", validation.Error, "repository", "The repository is in the registry already, as acme/demo.", "There is nothing to do: new releases are picked up by themselves."))})},
		{"publishing", "Between merge and live.", SubmissionComment(with(live, StatePublishing))},
		{"live-provider", "Live, from the answers alone: ready to paste, and the key is asked for.", SubmissionComment(live)},
		{"live-provider-without-key", "Live, known to have no key: the key is what is missing.", SubmissionComment(liveKnown)},
		{"live-module", "Live, ready to paste.", SubmissionComment(liveModule)},
		{"live-key", "A key is live.", SubmissionComment(Comment{Site: exampleSite, Issue: 12, State: StateLive, Report: keyReport(validation.Accept)})},
		{"closed-unmerged", "A maintainer said no.", SubmissionComment(with(accepted, StateClosedUnmerged))},
		{"withdrawn", "The author closed the issue before its pull request was merged.", SubmissionComment(with(accepted, StateWithdrawn))},
		{"operator-failure", "Our fault, one honest sentence and a reference.", SubmissionComment(Comment{Site: exampleSite, Issue: 12, State: StateOperatorFailure, Report: providerReport(""), Incident: "job 4711"})},
		{"private-key", "A private key was pasted.", SubmissionComment(Comment{Site: exampleSite, Issue: 12, State: StatePrivateKey})},
		{"request-received", "A version request is for a person; what was read is shown, the reason stands above.", SubmissionComment(Comment{Site: exampleSite, Issue: 12, State: StateRequestReceived, Answers: again,
			Report: validation.Report{Kind: validation.KindVersionReindex}})},
		{"removal-pull-request", "A removal is proposed; whatever the policy, a maintainer's review merges it.", SubmissionComment(removed)},
		{"removal-needs-changes", "A removal of what is not there.", SubmissionComment(removalRefused)},
		{"removal-publishing", "Between the merge of a removal and its end.", SubmissionComment(with(removed, StatePublishing))},
		{"removal-live", "Gone, told from the answers alone.", SubmissionComment(with(removed, StateLive))},
		{"removal-withdrawn", "A request that was closed before its pull request was merged.", SubmissionComment(with(removed, StateWithdrawn))},
		{"pull-removal", "For the maintainer: what goes from which file, and why, in the words of who asked.", SubmissionPullTitle(removalPull) + "\n\n" + SubmissionPullBody(removalPull)},
		{"pull-moved", "A repository has moved: the new address, and the warning at the old one.", WarningPullTitle(movedPull) + "\n\n" + WarningPullBody(movedPull)},
		{"pull-gone", "A repository is gone: nothing is taken out.", WarningPullTitle(gonePull) + "\n\n" + WarningPullBody(gonePull)},
		{"pull-submission", "For the maintainer: who, warnings first, facts, versions, and what it closes.", SubmissionPullTitle(pull) + "\n\n" + SubmissionPullBody(pull)},
		{"pull-key", "For the maintainer: what the key is and what it covers.", SubmissionPullTitle(keyPull) + "\n\n" + SubmissionPullBody(keyPull)},
		{"pull-release", "New versions of something registered.", ReleasePullTitle(release) + "\n\n" + ReleasePullBody(release)},
		{"pull-release-failed", "What could not be taken is noted, with nothing else.", ReleasePullTitle(failed) + "\n\n" + ReleasePullBody(failed)},
		{"pull-backfill", "What was not known is recorded, checked against what was.", BackfillPullTitle(backfill) + "\n\n" + BackfillPullBody(backfill)},
		{"pull-batch", "New versions of several entries by one commit, each with the pull request on which it was checked; and what the commit says.", BatchPullTitle(batch) + "\n\n" + BatchPullBody(batch) + "\n====\n" + BatchCommitMessage(batch.Entries)},
		{"check-run", "The same rules on anyone's pull request.", checkText(CheckRun{Site: exampleSite, Files: files})},
		{"check-run-good", "Nothing to say.", checkText(CheckRun{Site: exampleSite, Files: files[1:2], Own: true, Module: vpcModule()})},
		{"alert", "What there is to mend, and what to do about the key; who made the release is called.", AlertTitle(alert) + "\n\n" + opened},
		{"alert-updated", "What other looks told stays, what was not looked at too, and nobody is called again.", alertText(updated)},
		{"alert-resolved", "All of it is mended, published or gone.", alertText(Alert{Site: exampleSite, Kind: validation.KindModule, Address: "acme/vpc/aws", Repository: "acme/terraform-aws-vpc", Source: AlertTags, Before: opened})},
		{"recheck-denied", "Who may ask.", RecheckDeniedReply(RecheckDenied{Site: exampleSite, Comment: 5, Asker: "mallory"})},
		{"commit", "What the commits say.", CommitMessage(Commit{Kind: validation.KindProvider, Address: "acme/demo", Issue: 12, Author: "ada"}) + "====\n" +
			CommitMessage(Commit{Kind: validation.KindProviderKey, Address: "acme", Issue: 12, Author: "ada", KeyID: "0123456789ABCDEF"}) + "====\n" +
			CommitMessage(Commit{Kind: validation.KindVersionRemoval, Address: "acme/demo", Issue: 12, Author: "ada", Removal: removal}) + "====\n" +
			CommitMessage(Commit{Kind: validation.KindProvider, Address: "acme/demo", Warning: &movedPull}) + "====\n" +
			CommitMessage(Commit{Kind: validation.KindModule, Address: "acme/vpc/aws", Versions: []string{"v2.1.0", "v2.0.1", "v2.0.0"}})},
	}
}

// Every text stands in a golden file with the rule that it shows; the file and
// the case must both be there.
func TestGoldens(t *testing.T) {
	dir := filepath.Join("testdata", "goldens")
	var names []string
	for _, g := range goldens() {
		file := filepath.Join(dir, g.name+".txtar")
		names = append(names, file)
		if *update {
			archive := &txtar.Archive{Comment: []byte(g.rule + "\n\n"), Files: []txtar.File{{Name: "text", Data: []byte(g.text)}}}
			if err := os.WriteFile(file, txtar.Format(archive), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		archive, err := txtar.ParseFile(file)
		if err != nil || len(archive.Files) != 1 {
			t.Errorf("%s: %v; run the test with -update and read what it wrote", g.name, err)
			continue
		}
		if got := strings.TrimSpace(string(archive.Comment)); got != g.rule {
			t.Errorf("%s shows the rule %q, want %q", file, got, g.rule)
		}
		if diff := cmp.Diff(string(archive.Files[0].Data), g.text); diff != "" {
			t.Errorf("%s (-want +got):\n%s", g.name, diff)
		}
	}
	found, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	if diff := cmp.Diff(names, found); diff != "" || len(found) < 20 {
		t.Errorf("%d files, cases against files (-case +file):\n%s", len(found), diff)
	}
}
