package templates

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/validation"
)

const publicKey = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----"

func TestParseIssueTakesAForm(t *testing.T) {
	for name, c := range map[string]struct {
		title  string
		labels string
		body   string
		want   validation.Answers
	}{
		"any level of heading, any blank lines": {
			body: "# Provider Repository\nacme/terraform-provider-demo",
			want: providerAnswer("acme/terraform-provider-demo"),
		},
		"closed heading, colon, emphasis, no space": {
			body: "######**Module  repository:** ######\r\n\r\n\r\nacme/terraform-aws-vpc\r\n\r\n",
			want: moduleAnswer("acme/terraform-aws-vpc"),
		},
		"bold in place of a heading": {
			body: "**Provider Repository**\n\nacme/demo",
			want: providerAnswer("acme/demo"),
		},
		"underlined in place of a heading": {
			body: "Provider Repository\n---\nacme/demo\n",
			want: providerAnswer("acme/demo"),
		},
		"line ends of every kind": {
			body: "### Provider Namespace\r\racme\r\n\n### Provider Name (Optional)\n\rdemo\r",
			want: keyAnswer("acme", "demo", ""),
		},
		"text around the form": {
			body: "Hi all,\n\nhere it is\n\n## Provider Repository\n\nacme/demo please\n\n## Why\n\nbecause",
			want: providerAnswer("acme/demo please"),
		},
		"no response, whatever its case": {
			body: "### Provider Namespace\n\nacme\n\n### Provider Name (Optional)\n\n _No Response_  \n\n### Provider GPG Key\n\n_no response_",
			want: keyAnswer("acme", "", ""),
		},
		"fields in any order": {
			body: "### Provider GPG Key\n" + publicKey + "\n### Public Membership\n- [x] I have\n### Provider Name (Optional)\ndemo\n### Provider Namespace\nacme",
			want: membership(keyAnswer("acme", "demo", publicKey+"\n")),
		},
		"membership not ticked": {
			body: "### Provider Namespace\nacme\n### Public Membership\n- [ ] I have made my membership public",
			want: keyAnswer("acme", "", ""),
		},
		"a heading twice: the first answer counts": {
			body: "### Provider Repository\n\n_No response_\n\n### Provider Repository\n\nacme/one\n\n### Provider Repository\n\nacme/two",
			want: providerAnswer("acme/one"),
		},
		"two forms: the first that is answered counts": {
			labels: "provider",
			body:   "### Provider Repository\n\n\n### Module Repository\nacme/terraform-aws-vpc",
			want:   moduleAnswer("acme/terraform-aws-vpc"),
		},
		"headings win over labels and title": {
			title: "Provider: vpc", labels: "provider submission",
			body: "### Module Repository\n\nacme/terraform-aws-vpc",
			want: moduleAnswer("acme/terraform-aws-vpc"),
		},
		"a heading in a code fence does not count": {
			body: "### Module Repository\n\nacme/terraform-aws-vpc\n\n```\n### Provider Repository\n\nevil/demo\n```\n",
			want: moduleAnswer("acme/terraform-aws-vpc\n\n```\n### Provider Repository\n\nevil/demo\n```"),
		},
		"a fence that nothing closes hides nothing": {
			body: "### Provider Namespace\n```\nacme\n### Provider Name\ndemo",
			want: keyAnswer("```\nacme", "demo", ""),
		},
		"the whole form in a fence": {
			body: "~~~markdown\n### Provider Repository\n\nacme/demo\n~~~\n",
			want: providerAnswer("acme/demo"),
		},
		"the whole form indented, or quoted": {
			body: "    ### Provider Repository\n\n    acme/demo\n",
			want: providerAnswer("acme/demo"),
		},
		"an answer in a fence": {
			body: "### Provider Repository\n\n```text\nacme/demo\n```\n",
			want: providerAnswer("acme/demo"),
		},
		"comments are not there": {
			body: "<!-- registrar:submission issue=1 -->\n<!--\n### Module Repository\nevil/terraform-aws-vpc\n-->\n### Provider Repository\n<!-- owner/name -->\nacme/demo<!-- registrar-state: live -->\n",
			want: providerAnswer("acme/demo"),
		},
		"a comment that nothing closes is text": {
			body: "### Provider Repository\nacme/demo\n<!-- oops\n### DCO\n",
			want: providerAnswer("acme/demo\n<!-- oops"),
		},
		"question and answer on one line": {
			body: "## Please add\n\n- **Provider Repository:** acme/demo\n- Other: none",
			want: providerAnswer("acme/demo\n- Other: none"),
		},
		"the key is somewhere else": {
			body: "### Provider Namespace\n\nacme\n\n### Provider GPG Key\n\nsee below\n\n### Notes\n\n" + publicKey + "\n\nthanks",
			want: keyAnswer("acme", "", publicKey+"\n"),
		},
		"a quoted key": {
			body: "### Provider Namespace\n\nacme\n\n### Provider GPG Key\n\n> " + strings.ReplaceAll(publicKey, "\n", "\n> "),
			want: keyAnswer("acme", "", "\n"+publicKey),
		},
		"the form of 2023, as a provider": {
			title: "Provider: demo",
			body:  "### Namespace\n\nacme\n\n### Name\n\ndemo\n\n### Public GPG Key\n\n" + publicKey,
			want: validation.Answers{Kind: provider, FormKind: provider, Repository: "acme/demo",
				Namespace: "acme", ProviderName: "demo", Key: "\n" + publicKey},
		},
		"the form of 2023, with a key": {
			body: "### Namespace\n\nacme\n\n### Name\n\ndemo\n\n### Public GPG Key\n\n" + publicKey,
			want: keyAnswer("acme", "demo", "\n"+publicKey),
		},
		"the form with a DCO, unlabelled": {
			body: "### Provider Repository\n\nacme/demo\n\n### DCO\n\n- [X] I sign",
			want: providerAnswer("acme/demo"),
		},
		"version removal": {
			labels: "version-request",
			body: "### Type\n\nModule\n\n### Repository\n\nacme/terraform-aws-vpc\n\n### Affected Version(s)\n\n1.2.3\n\n### Why does this version need to be removed?\n\nmalware\n\n## Details\n\nmore\n\n" +
				"### Supporting Evidence\n\n_No response_\n\n### Acknowledgement\n\n- [X] read\n- [X] understood",
			want: validation.Answers{Kind: validation.KindVersionRemoval, FormKind: validation.KindVersionRemoval, Type: "Module",
				Repository: "acme/terraform-aws-vpc", Version: "1.2.3", Reason: "malware\n\n## Details\n\nmore", Acknowledged: true},
		},
		"version re-index, half acknowledged": {
			body: "### Repository\n\nacme/demo\n\n### Affected Version(s)\n\n1.2.3\n\n### Why does this version need to be re-indexed?\n\nrotated\n\n### Acknowledgement\n\n- [X] read\n- [ ] understood",
			want: validation.Answers{Kind: validation.KindVersionReindex, FormKind: validation.KindVersionReindex,
				Repository: "acme/demo", Version: "1.2.3", Reason: "rotated"},
		},
		"version request without a reason: the title tells": {
			title: "Version Re-indexing Request: x", labels: "version-request",
			body: "### Repository\n\nacme/demo\n\n### Affected Version(s)\n\n1.2.3",
			want: validation.Answers{Kind: validation.KindVersionReindex, FormKind: validation.KindVersionReindex,
				Repository: "acme/demo", Version: "1.2.3"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := ParseIssue(c.title, strings.Fields(c.labels), c.body)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("answers differ (-want +got):\n%s", diff)
			}
		})
	}
}

func providerAnswer(repository string) validation.Answers {
	return validation.Answers{Kind: provider, FormKind: provider, Repository: repository}
}

func moduleAnswer(repository string) validation.Answers {
	return validation.Answers{Kind: module, FormKind: module, Repository: repository}
}

func keyAnswer(namespace, name, key string) validation.Answers {
	return validation.Answers{Kind: providerKeys, FormKind: providerKeys, Namespace: namespace, ProviderName: name, Key: key}
}

func membership(a validation.Answers) validation.Answers {
	a.PublicMembership = true
	return a
}

// Without a form, labels and title make a submission only of a body that has
// something to work with; what a form's own labels stand on is always answered.
func TestParseIssueWithoutAForm(t *testing.T) {
	for name, c := range map[string]struct {
		title, labels, body string
		kind                validation.Kind
		repository          string
	}{
		"a label and a repository":            {"", "provider", "please add `acme/terraform-provider-demo`, thanks", provider, "acme/terraform-provider-demo"},
		"a label and an address":              {"", "Module", "see https://www.github.com/acme/terraform-aws-vpc/tree/main.", module, "https://www.github.com/acme/terraform-aws-vpc/tree/main."},
		"a label and a registry name":         {"", "provider", "add acme/demo!", provider, "acme/demo"},
		"a title and a repository":            {"Provider: demo", "", "acme/terraform-provider-demo", provider, "acme/terraform-provider-demo"},
		"a title and a registry name":         {"Provider: demo", "", "acme/demo", provider, "acme/demo"},
		"a title and a conversation":          {"Provider: demo", "", strings.Repeat("why is this not there? ", 20) + "acme/terraform-provider-demo", none, ""},
		"a title and nothing":                 {"Module: buy now", "", "cheap watches", none, ""},
		"a label and nothing":                 {"", "provider", "cheap watches", none, ""},
		"spam":                                {"Hello", "", "cheap watches at spam.example/x", none, ""},
		"nothing at all":                      {"", "", "", none, ""},
		"a repository without label or title": {"", "", "acme/terraform-provider-demo", none, ""},
		"the form's labels and nothing":       {"", "provider submission", "no idea", provider, "no idea"},
		"the form's labels, empty":            {"Module: x", "module,submission", "", module, ""},
		"the form's labels, another heading":  {"", "provider submission", "### Repository\n\nacme/demo", provider, "acme/demo"},
		"both kinds of label":                 {"Module: x", "provider module submission", "acme/terraform-aws-vpc", module, "acme/terraform-aws-vpc"},
		"a label and headings of its own":     {"", "provider", "## Crash\n\nin acme/terraform-provider-demo", none, ""},
		"a bug report":                        {"Provider: x", "bug", "### Thank you for reporting an issue.\n\nProvider Repository: acme/demo", none, ""},
	} {
		labels := strings.FieldsFunc(c.labels, func(r rune) bool { return r == ' ' || r == ',' })
		got := ParseIssue(c.title, labels, c.body)
		if got.Kind != c.kind || got.Repository != c.repository || got.FormKind != none {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// A private key never leaves the parser, wherever it was pasted.
func TestParseIssueKeepsNoPrivateKey(t *testing.T) {
	secret := "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQdGBGZtXHUBEADSECRETSECRETSECRETSECRETSECRETSECRET\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----"
	body := "### Provider Namespace\n\nacme\n\n### Provider GPG Key\n\n" + secret + "\n\n" + publicKey + "\n"
	got := ParseIssue("Provider Key: acme", nil, body)
	if !got.PrivateKey || got.Kind != providerKeys || !strings.Contains(got.Key, publicKey) || strings.Contains(got.Key, "SECRET") {
		t.Errorf("got %+v", got)
	}
	if got := ParseIssue("x", nil, "### Provider Namespace\n\nacme\n\n### Provider GPG Key\n\n"+secret); !got.PrivateKey || got.Key != "" {
		t.Errorf("alone: got %+v", got)
	}
	if got := ParseIssue(secret, nil, ""); !got.PrivateKey {
		t.Errorf("in the title: got %+v", got)
	}
}

// GitHub's longest body, built to be slow, is read in no time; a longer one is
// cut and says so.
func TestParseIssueIsLinear(t *testing.T) {
	for name, unit := range map[string]string{
		"headings": "# a\n", "known headings": "### Type\n", "fences": "```a\n", "shrinking fences": "````\n```a\n",
		"comments": "<!-- ", "closed comments": "<!---->", "key marks": "-----BEGIN PGP PRIVATE KEY BLOCK\n", "end marks": "-----END PRIVATE KEY\n",
		"dashes": "-", "spaces": "BEGIN ", "underlined": "type\n--\n", "words": "a/b ", "secrets": "lQdGBGZtXHUBEADabcdefghijklmnopqrstuvwxyzABCDEF\n#\n",
		"multi-byte": "é", "carriage returns": "\r", "quotes": "> ", "public marks": publicKey + "\n",
	} {
		body := strings.Repeat(unit, 2*maxBody/len(unit))
		start := time.Now()
		got := ParseIssue("Provider: x", []string{"provider"}, body)
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s: %v", name, took)
		}
		if got.Truncated != (len([]rune(body)) > maxBody) {
			t.Errorf("%s: truncated %v", name, got.Truncated)
		}
	}
}

func FuzzParseIssue(f *testing.F) {
	f.Add("Provider: demo", "provider,submission", "### Provider Repository\n\nacme/terraform-provider-demo\n\n### DCO\n\n- [X] I sign")
	f.Add("Provider Key:", "", "### Provider Namespace\r\n\r\nacme\r\n\r\n### Provider GPG Key\r\n\r\n"+publicKey)
	f.Add("", "version-request", "### Repository\n\nacme/demo\n\n### Affected Version(s)\n\n1.2.3")
	f.Add("Provider: x", "provider", "```\n<!-- ### Provider Repository -->\n```\n### Provider Repository\r\nacme/demo")
	f.Add("", "", "Provider GPG Key: -----BEGIN PGP PRIVATE KEY BLOCK-----")
	f.Fuzz(func(t *testing.T, title, labels, body string) {
		a := ParseIssue(title, strings.Split(labels, ","), body)
		for _, answer := range []string{a.Repository, a.Namespace, a.ProviderName, a.Key, a.Type, a.Version, a.Reason, a.Evidence} {
			if len(answer) > len(body)+2 && !strings.Contains(answer, redactedKey) {
				t.Errorf("an answer of %d bytes from a body of %d", len(answer), len(body))
			}
		}
		if a.FormKind != none && a.Kind != a.FormKind {
			t.Errorf("kind %q, form %q", a.Kind, a.FormKind)
		}
		if a.Kind == none && (a.Repository != "" || a.Key != "") {
			t.Errorf("answers of no submission: %+v", a)
		}
		if _, found := RedactPrivateKey(a.Key); found {
			t.Errorf("a private key got through: %q", a.Key)
		}
	})
}
