package templates

import "github.com/tofu-registrar/registrar/validation"

// Commit is a commit on the metadata repository.
type Commit struct {
	Kind     validation.Kind
	Address  string   // "acme/demo", "acme/vpc/aws"; for a key "acme" or "acme/demo"
	Versions []string // the versions that it adds to something registered; none for a submission
	Failed   []string // versions that could not be taken, which it notes
	Backfill bool     // of the sizes and hashes of versions that are recorded already
	Release  bool     // of something registered: versions, failures or both
	Issue    int      // the submission's issue; 0 for a release
	Author   string   // who submitted; "" for a release
	KeyID    string
	Removal  *Removal     // of a request to remove versions
	Warning  *WarningPull // of a repository that is not where it was
}

// CommitMessage is plain text: a subject of at most 72 characters, and a body.
func CommitMessage(c Commit) string {
	return render("commit.md", commitPage{c})
}

// commitPage is a commit's message as its template sees it.
type commitPage struct{ commit Commit }

// maxSubject is how much of a subject GitHub shows.
const maxSubject = 72

// Subject says what the commit does to what.
func (p commitPage) Subject() string {
	subject := "Add " + plainThing(p.commit.Kind, p.commit.Address)
	if len(p.commit.Versions) > 0 {
		subject = plainThing(p.commit.Kind, p.commit.Address) + ": add " + plainVersions(p.commit.Versions)
	} else if p.commit.Release {
		subject = plainThing(p.commit.Kind, p.commit.Address) + ": " + plainRelease(nil, p.commit.Failed)
	}
	if p.commit.Removal != nil {
		subject = p.commit.Removal.plain()
	}
	if p.commit.Backfill {
		subject = plainThing(p.commit.Kind, p.commit.Address) + ": sizes and hashes of " + plainVersions(p.commit.Versions)
	}
	if w := p.commit.Warning; w != nil {
		subject = plainThing(p.commit.Kind, p.commit.Address) + ": " + w.short()
	}
	return Quote(subject, Plain, maxSubject-1)
}

func (p commitPage) Issue() int { return p.commit.Issue }

// Author is who submitted, "" where nobody did.
func (p commitPage) Author() string { return Quote(p.commit.Author, Plain, 100) }

// Removes tells that the commit removes versions; Reason is why.
func (p commitPage) Removes() bool { return p.commit.Removal != nil }
func (p commitPage) Reason() string {
	if p.commit.Removal == nil {
		return ""
	}
	return Quote(p.commit.Removal.Reason, Plain, 400)
}

// KeyID is the id of the key that is added.
func (p commitPage) KeyID() string { return Quote(p.commit.KeyID, Plain, 40) }

// Versions are all versions that are added, where the subject can't name them.
func (p commitPage) Versions() []string {
	if len(p.commit.Versions) <= 2 {
		return nil
	}
	var out []string
	for _, v := range p.commit.Versions[:min(len(p.commit.Versions), mostVersions)] {
		out = append(out, Quote(v, Plain, 100))
	}
	return out
}
