package validation

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// KeyInput is what JudgeKey needs to know.
type KeyInput struct {
	Submission Submission
	Author     string
	// AuthorIsMember: the author is a public member of the namespace, an
	// organization. (An author who is the namespace needs no proof.)
	AuthorIsMember bool
	// Providers are all providers registered in the namespace.
	Providers []registrydata.ProviderAddress
	// AllNamespaces are all that have providers, for suggestions.
	AllNamespaces []string
	// Aliases say which namespaces are served with another's keys.
	Aliases registrydata.Aliases
	// Latest are the newest releases of the providers that the key would cover.
	Latest []LatestRelease
	// OnFile are the key files of the namespace and of its providers.
	OnFile       []KeyOnFile
	IssueCreated time.Time
	Now          time.Time
}

// KeyVerdict is the verdict on the submission of a signing key.
type KeyVerdict struct {
	Report
	// Path is where the key goes, keys/a/acme[/demo]/provider-<unix>.asc, and
	// Armor what goes there; both empty unless accepted.
	Path  string
	Armor []byte
	Key   Key
	// Coverage has one entry for each provider that the key would cover.
	Coverage []KeyCoverage
	// Duplicate is the path under which the same key is on file already.
	Duplicate string
}

// JudgeKey judges the submission of a signing key (spec §3.4, §6, §7):
//
//   - The key itself MUST pass JudgeKeyMaterial.
//   - Namespace and provider MUST be registered: three keys of the public
//     registry lie where nothing is served from.
//   - The author MUST be the namespace or a public member of it.
//   - The same key MUST NOT be on file already, unless that copy has expired and
//     this one has not.
//   - It MUST NOT make a provider uninstallable.
//
// The path depends on the issue's creation only, so that a second run gives the
// same.
func JudgeKey(in KeyInput) KeyVerdict {
	v := KeyVerdict{}
	s := in.Submission
	s.Kind = KindProviderKey
	findings := append([]Finding(nil), s.Findings...)
	var material []Finding
	if len(s.Key) > 0 {
		v.Key, material = JudgeKeyMaterial(s.Key, in.Now)
		findings = append(findings, material...)
	}
	place := placeFindings(in)
	findings = append(findings, place...)
	findings = append(findings, membership(in)...)
	if v.Key.Fingerprint != "" && !HasErrors(place) {
		duplicate, path := onFile(in, v.Key)
		v.Duplicate = path
		findings = append(findings, duplicate...)
		if path == "" && !HasErrors(material) {
			v.Coverage = cover(v.Key, s.Name, in.Providers, in.Latest, in.Now)
			findings = append(findings, coverageFindings(v.Key, s.Name, v.Coverage)...)
		}
	}
	v.Report = s.Verdict(findings)
	if v.Verdict == Accept && len(s.Key) > 0 {
		v.Path, v.Armor = keyPath(in), s.Key
	}
	return v
}

// keyDirectory is the folder that the key goes to.
func keyDirectory(s Submission) string {
	if s.Name == "" {
		return registrydata.NamespaceKeyDirectory(s.Namespace)
	}
	return registrydata.ProviderKeyDirectory(registrydata.ProviderAddress{Namespace: s.Namespace, Name: s.Name})
}

func keyPath(in KeyInput) string {
	return fmt.Sprintf("%s/provider-%d.asc", keyDirectory(in.Submission), in.IssueCreated.Unix())
}

// placeFindings judges namespace and provider against what is registered.
func placeFindings(in KeyInput) []Finding {
	s := in.Submission
	if s.Namespace == "" {
		return nil
	}
	if effective := in.Aliases.EffectiveNamespace(s.Namespace); effective != s.Namespace {
		return []Finding{{
			Code: "namespace-alias", Severity: Error, Field: fieldNamespace,
			Message: fmt.Sprintf("The providers of %s are served with the keys of %s.", s.Namespace, effective),
			Fix:     fmt.Sprintf("Edit the issue and give %s as the namespace.", effective),
		}}
	}
	if len(in.Providers) == 0 {
		return []Finding{unregisteredNamespace(s.Namespace, in.AllNamespaces)}
	}
	var known []string
	for _, p := range in.Providers {
		if s.Name == "" || p.Name == s.Name {
			return nil
		}
		known = append(known, p.Name)
	}
	return []Finding{unregisteredProvider(s, known)}
}

func unregisteredNamespace(namespace string, all []string) Finding {
	f := Finding{
		Code: "namespace-not-registered", Severity: Error, Field: fieldNamespace,
		Message: fmt.Sprintf("No provider of the namespace %s is in the registry.", quote(namespace)),
		Fix:     "Submit the provider first. When it is merged, comment /recheck here.",
	}
	near := suggest(namespace, all)
	if short, ok := strings.CutPrefix(namespace, "terraform-provider-"); ok && len(near) == 0 {
		near = suggest(short, all)
	}
	if len(near) > 0 {
		f.Fix = fmt.Sprintf("Did you mean %s? Then edit the issue. Otherwise submit the provider first, and comment /recheck here when it is merged.",
			strings.Join(near, " or "))
	}
	return f
}

func unregisteredProvider(s Submission, known []string) Finding {
	f := Finding{
		Code: "provider-not-registered", Severity: Error, Field: fieldProvider,
		Message: fmt.Sprintf("There is no provider %s/%s in the registry. The namespace has %s.", s.Namespace, s.Name, list(known, 10)),
		Fix:     "Give one of those, or leave the provider empty for a key of them all. A new provider has to be submitted first.",
	}
	if near := suggest(s.Name, known); len(near) > 0 {
		f.Fix = fmt.Sprintf("Did you mean %s? Then edit the issue. A new provider has to be submitted first.", strings.Join(near, " or "))
	}
	return f
}

// membership judges whether the author may speak for the namespace (spec §6.1).
// The box in the form proves nothing.
func membership(in KeyInput) []Finding {
	s := in.Submission
	if s.Namespace == "" || in.AuthorIsMember || strings.EqualFold(in.Author, s.Namespace) {
		return nil
	}
	return []Finding{{
		Code: "author-not-a-member", Severity: Error, Field: fieldNamespace,
		Message: fmt.Sprintf("%s is neither %s nor shown in public as a member of it.", quote(in.Author), s.Namespace),
		Fix: fmt.Sprintf("Make your membership public on GitHub's page of the organization's people (/orgs/%s/people), then comment /recheck. If you are no member, ask someone who is to submit the key.",
			s.Namespace),
	}}
}

// onFile looks for the same key among those that cover what this one would.
func onFile(in KeyInput, key Key) (findings []Finding, duplicate string) {
	namespace := registrydata.NamespaceKeyDirectory(in.Submission.Namespace)
	here := keyDirectory(in.Submission)
	for _, f := range in.OnFile {
		dir := path.Dir(f.Path)
		if dir != here && dir != namespace {
			continue
		}
		have, err := ParseKey(f.Armor)
		if err != nil || have.Fingerprint != key.Fingerprint {
			continue
		}
		if have.expired(in.Now) && !key.expired(in.Now) {
			findings = append(findings, Finding{
				Code: "key-renewed", Severity: Info, Field: fieldKey,
				Message: fmt.Sprintf("The key is on file as %s, where it has expired. This is the renewed one.", f.Path),
			})
			continue
		}
		return []Finding{keyError("key-already-on-file",
			fmt.Sprintf("The key %s is on file already, as %s.", key.KeyID, f.Path),
			"There is nothing to do. If clients don't accept a release, it was signed with another key.")}, f.Path
	}
	return findings, ""
}
