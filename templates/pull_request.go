package templates

import (
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// SubmissionPull is the pull request of a submission: what the maintainer who
// decides wants to know.
type SubmissionPull struct {
	Site   Site
	Issue  int
	Author string // login of who submitted
	// AuthorIsMember: the author is the namespace itself or a public member.
	AuthorIsMember bool
	Merge          Merge

	Report   validation.Report
	Facts    validation.RepositoryFacts
	Provider *ProviderCheck
	Module   *ModuleCheck
	Key      *KeyCheck
	Removal  *Removal // of a request to remove versions
	Files    []string // paths that it adds or changes
}

// SubmissionPullTitle is plain text of at most 256 characters.
func SubmissionPullTitle(p SubmissionPull) string {
	if p.Removal != nil {
		return plainTitle(p.Removal.plain())
	}
	return plainTitle("Add " + plainThing(p.Report.Kind, addressOf(p.Report)))
}

// SubmissionPullBody begins with its marker (MarkerPull, "issue=<N>") and holds
// "Closes #N".
func SubmissionPullBody(p SubmissionPull) string {
	name := "pull-submission.md"
	if p.Removal != nil {
		name = "pull-removal.md"
	}
	return body(Marker(MarkerPull, fmt.Sprintf("issue=%d", p.Issue)), name, submissionPullPage{
		facts: facts{Site: p.Site, Provider: p.Provider, Module: p.Module, Key: p.Key, Removal: p.Removal, Findings: p.Report.Findings},
		pull:  p,
	})
}

// submissionPullPage is the pull request of a submission as its template sees it.
type submissionPullPage struct {
	facts
	pull SubmissionPull
}

func (p submissionPullPage) Thing() string {
	return thing(p.pull.Report.Kind, addressOf(p.pull.Report))
}
func (p submissionPullPage) Issue() int       { return p.pull.Issue }
func (p submissionPullPage) IssueURL() string { return p.Site.issueURL(p.pull.Issue) }
func (p submissionPullPage) Files() string    { return filesOf(p.pull.Files) }
func (p submissionPullPage) Decision() string { return p.pull.Merge.decision() }

// By names who submitted, without calling them.
func (p submissionPullPage) By() string {
	who := Quote(p.pull.Author, Inline, 100)
	switch namespace := p.pull.Report.Namespace; {
	case strings.EqualFold(p.pull.Author, namespace):
		return who + " (the owner)"
	case p.pull.AuthorIsMember:
		return who + " (a public member of " + Quote(namespace, Inline, 100) + ")"
	case namespace != "":
		return who + " (not known to belong to " + Quote(namespace, Inline, 100) + ")"
	}
	return who
}

// Rows are the facts of the check, and what else is known of the repository.
func (p submissionPullPage) Rows() []row {
	rows := p.facts.Rows()
	f := p.pull.Facts
	if !f.Exists {
		return rows
	}
	owner := "a user"
	if f.OwnerIsAnOrg {
		owner = "an organization"
	}
	rows = append(rows, row{markInfo, "Owner", Quote(f.Repository.Owner, Inline, 100) + ", " + owner})
	if f.Fork {
		rows = append(rows, row{markWarn, "Fork of", link(Quote(f.Parent.String(), Inline, 150), p.Site.repositoryURL(f.Parent))})
	}
	if f.Archived {
		rows = append(rows, row{markWarn, "Archived", "it will have no new versions"})
	}
	return rows
}

// ReleasePull is the pull request of new versions of something registered.
type ReleasePull struct {
	Site       Site
	Kind       validation.Kind        // KindProvider or KindModule
	Address    string                 // "acme/demo", "acme/vpc/aws"
	Repository string                 // "acme/terraform-provider-demo"
	Versions   []validation.TagResult // those that it adds
	Failed     []string               // versions that could not be taken, which it notes
	Keys       []string               // ids of the keys on file
	Findings   []validation.Finding
	Files      []string
	Merge      Merge
}

// ReleasePullTitle is plain text of at most 256 characters.
func ReleasePullTitle(p ReleasePull) string {
	return plainTitle(plainThing(p.Kind, p.Address) + ": " + plainRelease(versionsOf(p.Versions), p.Failed))
}

// plainRelease says what a change of an entry does: it adds versions, or it
// notes only that some failed, or that they do so no more.
func plainRelease(added, failed []string) string {
	switch {
	case len(added) > 0:
		return plainVersions(added)
	case len(failed) > 0:
		return "failed attempts at " + plainVersions(failed)
	}
	return "failed attempts are over"
}

// ReleasePullBody begins with its marker (MarkerRelease, "<kind>=<address>").
func ReleasePullBody(p ReleasePull) string {
	page := releasePullPage{facts: facts{Site: p.Site, Findings: p.Findings}, pull: p}
	repo := repositoryOf(p.Repository)
	if p.Kind == validation.KindModule {
		page.Module = &ModuleCheck{Repository: repo, Versions: p.Versions}
	} else {
		page.Provider = &ProviderCheck{Repository: repo, Versions: p.Versions, Keys: p.Keys}
	}
	return body(Marker(MarkerRelease, string(p.Kind)+"="+p.Address), "pull-release.md", page)
}

// releasePullPage is the pull request of new versions as its template sees it.
type releasePullPage struct {
	facts
	pull ReleasePull
}

func (p releasePullPage) Thing() string    { return thing(p.pull.Kind, p.pull.Address) }
func (p releasePullPage) Files() string    { return filesOf(p.pull.Files) }
func (p releasePullPage) Decision() string { return p.pull.Merge.decision() }

// Added and Failed are versions in words; "" for none.
func (p releasePullPage) Added() string  { return someCodes(versionsOf(p.pull.Versions)) }
func (p releasePullPage) Failed() string { return someCodes(p.pull.Failed) }

func someCodes(versions []string) string {
	if len(versions) == 0 {
		return ""
	}
	return codes(versions, 5)
}

// Rows are the repository, the address and the keys; the versions have a table.
func (p releasePullPage) Rows() []row {
	rows := []row{p.repositoryRow(repositoryOf(p.pull.Repository)), p.addressRow(p.pull.Address)}
	if p.pull.Kind == validation.KindProvider {
		rows = append(rows, row{markInfo, "Keys on file", codes(p.pull.Keys, 5)})
	}
	return rows
}

// archiveRow is one archive of a version.
type archiveRow struct{ Version, Platform, Size, Shasum string }

// Archives are the archives of the versions, at most a hundred.
func (p releasePullPage) Archives() []archiveRow {
	var rows []archiveRow
	for _, v := range p.pull.Versions {
		for _, t := range v.Data.Targets {
			if len(rows) == 100 {
				return rows
			}
			rows = append(rows, archiveRow{
				Quote(v.Version, Inline, 100), Quote(t.OS+"_"+t.Arch, Inline, 60), size(t.Size), Quote(t.Shasum, Inline, 64),
			})
		}
	}
	return rows
}

// size is a number of bytes for reading, "–" where it is not known.
func size(bytes int64) string {
	switch {
	case bytes <= 0:
		return "–"
	case bytes < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(bytes)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
}

// decision says who merges.
func (m Merge) decision() string {
	switch m {
	case MergeAutomatic:
		return "It is merged by itself when its check is green."
	case MergeBatch:
		return "When its check is green it gets in by itself, by one commit with others that wait."
	case MergeApproved:
		return "An approving review by someone with write permission merges it."
	}
	return "A maintainer merges it."
}

// plainThing names what is added, for titles: "provider acme/demo".
func plainThing(kind validation.Kind, address string) string {
	if kind == validation.KindProviderKey {
		return "signing key of " + address
	}
	return string(kind) + " " + address
}

// plainVersions is "1.2.0", "1.2.0 and 1.1.0", "1.2.0 and 3 more".
func plainVersions(versions []string) string {
	switch len(versions) {
	case 0:
		return "no version"
	case 1:
		return versions[0]
	case 2:
		return versions[0] + " and " + versions[1]
	}
	return fmt.Sprintf("%s and %d more", versions[0], len(versions)-1)
}

func versionsOf(results []validation.TagResult) []string {
	var out []string
	for _, r := range results {
		out = append(out, strings.TrimPrefix(r.Version, "v"))
	}
	return out
}

func repositoryOf(name string) registrydata.Repository {
	owner, repo, _ := strings.Cut(name, "/")
	return registrydata.Repository{Owner: owner, Name: repo}
}

func filesOf(paths []string) string {
	if len(paths) == 0 {
		return ""
	}
	return codes(paths, 10)
}
