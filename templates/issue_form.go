package templates

import (
	"regexp"
	"strings"

	"github.com/tofu-registrar/registrar/validation"
)

// maxBody is how much of an issue is read, in characters: as much as GitHub
// lets anyone write.
const maxBody = 65536

// ParseIssue reads an author's answers from an issue.
//
//   - The headings of the body MUST tell what it asks for, whatever the labels
//     say; of questions of several forms the first that is answered counts.
//   - Without them, the labels that a form sets (its kind and "submission") do,
//     so that an issue whose form was damaged still gets an answer.
//   - Else the kind's label alone, and then the prefix of the title, count
//     where the body has no headings but something to work with.
//   - What stands in HTML comments or code fences MUST NOT count, unless the
//     form as a whole is fenced.
//   - The answers MUST NOT hold a private key.
//
// It never fails: an issue that is no submission has KindNone. Its time is
// linear in the length of the body.
func ParseIssue(title string, labels []string, body string) validation.Answers {
	body, truncated := firstRunes(body, maxBody)
	body, inBody := RedactPrivateKey(body)
	_, inTitle := RedactPrivateKey(title)
	body = hideComments(strings.TrimPrefix(body, "\ufeff"))

	hint := hintOf(title, labels)
	r := readForm(body, false)
	if r.kind(hint) == validation.KindNone && !r.otherForm {
		if loose := readForm(looseBody(body, r), true); loose.kind(hint) != validation.KindNone {
			r = loose
		}
	}
	a := r.answers(hint, body)
	if a.Kind == validation.KindNone {
		a = withoutForm(r, hint, body)
	}
	// What was no mark in its sentence can be one on a line of its own.
	a.Key, _ = RedactPrivateKey(a.Key)
	a.PrivateKey, a.Truncated = inBody || inTitle, truncated
	return a
}

// looseBody is what to look at when the body has no question in the ordinary
// form: the inside of what wraps it, unless it has headings of its own.
func looseBody(body string, r reading) string {
	if r.ownHeadings {
		return body
	}
	return unwrap(body)
}

// reading is what the questions of a body are answered with.
type reading struct {
	first       map[field]string // the first answer that is not empty
	asked       []field          // the questions in the order of the body
	otherForm   bool             // it is a bug report or the like
	ownHeadings bool             // it has headings that are no questions
}

// readForm splits the body at its headings. With loose, "question: answer" on
// one line counts too.
func readForm(body string, loose bool) reading {
	r := reading{first: map[field]string{}}
	lines := splitLines(body)
	var current heading
	from := 0
	keep := func(to int) {
		if current.field != noField {
			r.keep(current.field, current.rest+body[from:to])
		}
	}
	for i := 0; i < len(lines); {
		h := headingAt(lines[i:], loose)
		if h.label == "" || h.field == noField && current.field.freeText() {
			i++
			continue
		}
		keep(lines[i].start)
		current, i = h, i+h.lines
		from = lines[i-1].end
		if h.rest != "" {
			from = lines[i-1].start + len(lines[i-1].text)
		}
		r.ownHeadings = r.ownHeadings || h.field == noField
		r.otherForm = r.otherForm || otherForms[h.label]
	}
	keep(len(body))
	return r
}

func (r *reading) keep(f field, answer string) {
	r.asked = append(r.asked, f)
	if r.first[f] == "" && !unanswered(answer) {
		r.first[f] = answer
	}
}

// unanswered tells whether the answer is empty, or what GitHub puts for that.
func unanswered(answer string) bool {
	answer = strings.Trim(answer, "_* \t\r\n`")
	return answer == "" || len(answer) < 40 && strings.EqualFold(strings.Join(strings.Fields(answer), " "), "no response")
}

// kind is the kind of submission that the questions tell.
func (r reading) kind(h hint) validation.Kind {
	has := func(f field) bool { return r.first[f] != "" }
	for _, f := range r.asked {
		if f.tells() != validation.KindNone && has(f) {
			return f.tells()
		}
	}
	switch {
	case has(requestRepository) && has(requestVersion):
		if h.kind == validation.KindVersionReindex {
			return h.kind
		}
		return validation.KindVersionRemoval
	case has(oldNamespace) && (has(oldName) || has(oldKey)):
		return r.oldKind(h)
	}
	for _, f := range r.asked {
		if f.tells() != validation.KindNone {
			return f.tells()
		}
	}
	return validation.KindNone
}

// oldKind tells apart what the form of 2023 asks for, which had a namespace, a
// name and a key for both.
func (r reading) oldKind(h hint) validation.Kind {
	if h.kind == validation.KindProvider || h.kind == validation.KindProviderKey {
		return h.kind
	}
	if r.first[oldKey] != "" {
		return validation.KindProviderKey
	}
	return validation.KindProvider
}

// answers puts the answers in their places.
func (r reading) answers(h hint, body string) validation.Answers {
	get := func(fields ...field) string {
		for _, f := range fields {
			if r.first[f] != "" {
				return plainAnswer(r.first[f])
			}
		}
		return ""
	}
	kind := r.kind(h)
	a := validation.Answers{
		Kind: kind, FormKind: kind,
		Namespace:        get(providerNamespace, oldNamespace),
		ProviderName:     get(providerName, oldName),
		PublicMembership: boxesTicked(r.first[publicMembership]),
		Type:             get(requestType),
		Version:          get(requestVersion),
		Evidence:         get(evidence),
		Acknowledged:     boxesTicked(r.first[acknowledgement]),
	}
	switch kind {
	case validation.KindProvider:
		if a.Repository = get(providerRepository, requestRepository); a.Repository == "" && a.Namespace != "" && a.ProviderName != "" {
			a.Repository = a.Namespace + "/" + a.ProviderName
		}
	case validation.KindModule:
		a.Repository = get(moduleRepository, requestRepository)
	case validation.KindVersionRemoval:
		a.Repository, a.Reason = get(requestRepository), get(removalReason)
	case validation.KindVersionReindex:
		a.Repository, a.Reason = get(requestRepository), get(reindexReason)
	}
	a.Key = r.keyText(body)
	return a
}

// keyText is the answer to the question for the key. A key that stands
// elsewhere is found too: from the first block to the end of the last.
func (r reading) keyText(body string) string {
	answer := r.first[providerKey]
	if answer == "" {
		answer = r.first[oldKey]
	}
	if keyBegins.MatchString(answer) {
		return unquoteKey(answer)
	}
	begin := keyBegins.FindStringIndex(body)
	if begin == nil {
		return plainAnswer(strings.ReplaceAll(answer, redactedKey, ""))
	}
	start := strings.LastIndexAny(body[:begin[0]], "\r\n") + 1
	end := len(body)
	if ends := keyEnds.FindAllStringIndex(body[start:], -1); ends != nil {
		end = start + ends[len(ends)-1][1]
	}
	return unquoteKey(body[start:end])
}

var (
	keyBegins = regexp.MustCompile(`(?i)-----BEGIN PGP PUBLIC KEY BLOCK`)
	keyEnds   = regexp.MustCompile(`(?i)-----END PGP PUBLIC KEY BLOCK-{0,5}(?:\r?\n)?`)
)

// unquoteKey takes the marks of a quotation or an indentation off a key's
// lines. A key that stands at the margin keeps its bytes.
func unquoteKey(text string) string {
	begin := keyBegins.FindStringIndex(text)
	if begin == nil {
		return text
	}
	margin := text[strings.LastIndexAny(text[:begin[0]], "\r\n")+1 : begin[0]]
	if margin == "" || strings.Trim(margin, "> \t") != "" {
		return text
	}
	var out strings.Builder
	for _, l := range splitLines(text) {
		out.WriteString(strings.TrimLeft(l.text, "> \t"))
		out.WriteString(text[l.start+len(l.text) : l.end])
	}
	return out.String()
}

// plainAnswer is an answer without the space around it and without the fences
// that wrap it.
func plainAnswer(answer string) string {
	answer = strings.TrimSpace(answer)
	if !strings.HasPrefix(answer, "```") && !strings.HasPrefix(answer, "~~~") {
		return answer
	}
	lines := splitLines(answer)
	last := lines[len(lines)-1]
	if len(lines) < 3 || fenceOf(lines[0].text).length == 0 || !fenceOf(last.text).closes(fenceOf(lines[0].text)) {
		return answer
	}
	return strings.TrimSpace(answer[lines[0].end:last.start])
}

// boxesTicked tells whether the answer has boxes and all of them are ticked.
func boxesTicked(answer string) bool {
	ticked := false
	for _, l := range splitLines(answer) {
		text := strings.TrimLeft(l.text, "-*+ \t")
		if strings.HasPrefix(text, "[ ]") || strings.HasPrefix(text, "[]") {
			return false
		}
		ticked = ticked || strings.HasPrefix(text, "[x]") || strings.HasPrefix(text, "[X]")
	}
	return ticked
}
