package templates

import (
	"fmt"

	"github.com/tofu-registrar/registrar/validation"
)

// Removal is what a request to remove versions takes out.
type Removal struct {
	// Removed is what goes of each data file.
	Removed []validation.Removed
	// Reason is what the blacklist says, a stranger's words.
	Reason string
}

// removalRows are the files with what goes of them, and why.
func removalRows(r Removal) []row {
	var rows []row
	for _, x := range r.Removed {
		found := codes(x.Versions, 10)
		if x.Last {
			found += "; no other version is left, so that the whole entry goes"
		}
		rows = append(rows, row{markWarn, "From the " + x.Entity.Kind.String() + " " + Quote(x.Entity.String(), Inline, 250), found})
	}
	return append(rows, row{markInfo, "Reason", Quote(r.Reason, Inline, 400)})
}

// plain says in a title what goes: "Remove 1.2.0 and 3 more from provider
// acme/demo".
func (r Removal) plain() string {
	if len(r.Removed) == 0 {
		return "Remove versions"
	}
	first := r.Removed[0]
	text := fmt.Sprintf("Remove %s from %s %s", plainVersions(first.Versions), first.Entity.Kind, first.Entity)
	if more := len(r.Removed) - 1; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
