package validation

import (
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// maxRequestedVersions bounds how many versions one request can name.
const maxRequestedVersions = 50

// readVersionRequest reads a request to remove or re-index versions. People
// decide on those; what is checked is that they can tell which versions of what
// are meant.
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
	s.Versions = readVersions(a.Version)
	switch {
	case unanswered(plain(a.Version)):
		s.add(Finding{
			Code: "version-missing", Severity: Error, Field: "version",
			Message: "The request does not say which versions it is about.",
			Fix:     "Edit the issue and list them, for example 1.2.0, 1.2.1.",
		})
	case len(s.Versions) == 0:
		s.add(Finding{
			Code: "version-unreadable", Severity: Warning, Field: "version",
			Message: fmt.Sprintf("No version could be read from %s.", quote(plain(a.Version))),
			Fix:     "List the versions one by one, for example 1.2.0, 1.2.1, so that nobody has to guess.",
		})
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
