package validation

import (
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// SubjectKind is the kind of thing that a repository of this name holds:
// KindProvider, KindModule or KindNone.
func SubjectKind(r registrydata.Repository) Kind {
	if _, ok := registrydata.ProviderFromRepository(r); ok {
		return KindProvider
	}
	if _, ok := registrydata.ModuleFromRepository(r); ok {
		return KindModule
	}
	return KindNone
}

// checkAddress tells whether clients can address what the repository holds (the
// rules of spec §1.2, which are the clients' own).
func checkAddress(repo registrydata.Repository, subject Kind) (Finding, bool) {
	var err error
	code, part := "provider-name", "terraform-provider-name"
	if subject == KindModule {
		a, _ := registrydata.ModuleFromRepository(repo)
		err, code, part = a.Check(), "module-name", "terraform-target-name"
	} else {
		a, _ := registrydata.ProviderFromRepository(repo)
		err = a.Check()
	}
	if err == nil {
		return Finding{}, true
	}
	return Finding{
		Code: code, Severity: Error, Field: fieldRepository,
		Message: fmt.Sprintf("No client could address the %s in %s: %v.", subject, quote(repo.String()), err),
		Fix:     "Rename the repository (" + part + "), or move it to an account whose name the rule allows, then edit the issue.",
	}, false
}

func kindCorrected(repo registrydata.Repository, form, subject Kind) Finding {
	return Finding{
		Code: "kind-corrected", Severity: Info, Field: fieldRepository,
		Message: fmt.Sprintf("By its name, %s holds a %s. It is treated as one, although the form was the one for a %s.",
			repo, subject, form),
	}
}

// wrongName answers a repository whose name is neither a provider's nor a
// module's, with a name that would do where one can be guessed.
func wrongName(repo registrydata.Repository, kind Kind) Finding {
	f := Finding{
		Code: "repository-name", Severity: Error, Field: fieldRepository,
		Message: fmt.Sprintf("The repository %s has a name that the registry cannot use: the name of a %s's repository has the form %s.",
			quote(repo.String()), kind, nameForm(kind)),
		Fix: "Rename the repository on GitHub (it redirects the old name), then edit the issue.",
	}
	if better := betterName(repo.Name, kind); better != "" {
		f.Fix = fmt.Sprintf("Rename the repository on GitHub, for example to %s (it redirects the old name), then edit the issue.", better)
	}
	return f
}

func nameForm(kind Kind) string {
	if kind == KindModule {
		return "terraform-target-name, where target is the main system it works with, such as aws"
	}
	return "terraform-provider-name"
}

// betterName proposes a name for a repository; empty where none suggests
// itself.
func betterName(name string, kind Kind) string {
	core := strings.ToLower(name)
	for _, prefix := range []string{"opentofu", "tofu", "terraform"} {
		if rest, ok := strings.CutPrefix(core, prefix); ok {
			core = strings.TrimLeft(rest, "-_.")
			break
		}
	}
	core = strings.Trim(strings.Map(dashes, core), "-_")
	if kind == KindModule {
		if core != "" && !strings.Contains(core, "-") {
			return "terraform-" + core + "-NAME or terraform-TARGET-" + core
		}
		if better := "terraform-" + core; SubjectKind(registrydata.Repository{Owner: "o", Name: better}) == KindModule && !strings.EqualFold(better, name) {
			return better
		}
		return ""
	}
	core = strings.TrimPrefix(core, "provider-")
	if core == "" || (registrydata.ProviderAddress{Namespace: "o", Name: core}).Check() != nil {
		return ""
	}
	return "terraform-provider-" + core
}

func dashes(r rune) rune {
	if r == '_' || r == '.' {
		return '-'
	}
	return r
}
