package validation

// Severity says what a finding means for the submission.
type Severity string

// An error stops the submission, a warning is for the maintainer who merges
// and the author to weigh, an info only explains.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Finding is one thing that a rule has to say to the author.
type Finding struct {
	// Code is stable: tools and documentation may match on it.
	Code     string   `json:"code"`
	Severity Severity `json:"severity"`
	// Field is where: a form field ("repository"), a tag ("v1.2.0"), a file
	// name; empty when it concerns the submission as a whole.
	Field string `json:"field"`
	// Message says what is wrong, Fix how to mend it. Both are plain text; what
	// they quote of a stranger is quoted by the templates, not here.
	Message string `json:"message"`
	Fix     string `json:"fix"`
}

// HasErrors tells whether any of the findings stops the submission.
func HasErrors(findings []Finding) bool {
	for _, f := range findings {
		if f.Severity == Error {
			return true
		}
	}
	return false
}

// Kind is what an issue asks for.
type Kind string

// The kinds of submission; KindNone is an issue that is no submission.
const (
	KindProvider       Kind = "provider"
	KindModule         Kind = "module"
	KindProviderKey    Kind = "provider-key"
	KindVersionRemoval Kind = "version-removal"
	KindVersionReindex Kind = "version-reindex"
	KindNone           Kind = "none"
)

// Verdict is what becomes of a submission.
type Verdict string

// The verdicts. Ignore is for what is no submission at all: it gets no comment.
const (
	Accept       Verdict = "accept"
	NeedsChanges Verdict = "needs-changes"
	Ignore       Verdict = "ignore"
)

// Report is the verdict on a submission, in the form that `check issue --json`
// prints.
type Report struct {
	Kind       Kind      `json:"kind"`
	Namespace  string    `json:"namespace"`
	Name       string    `json:"name"`
	Target     string    `json:"target"`
	Repository string    `json:"repository"`
	Verdict    Verdict   `json:"verdict"`
	Findings   []Finding `json:"findings"`
}
