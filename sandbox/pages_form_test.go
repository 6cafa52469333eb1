package sandbox

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const everyField = `name: Everything
description: Each type of field
title: "All: "
labels: ["one", "two"]
body:
  - type: markdown
    attributes:
      value: "**Read** this"
  - type: input
    id: repository
    attributes:
      label: Repository
      description: owner/name
      placeholder: acme/demo
      value: preset
    validations:
      required: true
  - type: textarea
    id: why
    attributes:
      label: Why?
  - type: textarea
    id: log
    attributes:
      label: Log
      render: shell
  - type: dropdown
    id: kind
    attributes:
      label: Kind
      options: [Provider, Module, 3]
      default: 1
    validations:
      required: true
  - type: dropdown
    id: many
    attributes:
      label: Many
      multiple: true
      options:
        - a
        - b
        - c
  - type: checkboxes
    id: agree
    attributes:
      label: Agreement
      options:
        - label: I agree
          required: true
        - label: Call me
`

func everyForm(t *testing.T) *issueForm {
	t.Helper()
	form, err := parseIssueForm(".github/ISSUE_TEMPLATE/all.yml", []byte(everyField))
	if err != nil {
		t.Fatal(err)
	}
	return form
}

func TestFormBodyIsWhatGitHubWrites(t *testing.T) {
	form := everyForm(t)
	filled, faults := form.answered(url.Values{
		"field1": {"acme/terraform-provider-demo"}, "field2": {"first\r\n\r\nsecond "}, "field3": {"$ make\r\nok"},
		"field4": {"Provider"}, "field5": {"c", "a"}, "field6.0": {"1"},
	})
	if len(faults) > 0 {
		t.Fatalf("faults %q", faults)
	}
	want := "### Repository\n\nacme/terraform-provider-demo\n\n### Why?\n\nfirst\r\n\r\nsecond \n\n### Log\n\n```shell\n$ make\r\nok\n```\n\n" +
		"### Kind\n\nProvider\n\n### Many\n\na, c\n\n### Agreement\n\n- [x] I agree\n- [ ] Call me"
	if diff := cmp.Diff(want, filled.body()); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	if form.Title != "All: " || !cmp.Equal(form.Labels, []string{"one", "two"}) || form.File != "all.yml" {
		t.Errorf("head %q %q %q", form.Title, form.Labels, form.File)
	}
}

func TestFormEmptyAnswers(t *testing.T) {
	filled, faults := everyForm(t).answered(url.Values{"field2": {" \r\n"}, "field4": {"Bicycle"}})
	want := []string{"Repository is required", "Kind is required", "Agreement: “I agree” must be checked"}
	if diff := cmp.Diff(want, faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	body := filled.body()
	for _, part := range []string{"### Why?\n\n_No response_\n\n", "### Log\n\n_No response_\n\n", "### Many\n\n_No response_\n\n", "- [ ] I agree"} {
		if !strings.Contains(body, part) {
			t.Errorf("no %q in %q", part, body)
		}
	}
}

func TestFormPrefill(t *testing.T) {
	form := everyForm(t).prefilled(url.Values{"repository": {"acme/demo"}, "title": {"All: acme"}, "kind": {"3"}, "agree": {"I agree"}, "template": {"x"}})
	if got := form.Fields[1].Value; got != "acme/demo" {
		t.Errorf("repository is %q", got)
	}
	if form.Title != "All: acme" {
		t.Errorf("title is %q", form.Title)
	}
	if options := form.Fields[4].Options; options[1].Chosen || !options[2].Chosen {
		t.Errorf("kind: %+v", options)
	}
	if form.Fields[6].Options[0].Chosen {
		t.Error("a checkbox was prefilled")
	}
	if untouched := everyForm(t); untouched.Fields[1].Value != "preset" || !untouched.Fields[4].Options[1].Chosen {
		t.Error("defaults are lost")
	}
}

func TestFormOfOneLineKeepsOneLine(t *testing.T) {
	filled, _ := everyForm(t).answered(url.Values{"field1": {"a\r\n\r\n### Why?\r\n\r\nforged"}})
	if got := filled.Fields[1].Value; strings.ContainsAny(got, "\r\n") {
		t.Errorf("input holds a line end: %q", got)
	}
}

func TestFormsThatGitHubRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no YAML":        "name: [",
		"no body":        "name: a\ndescription: b\n",
		"no name":        "description: b\nbody:\n  - {type: input, attributes: {label: x}}\n",
		"unknown type":   "name: a\ndescription: b\nbody:\n  - {type: slider, attributes: {label: x}}\n",
		"no label":       "name: a\ndescription: b\nbody:\n  - {type: input, attributes: {}}\n",
		"only markdown":  "name: a\ndescription: b\nbody:\n  - {type: markdown, attributes: {value: x}}\n",
		"no options":     "name: a\ndescription: b\nbody:\n  - {type: dropdown, attributes: {label: x}}\n",
		"too large":      "name: a\n#" + strings.Repeat("x", maxForm),
		"odd body":       "name: a\ndescription: b\nbody: 3\n",
		"alias, endless": "a: &a [*a]\nname: a\n",
	} {
		if _, err := parseIssueForm("f.yml", []byte(text)); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestMarkdownTemplate(t *testing.T) {
	form, err := parseIssueForm("bug.md", []byte("---\r\nname: Bug\r\nabout: Tell us\r\ntitle: ''\r\nlabels: bug, help wanted\r\n---\r\n\r\n**What**\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := &issueForm{File: "bug.md", Name: "Bug", Description: "Tell us", Labels: []string{"bug", "help wanted"}, Body: "**What**\n"}
	if diff := cmp.Diff(want, form); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
}

func FuzzIssueForm(f *testing.F) {
	f.Add(everyField, "field1=a&field6.0=1")
	f.Add("---\nname: a\n---\nbody", "")
	f.Add("name: a\ndescription: b\nlabels: x, y\nbody:\n  - {type: checkboxes, attributes: {label: l, options: [{label: a, required: true}]}}\n", "field0.0=1")
	f.Fuzz(func(t *testing.T, text, post string) {
		values, err := url.ParseQuery(post)
		if err != nil {
			return
		}
		for _, file := range []string{"f.yml", "f.md"} {
			form, err := parseIssueForm(file, []byte(text))
			if err != nil {
				continue
			}
			filled, _ := form.prefilled(values).answered(values)
			if body := filled.body(); len(filled.Fields) == 0 && body != "" {
				t.Errorf("a form without fields made %q", body)
			}
		}
	})
}
