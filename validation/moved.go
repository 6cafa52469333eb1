package validation

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// RepositoryState is what became of the repository of something registered.
type RepositoryState string

// The states. An archived repository is where it was: nothing is said of it,
// since its versions install as before and only its owner knows what replaces
// it.
const (
	RepositoryThere    RepositoryState = "there"
	RepositoryMoved    RepositoryState = "moved"    // renamed or transferred: GitHub redirects
	RepositoryGone     RepositoryState = "gone"     // deleted, or not public any more
	RepositoryReplaced RepositoryState = "replaced" // another one has its name
)

// StateOfRepository tells what became of a repository that was asked for by its
// registered name. remembered is the id in the data file, 0 where none is known
// yet: the first that is seen is trusted.
func StateOfRepository(asked registrydata.Repository, remembered int64, f RepositoryFacts) RepositoryState {
	switch {
	case !f.Exists || f.Private:
		return RepositoryGone
	case remembered != 0 && f.ID != 0 && f.ID != remembered:
		return RepositoryReplaced
	case !strings.EqualFold(asked.String(), f.Repository.String()):
		return RepositoryMoved
	}
	return RepositoryThere
}

// RepositoryFindings are what the maintainers are told about a repository in
// such a state. A move is no finding by itself: a pull request follows it.
func RepositoryFindings(state RepositoryState, asked registrydata.Repository, remembered int64, f RepositoryFacts) []Finding {
	switch state {
	case RepositoryGone:
		return []Finding{{
			Code: "repository-gone", Severity: Error, Field: fieldRepository,
			Message: fmt.Sprintf("GitHub shows no public repository %s any more: it was deleted or made private. What is recorded stays recorded.", asked),
			Fix:     "Bring the repository back; this is settled by itself when it is. If it is gone for good, a maintainer may merge the pull request that warns users.",
		}}
	case RepositoryReplaced:
		return []Finding{{
			Code: "repository-replaced", Severity: Error, Field: fieldRepository,
			Message: fmt.Sprintf("Another repository has the name %s now: its id is %d, and what is recorded came from the one with the id %d. No versions are taken in from it.", f.Repository, f.ID, remembered),
			Fix:     fmt.Sprintf("Maintainers: if it is the rightful one, set repository_id in the data file to %d by a pull request; versions are taken in again once that is merged. Leave it if not.", f.ID),
		}}
	case RepositoryMoved:
		if SubjectKind(f.Repository) != SubjectKind(asked) {
			return []Finding{{
				Code: "repository-renamed", Severity: Error, Field: fieldRepository,
				Message: fmt.Sprintf("The repository %s is called %s now, which is no name for a %s. Versions are found as long as GitHub redirects the old name.", asked, quote(f.Repository.String()), SubjectKind(asked)),
				Fix:     "Give it a name of that form, or its old name back.",
			}}
		}
	}
	return nil
}

// The warnings that the registry itself writes, in the public registry's words
// where it has any (spec §1.9). Clients show them at init.
const warningGone = "The repository of this provider is gone or not public any more. Its versions may stop being available."

var warningMoved = regexp.MustCompile(`^This provider has moved to [^ ]+\. Please update your source in required_providers\.$`)

// RepositoryWarnings are a provider's warnings as they should be: with what its
// repository's state asks for, and without what it does not ask for any more.
// Only our own phrases are touched, and that of a move stays until another move:
// a maintainer may have written it. to is the address that it has moved to, ""
// where that is not registered.
func RepositoryWarnings(warnings []string, state RepositoryState, to string) []string {
	out := slices.Clone(warnings)
	drop := func(ours func(string) bool) { out = slices.DeleteFunc(out, ours) }
	isGone := func(w string) bool { return w == warningGone }
	switch {
	case state == RepositoryGone:
		if !slices.ContainsFunc(out, isGone) {
			out = append(out, warningGone)
		}
	case state == RepositoryThere:
		drop(isGone)
	case state == RepositoryMoved && to != "":
		drop(isGone)
		phrase := fmt.Sprintf("This provider has moved to %s. Please update your source in required_providers.", to)
		if !slices.Contains(out, phrase) {
			drop(warningMoved.MatchString)
			out = append(out, phrase)
		}
	}
	return out
}

// MovedUnadded are the findings on a repository that has moved and cannot be
// added at its new address yet, as its releases often bear the old name.
func MovedUnadded(asked, now registrydata.Repository, findings []Finding) []Finding {
	out := []Finding{{
		Code: "repository-moved", Severity: Error, Field: fieldRepository,
		Message: fmt.Sprintf("The repository %s is called %s now, and cannot be added under that name yet. What is recorded at the old address still installs, as GitHub redirects the old name.", asked, now),
		Fix:     "Make a release under the new name; the new address is proposed by itself then.",
	}}
	for _, f := range findings {
		if f.Severity == Error {
			out = append(out, f)
		}
	}
	return out
}
