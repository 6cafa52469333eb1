package templates

import "fmt"

// RecheckDenied answers a /recheck of someone who may not ask for one. It
// begins with its marker (MarkerReply, "comment=<id>").
type RecheckDenied struct {
	Site    Site
	Comment int64 // id of the comment that asked
	Asker   string
}

// RecheckDeniedReply is the text of the reply.
func RecheckDeniedReply(r RecheckDenied) string {
	return body(Marker(MarkerReply, fmt.Sprintf("comment=%d", r.Comment)), "reply-recheck-denied.md", r)
}

// Who names the one who asked, without calling them.
func (r RecheckDenied) Who() string { return Quote(r.Asker, Inline, 100) }
