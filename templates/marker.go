package templates

import "strings"

// The kinds of marker, each with the key that it is found by.
const (
	MarkerSubmission = "submission"   // the comment on an issue: "issue=12"
	MarkerPull       = "pull-request" // the body of a submission's pull request: "issue=12"
	MarkerWarning    = "warning"      // the body of the pull request after a move: "provider=acme/demo"
	MarkerRelease    = "release"      // the body of a release's pull request: "provider=acme/demo"
	MarkerAlert      = "alert"        // the body of an alert issue: "provider=acme/demo"
	MarkerBackfill   = "backfill"     // the body of a backfill's pull request: "provider=acme/demo"
	MarkerBatch      = "batch"        // the body of the pull request of several releases: "release"
	MarkerReply      = "reply"        // a reply to one comment: "comment=345"
)

// Marker is the invisible first line by which the App finds again what it
// wrote: <!-- registrar:submission issue=12 -->.
func Marker(kind, key string) string {
	key = strings.Map(func(r rune) rune {
		if strings.ContainsRune(markerLetters, r) {
			return r
		}
		return '_'
	}, key)
	return "<!-- registrar:" + kind + " " + key + " -->"
}

// markerLetters are what addresses, tags and numbers are made of.
const markerLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789=/.+- "

// HasMarker tells whether the body begins with the marker, as only a text that
// the App wrote does. The caller still looks at who wrote it: anyone can paste.
func HasMarker(body, marker string) bool {
	rest, ok := strings.CutPrefix(body, marker)
	return ok && (rest == "" || rest[0] == '\n' || rest[0] == '\r')
}
