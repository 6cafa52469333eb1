package sandbox

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxForm is the largest form file that is read, in bytes.
const maxForm = 64 << 10

// An issueForm is a template from a repository's .github/ISSUE_TEMPLATE: a form
// (.yml) with fields, or an older Markdown template (.md) with a body.
type issueForm struct {
	File        string
	Name        string
	Description string
	Title       string // what the title begins with
	Labels      []string
	Fields      []formField
	Body        string // of a Markdown template
}

// A formField is one element of a form: markdown, input, textarea, dropdown or
// checkboxes. Name is unique within the form and names its HTML control.
type formField struct {
	Type        string
	Name        string
	ID          string // what a prefilling query calls it
	Label       string
	Description string
	Placeholder string
	Value       string
	Render      string // language of the code block a textarea becomes
	Options     []formOption
	Multiple    bool
	Required    bool
}

type formOption struct {
	Name     string
	Label    string
	Required bool
	Chosen   bool
}

// formYAML is the file as GitHub documents it ("Syntax for GitHub's form
// schema", "Syntax for issue forms").
type formYAML struct {
	Name        string    `yaml:"name"`
	Description string    `yaml:"description"`
	About       string    `yaml:"about"`
	Title       string    `yaml:"title"`
	Labels      yaml.Node `yaml:"labels"`
	Body        []struct {
		Type       string `yaml:"type"`
		ID         string `yaml:"id"`
		Attributes struct {
			Label       string      `yaml:"label"`
			Description string      `yaml:"description"`
			Placeholder string      `yaml:"placeholder"`
			Value       string      `yaml:"value"`
			Render      string      `yaml:"render"`
			Multiple    bool        `yaml:"multiple"`
			Default     *int        `yaml:"default"`
			Options     []yaml.Node `yaml:"options"`
		} `yaml:"attributes"`
		Validations struct {
			Required bool `yaml:"required"`
		} `yaml:"validations"`
	} `yaml:"body"`
}

// parseIssueForm reads one template file. An error says what GitHub would
// refuse: a form without name, description or body, an unknown field type.
func parseIssueForm(file string, data []byte) (*issueForm, error) {
	if len(data) > maxForm {
		return nil, fmt.Errorf("issue form %s: larger than %d bytes", file, maxForm)
	}
	form := &issueForm{File: path.Base(file)}
	if strings.HasSuffix(file, ".md") {
		return form, form.readMarkdown(data)
	}
	var raw formYAML
	if err := yaml.Unmarshal(data, &raw); err != nil {
		return nil, fmt.Errorf("issue form %s: %w", file, err)
	}
	form.readHead(raw)
	if form.Name == "" || form.Description == "" || len(raw.Body) == 0 {
		return nil, fmt.Errorf("issue form %s: name, description and body are required", file)
	}
	if err := form.readFields(raw); err != nil {
		return nil, fmt.Errorf("issue form %s: %w", file, err)
	}
	return form, nil
}

func (f *issueForm) readHead(raw formYAML) {
	f.Name, f.Title = raw.Name, raw.Title
	f.Description = raw.Description
	if f.Description == "" {
		f.Description = raw.About
	}
	var list []string
	if raw.Labels.Decode(&list) != nil { // "labels: bug, help" is the other form
		list = strings.Split(raw.Labels.Value, ",")
	}
	for _, name := range list {
		if name = strings.TrimSpace(name); name != "" {
			f.Labels = append(f.Labels, name)
		}
	}
}

// readMarkdown splits a Markdown template into its front matter and body.
func (f *issueForm) readMarkdown(data []byte) error {
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	front, body, ok := strings.Cut(strings.TrimPrefix(text, "---\n"), "\n---\n")
	if !ok || !strings.HasPrefix(text, "---\n") {
		return fmt.Errorf("issue template %s: no front matter", f.File)
	}
	var raw formYAML
	if err := yaml.Unmarshal([]byte(front), &raw); err != nil {
		return fmt.Errorf("issue template %s: %w", f.File, err)
	}
	f.readHead(raw)
	f.Body = strings.TrimLeft(body, "\n")
	return nil
}

func (f *issueForm) readFields(raw formYAML) error {
	var asks bool
	for i, item := range raw.Body {
		field := formField{
			Type: item.Type, Name: "field" + strconv.Itoa(i), ID: item.ID,
			Label: item.Attributes.Label, Description: item.Attributes.Description, Placeholder: item.Attributes.Placeholder,
			Value: item.Attributes.Value, Render: item.Attributes.Render, Multiple: item.Attributes.Multiple, Required: item.Validations.Required,
		}
		if !slices.Contains([]string{"markdown", "input", "textarea", "dropdown", "checkboxes"}, field.Type) {
			return fmt.Errorf("field %d: unknown type %q", i+1, field.Type)
		}
		if field.Type != "markdown" {
			asks = true
			if field.Label == "" {
				return fmt.Errorf("field %d: no label", i+1)
			}
		}
		if err := field.readOptions(item.Attributes.Options, item.Attributes.Default); err != nil {
			return fmt.Errorf("field %d: %w", i+1, err)
		}
		f.Fields = append(f.Fields, field)
	}
	if !asks {
		return errors.New("the body needs a field that is not markdown")
	}
	return nil
}

// readOptions reads the options of a dropdown (plain values) or of checkboxes
// (objects with a label).
func (f *formField) readOptions(nodes []yaml.Node, chosen *int) error {
	if len(nodes) == 0 && (f.Type == "dropdown" || f.Type == "checkboxes") {
		return errors.New("no options")
	}
	for i, node := range nodes {
		option := formOption{Name: f.Name + "." + strconv.Itoa(i)}
		if node.Kind == yaml.ScalarNode {
			option.Label = node.Value
		} else {
			var box struct {
				Label    string `yaml:"label"`
				Required bool   `yaml:"required"`
			}
			if err := node.Decode(&box); err != nil {
				return fmt.Errorf("option %d: %w", i+1, err)
			}
			option.Label, option.Required = box.Label, box.Required
		}
		option.Chosen = f.Type == "dropdown" && chosen != nil && *chosen == i
		f.Options = append(f.Options, option)
	}
	return nil
}
