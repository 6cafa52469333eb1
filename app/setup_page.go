package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"

	"github.com/tofu-registrar/registrar/templates"
)

//go:embed setup.html
var setupText string

// setupTemplate escapes by where a text stands: everything that is named on the
// page is a stranger's.
var setupTemplate = template.Must(template.New("setup").Parse(setupText))

// setupHTML writes the setup page. It has no scripts, styles or pictures.
func setupHTML(s templates.Setup) ([]byte, error) {
	var out bytes.Buffer
	if err := setupTemplate.Execute(&out, setupPage{s}); err != nil {
		return nil, fmt.Errorf("write the setup page: %w", err)
	}
	return out.Bytes(), nil
}

// setupPage is the page as its template sees it.
type setupPage struct{ setup templates.Setup }

func (p setupPage) Name() string                  { return p.setup.Site.Name }
func (p setupPage) Empty() bool                   { return len(p.setup.Offered)+len(p.setup.Registered) == 0 }
func (p setupPage) Registered() []templates.Offer { return p.setup.Registered }

// offered is an offer with the form for it, filled in.
type offered struct {
	templates.Offer
	Form string
}

func (p setupPage) Offered() (all []offered) {
	for _, o := range p.setup.Offered {
		all = append(all, offered{o, p.setup.Site.SubmissionFormURL(o)})
	}
	return all
}
