package templates

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// AlertSource is the look that found a condition. Each look tells what it knows
// and leaves alone what the others told.
type AlertSource string

// The sources, in the order in which an alert tells of them.
const (
	AlertRepository AlertSource = "repository" // the repository: gone, renamed, another of the same name
	AlertRecorded   AlertSource = "recorded"   // what is published now differs from what is recorded
	AlertArchives   AlertSource = "archives"   // recorded archives that differ or cannot be read
	AlertReleases   AlertSource = "releases"   // releases that could not be published
	AlertTags       AlertSource = "tags"       // tags that point elsewhere now
)

var alertSources = []AlertSource{AlertRepository, AlertRecorded, AlertArchives, AlertReleases, AlertTags}

// AlertCondition is one thing that somebody has to mend.
type AlertCondition struct {
	// Tag is the release or tag that it is about; "" for the entry as a whole.
	// A source has one condition for a tag.
	Tag      string
	Findings []validation.Finding
	// Signature and Issuers are those of a release whose signature was looked at,
	// Keys the ids of the keys on file that cover it.
	Signature validation.SignatureState
	Issuers   []string
	Keys      []string
	// Author is the login of who made the release. The alert calls the first one
	// when it is opened, and nobody afterwards.
	Author string
	// Unchanged: it was not looked at this time. What the alert says of it
	// stays, and the fields beside Tag do not count.
	Unchanged bool
}

// Alert is the one issue about what there is to mend of something registered.
type Alert struct {
	Site       Site
	Kind       validation.Kind // KindProvider or KindModule
	Address    string          // "acme/demo", "acme/vpc/aws"
	Repository string          // "acme/terraform-provider-demo"
	// Source is whose conditions these are: all that it has. The other
	// conditions stay.
	Source     AlertSource
	Conditions []AlertCondition
	// Before is the body of the issue as it is, "" where there is none.
	Before string
}

// AlertMarker begins the body of the alert about an entry.
func AlertMarker(kind validation.Kind, address string) string {
	return Marker(MarkerAlert, string(kind)+"="+address)
}

// AlertTitle is plain text of at most 256 characters.
func AlertTitle(a Alert) string {
	return plainTitle(plainThing(a.Kind, a.Address) + " needs attention")
}

// AlertBody begins with its marker (AlertMarker). open is false where no
// condition is left, so that the issue is to be closed.
func AlertBody(a Alert) (text string, open bool) {
	page := alertPage{facts: facts{Site: a.Site}, alert: a}
	before := partsOf(a.Before)
	page.add(page.author(before))
	for _, source := range alertSources {
		list := page.conditions(source, before)
		open = open || len(list) > 0
		page.add(list...)
	}
	page.Settled = !open
	return body(AlertMarker(a.Kind, a.Address), "alert.md", &page), open
}

// AlertParts is what an alert says, without the words around it, for comparing.
func AlertParts(body string) string {
	var out strings.Builder
	for _, p := range partsOf(body) {
		if p.source != partAuthor {
			out.WriteString(p.Marker + "\n" + p.Text + "\n")
		}
	}
	return out.String()
}

// AlertedTags are the tags of which an alert tells what a source has found.
func AlertedTags(body string, source AlertSource) (tags []string) {
	for _, p := range partsOf(body) {
		if p.source == string(source) && p.tag != "" && p.tag != partMore {
			tags = append(tags, p.tag)
		}
	}
	return tags
}

// AlertAuthor is the login that an alert called when it was opened, or "".
func AlertAuthor(body string) string {
	for _, p := range partsOf(body) {
		if p.source == partAuthor && login.MatchString(p.tag) {
			return p.tag
		}
	}
	return ""
}

// login is the form of GitHub's user names. Apps' have brackets, and nobody
// reads what they are told.
var login = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?$`)

// alertPart is a part of an alert, under a marker by which it is found again.
type alertPart struct {
	Marker, Text string
	source, tag  string
}

const (
	markerPart = "part"
	partAuthor = "author"
	partEnd    = "end"
	partMore   = "more" // of a source that has too many conditions
	// The bounds of an alert, which leave room within what GitHub takes.
	mostConditions = 15    // of one source
	mostTag        = 100   // characters of a tag in a marker
	mostPartText   = 4_000 // bytes
	mostParts      = 50_000
)

var partLine = regexp.MustCompile(`^<!-- registrar:part ([a-z]+)(?: ([^ ]+))? -->$`)

// partsOf reads the parts of an alert. Strangers' text in it has no marker.
func partsOf(body string) []alertPart {
	var parts []alertPart
	in := false
	for line := range strings.Lines(strings.ReplaceAll(body, "\r\n", "\n")) {
		m := partLine.FindStringSubmatch(strings.TrimRight(line, " \n"))
		switch {
		case m != nil:
			if in = m[1] != partEnd; in {
				parts = append(parts, alertPart{Marker: m[0], source: m[1], tag: m[2]})
			}
		case in:
			parts[len(parts)-1].Text += line
		}
	}
	for i := range parts {
		parts[i].Text = strings.TrimSpace(parts[i].Text)
	}
	return parts
}

// alertPage is an alert as its template sees it.
type alertPage struct {
	facts
	alert   Alert
	Settled bool
	Parts   []alertPart
	size    int
}

// add keeps the parts for which there is room.
func (p *alertPage) add(parts ...alertPart) {
	for _, part := range parts {
		if p.size += len(part.Marker) + len(part.Text); part.Marker != "" && p.size < mostParts {
			p.Parts = append(p.Parts, part)
		}
	}
}

// author is the part that calls someone: as it is, or made when the issue is
// opened.
func (p *alertPage) author(before []alertPart) alertPart {
	if p.alert.Before != "" {
		i := slices.IndexFunc(before, func(b alertPart) bool { return b.source == partAuthor })
		if i < 0 {
			return alertPart{}
		}
		return before[i]
	}
	for _, c := range p.alert.Conditions {
		if login.MatchString(c.Author) {
			return alertPart{Marker: Marker(markerPart, partAuthor+" "+c.Author), Text: "@" + c.Author + ", this is for you to look at."}
		}
	}
	return alertPart{}
}

// conditions are the parts of a source: made anew, or as they are.
func (p *alertPage) conditions(source AlertSource, before []alertPart) []alertPart {
	known := map[string]alertPart{}
	var all []alertPart
	for _, b := range before {
		if b.source == string(source) {
			known[b.Marker] = b
			all = append(all, b)
		}
	}
	if source != p.alert.Source {
		return all
	}
	all = nil
	for i, c := range p.alert.Conditions {
		if i == mostConditions {
			all = append(all, p.more(len(p.alert.Conditions)-i))
			break
		}
		part := p.condition(source, c)
		if c.Unchanged {
			part = known[part.Marker]
		}
		if part.Marker != "" {
			all = append(all, part)
		}
	}
	return all
}

func (p *alertPage) condition(source AlertSource, c AlertCondition) alertPart {
	tag, _ := firstRunes(strings.Join(strings.Fields(c.Tag), "_"), mostTag)
	key := strings.TrimSpace(string(source) + " " + tag)
	part := alertPart{Marker: Marker(markerPart, key)}
	if !c.Unchanged {
		page := conditionPage{facts{Site: p.Site, Findings: c.Findings}, p.alert, c}
		part.Text = strings.TrimSpace(fit(render("alert-condition.md", page), mostPartText))
	}
	return part
}

func (p *alertPage) more(n int) alertPart {
	return alertPart{
		Marker: Marker(markerPart, string(p.alert.Source)+" "+partMore),
		Text:   "And " + count(n, "more like this") + ".",
	}
}

// Name is what the alert is about.
func (p *alertPage) Name() string { return thing(p.alert.Kind, p.alert.Address) }

func (p *alertPage) RepositoryLink() string {
	repo := repositoryOf(p.alert.Repository)
	return link(Quote(repo.String(), Inline, 150), p.Site.repositoryURL(repo))
}

// End is the marker after the last part.
func (p *alertPage) End() string { return Marker(markerPart, partEnd) }

// conditionPage is one condition as its template sees it.
type conditionPage struct {
	facts
	alert Alert
	it    AlertCondition
}

// Source is the word for the heading.
func (p conditionPage) Source() string { return string(p.alert.Source) }

// TagLink is the release or tag; "" for the entry as a whole.
func (p conditionPage) TagLink() string {
	tag, repo := p.it.Tag, repositoryOf(p.alert.Repository)
	switch {
	case tag == "":
		return ""
	case p.alert.Kind == validation.KindModule:
		return link(Quote(tag, Inline, 100), p.Site.treeURL(repo, tag))
	}
	return link(Quote(tag, Inline, 100), p.Site.releaseURL(repo, tag))
}

// KeyMatters tells whether the signature is what is wrong.
func (p conditionPage) KeyMatters() bool {
	switch p.it.Signature {
	case validation.SignatureUnknownIssuer, validation.SignatureUnchecked, validation.SignatureBad:
		return p.alert.Kind == validation.KindProvider
	}
	return false
}

func (p conditionPage) Issuers() string { return codes(p.it.Issuers, 5) }
func (p conditionPage) OnFile() string  { return codes(p.it.Keys, 10) }

// KeyFormURL is the form for a new key of the provider, filled in.
func (p conditionPage) KeyFormURL() string {
	a, _ := registrydata.ParseProviderAddress(p.alert.Address)
	return p.Site.KeyFormURL(a.Namespace, a.Name)
}
