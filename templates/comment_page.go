package templates

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// commentPage is a comment as its templates see it.
type commentPage struct {
	facts
	comment Comment
}

func newCommentPage(c Comment) commentPage {
	return commentPage{
		comment: c,
		facts:   facts{Site: c.Site, Provider: c.Provider, Module: c.Module, Key: c.Key, Removal: c.Removal, Findings: shownFindings(c)},
	}
}

// shownFindings leaves out what the comment says better elsewhere: that a key
// is wanted comes with the link to its form.
func shownFindings(c Comment) []validation.Finding {
	var shown []validation.Finding
	for _, f := range c.Report.Findings {
		if f.Code != "no-key" {
			shown = append(shown, f)
		}
	}
	return shown
}

func (p commentPage) kind() validation.Kind {
	if p.comment.Report.Kind != "" {
		return p.comment.Report.Kind
	}
	return p.comment.Answers.Kind
}

// IsKey and IsProvider tell what is submitted.
func (p commentPage) IsKey() bool      { return p.kind() == validation.KindProviderKey }
func (p commentPage) IsProvider() bool { return p.kind() == validation.KindProvider }

// IsRequest tells that something is asked for about versions that are there.
func (p commentPage) IsRequest() bool {
	return p.kind() == validation.KindVersionRemoval || p.kind() == validation.KindVersionReindex
}

// OneProvider tells whether a key is for one provider of its namespace.
func (p commentPage) OneProvider() bool { return p.comment.Report.Name != "" }

// Thing names what is submitted: "the provider `acme/demo`".
func (p commentPage) Thing() string { return thing(p.kind(), addressOf(p.comment.Report)) }

func thing(kind validation.Kind, address string) string {
	name := ""
	if address != "" {
		name = Quote(address, Inline, 200)
	}
	switch kind {
	case validation.KindProvider, validation.KindModule:
		return strings.TrimSpace("the " + string(kind) + " " + name)
	case validation.KindProviderKey:
		if name == "" {
			return "the signing key"
		}
		return "the signing key of " + name
	case validation.KindVersionRemoval, validation.KindVersionReindex:
		return "the request"
	}
	return "the submission"
}

// addressOf is what a report is about: acme/demo, acme/vpc/aws, or acme for a
// key of a namespace.
func addressOf(r validation.Report) string {
	address := r.Namespace
	for _, part := range []string{r.Name, r.Target} {
		if part != "" && address != "" {
			address += "/" + part
		}
	}
	return address
}

// PullLink is the link to the pull request, "" where there is none.
func (p commentPage) PullLink() string {
	if p.comment.Pull == nil {
		return ""
	}
	return link("#"+strconv.Itoa(p.comment.Pull.Number), p.comment.Pull.URL)
}

// Automatic tells that nobody has to merge.
func (p commentPage) Automatic() bool { return p.comment.Merge == MergeAutomatic }

// WantsKey: the provider has no signing key. MayWantKey: that was not looked at.
func (p commentPage) WantsKey() bool {
	return p.Provider != nil && len(p.Provider.Keys) == 0
}
func (p commentPage) MayWantKey() bool { return p.Provider == nil && p.IsProvider() }

// KeyOptional tells whether OpenTofu installs providers without a key from here.
func (p commentPage) KeyOptional() bool { return p.Site.Host() == openTofu }

// Host is the registry's, as code.
func (p commentPage) Host() string { return Quote(p.Site.Host(), Inline, 100) }

// KeyFormURL is the form for the missing key, filled in.
func (p commentPage) KeyFormURL() string {
	return p.Site.KeyFormURL(p.comment.Report.Namespace, p.comment.Report.Name)
}

// FormsURL is where GitHub lists the forms.
func (p commentPage) FormsURL() string { return p.Site.RepositoryURL + "/issues/new/choose" }

// IncidentCode is the reference for the operator, as code.
func (p commentPage) IncidentCode() string {
	if p.comment.Incident == "" {
		return ""
	}
	return Quote(p.comment.Incident, Inline, 100)
}

// VersionsURL is where clients read the versions.
func (p commentPage) VersionsURL() string {
	if address := addressOf(p.comment.Report); p.usable() {
		return p.Site.versionsURL(p.kind(), address)
	}
	return ""
}

// usable tells whether there is an address that a configuration can name.
func (p commentPage) usable() bool {
	var err error
	switch address := addressOf(p.comment.Report); p.kind() {
	case validation.KindProvider:
		_, err = registrydata.ParseProviderAddress(address)
	case validation.KindModule:
		_, err = registrydata.ParseModuleAddress(address)
	default:
		return false
	}
	return err == nil
}

// Snippet is the configuration that uses what was added.
func (p commentPage) Snippet() string {
	if !p.usable() {
		return ""
	}
	source := p.Site.source(addressOf(p.comment.Report))
	if p.IsProvider() {
		return providerSnippet(p.comment.Report.Name, source, p.release())
	}
	return moduleSnippet(p.comment.Report.Name, source, p.release())
}

// release is the newest version that is no pre-release, or else the newest.
func (p commentPage) release() string {
	var results []validation.TagResult
	if p.Provider != nil {
		results = p.Provider.Versions
	} else if p.Module != nil {
		results = p.Module.Versions
	}
	for _, r := range results {
		if r.Taken && !strings.Contains(r.Version, "-") {
			return strings.TrimPrefix(r.Version, "v")
		}
	}
	return strings.TrimPrefix(newest(results), "v")
}

func providerSnippet(name, source, version string) string {
	return fmt.Sprintf("terraform {\n  required_providers {\n    %s = {\n%s    }\n  }\n}", name, sourceLines("      ", source, version))
}

func moduleSnippet(name, source, version string) string {
	return fmt.Sprintf("module %q {\n%s}", name, sourceLines("  ", source, version))
}

func sourceLines(indent, source, version string) string {
	if version == "" {
		return fmt.Sprintf("%ssource = %q\n", indent, source)
	}
	return fmt.Sprintf("%ssource  = %q\n%sversion = %q\n", indent, source, indent, version)
}

// Read is what was read from the issue.
func (p commentPage) Read() []row {
	a := p.comment.Answers
	var rows []row
	add := func(what, answer string, asked bool) {
		if asked || answer != "" {
			rows = append(rows, row{What: what, Found: Quote(answer, Inline, 200)})
		}
	}
	switch a.Kind {
	case validation.KindProvider, validation.KindModule:
		add("Repository", a.Repository, true)
	case validation.KindProviderKey:
		add("Namespace", a.Namespace, true)
		add("Provider", a.ProviderName, false)
		rows = append(rows, row{What: "Key", Found: keyInShort(a.Key)})
	case validation.KindVersionRemoval, validation.KindVersionReindex:
		rows = append(rows, row{What: "Wanted", Found: requestWords[a.Kind]})
		add("Type", a.Type, false)
		add("Repository", a.Repository, true)
		add("Versions", a.Version, true)
	}
	return rows
}

var requestWords = map[validation.Kind]string{
	validation.KindVersionRemoval: "to remove versions",
	validation.KindVersionReindex: "to index versions again",
}

// keyInShort describes the answer to the question for the key.
func keyInShort(key string) string {
	key = strings.TrimSpace(key)
	if !keyBegins.MatchString(key) {
		return Quote(key, Inline, 100)
	}
	return "a key block of " + count(len(splitLines(key)), "line")
}
