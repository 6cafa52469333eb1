package templates

import (
	"regexp"
	"strings"

	"github.com/tofu-registrar/registrar/validation"
)

// hint is what an issue's labels and title say about its kind.
type hint struct {
	kind      validation.Kind
	byLabel   bool
	submitted bool // with the labels of a form: nobody else can set them
}

// titlePrefixes are those that the forms put before a title.
var titlePrefixes = []struct {
	prefix string
	kind   validation.Kind
}{
	{"provider key:", validation.KindProviderKey},
	{"provider:", validation.KindProvider},
	{"module:", validation.KindModule},
	{"version removal request:", validation.KindVersionRemoval},
	{"version re-indexing request:", validation.KindVersionReindex},
}

func hintOf(title string, labels []string) hint {
	has := map[string]bool{}
	for _, l := range labels {
		has[strings.ToLower(strings.TrimSpace(l))] = true
	}
	byTitle := kindOfTitle(title)
	kind := kindOfLabels(has, byTitle)
	if kind == validation.KindNone {
		return hint{kind: byTitle}
	}
	return hint{kind: kind, byLabel: true, submitted: has["submission"] || has["version-request"]}
}

func kindOfTitle(title string) validation.Kind {
	title = strings.ToLower(strings.TrimSpace(title))
	for _, t := range titlePrefixes {
		if strings.HasPrefix(title, t.prefix) {
			return t.kind
		}
	}
	return validation.KindNone
}

// kindOfLabels takes the title's word where the labels name several kinds, and
// for version requests, which share one label.
func kindOfLabels(has map[string]bool, byTitle validation.Kind) validation.Kind {
	if has["version-request"] {
		if byTitle == validation.KindVersionReindex {
			return byTitle
		}
		return validation.KindVersionRemoval
	}
	named := []validation.Kind{}
	for _, k := range []validation.Kind{validation.KindProviderKey, validation.KindProvider, validation.KindModule} {
		if has[string(k)] {
			if k == byTitle {
				return k
			}
			named = append(named, k)
		}
	}
	if len(named) == 0 {
		return validation.KindNone
	}
	return named[0]
}

// withoutForm judges a body that has none of the questions.
func withoutForm(r reading, h hint, body string) validation.Answers {
	none := validation.Answers{Kind: validation.KindNone, FormKind: validation.KindNone}
	a := none
	a.Kind = h.kind
	useful := false
	switch h.kind {
	case validation.KindProvider, validation.KindModule:
		if a.Repository = r.first[requestRepository]; a.Repository == "" {
			a.Repository, useful = repositoryIn(body, h)
		}
		a.Repository = plainAnswer(a.Repository)
	case validation.KindProviderKey:
		a.Key = r.keyText(body)
		useful = keyBegins.MatchString(a.Key)
	default:
		a.Repository, a.Version = plainAnswer(r.first[requestRepository]), plainAnswer(r.first[requestVersion])
	}
	if h.submitted || useful && !r.otherForm && !r.ownHeadings {
		return a
	}
	return none
}

// Repositories by decreasing certainty: an address on GitHub or a name of the
// right form, and any two words with a slash.
var (
	likelyRepository   = regexp.MustCompile(`(?i)^(?:(?:https?://)?(?:www\.)?github\.com/[\w.-]+/[\w.-]+|[\w.-]+/terraform-[\w.-]+)`)
	possibleRepository = regexp.MustCompile(`^[A-Za-z0-9-]+/[\w.-]+$`)
)

// repositoryIn finds a repository in a body without a form. Where only the
// title says that it is a submission, a longer text is a conversation. What it
// returns without finding one is the body, for the author to see what was read.
func repositoryIn(body string, h hint) (string, bool) {
	body = strings.TrimSpace(body)
	words := strings.FieldsFunc(body, func(r rune) bool { return strings.ContainsRune(" \t\r\n()[]<>\"'`,;|", r) })
	if !h.byLabel && len(words) > 40 {
		return "", false
	}
	for _, w := range words {
		if likelyRepository.MatchString(w) {
			return w, true
		}
	}
	if h.byLabel || len(words) == 1 {
		for _, w := range words {
			if w = strings.TrimRight(w, ".:!?"); possibleRepository.MatchString(w) {
				return w, true
			}
		}
	}
	return body, false
}
