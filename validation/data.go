package validation

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

const (
	// maxDataFindings bounds what is said about one changed file, and
	// maxRecordedFindings what is said about one that is judged as it stands.
	maxDataFindings     = 50
	maxRecordedFindings = 10_000
)

// DataRules judge the files of a metadata repository. Files that are no data of
// the registry give no findings.
//
//   - The path MUST be that of an address, in lower case, in the right folder
//     (spec §1), and the address of a new file one that clients can use (§1.2).
//   - The content MUST be what its rules say (§4): see provider, module and key.
//   - A recorded version MUST stay as it is; only what was not known about it
//     may be filled in.
//
// That the content is what the author released is not told from here: whoever
// has the network compares it with the release.
type DataRules struct {
	// WebURL is GitHub's web address, https://github.com if empty.
	WebURL string
	// Aliases are those of the metadata repository.
	Aliases registrydata.Aliases
	// Blacklist is the metadata repository's, as a change leaves it: a version
	// may only be taken out together with an entry that keeps it out.
	Blacklist registrydata.Blacklist
	Now       time.Time
}

// FileFinding is a finding about a file of the metadata repository.
type FileFinding struct {
	File string `json:"file"`
	// Line counts from 1; 0 where there is none.
	Line int `json:"line,omitempty"`
	// Where is the place in the file: "versions[3].targets[0].size". Empty: the
	// file as a whole.
	Where string `json:"where,omitempty"`
	Finding
}

// Change judges a change of one file, for the check on anyone's pull request.
// Old and new are its contents before and after; nil: absent.
func (r DataRules) Change(path string, old, new []byte) []FileFinding {
	j := newDataJudge(r, path)
	j.old, j.new = old, new
	return j.judge()
}

// Recorded judges a file as it stands, by the rules for new files, less what
// only a submission can do something about.
func (r DataRules) Recorded(path string, content []byte) []FileFinding {
	j := newDataJudge(r, path)
	j.new, j.recorded, j.limit = content, true, maxRecordedFindings
	return j.judge()
}

type dataJudge struct {
	DataRules
	path     string
	old, new []byte
	recorded bool
	limit    int

	// version and target are the indexes of what is being judged, -1 outside;
	// key is where in it the next finding is.
	version, target int
	key             string

	findings []FileFinding
	untold   int
}

func newDataJudge(r DataRules, path string) *dataJudge {
	return &dataJudge{DataRules: r, path: path, limit: maxDataFindings, version: -1, target: -1}
}

func (j *dataJudge) judge() []FileFinding {
	folder, _, _ := strings.Cut(j.path, "/")
	switch {
	case j.path == registrydata.BlacklistPath:
		j.blacklist()
	case j.path == registrydata.AliasesPath:
		j.aliases()
	case folder == "providers" || folder == "modules":
		j.entity()
	case folder == "keys":
		j.keyFile()
	}
	return j.all()
}

// in says where the next finding is.
func (j *dataJudge) in(key string) *dataJudge {
	j.key = key
	return j
}

// where is the place of the next finding.
func (j *dataJudge) where() string {
	place := j.key
	j.key = ""
	if j.version < 0 {
		return place
	}
	if place != "" {
		place = "." + place
	}
	if j.target >= 0 {
		place = ".targets[" + strconv.Itoa(j.target) + "]" + place
	}
	return "versions[" + strconv.Itoa(j.version) + "]" + place
}

func (j *dataJudge) add(findings ...Finding) {
	where := j.where()
	for _, f := range findings {
		j.addAt(where, 0, f)
	}
}

func (j *dataJudge) addAt(where string, line int, f Finding) {
	if len(j.findings) < j.limit {
		j.findings = append(j.findings, FileFinding{File: j.path, Where: where, Line: line, Finding: f})
	} else {
		j.untold++
	}
}

func (j *dataJudge) fail(code, field, fix, format string, args ...any) {
	j.add(Finding{Code: code, Severity: Error, Field: field, Message: fmt.Sprintf(format, args...), Fix: fix})
}

func (j *dataJudge) warn(code, field, fix, format string, args ...any) {
	j.add(Finding{Code: code, Severity: Warning, Field: field, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// all returns the findings, with their lines. Those left out are counted by one
// more, which is an error so that nothing hides behind the limit.
func (j *dataJudge) all() []FileFinding {
	if j.untold > 0 {
		j.findings = append(j.findings, FileFinding{File: j.path, Finding: Finding{
			Code: "more-findings", Severity: Error,
			Message: fmt.Sprintf("%d more things are wrong with the file.", j.untold),
			Fix:     "Mend what is listed first.",
		}})
	}
	var places []string
	for _, f := range j.findings {
		if f.Where != "" && f.Line == 0 {
			places = append(places, f.Where)
		}
	}
	var lines map[string]int
	if len(places) > 0 {
		lines = registrydata.Lines(j.new, places)
	}
	for i := range j.findings {
		if f := &j.findings[i]; f.Line == 0 && j.new != nil {
			f.Line = max(1, lines[f.Where])
		}
	}
	return j.findings
}

const fixSubmit = "Submit it through the issue form: the file is then made from the release itself."

// entity judges a provider's or module's file.
func (j *dataJudge) entity() {
	e, ok := registrydata.EntityFromPath(j.path)
	if !ok {
		if j.new != nil {
			j.misplaced()
		}
		return
	}
	if j.new == nil {
		if j.old != nil {
			j.deleted(e)
		}
		return
	}
	if err := e.Check(); err != nil && j.old == nil {
		j.fail("address", "", "Rename the repository, and submit it under its new name.", "No client could address this %s: %v.", e.Kind, err)
	}
	if e.Kind == registrydata.KindModule {
		j.module(e.Module())
	} else {
		j.provider(e.Provider())
	}
}

// unreadable reports a file that the model can't hold.
func (j *dataJudge) unreadable(err error, fix string) {
	f := Finding{Code: "file-unreadable", Severity: Error, Message: fmt.Sprintf("The file can't be read: %v.", err), Fix: fix}
	line := 0
	var parse *registrydata.ParseError
	if errors.As(err, &parse) {
		f.Field, line = parse.Where, parse.Line
	}
	j.addAt(f.Field, line, f)
}

func (j *dataJudge) aliases() {
	if j.new == nil {
		j.warn("file-deleted", "", "Keep the file, empty if there is to be no alias.",
			"The aliases are taken away: those of the public registry hold from then on.")
		return
	}
	if _, err := registrydata.ParseAliases(j.new); err != nil {
		j.unreadable(err, "Write one pair of names a line, the old one first: \"hashicorp/datadog datadog/datadog\".")
	}
}

func (j *dataJudge) blacklist() {
	if j.new == nil {
		j.warn("file-deleted", "", "Keep the file with empty lists.", "The blacklist is taken away: every version it names can be taken in again.")
		return
	}
	if _, err := registrydata.ParseBlacklist(j.new); err != nil {
		j.unreadable(err, "Each entry needs namespace, name, version and, for modules, target_system.")
		return
	}
	j.freed()
}

// discovered judges a time of discovery.
func (j *dataJudge) discovered(version, value string) {
	if value == "" {
		return
	}
	t, err := time.Parse(time.RFC3339Nano, value)
	if err != nil || !strings.HasSuffix(value, "Z") {
		j.in("discovered").fail("discovered", version, "Leave the field out.", "The time of discovery %s is no UTC time like 2026-01-02T15:04:05Z.", quote(value))
	} else if t.After(j.Now.Add(time.Hour)) {
		j.in("discovered").fail("discovered", version, "Leave the field out.", "The time of discovery %s is in the future.", quote(value))
	}
}

// order judges the order and uniqueness of versions. Only what the change
// brings is judged: isNew tells.
func (j *dataJudge) order(versions []string, isNew func(string) bool) {
	defer func() { j.version = -1 }()
	written, seen := map[string]string{}, map[string]string{}
	for i, v := range versions {
		j.version = i
		if i > 0 && registrydata.CompareVersions(versions[i-1], v) < 0 && (isNew(v) || isNew(versions[i-1])) {
			j.in("version").fail("version-order", v, "Sort the versions by precedence, newest first.", "Version %s stands after %s, which is older.", v, versions[i-1])
		}
		version := strings.TrimPrefix(v, "v")
		key, same := canonicalVersion(version), strings.ToLower(version)
		if first, twice := written[same]; twice && (isNew(v) || isNew(first)) {
			j.in("version").fail("version-repeated", v, "Keep one of them.", "%s and %s are one version.", v, first)
		} else if first, twice := seen[key]; twice && (isNew(v) || isNew(first)) {
			j.in("version").fail("version-synonym", v, "Keep the one with three numbers.", "%s and %s are one version for clients.", v, first)
		}
		written[same], seen[key] = v, v
	}
}

// barred says of a recorded version that it is on the blacklist, which keeps new
// versions out and takes none away.
func (j *dataJudge) barred(version string, listed func() (reason string, ok bool)) {
	if !j.recorded {
		return
	}
	if reason, ok := listed(); ok {
		j.in("version").warn("version-blacklisted", version, "Remove the version from the file too, or its entry from the blacklist.",
			"Version %s is on the blacklist (%s) and is served all the same.", version, quote(reason))
	}
}

const fixImmutable = "Restore the version as it is recorded. Whoever has installed it counts on that; release a new version instead."
