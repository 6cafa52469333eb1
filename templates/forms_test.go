package templates

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/validation"
)

// issueForm is a form as GitHub reads it.
type issueForm struct {
	Name, Description, Title string
	Labels                   []string
	Body                     []question
}

type question struct {
	Type, ID   string
	Attributes struct {
		Label, Value string
		Options      []yaml.Node
	}
	Validations struct{ Required bool }
}

func readForms(t *testing.T, from fs.FS) map[string]issueForm {
	t.Helper()
	forms := map[string]issueForm{}
	names, err := fs.Glob(from, "*.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(from, name)
		if err != nil {
			t.Fatal(err)
		}
		var form issueForm
		if err := yaml.Unmarshal(text, &form); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(form.Body) > 0 {
			forms[name] = form
		}
	}
	return forms
}

// filledIn is the body that GitHub makes of a form whose fields are answered
// with their ids, and left empty where they are optional.
func filledIn(form issueForm) string {
	var body strings.Builder
	for _, q := range form.Body {
		answer := "the " + q.ID
		switch {
		case q.Type == "markdown":
			continue
		case !q.Validations.Required && q.Type != "checkboxes":
			answer = "_No response_"
		case q.Type == "dropdown":
			answer = q.Attributes.Options[0].Value
		case q.Type == "checkboxes":
			answer = strings.TrimSuffix(strings.Repeat("- [X] yes\n", len(q.Attributes.Options)), "\n")
		}
		body.WriteString("### " + q.Attributes.Label + "\n\n" + answer + "\n\n")
	}
	return strings.TrimSuffix(body.String(), "\n\n")
}

// Each of our forms comes back through the parser, without the help of labels
// or title, and with them alone the kind is the same.
func TestFormsAgainstTheParser(t *testing.T) {
	want := map[string]validation.Answers{
		"provider.yml":     providerAnswer("the repository"),
		"module.yml":       moduleAnswer("the module_repository"),
		"provider_key.yml": membership(keyAnswer("the namespace", "", "the gpgkey")),
		"version-removal-request.yml": {Kind: validation.KindVersionRemoval, FormKind: validation.KindVersionRemoval, Type: "Provider",
			Repository: "the repository", Version: "the version", Reason: "the reason", Acknowledged: true},
	}
	forms := readForms(t, Forms())
	if len(forms) != len(want) {
		t.Fatalf("%d forms, want %d", len(forms), len(want))
	}
	for name, form := range forms {
		if diff := cmp.Diff(want[name], ParseIssue("", nil, filledIn(form))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if h := hintOf(form.Title+"x", form.Labels); h.kind != want[name].Kind || !h.submitted {
			t.Errorf("%s: labels %v and title %q say %+v", name, form.Labels, form.Title, h)
		}
		if kindOfTitle(form.Title) != want[name].Kind {
			t.Errorf("%s: title %q", name, form.Title)
		}
	}
	if _, err := fs.Stat(Forms(), "config.yml"); err != nil {
		t.Error(err)
	}
}

// The forms are ours in wording, but their questions, ids and labels are those
// that authors, links and tools know.
func TestFormsKeepTheInterface(t *testing.T) {
	dir := filepath.Join(testdata.Shared(t), "issue-forms")
	known, ours := readForms(t, os.DirFS(dir)), readForms(t, Forms())
	if len(known) < 5 {
		t.Fatalf("%d forms in the shared data", len(known))
	}
	for name, form := range known {
		mine, ok := ours[name]
		if !ok { // re-indexing has no form of ours, but the answers are read
			if got := ParseIssue("", nil, filledIn(form)); got.Kind != validation.KindVersionReindex {
				t.Errorf("%s: got %+v", name, got)
			}
			continue
		}
		if diff := cmp.Diff(questions(form), questions(mine)); diff != "" {
			t.Errorf("%s: questions (-known +ours):\n%s", name, diff)
		}
		if mine.Title != form.Title || !slices.Equal(mine.Labels, form.Labels) {
			t.Errorf("%s: title %q, labels %v; known are %q, %v", name, mine.Title, mine.Labels, form.Title, form.Labels)
		}
	}
}

func questions(form issueForm) []string {
	var out []string
	for _, q := range form.Body {
		if q.Type != "markdown" {
			out = append(out, q.Type+" "+q.ID+" "+q.Attributes.Label)
		}
	}
	return out
}

// The link to the key form names the form's file and its fields.
func TestKeyFormURL(t *testing.T) {
	ids := questions(readForms(t, Forms())["provider_key.yml"])
	if !strings.HasPrefix(ids[0], "input namespace ") || !strings.HasPrefix(ids[1], "input providername ") {
		t.Errorf("the form's fields are %q", ids)
	}
	for want, got := range map[string]string{
		"https://github.com/example/registry/issues/new?namespace=acme&providername=demo&template=provider_key.yml": exampleSite.KeyFormURL("acme", "demo"),
		"https://github.com/example/registry/issues/new?namespace=a%26b&template=provider_key.yml":                  exampleSite.KeyFormURL("a&b", ""),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestSite(t *testing.T) {
	local := Site{BaseURL: "https://127.0.0.1:8443/", RepositoryURL: "http://127.0.0.1:9000/o/r"}
	for got, want := range map[string]string{
		exampleSite.Host():                       "registry.example.org",
		local.Host():                             "127.0.0.1:8443",
		Site{BaseURL: "registry"}.Host():         "registry",
		local.source("acme/demo"):                "127.0.0.1:8443/acme/demo",
		local.versionsURL(provider, "acme/demo"): "https://127.0.0.1:8443/v1/providers/acme/demo/versions",
		local.repositoryURL(repositoryOf("a/b")): "http://127.0.0.1:9000/a/b",
		Site{BaseURL: "https://registry.opentofu.org"}.source("acme/demo"): "acme/demo",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
