package templates

import (
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/validation"
)

func alertText(a Alert) string {
	text, _ := AlertBody(a)
	return text
}

// demoAlerts are an alert about a release, and what becomes of it when another
// release fails too, and the repository is gone.
func demoAlerts() (opened, updated Alert) {
	opened = Alert{
		Site: exampleSite, Kind: validation.KindProvider, Address: "acme/demo", Repository: "acme/terraform-provider-demo", Source: AlertReleases,
		Conditions: []AlertCondition{{
			Tag: "v1.14.0", Signature: validation.SignatureUnknownIssuer, Issuers: []string{"FEDCBA9876543210"},
			Keys: []string{"0123456789ABCDEF"}, Author: "ada",
			Findings: []validation.Finding{finding("signature-unknown", validation.Error, "v1.14.0",
				"The signature was made with the key FEDCBA9876543210, which is not on file.", "Submit that key, or make a release that is signed with a key on file.")},
		}},
	}
	gone := opened
	gone.Before, gone.Source = alertText(opened), AlertRepository
	gone.Conditions = []AlertCondition{{Findings: []validation.Finding{
		finding("repository-gone", validation.Error, "", "The repository acme/terraform-provider-demo is not there any more.", "Make it public again.")}}}
	updated = opened
	updated.Before = alertText(gone)
	updated.Conditions = []AlertCondition{{Tag: "v1.15.0", Author: "marcel", Findings: []validation.Finding{
		finding("zip-unusable", validation.Error, "v1.15.0", "\"demo.zip\" can't be used: it is no zip.", "Build the archive again.")}},
		{Tag: "v1.14.0", Unchanged: true}}
	return opened, updated
}

// What is told once more, or read back and not looked at, is the same text.
func TestAlertIsStable(t *testing.T) {
	opened, updated := demoAlerts()
	first := alertText(opened)
	opened.Before = strings.ReplaceAll(first, "\n", "\r\n")
	if again := alertText(opened); again != first {
		t.Errorf("told once more:\n%s", again)
	}
	second := alertText(updated)
	updated.Before = second
	for i := range updated.Conditions {
		updated.Conditions[i] = AlertCondition{Tag: updated.Conditions[i].Tag, Unchanged: true}
	}
	if again := alertText(updated); again != second {
		t.Errorf("not looked at:\n%s\nwant:\n%s", again, second)
	}
	if got := AlertAuthor(second); got != "ada" {
		t.Errorf("called %q", got)
	}
	if AlertParts(first) == AlertParts(second) || AlertParts(second) == "" {
		t.Errorf("parts: %q", AlertParts(second))
	}
}

// An alert is over when the last source has nothing left to tell.
func TestAlertIsOver(t *testing.T) {
	opened, updated := demoAlerts()
	a := Alert{Site: exampleSite, Kind: opened.Kind, Address: opened.Address, Repository: opened.Repository, Source: AlertReleases, Before: alertText(updated)}
	text, open := AlertBody(a)
	if !open || strings.Contains(text, "v1.14.0") || !strings.Contains(text, "is not there any more") {
		t.Errorf("open %v, %s", open, text)
	}
	a.Before, a.Source = text, AlertRepository
	if text, open := AlertBody(a); open || AlertParts(text) != "" {
		t.Errorf("open %v, %s", open, text)
	}
	if _, open := AlertBody(Alert{Kind: opened.Kind, Address: opened.Address, Source: AlertReleases, Conditions: []AlertCondition{{Tag: "v1.0.0", Unchanged: true}}}); open {
		t.Error("a condition of which nothing is known opens an alert")
	}
}

// However much there is to tell, it fits, and is read back as it was.
func TestAlertOfMany(t *testing.T) {
	opened, _ := demoAlerts()
	c := opened.Conditions[0]
	c.Findings[0].Message = strings.Repeat(hostile, 20)
	opened.Conditions = nil
	for i := range 100 {
		c.Tag = "v1." + strings.Repeat("1", i) + ".0"
		opened.Conditions = append(opened.Conditions, c)
	}
	for _, source := range alertSources {
		opened.Source = source
		opened.Before = alertText(opened)
	}
	if again := alertText(opened); again != opened.Before || len(again) > maxText {
		t.Errorf("%d bytes, then %d", len(opened.Before), len(again))
	}
	if got := len(partsOf(opened.Before)); got < mostConditions+1 {
		t.Errorf("%d parts", got)
	}
}
