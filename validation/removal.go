package validation

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/tofu-registrar/registrar/registrydata"
)

// RemovalInput is what is known about a request to take versions out of the
// registry.
type RemovalInput struct {
	Submission Submission
	// Issue is the number of the request, which the blacklist names.
	Issue int
	// Addresses are those that the request is about: the one that was asked for,
	// and those of the namespaces that serve the same repository (spec §1.9).
	Addresses []registrydata.Entity
	// Recorded are the data files that there are of them.
	Recorded []RecordedFile
	// Blacklist is versions_blacklist.json; nil where there is none.
	Blacklist []byte
}

// RecordedFile is the data file of an entity.
type RecordedFile struct {
	Entity  registrydata.Entity
	Content []byte
}

// RemovalVerdict is the verdict on a removal, and what it wants in the data.
type RemovalVerdict struct {
	Report
	// Files are the files to change, by path; nil is one to delete. Empty unless
	// the request is accepted.
	Files map[string][]byte
	// Removed is what goes of each data file.
	Removed []Removed
	// Reason is what the blacklist says.
	Reason string
}

// Removed is what a removal takes out of one data file.
type Removed struct {
	Entity registrydata.Entity
	// Versions are as recorded, newest first.
	Versions []string
	// Last tells that no version is left, and the file goes.
	Last bool
}

// JudgeRemoval judges a request to take versions out:
//
//   - The address MUST be registered, and each version recorded.
//   - The version MUST go from every file that has it, and each address MUST
//     get its entry of the blacklist, which keeps it out from then on (spec §1.8).
//   - A file whose last version goes MUST be deleted: one without versions is
//     invalid (§1.3).
//
// Whether the version should go is for a maintainer to decide. The error is a
// file of the registry that cannot be read.
func JudgeRemoval(in RemovalInput) (RemovalVerdict, error) {
	s := in.Submission
	v := RemovalVerdict{Reason: blacklistReason(s.Reason, in.Issue)}
	if len(in.Recorded) == 0 {
		s.add(notRegistered(in))
		v.Report = s.Verdict(s.Findings)
		return v, nil
	}
	listed, err := registrydata.ParseBlacklist(blacklistOrEmpty(in.Blacklist))
	if err != nil {
		return v, fmt.Errorf("%s: %w", registrydata.BlacklistPath, err)
	}
	files := map[string][]byte{}
	found := map[string]bool{}
	var recorded []string
	for _, f := range in.Recorded {
		content, gone, all, err := takeOut(f, s.Versions, found)
		if err != nil {
			return v, fmt.Errorf("%s: %w", f.Entity.Path(), err)
		}
		recorded = append(recorded, all...)
		if len(gone) == 0 {
			continue
		}
		files[f.Entity.Path()] = content
		v.Removed = append(v.Removed, Removed{Entity: f.Entity, Versions: gone, Last: content == nil})
		if content == nil {
			s.add(Finding{
				Code: "last-version", Severity: Warning, Field: "version",
				Message: fmt.Sprintf("No other version of %s is recorded: the %s is taken out of the registry.", f.Entity, f.Entity.Kind),
			})
		}
	}
	for _, version := range s.Versions {
		if !found[version] {
			s.add(notRecorded(in, listed, version, recorded))
		}
	}
	if v.Report = s.Verdict(s.Findings); v.Verdict != Accept {
		v.Removed = nil
		return v, nil
	}
	if files[registrydata.BlacklistPath], err = barRemoved(in, v); err != nil {
		return v, err
	}
	v.Files = files
	return v, nil
}

func blacklistOrEmpty(b []byte) []byte {
	if len(b) == 0 {
		return []byte("{}")
	}
	return b
}

// takeOut removes versions from a data file, and notes which it had. content is
// nil where none is left.
func takeOut(f RecordedFile, versions []string, found map[string]bool) (content []byte, gone, all []string, err error) {
	file, err := registrydata.ParseDataFile(f.Entity.Kind, f.Content)
	if err != nil {
		return nil, nil, nil, err
	}
	all = file.Versions()
	for _, version := range versions {
		for _, was := range file.Remove(version) {
			gone, found[version] = append(gone, was), true
		}
	}
	if len(file.Versions()) > 0 {
		content = file.Bytes()
	}
	return content, newestOf(gone), all, nil
}

// newestOf sorts versions, newest first, each once.
func newestOf(versions []string) []string {
	slices.SortStableFunc(versions, func(a, b string) int { return registrydata.CompareVersions(b, a) })
	return slices.Compact(versions)
}

// barRemoved adds an entry of the blacklist for each address and version.
func barRemoved(in RemovalInput, v RemovalVerdict) ([]byte, error) {
	file, err := registrydata.ParseBlacklistFile(in.Blacklist)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", registrydata.BlacklistPath, err)
	}
	var versions []string
	for _, r := range v.Removed {
		for _, version := range r.Versions {
			versions = append(versions, strings.TrimPrefix(version, "v"))
		}
	}
	for _, e := range in.Addresses {
		for _, version := range newestOf(slices.Clone(versions)) {
			if err := file.Add(e, version, v.Reason); err != nil {
				return nil, err
			}
		}
	}
	return file.Bytes(), nil
}

func notRegistered(in RemovalInput) Finding {
	what := quote(in.Submission.repository().String())
	if len(in.Addresses) > 0 {
		what = fmt.Sprintf("The %s %s", in.Addresses[0].Kind, in.Addresses[0])
	}
	return Finding{
		Code: "not-registered", Severity: Error, Field: fieldRepository,
		Message: what + " is not in the registry: there is nothing to remove.",
		Fix:     "Check the spelling of owner and name: it is the repository that the entry was submitted with.",
	}
}

func notRecorded(in RemovalInput, listed registrydata.Blacklist, version string, recorded []string) Finding {
	e := in.Recorded[0].Entity
	f := Finding{
		Code: "version-not-recorded", Severity: Error, Field: "version",
		Message: fmt.Sprintf("Version %s of %s is not in the registry.", version, e),
		Fix:     fmt.Sprintf("Leave it out. The registry has %s.", someOf(newestOf(recorded), 10)),
	}
	barred := func() (string, bool) {
		if e.Kind == registrydata.KindModule {
			return listed.Module(e.Module(), version)
		}
		return listed.Provider(e.Provider(), version)
	}
	if _, ok := barred(); ok {
		f.Message = fmt.Sprintf("Version %s of %s was taken out of the registry already, and is on the blacklist.", version, e)
	}
	return f
}

// maxReason is how much of a reason the blacklist gets, in characters.
const maxReason = 300

// blacklistReason is a stranger's reason as the blacklist holds it: one line of
// visible characters, and where it comes from.
func blacklistReason(text string, issue int) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, withoutComments(strings.ToValidUTF8(text, "")))
	text = cut(strings.Join(strings.Fields(text), " "), maxReason)
	if issue <= 0 {
		return text
	}
	return fmt.Sprintf("%s (#%d)", text, issue)
}
