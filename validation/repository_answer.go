package validation

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// What the forms ask for, in words.
const (
	wantProvider = "owner/terraform-provider-name, for example acme/terraform-provider-demo"
	wantModule   = "owner/terraform-target-name, for example acme/terraform-aws-vpc"
)

func wanted(kind Kind) string {
	if kind == KindModule {
		return wantModule
	}
	return wantProvider
}

// repositoryAnswer is what the answer to the repository question says.
type repositoryAnswer struct {
	kind       Kind
	read       registrydata.Repository
	candidates []registrydata.Repository
	findings   []Finding
}

// readRepository reads the answer to the repository question of a form.
//
//   - It MUST find owner/name in any of the shapes that people paste: GitHub
//     addresses of pages, files and clones, code, Markdown links, free text
//     around them, in any case.
//   - A registry address MUST be read as the repository that it stands for.
//   - The form's own placeholder, another host, an owner alone and a name alone
//     MUST each get their own answer, which shows what was read.
func readRepository(answer string, kind Kind, webHost string) repositoryAnswer {
	text := plain(answer)
	if unanswered(text) {
		return refused(kind, "repository-missing", "The repository is missing.",
			"Edit the issue and give it as "+wanted(kind)+".")
	}
	if isPlaceholder(text) {
		return refused(kind, "repository-placeholder",
			fmt.Sprintf("The answer %s is the form's own example.", quote(text)),
			"Edit the issue and put your own names in its place: "+wanted(kind)+".")
	}
	best, others := bestReference(text, webHost)
	out := understand(best, text, kind)
	if len(others) > 0 {
		out.findings = append(out.findings, Finding{
			Code: "repository-several", Severity: Warning, Field: fieldRepository,
			Message: fmt.Sprintf("The answer names several repositories. Only %s was read, not %s.",
				best.repo, list(others, 3)),
			Fix: "Open one issue for each repository.",
		})
	}
	return out
}

const fieldRepository = "repository"

func refused(kind Kind, code, message, fix string) repositoryAnswer {
	return repositoryAnswer{kind: kind, findings: []Finding{
		{Code: code, Severity: Error, Field: fieldRepository, Message: message, Fix: fix},
	}}
}

var (
	braces      = strings.NewReplacer("{", "", "}", "", "\\_", "_", "\\-", "-", "\\*", "", "\\", "/")
	spacedSlash = regexp.MustCompile(` ?/ ?`)
)

// isPlaceholder recognises the example in the forms, whole or damaged, with
// some or none of it filled in.
func isPlaceholder(text string) bool {
	lower := strings.ToLower(text)
	bare := strings.Trim(braces.Replace(lower), " `<>[]()\"'*.")
	switch bare {
	case "owner/terraform-target-name", "owner/terraform-provider-name", "organization/terraform-provider-name",
		"organization/terraform-name-targetsystem", "organization/terraform-target-name":
		return true
	}
	for _, part := range []string{"owner", "organization", "target", "targetsystem", "name"} {
		if strings.Contains(lower, "{"+part+"}") || strings.HasSuffix(lower, "{"+part) || strings.HasPrefix(lower, part+"}") {
			return true
		}
	}
	return false
}

// bestReference finds the surest reference in an answer. The others are
// different repositories that are named as surely.
func bestReference(text, webHost string) (best reference, others []string) {
	words := strings.FieldsFunc(spacedSlash.ReplaceAllString(braces.Replace(text), "/"), func(r rune) bool {
		return r > 0x7e || !isWordByte(byte(r))
	})
	seen := map[string]bool{}
	for i, w := range words {
		ref := readWord(w, webHost)
		if ref.kind == bareAddress && i > 0 && len(words) > 3 {
			continue // "24/7" or "and/or" in a sentence
		}
		switch {
		case ref.kind > best.kind:
			best, others = ref, nil
			seen = map[string]bool{ref.repo.Key(): true}
		case ref.kind == namedRepository && best.kind == namedRepository && !seen[ref.repo.Key()]:
			seen[ref.repo.Key()] = true
			others = append(others, ref.repo.String())
		}
	}
	return best, others
}

func isWordByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' ||
		strings.IndexByte("-._~:/?#@!$&*+=%", b) >= 0
}

// understand turns the best reference of an answer into repositories.
func understand(ref reference, text string, kind Kind) repositoryAnswer {
	edit := "Edit the issue and give the repository as " + wanted(kind) + "."
	switch ref.kind {
	case namedRepository, otherRepository:
		return understandRepository(ref.repo, kind)
	case registryAddress, bareAddress:
		return understandAddress(ref, text, kind)
	case otherHost:
		return refused(kind, "repository-host",
			fmt.Sprintf("The answer %s is on %s. The registry takes repositories on GitHub only.", quote(text), ref.host),
			"Publish the releases on GitHub and give that repository as "+wanted(kind)+".")
	case ownerOnly:
		return refused(kind, "repository-name-missing",
			fmt.Sprintf("The answer %s names the account %s but no repository.", quote(text), ref.repo.Owner), edit)
	case nameOnly:
		return refused(kind, "repository-owner-missing",
			fmt.Sprintf("The answer %s names the repository %s but not its owner.", quote(text), ref.repo.Name),
			fmt.Sprintf("Edit the issue and put the owner before it: owner/%s.", ref.repo.Name))
	}
	return refused(kind, "repository-unreadable", fmt.Sprintf("No repository could be read from the answer %s.", quote(text)), edit)
}

// understandRepository judges a repository's name: what kind of thing it holds,
// and whether a client could address that.
func understandRepository(repo registrydata.Repository, kind Kind) repositoryAnswer {
	out := repositoryAnswer{kind: kind, read: repo}
	subject := SubjectKind(repo)
	if subject == KindNone {
		out.findings = []Finding{wrongName(repo, kind)}
		return out
	}
	out.kind = subject
	if f, ok := checkAddress(repo, subject); !ok {
		out.findings = append(out.findings, f)
		return out
	}
	out.candidates = []registrydata.Repository{repo}
	if subject != kind {
		out.findings = append(out.findings, kindCorrected(repo, kind, subject))
	}
	return out
}

// understandAddress reads a registry address as the repository it stands for.
func understandAddress(ref reference, text string, kind Kind) repositoryAnswer {
	repo, ok := repositoryOfAddress(ref, kind)
	if !ok {
		read := registrydata.Repository{Owner: ref.parts[0], Name: ref.parts[1]}
		return repositoryAnswer{kind: kind, read: read, findings: []Finding{wrongName(read, kind)}}
	}
	out := understandRepository(repo, kind)
	if len(out.candidates) > 0 {
		out.findings = append(out.findings, Finding{
			Code: "repository-from-address", Severity: Info, Field: fieldRepository,
			Message: fmt.Sprintf("The answer %s is a registry address. It stands for the repository %s.", quote(text), repo),
		})
	}
	return out
}

// repositoryOfAddress turns acme/demo into acme/terraform-provider-demo and
// acme/vpc/aws into acme/terraform-aws-vpc. Two parts in the module form are no
// address: a module has three.
func repositoryOfAddress(ref reference, kind Kind) (registrydata.Repository, bool) {
	p := ref.parts
	switch {
	case len(p) == 3:
		return registrydata.Repository{Owner: p[0], Name: "terraform-" + p[2] + "-" + p[1]}, true
	case ref.subject == KindModule, kind == KindModule && ref.kind == bareAddress, looksLikeRepositoryName(p[1]):
		return registrydata.Repository{}, false
	}
	return registrydata.Repository{Owner: p[0], Name: "terraform-provider-" + p[1]}, true
}

// looksLikeRepositoryName tells a repository with the wrong name from the name
// of a provider.
func looksLikeRepositoryName(name string) bool {
	lower := strings.ToLower(name)
	for _, prefix := range []string{"opentofu-", "tofu-", "terraform_", "terraform.", "provider-"} {
		if strings.HasPrefix(lower, prefix) {
			return true
		}
	}
	return strings.HasSuffix(lower, ".git") || strings.Contains(lower, "terraform-provider")
}
