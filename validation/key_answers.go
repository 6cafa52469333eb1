package validation

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

const (
	fieldNamespace = "namespace"
	fieldProvider  = "provider"
)

var accountName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// readKeyAnswers reads the answers of the key form.
//
//   - The namespace MUST be one that a client can address. An address on GitHub
//     or of a provider is understood as what it names.
//   - The provider's name is optional. "terraform-provider-" in it MUST be
//     refused with the name that was meant: three keys of the public registry
//     are never served for it (spec §1.7).
//   - There MUST be one public key.
func (s *Submission) readKeyAnswers(a Answers) {
	namespace, name := s.readNamespace(a)
	provider := s.readProviderName(a.ProviderName, namespace)
	if provider == "" {
		provider = name
	}
	s.Namespace, s.Name = namespace, provider
	if a.PrivateKey {
		return // said already; whatever else is pasted is not looked at
	}
	key, findings := cutKey([]byte(a.Key))
	s.Key = key
	s.add(findings...)
}

// readNamespace reads the namespace, and the provider's name where the answer
// names that too.
func (s *Submission) readNamespace(a Answers) (namespace, name string) {
	text := plain(a.Namespace)
	if unanswered(text) {
		s.add(Finding{
			Code: "namespace-missing", Severity: Error, Field: fieldNamespace,
			Message: "The namespace is missing.",
			Fix:     "Edit the issue and give the GitHub user or organization that releases the provider, for example acme.",
		})
		return "", ""
	}
	typed := bare(text)
	namespace = typed
	if !accountName.MatchString(typed) {
		namespace, name = accountOf(text, hostOf(a.WebURL))
	}
	namespace = strings.ToLower(namespace)
	probe := registrydata.ProviderAddress{Namespace: namespace, Name: name}
	if name == "" {
		probe.Name = "x"
	}
	if probe.Check() != nil {
		s.add(Finding{
			Code: "namespace-invalid", Severity: Error, Field: fieldNamespace,
			Message: fmt.Sprintf("The answer %s is no namespace.", quote(text)),
			Fix:     "Edit the issue and give the GitHub user or organization alone, for example acme.",
		})
		return "", ""
	}
	if namespace != typed {
		s.add(Finding{
			Code: "namespace-read", Severity: Info, Field: fieldNamespace,
			Message: fmt.Sprintf("The answer %s was read as the namespace %s.", quote(text), withProvider(namespace, name)),
		})
	}
	return namespace, name
}

// bare takes what Markdown and habit put around a name from it.
func bare(text string) string {
	text = strings.TrimLeft(text, " `*<[(\"'@")
	return strings.ToLower(strings.TrimRight(text, " `*>])\"',.;:/"))
}

func withProvider(namespace, name string) string {
	if name == "" {
		return namespace
	}
	return namespace + " and the provider " + name
}

// accountOf reads a namespace out of an address: https://github.com/acme,
// acme/terraform-provider-demo, acme/demo.
func accountOf(text, webHost string) (namespace, name string) {
	ref, _ := bestReference(text, webHost)
	switch ref.kind {
	case ownerOnly, otherRepository:
		return ref.repo.Owner, ""
	case namedRepository:
		a, _ := registrydata.ProviderFromRepository(ref.repo)
		return ref.repo.Owner, a.Name
	case registryAddress, bareAddress:
		if len(ref.parts) == 2 {
			return ref.parts[0], strings.ToLower(ref.parts[1])
		}
	}
	return "", ""
}

func (s *Submission) readProviderName(answer, namespace string) string {
	text := plain(answer)
	if unanswered(text) {
		return ""
	}
	name := bare(text)
	if owner, rest, ok := strings.Cut(name, "/"); ok && owner == namespace {
		name = rest
	}
	if short, ok := strings.CutPrefix(name, "terraform-provider-"); ok && isProviderName(short) {
		s.add(Finding{
			Code: "provider-name-prefix", Severity: Error, Field: fieldProvider,
			Message: fmt.Sprintf("The provider name %s holds the beginning of a repository's name.", quote(text)),
			Fix:     fmt.Sprintf("Edit the issue and write %s. For a key of all providers of the namespace leave the field empty.", quote(short)),
		})
		return short
	}
	if !isProviderName(name) {
		s.add(Finding{
			Code: "provider-name-invalid", Severity: Error, Field: fieldProvider,
			Message: fmt.Sprintf("The answer %s is no provider's name.", quote(text)),
			Fix:     "Edit the issue and give one name, for example demo for acme/terraform-provider-demo. For a key of all providers of the namespace leave the field empty.",
		})
		return ""
	}
	return name
}

func isProviderName(name string) bool {
	return (registrydata.ProviderAddress{Namespace: "x", Name: name}).Check() == nil
}
