package templates

import (
	"strings"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/validation"
)

// realAnswers is what the shared submissions say: the kind, the raw answers,
// and what the rules make of them without a look at GitHub.
var realAnswers = map[string]struct {
	kind            validation.Kind
	repository      string
	namespace, name string
	keyLines        int    // lines of the key; 0 for none
	address         string // what it is about; "" where that can't be told
	finding         string // the code of the one finding; "" for none
}{
	"module-110":  {kind: module, repository: "https://github.com/captn3m0/terraform-data-duo-ips", address: "captn3m0/duo-ips/data"},
	"module-2272": {kind: module, repository: "https://github.com/terraform-mgc-modules/mgc-ssh-keys", finding: "repository-name"},
	"module-2356": {kind: module, repository: "https://github.com/opentofu/registry.git", finding: "repository-name"},
	"module-2377": {kind: module, repository: "[vulgar single word]", finding: "repository-unreadable"},
	"module-248":  {kind: module, repository: "denis256/terraform-null-terragrunt-registry-test", address: "denis256/terragrunt-registry-test/null"},
	"module-327":  {kind: module, repository: "gruntwork-io/terraform-null-terragrunt-registry-test", address: "gruntwork-io/terragrunt-registry-test/null"},
	"module-3274": {kind: module, repository: "quiquecmtt/opentofu-talos-cluster", finding: "repository-name"},
	"module-3358": {kind: module, repository: "owner}/terraform-{target}-{name", finding: "repository-placeholder"},
	"module-4517": {kind: module, repository: "Manuel-Antunes/google-tag-manager", finding: "repository-name"},
	"module-469":  {kind: module, repository: "CloudNationHQ/terraform-azure-rg", address: "cloudnationhq/rg/azure"},
	"module-518":  {kind: module, repository: "chime/terraform-aws-alternat", address: "chime/alternat/aws"},
	"module-935":  {kind: module, repository: "dnogu/terraform-github-repository", address: "dnogu/repository/github"},
	"module-96":   {kind: module, repository: "cam72cam/terraform-module-test", address: "cam72cam/test/module"},

	"other-3249": {kind: none},
	"other-3985": {kind: none},
	"other-4010": {kind: none},

	"provider-1357": {kind: provider, repository: "openstatusHQ/terraform-provider-openstatus", address: "openstatushq/openstatus"},
	"provider-1483": {kind: provider, repository: "svalabs/terraform-provider-forgejo", address: "svalabs/forgejo"},
	"provider-1897": {kind: provider, repository: "https://github.com/enthought/terraform-provider-quay", address: "enthought/quay"},
	"provider-2072": {kind: provider, repository: "goharbor/terraform-provider-harbor", address: "goharbor/harbor"},
	"provider-2231": {kind: provider, repository: "adyxax/terraform-provider-forgejo", address: "adyxax/forgejo"},
	"provider-2273": {kind: provider, repository: "https://github.com/openfga/terraform-provider-openfga", address: "openfga/openfga"},
	"provider-2421": {kind: provider, repository: "iits-consulting/terraform-provider-errorcheck", address: "iits-consulting/errorcheck"},
	"provider-2765": {kind: provider, repository: "astromechza/terraform-provider-faulty", address: "astromechza/faulty"},
	"provider-3124": {kind: provider, repository: "sumicare/terraform-provider-kind", address: "sumicare/kind"},
	"provider-3262": {kind: provider, repository: "kfkonrad/terraform-provider-forgejo", address: "kfkonrad/forgejo"},
	"provider-3373": {kind: provider, repository: "vmvarela/terraform-provider-github", address: "vmvarela/github"},
	"provider-4028": {kind: provider, repository: "provide-io/terraform-provider-tofusoup", address: "provide-io/tofusoup"},
	"provider-4188": {kind: provider, repository: "https://github.com/jfrog/terraform-provider-mission-control", address: "jfrog/mission-control"},
	"provider-4338": {kind: provider, repository: "torin-asakura/terraform-provider-github", address: "torin-asakura/github"},
	"provider-4528": {kind: provider, repository: "ImIOImI/terraform-provider-ghflow", address: "imioimi/ghflow"},
	"provider-4611": {kind: provider, repository: "charpand/terraform-provider-openprovider", address: "charpand/openprovider"},
	"provider-4883": {kind: provider, repository: "trunk-io/terraform-provider-trunk", address: "trunk-io/trunk"},
	"provider-5516": {kind: provider, repository: "terr4m/terraform-provider-hash", address: "terr4m/hash"},
	"provider-622":  {kind: provider, repository: "ryanfaircloth/terraform-provider-dns-validation", address: "ryanfaircloth/dns-validation"},
	"provider-737":  {kind: provider, repository: "previder/terraform-provider-previder", address: "previder/previder"},
	"provider-771":  {kind: provider, repository: "integrations/terraform-provider-github", address: "integrations/github"},
	"provider-97":   {kind: provider, repository: "cam72cam/terraform-provider-test", address: "cam72cam/test"},

	"provider-key-1153": {kind: providerKeys, namespace: "CiscoDevNet", name: "cml2", keyLines: 29, address: "ciscodevnet/cml2", finding: "key-expired"},
	"provider-key-1978": {kind: providerKeys, namespace: "matthewbaggett", keyLines: 4, address: "matthewbaggett", finding: "key-unreadable"},
	"provider-key-2226": {kind: providerKeys, namespace: "kenske", keyLines: 4, address: "kenske", finding: "key-unreadable"},
	"provider-key-2578": {kind: providerKeys, namespace: "ceski23", name: "garage2", keyLines: 4, address: "ceski23/garage2", finding: "key-unreadable"},
	"provider-key-3371": {kind: providerKeys, namespace: "jlec", keyLines: 5, address: "jlec", finding: "key-unreadable"},
	"provider-key-4324": {kind: providerKeys, namespace: "fdcastel", keyLines: 4, address: "fdcastel", finding: "key-unreadable"},
	"provider-key-4736": {kind: providerKeys, namespace: "public-cloud-wl", keyLines: 4, address: "public-cloud-wl", finding: "key-unreadable"},
	"provider-key-5359": {kind: providerKeys, namespace: "mwalser", keyLines: 4, address: "mwalser", finding: "key-unreadable"},
	"provider-key-681":  {kind: providerKeys, namespace: "jfrog", keyLines: 28, address: "jfrog", finding: "key-weak"},
	"provider-key-959":  {kind: providerKeys, namespace: "terraform-provider-gpg", keyLines: 52, address: "terraform-provider-gpg"},
}

const (
	provider     = validation.KindProvider
	module       = validation.KindModule
	providerKeys = validation.KindProviderKey
	none         = validation.KindNone
)

// Each real submission is read as its author meant it, with the line ends of
// GitHub (CRLF) and of the data set (LF), and whether or not its labels are
// there.
func TestParseIssueReadsTheRealSubmissions(t *testing.T) {
	issues := realIssues(t)
	if len(issues) != 48 || len(realAnswers) != 48 {
		t.Fatalf("%d submissions, %d expectations; want 48 of both", len(issues), len(realAnswers))
	}
	for file, want := range realAnswers {
		issue, ok := issues[file]
		if !ok {
			t.Errorf("%s is not in the shared data", file)
			continue
		}
		for _, body := range []string{issue.body, strings.ReplaceAll(issue.body, "\n", "\r\n")} {
			for _, labels := range [][]string{issue.labels, nil} {
				got := ParseIssue(issue.title, labels, body)
				if got.Kind != want.kind || got.FormKind != want.kind || got.Repository != want.repository ||
					got.Namespace != want.namespace || got.ProviderName != want.name {
					t.Errorf("%s, labels %v: got %+v", file, labels, got)
				}
				if n := linesOf(got.Key); n != want.keyLines {
					t.Errorf("%s: key of %d lines, want %d", file, n, want.keyLines)
				}
				if got.PublicMembership != (want.kind == providerKeys) || got.PrivateKey || got.Truncated {
					t.Errorf("%s: got %+v", file, got)
				}
			}
		}
	}
}

// What was read is judged, without a look at GitHub, as the submissions deserve:
// wrong names and cut-off keys need changes, what is no submission is ignored,
// everything else is accepted.
func TestRealSubmissionsAreJudged(t *testing.T) {
	refused := map[string]bool{"key-unreadable": true, "repository-name": true, "repository-unreadable": true, "repository-placeholder": true}
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for file, issue := range realIssues(t) {
		want := realAnswers[file]
		verdict := validation.Accept
		switch {
		case want.kind == none:
			verdict = validation.Ignore
		case refused[want.finding]:
			verdict = validation.NeedsChanges
		}
		for _, body := range []string{issue.body, strings.ReplaceAll(issue.body, "\n", "\r\n")} {
			_, got := validation.JudgeOffline(ParseIssue(issue.title, nil, body), now)
			code := ""
			for _, f := range got.Findings {
				code += f.Code
			}
			if got.Kind != want.kind || addressOf(got) != want.address || got.Verdict != verdict || code != want.finding {
				t.Errorf("%s: got %+v", file, got)
			}
		}
	}
}

func linesOf(text string) int {
	if text = strings.TrimSpace(text); text == "" {
		return 0
	}
	return strings.Count(text, "\n") + 1
}
