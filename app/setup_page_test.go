package main

import (
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// The page links to the forms, and what strangers named stays text.
func TestSetupPage(t *testing.T) {
	site := templates.Site{Name: "Example Registry", RepositoryURL: "https://github.com/example/registry"}
	page, err := setupHTML(templates.Setup{
		Site: site,
		Offered: []templates.Offer{
			{Kind: validation.KindProvider, Address: "acme/demo", Repository: registrydata.Repository{Owner: "acme", Name: "terraform-provider-demo"}, Fork: true},
			{Kind: validation.KindModule, Address: "acme/<script>/aws", Repository: registrydata.Repository{Owner: "acme", Name: `terraform-aws-"><script>alert(1)</script>`}},
		},
		Registered: []templates.Offer{{Kind: validation.KindModule, Address: "acme/vpc/aws", Repository: registrydata.Repository{Owner: "acme", Name: "terraform-aws-vpc"}, Archived: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for _, want := range []string{
		`href="https://github.com/example/registry/issues/new?repository=acme%2Fterraform-provider-demo&amp;template=provider.yml&amp;title=Provider%3A&#43;acme%2Fdemo"`,
		"(a fork)", "module acme/vpc/aws, from acme/terraform-aws-vpc", "module_repository=",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "<script") {
		t.Errorf("a stranger's tag in\n%s", text)
	}
	empty, err := setupHTML(templates.Setup{Site: site})
	if err != nil || !strings.Contains(string(empty), "None of the public repositories") || strings.Contains(string(empty), "<h2>") {
		t.Errorf("%v:\n%s", err, empty)
	}
}
