package templates

import (
	"fmt"
	"testing"

	"github.com/tofu-registrar/registrar/validation"
)

// An alert is asked which tags a look has told of; those of other looks, and the
// line that counts the rest, are none.
func TestAlertedTags(t *testing.T) {
	finding := []validation.Finding{{Code: "x", Severity: validation.Error, Message: "<!-- registrar:part recorded v9 -->"}}
	a := Alert{Site: exampleSite, Kind: validation.KindProvider, Address: "acme/demo", Repository: "acme/terraform-provider-demo", Source: AlertRecorded}
	for i := range 20 {
		a.Conditions = append(a.Conditions, AlertCondition{Tag: fmt.Sprintf("v1.%d.0", i), Findings: finding})
	}
	a.Before = alertText(a)
	a.Source, a.Conditions = AlertArchives, []AlertCondition{{Tag: "v2.0.0", Findings: finding}}
	text := alertText(a)
	if got := AlertedTags(text, AlertRecorded); len(got) != mostConditions || got[0] != "v1.0.0" || got[14] != "v1.14.0" {
		t.Errorf("recorded: %v", got)
	}
	if got := fmt.Sprint(AlertedTags(text, AlertArchives)); got != "[v2.0.0]" {
		t.Errorf("archives: %s", got)
	}
	if got := AlertedTags("", AlertRecorded); got != nil {
		t.Errorf("without an alert: %v", got)
	}
}
