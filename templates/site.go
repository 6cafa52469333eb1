package templates

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// Site is the registry that the sentences speak for.
type Site struct {
	Name          string // "Example Registry"
	BaseURL       string // where clients read: https://registry.example.org
	RepositoryURL string // web address of the metadata repository: https://github.com/o/r
	BotLogin      string // login of the App's user: "registrar[bot]"
}

// openTofu is the one host from which OpenTofu installs providers that have no
// signing key, and the one that its short addresses mean (spec/protocols.md §3).
const openTofu = "registry.opentofu.org"

// Host is the name that addresses in a configuration begin with:
// registry.example.org, or 127.0.0.1:8443.
func (s Site) Host() string {
	u, err := url.Parse(s.BaseURL)
	if err != nil || u.Host == "" {
		return strings.TrimSuffix(s.BaseURL, "/")
	}
	return u.Host
}

// KeyFormURL is the form for a signing key, filled in for a namespace and,
// where name is not empty, one provider. GitHub fills a form's fields from
// query parameters named after their ids
// (docs.github.com/issues/tracking-your-work-with-issues/creating-an-issue#creating-an-issue-from-a-url-query).
func (s Site) KeyFormURL(namespace, name string) string {
	query := url.Values{"template": {"provider_key.yml"}, "namespace": {namespace}}
	if name != "" {
		query.Set("providername", name)
	}
	return s.RepositoryURL + "/issues/new?" + query.Encode()
}

// source is an address as a configuration names it.
func (s Site) source(address string) string {
	if s.Host() == openTofu {
		return address
	}
	return s.Host() + "/" + address
}

// versionsURL is where clients read the versions of an address.
func (s Site) versionsURL(kind validation.Kind, address string) string {
	return strings.TrimSuffix(s.BaseURL, "/") + "/v1/" + string(kind) + "s/" + escapePath(address) + "/versions"
}

// github is the web address of GitHub itself, without a final slash.
func (s Site) github() string {
	base := strings.TrimSuffix(s.RepositoryURL, "/")
	for range 2 {
		base = base[:max(0, strings.LastIndexByte(base, '/'))]
	}
	return base
}

func (s Site) repositoryURL(r registrydata.Repository) string {
	return s.github() + "/" + escapePath(r.String())
}

func (s Site) releaseURL(r registrydata.Repository, tag string) string {
	return s.repositoryURL(r) + "/releases/tag/" + url.PathEscape(tag)
}

func (s Site) treeURL(r registrydata.Repository, tag string) string {
	return s.repositoryURL(r) + "/tree/" + url.PathEscape(tag)
}

func (s Site) issueURL(number int) string {
	return s.RepositoryURL + "/issues/" + strconv.Itoa(number)
}

// escapePath escapes the parts of a path, so that nothing in them ends the
// Markdown link that they stand in.
func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}
