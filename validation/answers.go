package validation

// Answers are what the issue form's parser (package templates) read from an
// issue: raw text, as the author typed it, without judgement.
type Answers struct {
	// Kind is told by the headings; where there are none, by labels, then by
	// the prefix of the title. KindNone is an issue that is no submission.
	Kind Kind
	// FormKind is the form whose headings the body has.
	FormKind Kind
	// WebURL is the web address of the GitHub that the registry works with;
	// empty for https://github.com. Addresses on it are understood too. The
	// form's parser leaves it empty, whoever knows the configuration sets it.
	WebURL string
	// Repository is the answer to the repository question.
	Repository string
	// Namespace and ProviderName are asked for by the key form.
	Namespace, ProviderName string
	// PublicMembership tells whether the box was ticked. It proves nothing.
	PublicMembership bool
	// Key is the raw text of the key section; empty where there is none. A key
	// that stands elsewhere in the body is found too.
	Key string
	// Type, Version, Reason and Evidence belong to version requests.
	Type, Version, Reason, Evidence string
	Acknowledged                    bool
	// PrivateKey tells that the title or body holds a private key block, whole
	// or damaged.
	PrivateKey bool
	// Truncated tells that the body was longer than the 65,536 characters that
	// are read.
	Truncated bool
}
