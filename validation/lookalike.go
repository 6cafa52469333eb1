package validation

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed popular.txt
var popularText string

// popular are the names that imitators choose: namespaces, and the names of
// providers with the namespaces that they are known in.
var popular = readPopular(popularText)

type popularNames struct {
	namespaces []string
	// providers are names, as "aws"; known tells of "hashicorp/aws".
	providers []string
	known     map[string]bool
}

func readPopular(text string) popularNames {
	p := popularNames{known: map[string]bool{}}
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		p.known[line] = true
		namespace, name, isProvider := strings.Cut(line, "/")
		if !seen[namespace+"/"] {
			seen[namespace+"/"] = true
			p.namespaces = append(p.namespaces, namespace)
		}
		if isProvider && !seen[name] {
			seen[name] = true
			p.providers = append(p.providers, name)
		}
	}
	return p
}

// shortestAlike is the length from which one edit makes a look-alike: of shorter
// names, one edit leads to many an honest one.
const shortestAlike = 5

// imitates is the popular name that a name could be taken for; "" where it is
// one of them itself, or like none.
func imitates(name string, names []string) string {
	name = strings.ToLower(name)
	var like string
	for _, p := range names {
		switch {
		case name == p:
			return ""
		case like != "":
		case skeleton(name) == skeleton(p),
			len(p) >= shortestAlike && len(name) >= shortestAlike && editDistance(name, p) <= 1:
			like = p
		}
	}
	return like
}

// lookalikes fold what is easily read as something else. GitHub's names are
// ASCII, so that these are all there are.
var lookalikes = strings.NewReplacer("rn", "m", "vv", "w", "cl", "d", "0", "o", "1", "l", "i", "l", "5", "s", "2", "z", "8", "b", "-", "", "_", "", ".", "")

// skeleton is what is left of a name for a reader who does not look closely.
func skeleton(name string) string { return lookalikes.Replace(name) }

// Newcomer is what is known about who submits the first entry of a namespace.
type Newcomer struct {
	// NamespaceIsNew: nothing of the namespace is registered.
	NamespaceIsNew bool
	// AuthorIsMember: the author is the namespace, or shows membership of it in
	// public.
	AuthorIsMember bool
}

// newNames warns the maintainer of names that may be there to be mistaken for
// others, and of a stranger who submits the first entry of a namespace. Provider
// is the name of a provider, empty for a module.
func newNames(namespace, provider, author string, n Newcomer) (out []Finding) {
	if like := imitates(namespace, popular.namespaces); like != "" && n.NamespaceIsNew {
		out = append(out, Finding{
			Code: "namespace-lookalike", Severity: Warning, Field: fieldRepository,
			Message: fmt.Sprintf("The namespace %s is new, and looks like %s, which many people use.", namespace, like),
			Fix:     "Maintainers: make sure that it is not there to be mistaken for the other.",
		})
	}
	if like := imitates(provider, popular.providers); provider != "" && like != "" {
		out = append(out, Finding{
			Code: "name-lookalike", Severity: Warning, Field: fieldRepository,
			Message: fmt.Sprintf("The name %s looks like %s, a provider that many people use.", provider, like),
			Fix:     "Maintainers: make sure that it is not there to be mistaken for the other.",
		})
	}
	if n.NamespaceIsNew && !n.AuthorIsMember && author != "" {
		out = append(out, Finding{
			Code: "namespace-of-another", Severity: Info, Field: fieldRepository,
			Message: fmt.Sprintf("This is the first submission of %s, and %s does not show membership of it.", namespace, author),
			Fix:     "Nothing has to be done: everyone may submit what is public. Members of an organization can make that visible on its People page.",
		})
	}
	return out
}
