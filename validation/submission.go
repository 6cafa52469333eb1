package validation

import (
	"fmt"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Submission is an author's request, normalised: what the answers mean as far
// as that can be told without looking at GitHub.
type Submission struct {
	// Kind is what the answers turned out to be about: a module's repository in
	// the provider form is a module.
	Kind Kind
	// Candidates are the repositories that the answer can mean, best first, as
	// typed (GitHub ignores case): at most five, none where there are errors.
	Candidates []registrydata.Repository
	// Read is the repository that was read from the answer even where it can't
	// be accepted, to show it to the author.
	Read registrydata.Repository
	// Namespace, Name and Target are lower case and as far known; for a key,
	// Name is empty when it is meant for the whole namespace. With several
	// candidates they belong to the first.
	Namespace, Name, Target string
	// Key is the one key block as it stands in the body, line ends included;
	// where it could only be read after a repair, the repaired block.
	Key []byte
	// Versions are those that a version request names, without leading "v".
	Versions []string
	// Reason is why the versions of a removal should go, as it stands in the body.
	Reason string
	// Findings are what ReadSubmission found; the Judge functions report them
	// again together with their own.
	Findings []Finding
}

// ReadSubmission judges the answers as far as that is possible without a look
// at GitHub. A finding of severity error means that they can't be understood or
// can never be accepted as they stand; the submission then holds what could be
// read. KindNone gives no findings.
func ReadSubmission(a Answers) (Submission, []Finding) {
	s := Submission{Kind: a.Kind}
	if a.PrivateKey {
		s.Findings = append(s.Findings, privateKeyFinding())
	}
	switch a.Kind {
	case KindProvider, KindModule:
		s.readRepository(a)
	case KindProviderKey:
		s.readKeyAnswers(a)
	case KindVersionRemoval, KindVersionReindex:
		s.readVersionRequest(a)
	default:
		return Submission{Kind: KindNone}, nil
	}
	if a.Truncated {
		s.Findings = append(s.Findings, Finding{
			Code: "body-truncated", Severity: Warning,
			Message: "The issue is longer than 65,536 characters. Only its beginning was read.",
			Fix:     "Edit the issue and leave out what the form does not ask for.",
		})
	}
	return s, s.Findings
}

func (s *Submission) add(f ...Finding) { s.Findings = append(s.Findings, f...) }

func (s *Submission) readRepository(a Answers) {
	r := readRepository(a.Repository, a.Kind, hostOf(a.WebURL))
	s.Kind, s.Read = r.kind, r.read
	s.Candidates = r.candidates
	s.add(r.findings...)
	if len(s.Candidates) > 0 {
		s.setNames(s.Candidates[0])
	}
}

// setNames derives the address from a repository's name.
func (s *Submission) setNames(repo registrydata.Repository) {
	if a, ok := registrydata.ProviderFromRepository(repo); ok {
		s.Namespace, s.Name, s.Target = a.Namespace, a.Name, ""
	} else if a, ok := registrydata.ModuleFromRepository(repo); ok {
		s.Namespace, s.Name, s.Target = a.Namespace, a.Name, a.Target
	}
}

// hostOf is the host, with its port, of a web address.
func hostOf(webURL string) string {
	_, rest, ok := strings.Cut(webURL, "://")
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	return strings.ToLower(host)
}

// ChooseRepository picks the candidate that the submission is about: the first
// that exists, where facts holds what GitHub says about each candidate, in
// order. It returns -1 and an error finding where none does.
func ChooseRepository(s Submission, facts []RepositoryFacts) (int, []Finding) {
	for i, f := range facts {
		if i < len(s.Candidates) && f.Exists && !f.Private {
			return i, nil
		}
	}
	if len(s.Candidates) == 0 {
		return -1, nil
	}
	return -1, []Finding{notFound(s.Candidates)}
}

// notFound says the same of a repository that does not exist and of one that is
// private, since GitHub shows a stranger no difference.
func notFound(candidates []registrydata.Repository) Finding {
	names := make([]string, len(candidates))
	for i, c := range candidates {
		names[i] = quote(c.String())
	}
	return Finding{
		Code: "repository-not-found", Severity: Error, Field: fieldRepository,
		Message: fmt.Sprintf("GitHub shows no public repository %s.", strings.Join(names, " or ")),
		Fix:     "Check the spelling of owner and name. A private repository has to be made public first. Then edit the issue or comment /recheck.",
	}
}

// Choose returns the submission with candidate i alone: kind, names and target
// are that repository's, and the findings are appended to those it has. With
// another i only the findings are appended.
func (s Submission) Choose(i int, findings []Finding) Submission {
	s.Findings = append(s.Findings[:len(s.Findings):len(s.Findings)], findings...)
	if i < 0 || i >= len(s.Candidates) {
		return s
	}
	repo := s.Candidates[i]
	s.Candidates = []registrydata.Repository{repo}
	s.Read = repo
	if kind := SubjectKind(repo); kind != KindNone && (s.Kind == KindProvider || s.Kind == KindModule) {
		s.Kind = kind
	}
	s.setNames(repo)
	return s
}

// JudgeOffline is the verdict on answers without a look at GitHub, for the
// command line: ReadSubmission and, for a key, JudgeKeyMaterial.
func JudgeOffline(a Answers, now time.Time) (Submission, Report) {
	s, _ := ReadSubmission(a)
	if s.Kind == KindProviderKey && len(s.Key) > 0 {
		_, findings := JudgeKeyMaterial(s.Key, now)
		s.add(findings...)
	}
	return s, s.Verdict(s.Findings)
}

// located returns the submission for the repository that GitHub shows, which
// after a renaming is not the one that was asked for.
func (s Submission) located(f RepositoryFacts) Submission {
	if f.Exists && !f.Private {
		s.Candidates = []registrydata.Repository{f.Repository}
		s.Namespace, s.Name, s.Target = "", "", ""
		s.setNames(f.Repository)
	}
	return s
}

// repository is the one that the submission is about, as far as known.
func (s Submission) repository() registrydata.Repository {
	if len(s.Candidates) > 0 {
		return s.Candidates[0]
	}
	return s.Read
}

// Verdict makes a report of findings: nothing but an error stops a submission.
func (s Submission) Verdict(findings []Finding) Report {
	r := Report{
		Kind: s.Kind, Namespace: s.Namespace, Name: s.Name, Target: s.Target,
		Verdict: Accept, Findings: distinct(findings),
	}
	if repo := s.repository(); repo.Owner != "" {
		r.Repository = repo.String()
	}
	switch {
	case s.Kind == KindNone || s.Kind == "":
		r.Kind, r.Verdict = KindNone, Ignore
	case HasErrors(findings):
		r.Verdict = NeedsChanges
	}
	return r
}

// distinct drops repeated findings: the same code at the same place. The list
// is never nil, so that it is [] in JSON.
func distinct(findings []Finding) []Finding {
	type place struct{ code, field, message string }
	seen := map[place]bool{}
	out := []Finding{}
	for _, f := range findings {
		p := place{f.Code, f.Field, f.Message}
		if !seen[p] {
			seen[p] = true
			out = append(out, f)
		}
	}
	return out
}
