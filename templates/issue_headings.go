package templates

import (
	"strings"
	"unicode"

	"github.com/tofu-registrar/registrar/validation"
)

// field is a question of an issue form.
type field int

const (
	noField field = iota
	providerRepository
	moduleRepository
	providerNamespace
	providerName
	publicMembership
	providerKey
	requestType
	requestRepository
	requestVersion
	removalReason
	reindexReason
	evidence
	acknowledgement
	signOff
	oldNamespace
	oldName
	oldKey
)

// headings are the labels of the forms' questions, in the spelling that
// headingLabel gives. They are the interface of the registry (spec/registry.md
// §3.1), those of the forms of 2023 included; a test holds our own forms
// against them.
var headings = map[string]field{
	"provider repository": providerRepository,
	"module repository":   moduleRepository,

	"provider namespace":   providerNamespace,
	"provider name":        providerName,
	"public membership":    publicMembership,
	"provider gpg key":     providerKey,
	"provider signing key": providerKey,

	"type":                requestType,
	"repository":          requestRepository,
	"affected version(s)": requestVersion,
	"affected versions":   requestVersion,
	"affected version":    requestVersion,
	"why does this version need to be removed":    removalReason,
	"why does this version need to be re-indexed": reindexReason,
	"why does this version need to be reindexed":  reindexReason,
	"supporting evidence":                         evidence,
	"acknowledgement":                             acknowledgement,

	"dco":            signOff,
	"namespace":      oldNamespace,
	"name":           oldName,
	"public gpg key": oldKey,
	"gpg key":        oldKey,
}

// otherForms are headings of the forms that ask for nothing of ours.
var otherForms = map[string]bool{
	"thank you for reporting an issue.":               true,
	"opentofu version":                                true,
	"opentofu configuration files":                    true,
	"description of the feature you are looking for.": true,
	"description of the feature you are looking for":  true,
	"describe the feature request":                    true,
}

// tells is the kind of submission whose form alone has the question.
func (f field) tells() validation.Kind {
	switch f {
	case providerRepository:
		return validation.KindProvider
	case moduleRepository:
		return validation.KindModule
	case providerNamespace, providerKey:
		return validation.KindProviderKey
	case removalReason:
		return validation.KindVersionRemoval
	case reindexReason:
		return validation.KindVersionReindex
	}
	return validation.KindNone
}

// freeText questions get long answers, which may have headings of their own.
func (f field) freeText() bool {
	return f == removalReason || f == reindexReason || f == evidence
}

// heading is what stands at a line: a question, or a heading of the author's.
type heading struct {
	field field
	label string // "" where the line is no heading
	lines int    // that it takes up
	rest  string // an answer on the same line, "Provider Repository: acme/demo"
}

// headingAt reads the heading at the first of the lines. GitHub's own headings
// count whatever they say; what only looks like one (no space behind the #,
// underlined, bold) counts where it is a question of ours.
func headingAt(lines []line, loose bool) heading {
	if lines[0].fenced {
		return heading{}
	}
	text, ok := outdent(lines[0].text)
	if !ok || text == "" {
		return heading{}
	}
	if hashes := len(text) - len(strings.TrimLeft(text, "#")); hashes > 0 {
		label := headingLabel(strings.TrimRight(text[hashes:], "# \t"))
		real := hashes <= 6 && (len(text) == hashes || text[hashes] == ' ' || text[hashes] == '\t')
		if real || headings[label] != noField {
			return heading{field: headings[label], label: label, lines: 1}
		}
		return heading{}
	}
	if h := lookalike(lines, text); h.label != "" || !loose {
		return h
	}
	return labelled(text)
}

// lookalike reads an underlined or a bold question.
func lookalike(lines []line, text string) heading {
	label := headingLabel(text)
	if headings[label] == noField {
		return heading{}
	}
	if len(lines) > 1 && isUnderline(lines[1].text) {
		return heading{field: headings[label], label: label, lines: 2}
	}
	if strings.HasPrefix(text, "**") || strings.HasPrefix(text, "__") {
		return heading{field: headings[label], label: label, lines: 1}
	}
	return heading{}
}

func isUnderline(text string) bool {
	text, ok := outdent(strings.TrimRight(text, " \t"))
	return ok && text != "" && (strings.Trim(text, "=") == "" || strings.Trim(text, "-") == "")
}

// labelled reads "Provider Repository: acme/demo", also as a list item. Only
// questions that no other text would name are taken.
func labelled(text string) heading {
	name, rest, ok := strings.Cut(strings.TrimLeft(text, "-*+ \t"), ":")
	if !ok || len(name) > 60 {
		return heading{}
	}
	label := headingLabel(name)
	switch f := headings[label]; f {
	case providerRepository, moduleRepository, providerNamespace, providerName, providerKey, publicMembership:
		return heading{field: f, label: label, lines: 1, rest: strings.TrimLeft(rest, "*_ \t")}
	}
	return heading{}
}

// headingLabel is a heading's text without decoration: lower case, single
// spaces, no emphasis, colon, question mark or "(optional)".
func headingLabel(text string) string {
	if len(text) > 200 {
		return "-" // a heading, but none of ours
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == '*' || r == '_' || r == '`' || unicode.Is(unicode.Cf, r):
			return -1
		}
		return unicode.ToLower(r)
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	text = strings.TrimRight(text, ":? ")
	text = strings.TrimSuffix(text, "(optional)")
	text = strings.TrimSuffix(text, "(required)")
	if text = strings.TrimSpace(text); text == "" {
		return "-"
	}
	return text
}
