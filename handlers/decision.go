package handlers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// Did is what was done about a submission or a version.
type Did string

// What decisions do.
const (
	DidJudge    Did = "judged"    // the rules were asked, and their verdict is written down
	DidAnswer   Did = "answered"  // the author of a submission was told its state
	DidRefuse   Did = "refused"   // someone asked for what they may not
	DidMerge    Did = "merge"     // a pull request is merged, as the policy says
	DidPublish  Did = "published" // a commit is made live
	DidHoldBack Did = "held-back" // of a commit something is not made live
	DidAlert    Did = "alerted"   // the alert of an entry says something else from now on
)

// Decision is one line of the decision log: enough to explain a verdict when the
// issue, the repository and the release that it was about are gone.
//
// It is recorded before its effect, so that no effect goes without a line. A run
// that is cut off in between records it once more: then two lines that follow
// each other have the same ID.
type Decision struct {
	// ID names what was decided, whenever: 16 hexadecimal digits.
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	Did  Did       `json:"did"`
	// About are the entries, "provider acme/demo", "module acme/net/demo",
	// "provider-key acme": the kind, and the address in lower case.
	About []string `json:"about,omitempty"`
	Issue int      `json:"issue,omitempty"`
	Pull  int      `json:"pull,omitempty"`
	// Commit is what was judged, merged or published; Base the commit of the
	// metadata branch that it was judged beside.
	Commit string `json:"commit,omitempty"`
	Base   string `json:"base,omitempty"`
	// Asked is the login of who is responsible for it: who opened the issue or
	// the pull request, who made the comment.
	Asked string `json:"asked,omitempty"`
	// Input is the digest of the answers that were judged.
	Input string `json:"input,omitempty"`

	Verdict  validation.Verdict `json:"verdict,omitempty"`
	State    templates.State    `json:"state,omitempty"`
	Findings []DecisionFinding  `json:"findings,omitempty"`
	Versions []DecisionVersion  `json:"versions,omitempty"`
	Keys     []string           `json:"keys,omitempty"` // ids of the signing keys
	// Policy is what let a pull request be merged, Approved who did by a review,
	// MergedBy who did on GitHub.
	Policy   templates.Merge `json:"policy,omitempty"`
	Approved []string        `json:"approved,omitempty"`
	MergedBy string          `json:"merged_by,omitempty"`
	// Entities is how many a publication wrote, About names the first of them.
	Entities int `json:"entities,omitempty"`
	// Incident is the job that failed for good.
	Incident string `json:"incident,omitempty"`
	// Cut tells that lists or texts were too long for a line.
	Cut bool `json:"cut,omitempty"`
}

// DecisionFinding is a finding as the log keeps it. Its texts quote strangers.
type DecisionFinding struct {
	Code     string              `json:"code"`
	Severity validation.Severity `json:"severity"`
	Field    string              `json:"field,omitempty"`
	Message  string              `json:"message"`
}

// DecisionVersion is a version that was taken, refused, removed or held back.
type DecisionVersion struct {
	Version  string `json:"version"`
	Of       string `json:"of,omitempty"` // the entry, where the decision is about several
	Outcome  string `json:"outcome"`      // "taken", "refused", "removed", "held-back"
	SignedBy string `json:"signed_by,omitempty"`
}

// The bounds of a decision: what is longer is cut, and says so. The longest line
// is below a megabyte, whatever has to be escaped in it.
const (
	mostDecisionFindings = 100
	mostDecisionItems    = 200 // of any other list
	mostDecisionMessage  = 400 // runes
	mostDecisionWord     = 100 // runes of any other text
)

func decisionFindings(findings []validation.Finding) []DecisionFinding {
	var out []DecisionFinding
	for _, f := range findings {
		out = append(out, DecisionFinding{Code: f.Code, Severity: f.Severity, Field: f.Field, Message: f.Message})
	}
	return out
}

// bounded cuts what is too long for a line.
func (d Decision) bounded() Decision {
	c := &cutter{}
	d.About, d.Keys, d.Approved = c.words(d.About), c.words(d.Keys), c.words(d.Approved)
	d.Findings = firstOf(c, d.Findings, mostDecisionFindings)
	for i, f := range d.Findings {
		d.Findings[i].Field, d.Findings[i].Message = c.text(f.Field, mostDecisionWord), c.text(f.Message, mostDecisionMessage)
	}
	d.Versions = firstOf(c, d.Versions, mostDecisionItems)
	for i, v := range d.Versions {
		d.Versions[i].Version, d.Versions[i].Of = c.text(v.Version, mostDecisionWord), c.text(v.Of, mostDecisionWord)
	}
	d.Cut = d.Cut || c.cut
	return d
}

// cutter knows whether anything was cut.
type cutter struct{ cut bool }

func (c *cutter) text(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	c.cut = true
	return string(r[:most-1]) + "…"
}

func (c *cutter) words(list []string) []string {
	list = firstOf(c, list, mostDecisionItems)
	for i := range list {
		list[i] = c.text(list[i], mostDecisionWord)
	}
	return list
}

// firstOf copies the first of a list.
func firstOf[T any](c *cutter, list []T, most int) []T {
	if len(list) > most {
		c.cut, list = true, list[:most]
	}
	return slices.Clone(list)
}

// identified gives a decision its ID: a digest of everything but the time.
func (d Decision) identified() Decision {
	d.ID, d.Time = "", time.Time{}
	b, err := json.Marshal(d)
	if err != nil {
		b = fmt.Appendf(nil, "%+v", d)
	}
	sum := sha256.Sum256(b)
	d.ID = hex.EncodeToString(sum[:8])
	return d
}

// decisionLog hands decisions to the port.
type decisionLog struct {
	port Decisions // nil: none are kept
	now  func() time.Time

	mu   sync.Mutex
	last string // the ID of what recordOnce wrote last
}

// record writes a decision down. An error is the operator's: nothing may be done
// that is not written down.
func (l *decisionLog) record(ctx context.Context, d Decision) error {
	if l.port == nil {
		return nil
	}
	return l.write(ctx, d.bounded().identified())
}

// recordOnce is record of what every try of a job finds again: this process says
// it once while it stays the same.
func (l *decisionLog) recordOnce(ctx context.Context, d Decision) error {
	if l.port == nil {
		return nil
	}
	d = d.bounded().identified()
	l.mu.Lock()
	known := l.last == d.ID
	l.mu.Unlock()
	if known {
		return nil
	}
	if err := l.write(ctx, d); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = d.ID
	return nil
}

func (l *decisionLog) write(ctx context.Context, d Decision) error {
	d.Time = l.now().UTC()
	if err := l.port.Record(ctx, d); err != nil {
		return fmt.Errorf("decision log: %w", err)
	}
	return nil
}
