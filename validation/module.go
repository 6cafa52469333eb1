package validation

import (
	"fmt"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// ModuleInput is what JudgeModule needs to know.
type ModuleInput struct {
	Submission Submission
	Author     string
	Facts      RepositoryFacts
	Registered bool
	// ParentRegistered: the repository is a fork of one that is registered.
	ParentRegistered bool
	Newcomer         Newcomer
	Tags             []Tag
	Blacklist        registrydata.Blacklist
	Now              time.Time
}

// ModuleVerdict is the verdict on a module submission.
type ModuleVerdict struct {
	Report
	Address registrydata.ModuleAddress
	// File is the data file to add; nil unless accepted.
	File *registrydata.Module
	// Results tell of each version tag whether it became a version, newest
	// first. Their Data is empty.
	Results           []TagResult
	AlreadyRegistered bool
}

// JudgeModule judges the submission of a module (spec §3.3, §7): as a
// provider's, but at least one tag that is a version is enough. Tags that stand
// for one version (v1.0.0, 1.0.0) make one entry.
func JudgeModule(in ModuleInput) ModuleVerdict {
	var v ModuleVerdict
	findings := append([]Finding(nil), in.Submission.Findings...)
	repository := judgeRepository(in.Submission, in.Facts, KindModule)
	findings = append(findings, repository...)
	s := in.Submission
	s.Kind = KindModule
	s = s.located(in.Facts)
	v.Address, _ = registrydata.ModuleFromRepository(s.repository())
	var added []registrydata.ModuleVersion
	switch {
	case in.Registered:
		v.AlreadyRegistered = true
		findings = append(findings, alreadyRegistered([]string{v.Address.String()}))
	case !HasErrors(repository):
		var more []Finding
		added, v.Results, more = moduleTags(in, v.Address)
		findings = append(findings, newNames(v.Address.Namespace, "", in.Author, in.Newcomer)...)
		findings = append(findings, forkWarning(in.Facts, in.ParentRegistered)...)
		findings = append(findings, more...)
	}
	v.Report = s.Verdict(findings)
	if v.Verdict == Accept {
		v.File = &registrydata.Module{Versions: added}
	}
	return v
}

// moduleTags sorts out a module's tags.
func moduleTags(in ModuleInput, a registrydata.ModuleAddress) (added []registrydata.ModuleVersion, results []TagResult, findings []Finding) {
	added, barred := ModuleVersions(nil, in.Tags, in.Blacklist, a, in.Now)
	_, others, dropped := newestFirst(in.Tags, registrydata.VersionKey)
	became := map[string]bool{}
	for _, v := range added {
		became[v.Version] = true
	}
	why := map[string]Finding{}
	for _, f := range barred {
		why[f.Field] = f
	}
	for _, t := range in.Tags {
		version, ok := registrydata.VersionKey(t.Name)
		if !ok {
			continue
		}
		r := TagResult{Tag: t.Name, Version: version, Taken: became[t.Name], Verified: became[t.Name]}
		if kept, twice := dropped[t.Name]; twice {
			r.Findings = append(r.Findings, sameVersion(t, kept))
		} else if f, ok := why[t.Name]; ok {
			r.Findings = append(r.Findings, f)
		} else if isShort(t.Name) {
			r.Findings = append(r.Findings, shortVersion(t))
		}
		results = append(results, r)
	}
	sortByVersion(results, func(r TagResult) string { return r.Tag })
	if len(added) == 0 {
		findings = append(findings, noModuleVersions(len(results), len(others)))
	}
	return added, results, append(findings, tagFindings(results, Warning)...)
}

func noModuleVersions(versions, others int) Finding {
	const fix = "Tag a version, for example `git tag v1.0.0 && git push origin v1.0.0`. The registry notices by itself, or comment /recheck."
	if versions == 0 {
		return noVersions(others, fix)
	}
	return Finding{
		Code: "no-valid-version", Severity: Error, Field: fieldRepository,
		Message: noneOf(versions, "version tag") + " can enter the registry.", Fix: fix,
	}
}

// sameVersion tells of a tag that stands for a version that another tag stands
// for too. That is worth a warning only where they mean different commits.
func sameVersion(t, kept Tag) Finding {
	f := Finding{
		Code: "tag-same-version", Severity: Info, Field: t.Name,
		Message: fmt.Sprintf("The tags %s and %s are one version for clients. %s is recorded.", t.Name, kept.Name, kept.Name),
	}
	if t.Commit != kept.Commit && !isShort(t.Name) { // a short tag moves along by custom
		f.Severity = Warning
		f.Message = fmt.Sprintf("The tags %s and %s are one version for clients but point to different commits. %s is recorded.", t.Name, kept.Name, kept.Name)
		f.Fix = "Keep one of the two tags, and tag the other commit as a new version."
	}
	return f
}

func shortVersion(t Tag) Finding {
	return Finding{
		Code: "tag-short-version", Severity: Warning, Field: t.Name,
		Message: fmt.Sprintf("The tag %s has fewer than three numbers. It is recorded, but clients ask for a version with three.", t.Name),
		Fix:     "Tag the commit once more with three numbers, like v1.2.0.",
	}
}
