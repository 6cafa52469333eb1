package validation

import (
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// maxRequestedVersions bounds how many versions one request can name.
const maxRequestedVersions = 50

// readVersionRequest reads a request to remove or re-index versions. A removal
// is done as it is written, so that it MUST hold nothing but versions, and a
// reason. A request to re-index is for people: what is checked is that they can
// tell which versions of what are meant.
func (s *Submission) readVersionRequest(a Answers) {
	kind := KindProvider
	if strings.Contains(strings.ToLower(a.Type), "module") {
		kind = KindModule
	}
	r := readRepository(a.Repository, kind, hostOf(a.WebURL))
	s.Read, s.Candidates = r.read, r.candidates
	s.add(r.findings...)
	if len(s.Candidates) > 0 {
		s.setNames(s.Candidates[0])
	}
	switch {
	case unanswered(plain(a.Version)):
		s.add(Finding{
			Code: "version-missing", Severity: Error, Field: "version",
			Message: "The request does not say which versions it is about.",
			Fix:     "Edit the issue and list them, for example 1.2.0, 1.2.1.",
		})
	case s.Kind == KindVersionRemoval:
		s.readRemovedVersions(a.Version)
	default:
		if s.Versions = readVersions(a.Version); len(s.Versions) == 0 {
			s.add(Finding{
				Code: "version-unreadable", Severity: Warning, Field: "version",
				Message: fmt.Sprintf("No version could be read from %s.", quote(plain(a.Version))),
				Fix:     "List the versions one by one, for example 1.2.0, 1.2.1, so that nobody has to guess.",
			})
		}
	}
	if s.Kind == KindVersionRemoval {
		s.readReason(a.Reason)
	}
}

// readReason wants a reason: the blacklist shows it to everyone who asks where
// the version went.
func (s *Submission) readReason(reason string) {
	if s.Reason = reason; blacklistReason(reason, 0) == "" || unanswered(plain(reason)) {
		s.add(Finding{
			Code: "reason-missing", Severity: Error, Field: "reason",
			Message: "The request does not say why the version has to go.",
			Fix:     "Edit the issue and give the reason in a sentence: it stands in the registry's list of removed versions.",
		})
	}
}

// readRemovedVersions reads versions one by one. "All before 2.0.0" must not
// remove 2.0.0.
func (s *Submission) readRemovedVersions(text string) {
	var strange []string
	seen := map[string]bool{}
	for _, w := range strings.FieldsFunc(plain(text), func(r rune) bool { return strings.ContainsRune(" \n,;|", r) }) {
		w = strings.Trim(w, "`*_-•·()[]\"'.:&")
		if w == "" || strings.EqualFold(w, "and") {
			continue
		}
		version, ok := registrydata.VersionKey(strings.TrimPrefix(w, "V"))
		switch {
		case !ok:
			strange = append(strange, quote(w))
		case !seen[strings.ToLower(version)]:
			seen[strings.ToLower(version)] = true
			s.Versions = append(s.Versions, version)
		}
	}
	switch {
	case len(strange) > 0:
		s.Versions = nil
		s.add(Finding{
			Code: "version-unreadable", Severity: Error, Field: "version",
			Message: fmt.Sprintf("The list of versions holds something else: %s.", list(strange, 3)),
			Fix:     "List the versions one by one and nothing besides, for example 1.2.0, 1.2.1.",
		})
	case len(s.Versions) > maxRequestedVersions:
		s.add(Finding{
			Code: "version-many", Severity: Error, Field: "version",
			Message: fmt.Sprintf("The request names %d versions; one can name %d.", len(s.Versions), maxRequestedVersions),
			Fix:     "Open one issue for each part of them.",
		})
		s.Versions = s.Versions[:maxRequestedVersions]
	}
}

// readVersions finds the versions that a text names, without leading "v", each
// once, in order.
func readVersions(text string) []string {
	var out []string
	seen := map[string]bool{}
	words := strings.FieldsFunc(plain(text), func(r rune) bool {
		return r > 0x7e || !isWordByte(byte(r)) || r == '/' || r == '='
	})
	for _, w := range words {
		w = strings.Trim(w, ".:;!?*_~#@&$%")
		version, ok := registrydata.VersionKey(strings.TrimPrefix(w, "V"))
		if !ok || !strings.Contains(version, ".") || seen[version] || len(out) == maxRequestedVersions {
			continue
		}
		seen[version] = true
		out = append(out, version)
	}
	return out
}
