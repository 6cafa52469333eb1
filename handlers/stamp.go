package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// stamp is what the App notes, hidden, at the end of a submission's comment: the
// state that the comment tells, the pull request it speaks of, and a digest of
// the answers that were judged. Only a comment that the App itself wrote is read
// for it. It tells a run whether to judge again, and a pull request that a
// maintainer has just closed from an issue that was reopened after that.
type stamp struct {
	State templates.State
	Pull  int
	Input string
}

var stampForm = regexp.MustCompile(`<!-- registrar-state: ([a-z-]+) pull=(\d+) input=([0-9a-f]*) -->\s*$`)

// stamped appends the stamp to a comment's text.
func stamped(body string, s stamp) string {
	return fmt.Sprintf("%s\n\n<!-- registrar-state: %s pull=%d input=%s -->",
		strings.TrimRight(body, "\n"), s.State, s.Pull, s.Input)
}

// readStamp finds the stamp of a comment; the zero stamp where there is none.
func readStamp(body string) stamp {
	m := stampForm.FindStringSubmatch(body)
	if m == nil {
		return stamp{}
	}
	pull, err := strconv.Atoi(m[2])
	if err != nil {
		return stamp{}
	}
	return stamp{State: templates.State(m[1]), Pull: pull, Input: m[3]}
}

// digest names what was judged.
func digest(a validation.Answers) string {
	b, err := json.Marshal(a)
	if err != nil {
		return "" // never equal to a stored one: judge again
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:10])
}
