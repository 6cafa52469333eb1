package templates

import (
	"strings"

	"github.com/tofu-registrar/registrar/validation"
)

// Alert is the issue about a release that could not be published.
type Alert struct {
	Site       Site
	Kind       validation.Kind      // KindProvider or KindModule
	Address    string               // "acme/demo", "acme/vpc/aws"
	Repository string               // "acme/terraform-provider-demo"
	Version    validation.TagResult // with the findings that stopped it
	Keys       []string             // ids of the keys on file that cover the provider
	// Resolved: the version is published after all, or its release is gone.
	Resolved bool
}

// AlertTitle is plain text of at most 256 characters.
func AlertTitle(a Alert) string {
	return Quote(plainThing(a.Kind, a.Address)+": "+a.Version.Tag+" was not published", Plain, maxTitle-1)
}

// AlertBody begins with its marker (MarkerAlert, "<kind>=<address> tag=<tag>").
func AlertBody(a Alert) string {
	marker := Marker(MarkerAlert, string(a.Kind)+"="+a.Address+" tag="+a.Version.Tag)
	return body(marker, "alert.md", alertPage{facts{Site: a.Site, Findings: a.Version.Findings}, a})
}

// alertPage is an alert as its template sees it.
type alertPage struct {
	facts
	alert Alert
}

func (p alertPage) Resolved() bool { return p.alert.Resolved }

// Name is what was not published.
func (p alertPage) Name() string {
	return Quote(p.alert.Version.Tag, Inline, 100) + " of " + thing(p.alert.Kind, p.alert.Address)
}

func (p alertPage) TagLink() string {
	tag, repo := p.alert.Version.Tag, repositoryOf(p.alert.Repository)
	if p.alert.Kind == validation.KindModule {
		return link(Quote(tag, Inline, 100), p.Site.treeURL(repo, tag))
	}
	return link(Quote(tag, Inline, 100), p.Site.releaseURL(repo, tag))
}

func (p alertPage) RepositoryLink() string {
	repo := repositoryOf(p.alert.Repository)
	return link(Quote(repo.String(), Inline, 150), p.Site.repositoryURL(repo))
}

// KeyMatters tells whether the signature is what stopped the release.
func (p alertPage) KeyMatters() bool {
	switch p.alert.Version.Signature {
	case validation.SignatureUnknownIssuer, validation.SignatureUnchecked, validation.SignatureBad:
		return p.alert.Kind == validation.KindProvider
	}
	return false
}

func (p alertPage) Issuers() string { return codes(p.alert.Version.Issuers, 5) }
func (p alertPage) OnFile() string  { return codes(p.alert.Keys, 10) }

// KeyFormURL is the form for a new key of the provider, filled in.
func (p alertPage) KeyFormURL() string {
	namespace, name, _ := strings.Cut(p.alert.Address, "/")
	return p.Site.KeyFormURL(namespace, name)
}
