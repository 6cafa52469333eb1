package templates

import "github.com/tofu-registrar/registrar/validation"

// BackfillPull is the pull request that records what was not known of versions
// when they were: sizes and hashes.
type BackfillPull struct {
	Site     Site
	Address  string   // of the provider
	Versions []string // that are filled in
	Left     int      // versions for which something is missing still
	Files    []string
	Merge    Merge
}

// BackfillPullTitle is plain text of at most 256 characters.
func BackfillPullTitle(p BackfillPull) string {
	return plainTitle(plainThing(validation.KindProvider, p.Address) + ": sizes and hashes of " + plainVersions(p.Versions))
}

// BackfillPullBody begins with its marker (MarkerBackfill, "provider=<address>").
func BackfillPullBody(p BackfillPull) string {
	return body(Marker(MarkerBackfill, string(validation.KindProvider)+"="+p.Address), "pull-backfill.md", backfillPage{facts: facts{Site: p.Site}, pull: p})
}

// backfillPage is such a pull request as its template sees it.
type backfillPage struct {
	facts
	pull BackfillPull
}

func (p backfillPage) Thing() string       { return thing(validation.KindProvider, p.pull.Address) }
func (p backfillPage) VersionList() string { return codes(p.pull.Versions, 10) }
func (p backfillPage) Files() string       { return filesOf(p.pull.Files) }
func (p backfillPage) Decision() string    { return p.pull.Merge.decision() }

// Left says of how many versions the same is still to be done.
func (p backfillPage) Left() string {
	if p.pull.Left == 0 {
		return ""
	}
	return count(p.pull.Left, "more version") + " will follow."
}
