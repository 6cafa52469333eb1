package templates

import (
	"net/url"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// Setup is what someone who has installed the App is shown.
type Setup struct {
	Site                Site
	Offered, Registered []Offer
}

// Offer is a repository that holds a provider or module by its name.
type Offer struct {
	Kind           validation.Kind // KindProvider or KindModule
	Address        string
	Repository     registrydata.Repository
	Fork, Archived bool
}

// SubmissionFormURL is the issue form for a provider or module, filled in by the
// ids of its fields (see KeyFormURL).
func (s Site) SubmissionFormURL(o Offer) string {
	query := url.Values{"template": {"provider.yml"}, "repository": {o.Repository.String()}, "title": {"Provider: " + o.Address}}
	if o.Kind == validation.KindModule {
		query = url.Values{"template": {"module.yml"}, "module_repository": {o.Repository.String()}, "title": {"Module: " + o.Address}}
	}
	return s.RepositoryURL + "/issues/new?" + query.Encode()
}
