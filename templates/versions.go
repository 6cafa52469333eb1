package templates

import (
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// How many versions a page shows at once, and how many at all.
const (
	newestVersions = 10
	mostVersions   = 200
)

// versionTable is what became of each tag (versions.md).
type versionTable struct {
	Provider bool // with the columns that only providers have
	Newest   []versionRow
	Older    []versionRow
	Untold   int // how many more there are
}

// versionRow is a tag and what became of it, all of it Markdown.
type versionRow struct{ Mark, Tag, Platforms, SignedBy, Remarks string }

// Versions is the table of tags: all of a provider's, and those of a module
// about which there is something to say.
func (f facts) Versions() versionTable {
	switch {
	case f.Provider != nil:
		return tableOf(f.Provider.Versions, f.Provider, func(tag string) string { return f.Site.releaseURL(f.Provider.Repository, tag) })
	case f.Module != nil:
		return tableOf(notable(f.Module.Versions), nil, func(tag string) string { return f.Site.treeURL(f.Module.Repository, tag) })
	}
	return versionTable{}
}

func notable(results []validation.TagResult) []validation.TagResult {
	var out []validation.TagResult
	for _, r := range results {
		if markOf(r) != markGood {
			out = append(out, r)
		}
	}
	return out
}

func tableOf(results []validation.TagResult, p *ProviderCheck, address func(tag string) string) versionTable {
	t := versionTable{Provider: p != nil, Untold: max(0, len(results)-mostVersions)}
	for i, r := range results[:min(len(results), mostVersions)] {
		v := versionRow{
			Mark: markOf(r), Tag: link(Quote(r.Tag, Inline, 100), address(r.Tag)), Platforms: platforms(r.Data),
			SignedBy: signedBy(r, p), Remarks: remarks(r),
		}
		if i < newestVersions {
			t.Newest = append(t.Newest, v)
		} else {
			t.Older = append(t.Older, v)
		}
	}
	return t
}

func markOf(r validation.TagResult) string {
	switch {
	case !r.Taken:
		return markBad
	case hasWarning(r.Findings):
		return markWarn
	}
	return markGood
}

func hasWarning(findings []validation.Finding) bool {
	for _, f := range findings {
		if f.Severity == validation.Warning {
			return true
		}
	}
	return false
}

// platforms names a few platforms, and counts many.
func platforms(v registrydata.ProviderVersion) string {
	var names []string
	for _, t := range v.Targets {
		names = append(names, Quote(t.OS+"_"+t.Arch, Inline, 60))
	}
	switch {
	case len(names) == 0:
		return "–"
	case len(names) <= 2:
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%d", len(names))
}

// signedBy names the key that signed, and whether the registry knows it where
// it knows any.
func signedBy(r validation.TagResult, p *ProviderCheck) string {
	switch {
	case r.SignedBy != "":
		return Quote(r.SignedBy, Inline, 40)
	case len(r.Issuers) > 0 && (p == nil || len(p.Keys) == 0):
		return codes(r.Issuers, 2)
	case len(r.Issuers) > 0:
		return codes(r.Issuers, 2) + ", not on file"
	case r.Signature == "" || r.Signature == validation.SignatureUnchecked:
		return "–"
	}
	return signatureWords[r.Signature]
}

// remarks say why a tag was not taken, or what is to be known about it.
func remarks(r validation.TagResult) string {
	var out []string
	for _, f := range r.Findings {
		if f.Severity == validation.Error || r.Taken && f.Severity == validation.Warning {
			out = append(out, Quote(f.Message, Prose, 300))
		}
	}
	if more := len(out) - 3; more > 0 {
		out = append(out[:3], fmt.Sprintf("And %d more.", more))
	}
	if len(out) > 0 {
		return strings.Join(out, "<br>")
	}
	switch {
	case !r.Taken:
		return "not taken"
	case r.Verified:
		return "verified in full"
	}
	return "recorded from its checksums"
}

// newest is the newest version that was taken, "" where there is none.
func newest(results []validation.TagResult) string {
	for _, r := range results {
		if r.Taken {
			return r.Version
		}
	}
	return ""
}
