package validation

import (
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// misplaced reports a file in the folder of providers or modules that stands
// where no address leads.
func (j *dataJudge) misplaced() {
	seg := strings.Split(j.path, "/")
	fix := "Put the file where its address says, in lower case: providers/a/acme/demo.json or modules/a/acme/vpc/aws.json."
	depth := 4
	if seg[0] == "modules" {
		depth = 5
	}
	if len(seg) == depth+1 && seg[2] == seg[3] {
		j.fail("path-doubled", "", "Move the file one folder up if its repository is still there; else remove it: nobody is served it.",
			"%s is no place for a file of the registry: the folder of its namespace stands twice.", quote(j.path))
		return
	}
	j.fail("path-layout", "", fix, "%s is no place for a file of the registry: %s.", quote(j.path), misplacement(seg, depth))
}

// misplacement says in words why a path is that of no address.
func misplacement(seg []string, depth int) string {
	if why := badSegment(seg); why != "" {
		return why
	}
	name := seg[len(seg)-1]
	switch {
	case !strings.HasSuffix(name, ".json"):
		return "its name does not end with .json"
	case len(seg) != depth:
		return "it stands too high or too deep"
	case registrydata.NamespaceKeyDirectory(seg[2]) != "keys/"+seg[1]+"/"+seg[2]:
		return "the folder " + quote(seg[1]) + " is not named after the first letter of " + quote(seg[2])
	}
	return "its name holds characters that no address has"
}

// badSegment says what is wrong with any part of a path.
func badSegment(seg []string) string {
	for _, s := range seg {
		switch {
		case s == "" || s == "." || s == "..":
			return "it leads elsewhere"
		case strings.HasSuffix(s, "."):
			return quote(s) + " ends with a dot, which some systems drop"
		case strings.HasPrefix(s, "."):
			return quote(s) + " is hidden"
		case strings.ToLower(s) != s:
			return quote(s) + " has upper-case letters"
		}
	}
	return ""
}

// misplacedKey reports a file in the folder of keys that stands where no key is
// looked for, or is not called as a key.
func (j *dataJudge) misplacedKey() {
	seg := strings.Split(j.path, "/")
	why := badSegment(seg)
	switch {
	case why != "":
	case len(seg) == 5 && strings.HasPrefix(seg[3], "terraform-"):
		why = "the folder " + quote(seg[3]) + " is named after the repository instead of the provider"
	case len(seg) < 4 || len(seg) > 5:
		why = "it stands too high or too deep"
	case !strings.HasSuffix(j.path, ".asc"):
		why = "its name does not end with .asc"
	default:
		why = "its folders are not those of an address"
	}
	j.fail("path-layout", "", "Put the key at keys/a/acme/provider-1700000000.asc, or at keys/a/acme/demo/provider-1700000000.asc for one provider.",
		"%s is no place for a signing key: %s.", quote(j.path), why)
}
