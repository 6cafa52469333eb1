package templates

import (
	"fmt"
	"slices"

	"github.com/tofu-registrar/registrar/validation"
)

// CheckRun is the check on a pull request, the App's own or anyone's.
type CheckRun struct {
	Site  Site
	Files []CheckedFile // the files under providers/, modules/ and keys/
	// Provider, Module, Key are the facts behind them where they were gathered.
	Provider *ProviderCheck
	Module   *ModuleCheck
	Key      *KeyCheck
	Own      bool // the App's own pull request
	Running  bool // not finished yet
}

// CheckedFile is a file of the pull request and what the rules say about it.
type CheckedFile struct {
	Path     string
	Subject  string // "provider acme/demo", "module acme/vpc/aws", "key of acme"
	Removed  bool
	Findings []FileFinding
}

// FileFinding is a finding at a line of the file (1 where it is the file's).
type FileFinding struct {
	validation.Finding
	Line int
}

// CheckText is what a check run says. Title, Summary and Text are each within
// GitHub's limits (65,535 bytes for Summary and Text).
type CheckText struct {
	Title       string
	Summary     string
	Text        string
	Annotations []Annotation // at most 50, errors first: GitHub takes 50 a request
}

// Annotation marks a line of a file. Level is GitHub's "failure", "warning" or
// "notice". Title is at most 255 characters, Message at most 64 KiB.
type Annotation struct {
	Path           string
	Line           int
	Level          string
	Title, Message string
}

// CheckRunText writes a check run.
func CheckRunText(c CheckRun) CheckText {
	page := newCheckPage(c)
	return CheckText{
		Title:       plainTitle(page.title()),
		Summary:     fit(render("check-summary.md", page), maxText),
		Text:        fit(render("check-text.md", page), maxText),
		Annotations: annotations(c.Files),
	}
}

// How much a check run shows.
const (
	mostFiles       = 300
	mostAnnotations = 50 // GitHub takes 50 a request
)

// checkPage is a check run as its templates see it.
type checkPage struct {
	facts
	check            CheckRun
	errors, warnings int
}

func newCheckPage(c CheckRun) checkPage {
	p := checkPage{facts: facts{Site: c.Site, Provider: c.Provider, Module: c.Module, Key: c.Key}, check: c}
	for _, f := range c.Files {
		errors, warnings := f.count()
		p.errors += errors
		p.warnings += warnings
		for _, finding := range f.Findings {
			p.Findings = append(p.Findings, finding.Finding)
		}
	}
	return p
}

// count is how many errors and warnings the file has.
func (f CheckedFile) count() (errors, warnings int) {
	for _, x := range f.Findings {
		switch x.Severity {
		case validation.Error:
			errors++
		case validation.Warning:
			warnings++
		}
	}
	return errors, warnings
}

func (p checkPage) title() string {
	what := count(len(p.check.Files), "file")
	if len(p.check.Files) == 1 {
		what = p.check.Files[0].Subject
	}
	switch {
	case p.check.Running:
		return "Checking " + what
	case p.errors > 0 && p.warnings > 0:
		return fmt.Sprintf("%s: %s, %s", what, count(p.errors, "error"), count(p.warnings, "warning"))
	case p.errors > 0:
		return fmt.Sprintf("%s: %s", what, count(p.errors, "error"))
	case p.warnings > 0:
		return fmt.Sprintf("%s: good, with %s", what, count(p.warnings, "warning"))
	}
	return what + ": good"
}

// Sentence is the verdict.
func (p checkPage) Sentence() string {
	switch {
	case p.check.Running:
		return "The rules of the registry are being applied to what this pull request changes."
	case p.errors > 0:
		return "By the rules of the registry this can't be merged as it is."
	case p.warnings > 0:
		return "The rules of the registry allow this; the warnings are for whoever merges it."
	}
	return "The rules of the registry find nothing wrong with this."
}

// fileRow is a file in the summary.
type fileRow struct{ Mark, Path, Found string }

// Files are the files with their verdict.
func (p checkPage) Files() []fileRow {
	var rows []fileRow
	for _, f := range p.check.Files[:min(len(p.check.Files), mostFiles)] {
		errors, warnings := f.count()
		r := fileRow{markGood, Quote(f.Path, Inline, 300), Quote(f.Subject, Prose, 200)}
		switch {
		case p.check.Running:
			r.Mark = markInfo
		case errors > 0:
			r.Mark, r.Found = markBad, r.Found+": "+count(errors, "error")
		case warnings > 0:
			r.Mark, r.Found = markWarn, r.Found+": "+count(warnings, "warning")
		case f.Removed:
			r.Found += ", removed"
		}
		rows = append(rows, r)
	}
	return rows
}

// Untold is how many files the summary leaves out.
func (p checkPage) Untold() int { return max(0, len(p.check.Files)-mostFiles) }

// fileSaid is what is said about one file.
type fileSaid struct {
	Path     string
	Findings []said
}

// Said is what is said about each file of which there is something to say.
func (p checkPage) Said() []fileSaid {
	var all []fileSaid
	for _, file := range p.check.Files {
		f := facts{}
		for _, x := range file.Findings {
			f.Findings = append(f.Findings, x.Finding)
		}
		if findings := slices.Concat(f.Errors(), f.Warnings(), f.Notes()); len(findings) > 0 {
			all = append(all, fileSaid{Quote(file.Path, Inline, 300), findings})
		}
	}
	return all
}

var annotationLevels = map[validation.Severity]string{
	validation.Error: "failure", validation.Warning: "warning", validation.Info: "notice",
}

// annotations are the findings at their lines, errors first.
func annotations(files []CheckedFile) []Annotation {
	var all []Annotation
	for _, severity := range []validation.Severity{validation.Error, validation.Warning, validation.Info} {
		for _, file := range files {
			for _, f := range file.Findings {
				if f.Severity != severity || file.Removed {
					continue
				}
				if len(all) == mostAnnotations {
					return all
				}
				all = append(all, Annotation{
					Path: file.Path, Line: max(1, f.Line), Level: annotationLevels[severity],
					Title: Quote(f.Code, Plain, 200), Message: Quote(f.Message+" "+f.Fix, Plain, 4000),
				})
			}
		}
	}
	return all
}
