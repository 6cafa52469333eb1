package validation

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

// What each real submission says, and its verdict without a look at GitHub:
// kind, namespace, name, target, then the code of the error if there is one.
// (That the answers are found in the body is the business of templates.)
var realIssues = map[string]string{
	"module-110":        "module captn3m0 duo-ips data",
	"module-2272":       "module - - - repository-name",
	"module-2356":       "module - - - repository-name",
	"module-2377":       "module - - - repository-unreadable",
	"module-248":        "module denis256 terragrunt-registry-test null",
	"module-327":        "module gruntwork-io terragrunt-registry-test null",
	"module-3274":       "module - - - repository-name",
	"module-3358":       "module - - - repository-placeholder",
	"module-4517":       "module - - - repository-name",
	"module-469":        "module cloudnationhq rg azure",
	"module-518":        "module chime alternat aws",
	"module-935":        "module dnogu repository github",
	"module-96":         "module cam72cam test module",
	"provider-1357":     "provider openstatushq openstatus -",
	"provider-1483":     "provider svalabs forgejo -",
	"provider-1897":     "provider enthought quay -",
	"provider-2072":     "provider goharbor harbor -",
	"provider-2231":     "provider adyxax forgejo -",
	"provider-2273":     "provider openfga openfga -",
	"provider-2421":     "provider iits-consulting errorcheck -",
	"provider-2765":     "provider astromechza faulty -",
	"provider-3124":     "provider sumicare kind -",
	"provider-3262":     "provider kfkonrad forgejo -",
	"provider-3373":     "provider vmvarela github -",
	"provider-4028":     "provider provide-io tofusoup -",
	"provider-4188":     "provider jfrog mission-control -",
	"provider-4338":     "provider torin-asakura github -",
	"provider-4528":     "provider imioimi ghflow -",
	"provider-4611":     "provider charpand openprovider -",
	"provider-4883":     "provider trunk-io trunk -",
	"provider-5516":     "provider terr4m hash -",
	"provider-622":      "provider ryanfaircloth dns-validation -",
	"provider-737":      "provider previder previder -",
	"provider-771":      "provider integrations github -",
	"provider-97":       "provider cam72cam test -",
	"provider-key-1153": "provider-key ciscodevnet cml2 -",
	"provider-key-1978": "provider-key matthewbaggett - - key-unreadable",
	"provider-key-2226": "provider-key kenske - - key-unreadable",
	"provider-key-2578": "provider-key ceski23 garage2 - key-unreadable",
	"provider-key-3371": "provider-key jlec - - key-unreadable",
	"provider-key-4324": "provider-key fdcastel - - key-unreadable",
	"provider-key-4736": "provider-key public-cloud-wl - - key-unreadable",
	"provider-key-5359": "provider-key mwalser - - key-unreadable",
	"provider-key-681":  "provider-key jfrog - -",
	"provider-key-959":  "provider-key terraform-provider-gpg - -",
}

func TestRealIssues(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join(testdata.Shared(t), "issues", "*.md"))
	must(t, err)
	seen := 0
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".md")
		want, ok := realIssues[name]
		if !ok {
			if !strings.HasPrefix(name, "other-") {
				t.Errorf("%s has no wanted verdict", name)
			}
			continue
		}
		seen++
		b, err := os.ReadFile(path)
		must(t, err)
		t.Run(name, func(t *testing.T) {
			for _, text := range []string{string(b), strings.ReplaceAll(string(b), "\n", "\r\n")} {
				_, r := JudgeOffline(realAnswers(name, text), testNow)
				if got := verdictLine(r); got != want {
					t.Errorf("%s, want %s (%+v)", got, want, r.Findings)
				}
			}
		})
	}
	if seen != len(realIssues) {
		t.Errorf("%d of %d issues are there", seen, len(realIssues))
	}
}

func verdictLine(r Report) string {
	words := []string{string(r.Kind), r.Namespace, r.Name, r.Target}
	for i, w := range words {
		if w == "" {
			words[i] = "-"
		}
	}
	for _, f := range r.Findings {
		if f.Severity == Error {
			words = append(words, f.Code)
		}
	}
	return strings.Join(words, " ")
}

var section = regexp.MustCompile(`(?m)^### (.+?)\r?$`)

// realAnswers reads the sections of a form's body, as far as this test needs.
func realAnswers(name, text string) Answers {
	_, body, _ := strings.Cut(text, "<!-- BODY BELOW -->")
	body, _, _ = strings.Cut(body, "<!-- END BODY -->")
	answers := map[string]string{}
	marks := section.FindAllStringSubmatchIndex(body, -1)
	for i, m := range marks {
		end := len(body)
		if i+1 < len(marks) {
			end = marks[i+1][0]
		}
		answers[body[m[2]:m[3]]] = body[m[1]:end]
	}
	a := Answers{
		Namespace: answers["Provider Namespace"], ProviderName: answers["Provider Name (Optional)"], Key: answers["Provider GPG Key"],
	}
	switch {
	case strings.HasPrefix(name, "provider-key"):
		a.Kind = KindProviderKey
	case strings.HasPrefix(name, "provider"):
		a.Kind, a.Repository = KindProvider, answers["Provider Repository"]
	default:
		a.Kind, a.Repository = KindModule, answers["Module Repository"]
	}
	return a
}
