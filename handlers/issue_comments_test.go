package handlers

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// oneComment is a metadata repository of which only a comment can be read; its
// issue is an error, which only a command that counts gets to.
type oneComment struct {
	Threads
	comment Comment
	there   bool
}

var errIssueRead = errors.New("the issue is looked at")

func (o oneComment) Comment(context.Context, int64) (Comment, bool, error) {
	return o.comment, o.there, nil
}
func (oneComment) Issue(context.Context, int) (Issue, error) { return Issue{}, errIssueRead }

// What a comment is when the command is looked at counts, not what the delivery
// said.
func TestRecheckCountsOnlyAsWritten(t *testing.T) {
	for name, c := range map[string]struct {
		comment Comment
		there   bool
		counts  bool
	}{
		"a command":               {Comment{Author: "ada", Body: "/recheck"}, true, true},
		"with words behind it":    {Comment{Author: "ada", Body: "\n /Recheck please\r\nThanks"}, true, true},
		"edited afterwards":       {Comment{Author: "ada", Body: "/recheck", Edited: true}, true, false},
		"of a bot":                {Comment{Author: "registrar[bot]", Body: "/recheck", ByBot: true}, true, false},
		"deleted":                 {Comment{}, false, false},
		"quoted":                  {Comment{Author: "ada", Body: "> /recheck\n\nWhat does that do?"}, true, false},
		"in the middle":           {Comment{Author: "ada", Body: "Please\n/recheck"}, true, false},
		"the beginning of a word": {Comment{Author: "ada", Body: "/rechecked"}, true, false},
		"in code":                 {Comment{Author: "ada", Body: "`/recheck`"}, true, false},
	} {
		h := New(Options{Threads: oneComment{comment: c.comment, there: c.there}})
		_, err := h.Reconcile(context.Background(), RecheckKey(1, 2))
		if counted := errors.Is(err, errIssueRead); counted != c.counts || !counted && err != nil {
			t.Errorf("%s: counts = %v, %v", name, counted, err)
		}
	}
}

// A command is one word at the beginning of the first line that is not empty.
func FuzzAsksRecheck(f *testing.F) {
	for _, seed := range []string{"/recheck", " /RECHECK now", "\r\n/recheck\r\n", "> /recheck", "```\n/recheck", "/recheck\u00a0x", "/\u200brecheck", "<!-- --> /recheck", "/recheck\x00", "&#47;recheck", "/recheck\u2028"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		asks := asksRecheck(body)
		text := strings.TrimSpace(body)
		if asks && !strings.EqualFold(text[:min(len("/recheck"), len(text))], "/recheck") {
			t.Errorf("%q is a command", body)
		}
		if asks && asksRecheck("> "+text) {
			t.Errorf("the quotation of %q is a command", body)
		}
		if asksRecheck(body+"\nmore") != asks && strings.TrimSpace(body) != "" {
			t.Errorf("a line behind %q changes what it is", body)
		}
	})
}
