package validation

import (
	"fmt"
	"sort"
)

const (
	// maxToldTags is of how many tags a report tells what is wrong; the rest is
	// in the results, tag by tag.
	maxToldTags = 10
	// maxToldFindings is how many findings of one tag a report repeats.
	maxToldFindings = 5
)

// releasesFindings sums up the verdicts on the releases of a provider. As long
// as one release is valid, what is wrong with the others is a warning.
func releasesFindings(in ProviderInput) []Finding {
	versions, others := NewestFirst(in.Tags)
	takenCount := 0
	for _, r := range in.Results {
		if r.Taken {
			takenCount++
		}
	}
	switch {
	case takenCount > 0:
		return tagFindings(in.Results, Warning)
	case len(versions) == 0 && len(in.Results) == 0:
		return []Finding{noVersions(len(others), "Tag a version like v1.0.0 and publish a release for it, with the archives, SHA256SUMS and its signature.")}
	}
	summary := Finding{
		Code: "no-valid-release", Severity: Error, Field: fieldRepository,
		Message: noneOf(max(len(versions), len(in.Results)), "version tag") + " has a release that clients could install.",
		Fix:     "Mend what is said about the newest release, then publish it as a new version. The registry notices by itself, or comment /recheck.",
	}
	return append([]Finding{summary}, tagFindings(in.Results, Error)...)
}

// noVersions answers a repository without any version tag.
func noVersions(others int, fix string) Finding {
	f := Finding{
		Code: "no-version-tags", Severity: Error, Field: fieldRepository,
		Message: "The repository has no tags.", Fix: fix,
	}
	if others > 0 {
		f.Message = noneOf(others, "tag") + " of the repository is a semantic version."
	}
	return f
}

// tagFindings repeats what was found about the newest tags, with no severity
// higher than the given one, and counts the tags that are not told about.
func tagFindings(results []TagResult, highest Severity) []Finding {
	var out []Finding
	told, silent := 0, 0
	for _, r := range results {
		problems := above(Info, r.Findings)
		if len(problems) == 0 {
			continue
		}
		if told == maxToldTags {
			silent++
			continue
		}
		told++
		for _, f := range problems[:min(len(problems), maxToldFindings)] {
			if highest == Warning {
				f.Severity = Warning
			}
			out = append(out, f)
		}
	}
	if silent > 0 {
		out = append(out, Finding{
			Code: "more-tags", Severity: Info,
			Message: fmt.Sprintf("There is something to say about %d older versions too.", silent),
		})
	}
	return out
}

// above returns the findings that are more severe.
func above(s Severity, findings []Finding) []Finding {
	var out []Finding
	for _, f := range findings {
		if f.Severity != s {
			out = append(out, f)
		}
	}
	return out
}

// sortByVersion sorts into the descending order of the data files.
func sortByVersion[T any](list []T, version func(T) string) {
	sort.SliceStable(list, func(i, j int) bool { return newer(version(list[i]), version(list[j])) })
}

// noneOf begins a sentence about a number of things.
func noneOf(n int, what string) string {
	if n == 1 {
		return "Not even the one " + what
	}
	return fmt.Sprintf("None of the %d %ss", n, what)
}
