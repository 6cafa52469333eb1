package sandbox

import (
	"net/url"
	"slices"
	"strings"
)

// noResponse stands in the body for a field that was left empty.
const noResponse = "_No response_"

// prefilled returns the form with the values that a query names, as in
// ?template=provider.yml&repository=acme/terraform-provider-demo. Checkboxes
// cannot be prefilled, as on GitHub.
func (f *issueForm) prefilled(query url.Values) *issueForm {
	filled := f.clone()
	if title := query.Get("title"); title != "" {
		filled.Title = title
	}
	for i := range filled.Fields {
		field := &filled.Fields[i]
		if field.ID == "" || !query.Has(field.ID) {
			continue
		}
		switch field.Type {
		case "input", "textarea":
			field.Value = query.Get(field.ID)
		case "dropdown":
			for j := range field.Options {
				field.Options[j].Chosen = slices.Contains(query[field.ID], field.Options[j].Label)
			}
		}
	}
	return filled
}

// answered returns the form with what a person submitted, and what is wrong
// with it, in words; nothing wrong means that body may be taken.
func (f *issueForm) answered(post url.Values) (*issueForm, []string) {
	filled := f.clone()
	var faults []string
	for i := range filled.Fields {
		field := &filled.Fields[i]
		switch field.Type {
		case "input":
			field.Value = strings.NewReplacer("\r", "", "\n", "").Replace(post.Get(field.Name))
		case "textarea":
			field.Value = post.Get(field.Name)
		case "dropdown":
			for j := range field.Options {
				field.Options[j].Chosen = slices.Contains(post[field.Name], field.Options[j].Label)
			}
		case "checkboxes":
			for j := range field.Options {
				field.Options[j].Chosen = post.Get(field.Options[j].Name) != ""
			}
		}
		faults = append(faults, field.faults()...)
	}
	return filled, faults
}

func (f *issueForm) clone() *issueForm {
	copied := *f
	copied.Fields = slices.Clone(f.Fields)
	for i := range copied.Fields {
		copied.Fields[i].Options = slices.Clone(f.Fields[i].Options)
	}
	return &copied
}

func (f *formField) faults() []string {
	var faults []string
	switch f.Type {
	case "markdown":
		return nil
	case "checkboxes":
		for _, option := range f.Options {
			if option.Required && !option.Chosen {
				faults = append(faults, f.Label+": “"+option.Label+"” must be checked")
			}
		}
		return faults
	}
	if f.Required && f.answer() == noResponse {
		faults = append(faults, f.Label+" is required")
	}
	return faults
}

// body gives the issue's text exactly as GitHub makes it of a form: a heading
// a field, blank lines of bare LF between them, and a textarea's text with the
// CRLF line ends that browsers submit.
func (f *issueForm) body() string {
	var parts []string
	for i := range f.Fields {
		if field := &f.Fields[i]; field.Type != "markdown" {
			parts = append(parts, "### "+field.Label, field.answer())
		}
	}
	return strings.Join(parts, "\n\n")
}

func (f *formField) answer() string {
	switch f.Type {
	case "checkboxes":
		lines := make([]string, len(f.Options))
		for i, option := range f.Options {
			lines[i] = "- [ ] " + option.Label
			if option.Chosen {
				lines[i] = "- [x] " + option.Label
			}
		}
		return strings.Join(lines, "\n")
	case "dropdown":
		var chosen []string
		for _, option := range f.Options {
			if option.Chosen {
				chosen = append(chosen, option.Label)
			}
		}
		if len(chosen) == 0 {
			return noResponse
		}
		return strings.Join(chosen, ", ")
	}
	if strings.TrimSpace(f.Value) == "" {
		return noResponse
	}
	if f.Type == "textarea" && f.Render != "" {
		return "```" + f.Render + "\n" + f.Value + "\n```"
	}
	return f.Value
}
