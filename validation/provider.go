package validation

import (
	"fmt"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// ProviderInput is what JudgeProvider needs to know.
type ProviderInput struct {
	Submission Submission
	Author     string
	Facts      RepositoryFacts
	// Registered is where this very repository is registered already: itself, a
	// hashicorp/opentofu twin, an alias. Empty: nowhere.
	Registered []registrydata.ProviderAddress
	// ParentRegistered: the repository is a fork of one that is registered.
	ParentRegistered bool
	// Tags are all git tags, Results the verdicts on version tags, newest first.
	Tags    []Tag
	Results []TagResult
	// HasKey: a key on file covers the provider.
	HasKey   bool
	Newcomer Newcomer
	Now      time.Time
}

// ProviderVerdict is the verdict on a provider submission.
type ProviderVerdict struct {
	Report
	Address registrydata.ProviderAddress
	// File is the data file to add; nil unless accepted.
	File              *registrydata.Provider
	Results           []TagResult
	AlreadyRegistered bool
}

// JudgeProvider judges the submission of a provider (spec §3.2, §7):
//
//   - The repository MUST be there and public, and after a renaming still have a
//     provider's name that clients can address.
//   - It MUST NOT be registered already, under any name.
//   - At least one release MUST be valid; of every other the reason is told.
//   - Archived repositories and forks of registered ones are for the maintainer
//     to weigh: warnings.
func JudgeProvider(in ProviderInput) ProviderVerdict {
	v := ProviderVerdict{Results: in.Results}
	findings := append([]Finding(nil), in.Submission.Findings...)
	repository := judgeRepository(in.Submission, in.Facts, KindProvider)
	findings = append(findings, repository...)
	s := in.Submission
	s.Kind = KindProvider
	s = s.located(in.Facts)
	v.Address, _ = registrydata.ProviderFromRepository(s.repository())
	switch {
	case len(in.Registered) > 0:
		v.AlreadyRegistered = true
		findings = append(findings, alreadyRegistered(providerNames(in.Registered)))
	case !HasErrors(repository):
		findings = append(findings, newNames(v.Address.Namespace, v.Address.Name, in.Author, in.Newcomer)...)
		findings = append(findings, forkWarning(in.Facts, in.ParentRegistered)...)
		findings = append(findings, releasesFindings(in)...)
		findings = append(findings, keyHint(v.Address, in)...)
	}
	v.Report = s.Verdict(findings)
	if v.Verdict == Accept {
		v.File = providerFile(in.Results)
	}
	return v
}

// judgeRepository judges what GitHub says about the repository itself.
func judgeRepository(s Submission, f RepositoryFacts, kind Kind) []Finding {
	if !f.Exists || f.Private {
		asked := s.Candidates
		if len(asked) == 0 {
			asked = []registrydata.Repository{f.Repository}
		}
		return []Finding{notFound(asked)}
	}
	var out []Finding
	if len(s.Candidates) > 0 && s.Candidates[0].Key() != f.Repository.Key() {
		out = append(out, Finding{
			Code: "repository-renamed", Severity: Warning, Field: fieldRepository,
			Message: fmt.Sprintf("%s is called %s now. It is judged under that name, which will be its address.", s.Candidates[0], f.Repository),
			Fix:     "If the old address is the one you want, rename the repository back first.",
		})
	}
	switch subject := SubjectKind(f.Repository); subject {
	case kind:
		if finding, ok := checkAddress(f.Repository, kind); !ok {
			return append(out, finding)
		}
	case KindNone:
		return append(out, wrongName(f.Repository, kind))
	default:
		return append(out, Finding{
			Code: "kind-changed", Severity: Error, Field: fieldRepository,
			Message: fmt.Sprintf("%s is the repository of a %s by its name.", f.Repository, subject),
			Fix:     fmt.Sprintf("Edit the issue and give the repository under that name: %s.", f.Repository),
		})
	}
	if f.Archived {
		out = append(out, Finding{
			Code: "repository-archived", Severity: Warning, Field: fieldRepository,
			Message: fmt.Sprintf("%s is archived: it will have no new versions.", f.Repository),
			Fix:     "Unarchive it if it is maintained.",
		})
	}
	return out
}

func alreadyRegistered(names []string) Finding {
	return Finding{
		Code: "already-registered", Severity: Error, Field: fieldRepository,
		Message: fmt.Sprintf("The repository is in the registry already, as %s.", strings.Join(names, " and ")),
		Fix:     "There is nothing to do: new releases are picked up by themselves. If one is missing, say so in a new issue.",
	}
}

func providerNames(list []registrydata.ProviderAddress) []string {
	var out []string
	for _, a := range list {
		out = append(out, a.String())
	}
	return out
}

func forkWarning(f RepositoryFacts, parentRegistered bool) []Finding {
	if !f.Fork || !parentRegistered {
		return nil
	}
	return []Finding{{
		Code: "repository-fork", Severity: Warning, Field: fieldRepository,
		Message: fmt.Sprintf("%s is a fork of %s, which is in the registry.", f.Repository, f.Parent),
		Fix:     "Say in the issue what the fork is for, so that the maintainers can decide.",
	}}
}

func keyHint(a registrydata.ProviderAddress, in ProviderInput) []Finding {
	if in.HasKey {
		return nil
	}
	f := Finding{
		Code: "no-key", Severity: Info,
		Message: fmt.Sprintf("No signing key is on file for %s. Until there is one, clients can't verify its releases; all but OpenTofu with its own registry then refuse to install them.", a),
		Fix:     "Once this submission is merged, submit the public key that signs your releases.",
	}
	if issuers := issuersOfResults(in.Results); len(issuers) > 0 {
		f.Fix = fmt.Sprintf("Once this submission is merged, submit the public key %s: your releases are signed with it.", list(issuers, 3))
	}
	return []Finding{f}
}

// issuersOfResults are the keys named in the newest release that was taken.
func issuersOfResults(results []TagResult) []string {
	for _, r := range results {
		if r.Taken {
			return r.Issuers
		}
	}
	return nil
}

func providerFile(results []TagResult) *registrydata.Provider {
	file := &registrydata.Provider{}
	for _, r := range results {
		if !r.Taken {
			continue
		}
		if _, twice := file.Version(r.Data.Version); !twice {
			file.Versions = append(file.Versions, r.Data)
		}
	}
	sortByVersion(file.Versions, func(v registrydata.ProviderVersion) string { return v.Version })
	return file
}
