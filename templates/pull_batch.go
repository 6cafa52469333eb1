package templates

import (
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/validation"
)

// BatchPull is the pull request that brings the new versions of several entries
// by one commit.
type BatchPull struct {
	Site    Site
	Entries []BatchEntry
}

// BatchEntry is one of these entries.
type BatchEntry struct {
	Kind     validation.Kind // KindProvider or KindModule
	Address  string
	Versions []string // that it adds; none where it notes failed attempts alone
	Pull     int      // the entry's own pull request
}

// BatchPullTitle is plain text of at most 256 characters.
func BatchPullTitle(p BatchPull) string { return plainTitle(batchSubject(p.Entries)) }

// BatchPullBody begins with its marker (MarkerBatch, "release").
func BatchPullBody(p BatchPull) string {
	return body(Marker(MarkerBatch, "release"), "pull-batch.md", batchPage{p.Site, p.Entries})
}

// BatchCommitMessage is plain text: a subject of at most 72 characters, and a
// line for each entry.
func BatchCommitMessage(entries []BatchEntry) string {
	return render("commit-batch.md", batchPage{entries: entries})
}

func batchSubject(entries []BatchEntry) string {
	if len(entries) == 1 {
		return "New versions of 1 entry"
	}
	return fmt.Sprintf("New versions of %d entries", len(entries))
}

// batchPage is a batch as its templates see it.
type batchPage struct {
	site    Site
	entries []BatchEntry
}

// How many entries the texts name, and how many versions of each.
const (
	mostBatchEntries  = 200
	mostBatchVersions = 10
)

// batchRow is an entry in the table of the pull request.
type batchRow struct {
	Thing, Versions, URL string
	Pull                 int
}

func (p batchPage) Subject() string { return batchSubject(p.entries) }

func (p batchPage) shown() []BatchEntry { return p.entries[:min(len(p.entries), mostBatchEntries)] }

// Untold is how many entries the table leaves out.
func (p batchPage) Untold() int { return len(p.entries) - len(p.shown()) }

// Rows are the entries with what is new of them.
func (p batchPage) Rows() []batchRow {
	var rows []batchRow
	for _, e := range p.shown() {
		r := batchRow{Thing: thing(e.Kind, e.Address), Versions: "failed attempts", Pull: e.Pull, URL: p.site.issueURL(e.Pull)}
		if len(e.Versions) > 0 {
			r.Versions = codes(e.Versions, mostBatchVersions)
		}
		rows = append(rows, r)
	}
	return rows
}

// Lines are the entries in plain words.
func (p batchPage) Lines() []string {
	var lines []string
	for _, e := range p.shown() {
		text := plainThing(e.Kind, e.Address) + ": failed attempts"
		if len(e.Versions) > 0 {
			text = plainThing(e.Kind, e.Address) + ": " + strings.Join(e.Versions[:min(len(e.Versions), mostBatchVersions)], ", ")
		}
		if more := len(e.Versions) - mostBatchVersions; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		lines = append(lines, Quote(text, Plain, 400))
	}
	return lines
}
