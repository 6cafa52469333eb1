package templates

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// The signs before a verdict.
const (
	markGood = "✅"
	markWarn = "⚠️"
	markBad  = "❌"
	markInfo = "ℹ️"
)

// facts is what was looked at, as comments, pull requests and check runs show
// it (facts.md, versions.md, coverage.md, findings.md).
type facts struct {
	Site     Site
	Provider *ProviderCheck
	Module   *ModuleCheck
	Key      *KeyCheck
	Removal  *Removal
	Findings []validation.Finding
}

// row is a line of the table of facts. Found is Markdown.
type row struct{ Mark, What, Found string }

// Rows are the facts in short.
func (f facts) Rows() []row {
	switch {
	case f.Provider != nil:
		return f.providerRows(*f.Provider)
	case f.Module != nil:
		return f.moduleRows(*f.Module)
	case f.Key != nil:
		return f.keyRows(*f.Key)
	case f.Removal != nil:
		return removalRows(*f.Removal)
	}
	return nil
}

func (f facts) providerRows(p ProviderCheck) []row {
	rows := []row{f.repositoryRow(p.Repository), f.addressRow(p.Address.String()), versionsRow(p.Versions, p.OtherTags)}
	if len(p.Keys) == 0 {
		return append(rows, row{markWarn, "Signing key", "none on file yet"})
	}
	return append(rows, row{markGood, "Signing key", codes(p.Keys, 5)})
}

func (f facts) moduleRows(m ModuleCheck) []row {
	return []row{f.repositoryRow(m.Repository), f.addressRow(m.Address.String()), versionsRow(m.Versions, m.OtherTags)}
}

func (f facts) repositoryRow(r registrydata.Repository) row {
	return row{f.mark("repository"), "Repository", link(Quote(r.String(), Inline, 150), f.Site.repositoryURL(r))}
}

func (f facts) addressRow(address string) row {
	return row{markGood, "Address", Quote(f.Site.source(address), Inline, 250)}
}

// mark is the sign for the worst finding about any of the fields.
func (f facts) mark(fields ...string) string {
	worst := markGood
	for _, x := range f.Findings {
		switch {
		case !slices.Contains(fields, x.Field):
		case x.Severity == validation.Error:
			return markBad
		case x.Severity == validation.Warning:
			worst = markWarn
		}
	}
	return worst
}

func versionsRow(results []validation.TagResult, otherTags int) row {
	taken, verified := 0, 0
	for _, r := range results {
		if r.Taken {
			taken++
		}
		if r.Taken && r.Verified {
			verified++
		}
	}
	top := Quote(newest(results), Inline, 100)
	r := row{markGood, "Versions", ""}
	switch {
	case taken == 0:
		r.Mark, r.Found = markBad, "none that can be taken"
	case taken < len(results):
		r.Mark, r.Found = markWarn, fmt.Sprintf("%d of %s, newest %s", taken, count(len(results), "tag"), top)
	default:
		r.Found = fmt.Sprintf("%d, newest %s", taken, top)
	}
	switch {
	case verified > 0 && verified == taken:
		r.Found += "; downloaded and verified in full"
	case verified > 0:
		r.Found += fmt.Sprintf("; %d of them downloaded and verified in full", verified)
	}
	if otherTags > 0 {
		r.Found += fmt.Sprintf("; %s no version", isAre(otherTags, "other tag"))
	}
	return r
}

func (f facts) keyRows(k KeyCheck) []row {
	covers := "every provider of " + Quote(k.Namespace, Inline, 100)
	if k.Provider != "" {
		covers = "the provider " + Quote(k.Namespace+"/"+k.Provider, Inline, 150)
	}
	rows := []row{
		{f.mark("namespace", "provider"), "Covers", covers},
		{f.mark("key"), "Key", Quote(k.Key.KeyID, Inline, 40) + ", " + Quote(k.Key.Algorithm, Prose, 40)},
		{markInfo, "Fingerprint", Quote(k.Key.Fingerprint, Inline, 80)},
		{markInfo, "Valid", validity(k.Key)},
		{markInfo, "User ids", codes(k.Key.UserIDs, 3)},
	}
	if k.Path != "" {
		rows = append(rows, row{markInfo, "File", Quote(k.Path, Inline, 250)})
	}
	return rows
}

func validity(k validation.Key) string {
	from := "made " + k.Created.UTC().Format(time.DateOnly)
	switch {
	case k.Revoked:
		return from + ", revoked"
	case k.Expires == nil:
		return from + ", does not expire"
	}
	return from + ", expires " + k.Expires.UTC().Format(time.DateOnly)
}

// coverageRow is what a key means for one provider.
type coverageRow struct{ Mark, Provider, Release, Before, After string }

// Coverage is what the key means for each provider that it covers.
func (f facts) Coverage() []coverageRow {
	if f.Key == nil {
		return nil
	}
	var rows []coverageRow
	for _, c := range f.Key.Coverage[:min(len(f.Key.Coverage), 50)] {
		r := coverageRow{
			Mark: coverageMarks[c.State], Provider: Quote(c.Provider.String(), Inline, 150), Release: "–",
			Before: signatureWords[c.Before], After: signatureWords[c.After],
		}
		if c.Tag != "" {
			r.Release = Quote(c.Tag, Inline, 100)
		}
		if c.State == validation.CoverageUnknown {
			r.Before, r.After = "–", Quote(c.Detail, Prose, 200)
		}
		rows = append(rows, r)
	}
	return rows
}

// UncoveredRows is how many providers the table of coverage leaves out.
func (f facts) UncoveredRows() int {
	if f.Key == nil {
		return 0
	}
	return max(0, len(f.Key.Coverage)-50)
}

var coverageMarks = map[validation.CoverageState]string{
	validation.CoverageVerifies: markGood,
	validation.CoverageOther:    markInfo,
	validation.CoverageBreaks:   markBad,
	validation.CoverageUseless:  markWarn,
	validation.CoverageUnknown:  markInfo,
}

var signatureWords = map[validation.SignatureState]string{
	validation.SignatureGood:          "verified",
	validation.SignatureExpiredKey:    "verified, by an expired key",
	validation.SignatureUnknownIssuer: "signed by another key",
	validation.SignatureBad:           "wrong signature",
	validation.SignatureArmored:       "armored signature, which no client reads",
	validation.SignatureMissing:       "not signed",
	validation.SignatureUnchecked:     "no key to check it",
}

// said is a finding as it is shown. Message and Fix are Markdown.
type said struct{ Mark, Message, Fix string }

// Errors, Warnings and Notes are the findings by severity.
func (f facts) Errors() []said   { return f.said(validation.Error, markBad) }
func (f facts) Warnings() []said { return f.said(validation.Warning, markWarn) }
func (f facts) Notes() []said    { return f.said(validation.Info, markInfo) }

// mostFindings bounds how many findings of one severity a page shows.
const mostFindings = 30

func (f facts) said(severity validation.Severity, mark string) []said {
	var all []said
	for _, x := range f.Findings {
		if x.Severity == severity {
			all = append(all, said{mark, Quote(x.Message, Prose, 1500), Quote(x.Fix, Prose, 1000)})
		}
	}
	if more := len(all) - mostFindings; more > 0 {
		all = append(all[:mostFindings], said{mark, fmt.Sprintf("And %d more of this kind.", more), ""})
	}
	return all
}

// codes are at most n texts as code, with how many there are more.
func codes(texts []string, n int) string {
	if len(texts) == 0 {
		return "none"
	}
	var out []string
	for _, t := range texts[:min(n, len(texts))] {
		out = append(out, Quote(t, Inline, 120))
	}
	if more := len(texts) - n; more > 0 {
		out = append(out, fmt.Sprintf("%d more", more))
	}
	return strings.Join(out, ", ")
}

// link is a Markdown link; the text is Markdown, the address is escaped.
func link(text, address string) string { return "[" + text + "](" + address + ")" }

// count is a number with its word: "1 tag", "2 tags".
func count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

func isAre(n int, word string) string {
	if n == 1 {
		return "1 " + word + " is"
	}
	return fmt.Sprintf("%d %ss are", n, word)
}
