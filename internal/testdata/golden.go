package testdata

import (
	"strings"
	"testing"
)

// Golden are the answers that the reference's generator made, by path, and the
// files of the corpus that it made them of, keys aside. Of the providers in
// GoldenParts the archive holds only a part of the answers.
func Golden(t testing.TB) (answers map[string]string, inputs map[string]bool) {
	t.Helper()
	answers, inputs = map[string]string{}, map[string]bool{}
	for name, body := range Files(t, "golden-api.tar.xz") {
		if name != "INPUTS.txt" {
			answers[name] = string(body)
			continue
		}
		for _, input := range strings.Fields(string(body)) {
			inputs[strings.TrimPrefix(input, "./")] = true
		}
	}
	if len(answers) != 1288 || len(inputs) != 18 {
		t.Fatalf("%d golden answers of %d files, want 1288 of 18", len(answers), len(inputs))
	}
	return answers, inputs
}

// GoldenParts are the folders of which the golden archive holds a part.
func GoldenParts() []string {
	return []string{"v1/providers/hashicorp/github/", "v1/providers/integrations/github/", "v1/providers/opentofu/github/"}
}

// ReferenceErrs are the golden answers that Registrar makes otherwise, each with
// the reason; docs/differences.md has them too. Compatible rendering reproduces
// them.
func ReferenceErrs() map[string]string {
	const (
		twice = "lists a version twice that the data file holds twice"
		plus  = "does not escape the + of a tag, which clients read as a space"
		tags  = "v1/modules/waveaccounting/chatbot-slack-configuration/aws/"
	)
	return map[string]string{
		"v1/modules/bataliero/s3/modules/versions":  twice,
		"v1/providers/chanzuckerberg/okta/versions": twice,
		tags + "1.0.0-alpha.1+0742d3b/download":     plus,
		tags + "1.0.0-alpha.2+a2fcb1e/download":     plus,
		tags + "1.0.0-alpha.3+46e44c9/download":     plus,
		tags + "1.1.0-alpha.2+a88b844/download":     plus,
	}
}
