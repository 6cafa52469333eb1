package templates

import (
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// WarningPull is the pull request that follows a repository that is not where it
// was: renamed, transferred, gone, or back again.
type WarningPull struct {
	Site       Site
	Kind       validation.Kind // KindProvider or KindModule
	Address    string
	Repository string // as it is registered
	State      validation.RepositoryState
	Now        registrydata.Repository // where it has moved to
	// Warning is the phrase that users are shown from then on; "" where there is
	// none.
	Warning string
	// Added is the new address, "" where none is added; Provider or Module is
	// what was looked at there.
	Added    string
	Provider *ProviderCheck
	Module   *ModuleCheck
	Findings []validation.Finding
	Files    []string
	Merge    Merge
}

// WarningPullTitle is plain text of at most 256 characters.
func WarningPullTitle(p WarningPull) string {
	return plainTitle(plainThing(p.Kind, p.Address) + ": " + p.short())
}

// short says in words what became of the repository.
func (p WarningPull) short() string {
	switch p.State {
	case validation.RepositoryMoved:
		return "the repository has moved to " + p.Now.String()
	case validation.RepositoryGone:
		return "warn that the repository is gone"
	}
	return "the repository is back"
}

// WarningPullBody begins with its marker (MarkerWarning, "<kind>=<address>").
func WarningPullBody(p WarningPull) string {
	return body(Marker(MarkerWarning, string(p.Kind)+"="+p.Address), "pull-warning.md", warningPage{
		facts: facts{Site: p.Site, Provider: p.Provider, Module: p.Module, Findings: p.Findings}, pull: p,
	})
}

// warningPage is such a pull request as its template sees it.
type warningPage struct {
	facts
	pull WarningPull
}

func (p warningPage) Thing() string    { return thing(p.pull.Kind, p.pull.Address) }
func (p warningPage) Files() string    { return filesOf(p.pull.Files) }
func (p warningPage) Decision() string { return p.pull.Merge.decision() }

// Warning is the phrase as code: it is our own, with a stranger's name in it.
func (p warningPage) Warning() string {
	if p.pull.Warning == "" {
		return ""
	}
	return Quote(p.pull.Warning, Inline, 400)
}

// Added names the new address.
func (p warningPage) Added() string {
	if p.pull.Added == "" {
		return ""
	}
	return thing(p.pull.Kind, p.pull.Added)
}

func (p warningPage) RepositoryLink() string {
	repo := repositoryOf(p.pull.Repository)
	return link(Quote(repo.String(), Inline, 150), p.Site.repositoryURL(repo))
}

// Happened goes on after the name of the repository.
func (p warningPage) Happened() string {
	switch p.pull.State {
	case validation.RepositoryMoved:
		now := p.pull.Now
		return "is " + link(Quote(now.String(), Inline, 150), p.Site.repositoryURL(now)) + " now. GitHub redirects the old name, so that what is recorded still installs."
	case validation.RepositoryGone:
		return "was deleted or is not public any more. Nothing is taken out of the registry; what is recorded may stop being available."
	}
	return "is public again, and the same that it was: the warning goes."
}

var withdrawn = Marker(MarkerWarning, "withdrawn")

// WithdrawnPullBody is the body of a pull request that the App closes itself,
// for its reason is gone.
func WithdrawnPullBody(text string) string {
	return fit(strings.TrimRight(text, "\n"), maxText-len(withdrawn)-2) + "\n\n" + withdrawn
}

// PullWithdrawn tells that the App closed a pull request, and no maintainer.
func PullWithdrawn(text string) bool { return strings.HasSuffix(strings.TrimSpace(text), withdrawn) }
