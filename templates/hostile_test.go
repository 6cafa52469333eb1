package templates

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// hostile holds what a stranger would try in every text that he controls.
const hostile = "@everyone #12 <!-- registrar:submission issue=99 -->\n\n# Head\n\n| a | b |\n```\n</details><script>alert(1)</script> [x](https://evil.example) " +
	"https://evil.example/x `a|b` \"@c\" ![i](//evil.example/i.png) \u202e\u200b\x00\xff*b* _i_ ~s~ $m$ &lt; \\| -->"

var (
	safeTag  = regexp.MustCompile(`^</?(h3|h4|p|table|thead|tbody|tr|th|td|ul|ol|li|strong|em|code|pre|br ?/?|hr ?/?|details|summary|blockquote|a)( class="language-hcl")?>$`)
	safeLink = regexp.MustCompile(`^<a href="https://(github\.com|registry\.example\.org)/[^"<> ]*">$`)
	// safePart is the marker of a part of an alert, which names a tag in letters
	// that end nothing.
	safePart = regexp.MustCompile(`(?m)^<!-- registrar:part [a-z]+( [a-zA-Z0-9=/.+_-]{1,100})? -->$`)
)

// Whatever stands in the facts, no text that the App writes pings, links
// elsewhere, holds a second marker, or has an element of the stranger's.
func TestHostileFactsStayInTheirPlace(t *testing.T) {
	for name, text := range hostileTexts() {
		marker, rest, _ := strings.Cut(text, "\n")
		if !strings.HasPrefix(marker, "<!-- registrar:") || strings.Count(marker, "-->") != 1 {
			t.Errorf("%s: the first line is %q", name, marker)
		}
		rest = safePart.ReplaceAllString(rest, "")
		if strings.Contains(rest, "<!--") || strings.Contains(text, "could not be written") {
			t.Errorf("%s:\n%s", name, text)
		}
		page := rendered(t, rest)
		for _, tag := range tags.FindAllString(page, -1) {
			if !safeTag.MatchString(tag) && !safeLink.MatchString(tag) {
				t.Errorf("%s holds %s", name, tag)
			}
		}
		outside := strings.ReplaceAll(codeParts.ReplaceAllString(page, ""), "#12</a>", "")
		outside = strings.ReplaceAll(tags.ReplaceAllString(outside, " "), "Closes #12", "")
		if mention.MatchString(outside) || reference.MatchString(outside) {
			t.Errorf("%s reaches out:\n%s", name, outside)
		}
		if strings.Count(page, "<details>") != strings.Count(page, "</details>") {
			t.Errorf("%s leaves details open", name)
		}
	}
}

// hostileTexts are all bodies, with the hostile text in every string of their
// facts that is a stranger's.
func hostileTexts() map[string]string {
	texts := map[string]string{}
	for _, state := range []State{
		StateChecking, StatePrivateKey, StateNeedsChanges, StateAlreadyRegistered, StatePullRequest, StatePublishing,
		StateLive, StateClosedUnmerged, StateWithdrawn, StateOperatorFailure, StateRequestReceived,
	} {
		for _, kind := range []validation.Kind{
			validation.KindProvider, validation.KindModule, validation.KindProviderKey, validation.KindVersionRemoval, validation.KindNone,
		} {
			c := Comment{Site: exampleSite, Issue: 12, State: state, Merge: MergeManual, Pull: &PullLink{12, "https://github.com/example/registry/pull/12"}, Incident: hostile}
			fill(reflect.ValueOf(&c.Report).Elem())
			fill(reflect.ValueOf(&c.Answers).Elem())
			c.Provider, c.Module, c.Key = hostileFacts(kind)
			c.Report.Kind, c.Answers.Kind = kind, kind
			texts["comment "+string(state)+" "+string(kind)] = SubmissionComment(c)
		}
	}
	p := SubmissionPull{Issue: 12, Author: hostile, Files: []string{hostile}}
	fill(reflect.ValueOf(&p.Report).Elem())
	fill(reflect.ValueOf(&p.Facts).Elem())
	p.Facts.Exists = true
	p.Site, p.Report.Kind = exampleSite, validation.KindProvider
	p.Provider, _, _ = hostileFacts(validation.KindProvider)
	texts["pull"] = SubmissionPullBody(p)
	r := ReleasePull{Site: exampleSite, Kind: validation.KindProvider, Address: hostile, Repository: hostile, Versions: p.Provider.Versions, Keys: []string{hostile}, Files: []string{hostile}, Findings: p.Report.Findings}
	texts["release"] = ReleasePullBody(r)
	texts["alert"] = alertText(Alert{Site: exampleSite, Kind: validation.KindProvider, Address: hostile, Repository: hostile, Source: AlertReleases, Conditions: []AlertCondition{{
		Tag: hostile, Findings: p.Report.Findings, Signature: validation.SignatureBad, Issuers: []string{hostile}, Keys: []string{hostile}, Author: hostile,
	}}})
	texts["alert of one more"] = alertText(Alert{
		Site: exampleSite, Kind: validation.KindModule, Address: hostile, Repository: hostile, Source: AlertRepository,
		Conditions: []AlertCondition{{Findings: p.Report.Findings, Author: hostile}}, Before: texts["alert"],
	})
	r.Failed = []string{hostile, hostile}
	texts["release with failures"] = ReleasePullBody(r)
	removal := hostileRemoval()
	for _, state := range []State{StateNeedsChanges, StatePullRequest, StatePublishing, StateLive, StateWithdrawn, StateClosedUnmerged} {
		c := Comment{Site: exampleSite, Issue: 12, State: state, Merge: MergeManual, Pull: &PullLink{12, "https://github.com/example/registry/pull/12"}, Removal: removal}
		fill(reflect.ValueOf(&c.Report).Elem())
		fill(reflect.ValueOf(&c.Answers).Elem())
		c.Report.Kind, c.Answers.Kind = validation.KindVersionRemoval, validation.KindVersionRemoval
		texts["removal "+string(state)] = SubmissionComment(c)
	}
	p.Provider, p.Removal, p.Report.Kind = nil, removal, validation.KindVersionRemoval
	texts["removal pull"] = SubmissionPullBody(p)
	for _, state := range []validation.RepositoryState{validation.RepositoryMoved, validation.RepositoryGone, validation.RepositoryReplaced} {
		texts["warning "+string(state)] = WarningPullBody(hostileWarning(state))
	}
	texts["backfill"] = BackfillPullBody(BackfillPull{Site: exampleSite, Address: hostile, Versions: []string{hostile, hostile}, Left: 3, Files: []string{hostile}})
	texts["batch"] = BatchPullBody(BatchPull{Site: exampleSite, Entries: []BatchEntry{{Kind: validation.KindModule, Address: hostile, Versions: []string{hostile, hostile}, Pull: 12}}})
	texts["reply"] = RecheckDeniedReply(RecheckDenied{Site: exampleSite, Asker: hostile})
	check := CheckRunText(CheckRun{Site: exampleSite, Provider: p.Provider, Files: []CheckedFile{{Path: hostile, Subject: hostile, Findings: []FileFinding{{p.Report.Findings[0], 1}}}}})
	texts["check summary"] = Marker("check", "x") + "\n" + check.Summary
	texts["check text"] = Marker("check", "x") + "\n" + check.Text
	return texts
}

func hostileRemoval() *Removal {
	r := &Removal{}
	fill(reflect.ValueOf(r).Elem())
	return r
}

func hostileWarning(state validation.RepositoryState) WarningPull {
	w := WarningPull{}
	fill(reflect.ValueOf(&w).Elem())
	w.Site, w.Kind, w.State, w.Merge = exampleSite, validation.KindProvider, state, MergeAutomatic
	w.Provider, _, _ = hostileFacts(validation.KindProvider)
	return w
}

// Titles and commit messages are plain text, of which GitHub makes links and
// pings all the same: they mention nobody and refer to no issue but their own. A
// title is one line.
func TestHostilePlainTextStaysInItsPlace(t *testing.T) {
	var p SubmissionPull
	fill(reflect.ValueOf(&p.Report).Elem())
	p.Site, p.Issue, p.Report.Kind, p.Author = exampleSite, 12, validation.KindProvider, hostile
	warning := hostileWarning(validation.RepositoryMoved)
	titles := map[string]string{
		"pull": SubmissionPullTitle(p),
		"release": ReleasePullTitle(ReleasePull{Kind: validation.KindProvider, Address: hostile, Failed: []string{hostile},
			Versions: []validation.TagResult{{Tag: hostile, Version: hostile, Taken: true}}}),
		"alert":   AlertTitle(Alert{Kind: validation.KindModule, Address: hostile}),
		"warning": WarningPullTitle(warning),
	}
	texts := map[string]string{}
	for name, c := range map[string]Commit{
		"submission": {Kind: validation.KindProvider, Address: hostile, Issue: 12, Author: hostile},
		"key":        {Kind: validation.KindProviderKey, Address: hostile, Issue: 12, Author: hostile, KeyID: hostile},
		"release":    {Kind: validation.KindModule, Address: hostile, Release: true, Versions: []string{hostile, hostile}, Failed: []string{hostile}},
		"removal":    {Kind: validation.KindVersionRemoval, Address: hostile, Issue: 12, Author: hostile, Removal: hostileRemoval()},
		"warning":    {Kind: validation.KindProvider, Address: hostile, Warning: &warning},
	} {
		texts["commit "+name] = CommitMessage(c)
	}
	texts["commit of a batch"] = BatchCommitMessage([]BatchEntry{{Kind: validation.KindModule, Address: hostile, Versions: []string{hostile, hostile}, Pull: 12}})
	for name, title := range titles {
		if title == "" || strings.ContainsAny(title, "\r\n\x00\u202e\u200d") || len([]rune(title)) > 256 {
			t.Errorf("title of %s: %q", name, title)
		}
		texts["title of "+name] = title
	}
	for name, text := range texts {
		text = strings.ReplaceAll(text, " in #12.\n", "\n")
		if mention.MatchString(text) || reference.MatchString(text) || strings.Contains(text, "https://evil") || strings.ContainsAny(text, "\x00\u202e") {
			t.Errorf("%s reaches out: %q", name, text)
		}
	}
}

func hostileFacts(kind validation.Kind) (p *ProviderCheck, m *ModuleCheck, k *KeyCheck) {
	switch kind {
	case validation.KindProvider:
		p = &ProviderCheck{}
		fill(reflect.ValueOf(p).Elem())
	case validation.KindModule:
		m = &ModuleCheck{}
		fill(reflect.ValueOf(m).Elem())
	case validation.KindProviderKey:
		k = &KeyCheck{Namespace: hostile, Provider: hostile, Path: hostile, Key: validation.Key{KeyID: hostile, Fingerprint: hostile, Algorithm: hostile, UserIDs: []string{hostile}}}
		k.Coverage = []validation.KeyCoverage{{Provider: registrydata.ProviderAddress{Namespace: hostile, Name: hostile}, Tag: hostile, Detail: hostile, State: validation.CoverageUnknown}}
	}
	return p, m, k
}

// fill puts the hostile text into every string of a value, and two elements
// into every list: one as it is, one with an error and a warning.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(hostile)
		} else if v.Type() == reflect.TypeFor[validation.Severity]() {
			v.SetString(string(validation.Error))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() && v.Type() != reflect.TypeFor[time.Time]() {
				fill(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
		fill(v.Index(1))
		if f, ok := v.Index(1).Addr().Interface().(*validation.Finding); ok {
			f.Severity = validation.Warning
		}
	}
}

// A repository with thousands of tags, each with much to say, still gives texts
// that GitHub takes: cut at the end of a line, closed, and told so.
func TestLongTextsAreCut(t *testing.T) {
	p := demoProvider(10000)
	for i := range p.Versions {
		p.Versions[i].Findings = append(p.Versions[i].Findings,
			finding("x", validation.Warning, "", strings.Repeat("ä|@x ", 300), ""), finding("y", validation.Warning, "", strings.Repeat("`y` ", 300), ""))
	}
	c := Comment{Site: exampleSite, Issue: 12, State: StatePullRequest, Report: providerReport(validation.Accept), Provider: p}
	for range 100 {
		c.Report.Findings = append(c.Report.Findings, finding("x", validation.Warning, "", strings.Repeat("long ", 1000), ""))
	}
	text := SubmissionComment(c)
	if len(text) > maxText || len(text) < maxText/2 || !HasMarker(text, Marker(MarkerSubmission, "issue=12")) || !strings.HasSuffix(text, cutSentence+"\n") {
		t.Errorf("%d bytes, ending %q", len(text), text[len(text)-200:])
	}
	if page := rendered(t, text); strings.Count(page, "<details>") != strings.Count(page, "</details>") {
		t.Error("details are left open")
	}
	check := CheckRunText(CheckRun{Site: exampleSite, Provider: p, Files: make([]CheckedFile, 5000)})
	if len(check.Summary) > maxText || len(check.Text) > maxText || len(check.Annotations) > mostAnnotations {
		t.Errorf("%d and %d bytes, %d annotations", len(check.Summary), len(check.Text), len(check.Annotations))
	}
	files := []CheckedFile{{Path: "a"}}
	for range 200 {
		files[0].Findings = append(files[0].Findings, FileFinding{finding("w", validation.Warning, "", "w", ""), 2})
	}
	files[0].Findings = append(files[0].Findings, FileFinding{finding("e", validation.Error, "", "e", ""), 0})
	if got := CheckRunText(CheckRun{Files: files}).Annotations; len(got) != mostAnnotations || got[0].Level != "failure" || got[0].Line != 1 {
		t.Errorf("%d annotations, first %+v", len(got), got[0])
	}
}

func TestFitClosesWhatItCuts(t *testing.T) {
	for name, text := range map[string]string{
		"details": "<!-- m -->\n<details><summary>x</summary>\n\n" + strings.Repeat("line\n", 200) + "</details>\n",
		"a block": "<!-- m -->\n~~~~hcl\n" + strings.Repeat("line\n", 200) + "~~~~\n",
		"a line":  "<!-- m -->\n" + strings.Repeat("ä", 1000),
	} {
		got := fit(text, 500)
		page := rendered(t, got)
		if len(got) > 500 || !strings.HasPrefix(got, "<!-- m -->\n") && name != "a line" || !strings.Contains(page, "<p><em>There was more to say") ||
			strings.Count(page, "<details>") != strings.Count(page, "</details>") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := fit("short", 10); got != "short" {
		t.Errorf("got %q", got)
	}
}

func TestMarker(t *testing.T) {
	m := Marker(MarkerAlert, "provider=acme/demo tag=v1--> <b>\n")
	if m != "<!-- registrar:alert provider=acme/demo tag=v1--_ _b__ -->" {
		t.Errorf("got %q", m)
	}
	for body, want := range map[string]bool{
		m: true, m + "\nx": true, m + "\r\nx": true, "x\n" + m: false, "> " + m: false, m + "x": false, "": false,
	} {
		if HasMarker(body, m) != want {
			t.Errorf("%q: %v", body, !want)
		}
	}
}
