package sandbox

import (
	"cmp"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// templateFolder holds a repository's issue forms and their config.yml.
const templateFolder = ".github/ISSUE_TEMPLATE"

// maxForms bounds the forms that are read of one repository.
const maxForms = 50

type choosePage struct {
	frame
	Forms    []*issueForm
	Faults   []string // forms that GitHub would refuse, and why
	Blank    bool
	Contacts []contactLink
}

type contactLink struct {
	Name  string `yaml:"name"`
	About string `yaml:"about"`
	URL   string `yaml:"url"`
}

type newIssuePage struct {
	frame
	Form   *issueForm
	Fields []fieldView
	Labels []labelView
	Faults []string
}

type fieldView struct {
	formField
	HTML  template.HTML // of markdown
	Hint  template.HTML
	Boxes []boxView
}

type boxView struct {
	formOption
	HTML template.HTML
}

// issueForms reads the forms of the default branch, by file name, and the
// reasons why some are none.
func (v *visit) issueForms() (forms []*issueForm, faults []string) {
	commit, found := v.repo.git.findCommit(v.repo.defaultBranch)
	if !found {
		return nil, nil
	}
	folder, found := v.repo.git.entryAt(commit.TreeHash, templateFolder)
	if !found {
		return nil, nil
	}
	tree, err := v.repo.git.tree(folder.Hash)
	if err != nil {
		return nil, nil
	}
	for _, e := range tree.Entries {
		if !slices.Contains([]string{".yml", ".yaml", ".md"}, path.Ext(e.Name)) || isFormConfig(e.Name) || len(forms) == maxForms {
			continue
		}
		data, err := v.repo.git.blob(e.Hash)
		if err != nil {
			continue
		}
		form, err := parseIssueForm(e.Name, data)
		if err != nil {
			faults = append(faults, err.Error())
			continue
		}
		forms = append(forms, form)
	}
	return forms, faults
}

func isFormConfig(name string) bool { return name == "config.yml" || name == "config.yaml" }

// formConfig reads .github/ISSUE_TEMPLATE/config.yml; blank issues are allowed
// unless it says otherwise.
func (v *visit) formConfig() (blank bool, contacts []contactLink) {
	commit, found := v.repo.git.findCommit(v.repo.defaultBranch)
	if !found {
		return true, nil
	}
	for _, name := range []string{"config.yml", "config.yaml"} {
		entry, found := v.repo.git.entryAt(commit.TreeHash, templateFolder+"/"+name)
		if !found {
			continue
		}
		data, err := v.repo.git.blob(entry.Hash)
		if err != nil || len(data) > maxForm {
			return true, nil
		}
		var config struct {
			Blank    *bool         `yaml:"blank_issues_enabled"`
			Contacts []contactLink `yaml:"contact_links"`
		}
		if yaml.Unmarshal(data, &config) != nil {
			return true, nil
		}
		return config.Blank == nil || *config.Blank, config.Contacts
	}
	return true, nil
}

func choosePageOf(v *visit) (any, error) {
	page := choosePage{frame: v.frame("New issue", "issues")}
	page.Forms, page.Faults = v.issueForms()
	page.Blank, page.Contacts = v.formConfig()
	// GitHub lists forms by name of file, without regard to case.
	slices.SortFunc(page.Forms, func(a, b *issueForm) int { return cmp.Compare(strings.ToLower(a.File), strings.ToLower(b.File)) })
	return page, nil
}

// findForm returns the named form, or the form of a blank issue for "".
func (v *visit) findForm(file string) (*issueForm, error) {
	forms, _ := v.issueForms()
	if file == "" {
		if blank, _ := v.formConfig(); !blank && len(forms) > 0 {
			return nil, &movedPage{to: "/" + v.full + "/issues/new/choose"}
		}
		return &issueForm{}, nil
	}
	for _, form := range forms {
		if form.File == file {
			return form, nil
		}
	}
	return nil, fail(http.StatusNotFound, fmt.Sprintf("This repository has no issue form %q.", file))
}

func newIssuePageOf(v *visit) (any, error) {
	query := v.URL.Query()
	form, err := v.findForm(query.Get("template"))
	if err != nil {
		return nil, err
	}
	form = form.prefilled(query)
	if len(form.Fields) == 0 && query.Has("body") {
		form.Body = query.Get("body")
	}
	return v.showForm(form, nil), nil
}

func (v *visit) showForm(form *issueForm, faults []string) newIssuePage {
	page := newIssuePage{frame: v.frame("New issue", "issues"), Form: form, Faults: faults}
	for _, name := range form.Labels {
		for _, l := range v.repo.labels {
			if strings.EqualFold(l.name, name) {
				page.Labels = append(page.Labels, viewLabels([]*label{l})...)
			}
		}
	}
	for _, field := range form.Fields {
		view := fieldView{formField: field}
		if field.Type == "markdown" {
			view.HTML = v.markdown(field.Value)
		} else if field.Description != "" {
			view.Hint = v.markdown(field.Description)
		}
		if field.Type == "checkboxes" {
			for _, option := range field.Options {
				view.Boxes = append(view.Boxes, boxView{formOption: option, HTML: v.markdown(option.Label)})
			}
		}
		page.Fields = append(page.Fields, view)
	}
	return page
}

// createIssueFromPage makes an issue of a submitted form: its title, the body
// that GitHub would write, and the form's labels, which are set for everyone
// although only some may set labels otherwise.
func createIssueFromPage(v *visit) (string, error) {
	var form *issueForm
	var err error
	v.s.view(func() { form, err = v.findForm(v.PostForm.Get("template")) })
	if err != nil {
		return "", err
	}
	title, body, labels, again := v.answer(form)
	if again != nil {
		return "", again
	}
	number, err := v.openIssue(title, body, labels)
	if err != nil {
		return "", err
	}
	return v.pathOfIssue(number), nil
}

// answer judges a submitted form; again shows it with its faults.
func (v *visit) answer(form *issueForm) (title, body string, labels []string, again error) {
	var faults []string
	form, faults = form.answered(v.PostForm)
	form.Title = v.PostForm.Get("title")
	if title = strings.TrimSpace(form.Title); title == "" {
		faults = append([]string{"A title is required"}, faults...)
	}
	body = form.body()
	if len(form.Fields) == 0 {
		body = v.PostForm.Get("body")
		form.Body = body
	}
	if len(faults) > 0 {
		var page newIssuePage
		v.s.view(func() { page = v.showForm(form, faults) })
		page.Path = "/" + v.full + "/issues/new?" + url.Values{"template": {form.File}}.Encode()
		return "", "", nil, &formAgain{page: "issue_new", data: page}
	}
	return title, body, form.Labels, nil
}

// openIssue opens an issue with labels that its form carries. Unlike those of
// a request they are set whoever submits, but a label that the repository
// lacks is not made (GitHub, "Syntax for issue forms").
func (v *visit) openIssue(title, body string, names []string) (number string, err error) {
	err = v.s.update(nil, func() error {
		if v.repo.archived {
			return fail(http.StatusForbidden, "Repository was archived so is read-only.")
		}
		if err := checkText("Issue", title, body); err != nil {
			return err
		}
		i := v.s.addIssue(v.actor(), v.repo, title, body)
		for _, name := range names {
			if l := findLabel(v.repo.labels, name); l != nil && !slices.Contains(i.labels, l) {
				i.labels = append(i.labels, l)
			}
		}
		v.s.emitIssue(v.actor(), i, "opened", nil)
		for _, l := range i.labels {
			v.s.emitIssue(v.actor(), i, "labeled", func() obj { return obj{"label": v.s.labelJSON(v.repo, l)} })
		}
		number = strconv.Itoa(i.number)
		return nil
	})
	return number, err
}
