package handlers

import (
	"slices"
	"testing"

	"github.com/tofu-registrar/registrar/internal/githubspec"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
)

// testHandlers has no ports: the top halves need none.
func testHandlers() *Handlers {
	return New(Options{
		Metadata: registrydata.Repository{Owner: "Reg", Name: "Registry"}, Branch: "main",
		Site: templates.Site{BotLogin: "registrar[bot]"},
	})
}

func TestKeysOfEvents(t *testing.T) {
	const meta = `"repository":{"full_name":"reg/registry"}`
	const theirs = `"repository":{"full_name":"acme/terraform-provider-demo"}`
	for _, c := range []struct {
		rule, event, payload string
		want                 []Key
	}{
		{"a new issue is looked at", "issues", `{"action":"opened","issue":{"number":7},` + meta + `}`, []Key{"issue 7"}},
		{"a label may make it a submission", "issues", `{"action":"labeled","issue":{"number":7},` + meta + `}`, []Key{"issue 7"}},
		{"a closed issue withdraws", "issues", `{"action":"closed","issue":{"number":7},` + meta + `}`, []Key{"issue 7"}},
		{"assigning changes nothing", "issues", `{"action":"assigned","issue":{"number":7},` + meta + `}`, nil},
		{"another repository's issues are not ours", "issues", `{"action":"opened","issue":{"number":7},` + theirs + `}`, nil},
		{"what the App did itself it knows", "issues", `{"action":"edited","issue":{"number":7},"sender":{"login":"registrar[bot]"},` + meta + `}`, nil},
		{"an issue without a number", "issues", `{"action":"opened",` + meta + `}`, nil},
		{"a request to look again", "issue_comment", `{"action":"created","issue":{"number":7},"comment":{"id":9,"body":"/recheck please\nnow"},` + meta + `}`, []Key{"recheck 7 9"}},
		{"a command must come first", "issue_comment", `{"action":"created","issue":{"number":7},"comment":{"id":9,"body":"please /recheck"},` + meta + `}`, nil},
		{"a quoted command is none", "issue_comment", `{"action":"created","issue":{"number":7},"comment":{"id":9,"body":"> /recheck"},` + meta + `}`, nil},
		{"an edited comment gives no rights", "issue_comment", `{"action":"edited","issue":{"number":7},"comment":{"id":9,"body":"/recheck"},` + meta + `}`, nil},
		{"an App's command is none", "issue_comment", `{"action":"created","issue":{"number":7},"comment":{"id":9,"body":"/recheck","user":{"type":"Bot"}},` + meta + `}`, nil},
		{"a pull request is checked", "pull_request", `{"action":"opened","pull_request":{"number":8,"base":{"ref":"main"}},` + meta + `}`, []Key{"pull 8"}},
		{"its new commits too", "pull_request", `{"action":"synchronize","pull_request":{"number":8,"base":{"ref":"main"}},` + meta + `}`, []Key{"pull 8"}},
		{"not on another branch", "pull_request", `{"action":"opened","pull_request":{"number":8,"base":{"ref":"docs"}},` + meta + `}`, nil},
		{"a closed one moves its issue", "pull_request", `{"action":"closed","pull_request":{"number":8,"base":{"ref":"main"},"head":{"ref":"submission/issue-7","repo":{"full_name":"Reg/registry"}}},` + meta + `}`, []Key{"issue 7"}},
		{"a closed release moves its repository", "pull_request", `{"action":"closed","pull_request":{"number":8,"base":{"ref":"main"},"head":{"ref":"release/provider-acme/demo","repo":{"full_name":"reg/registry"}}},` + meta + `}`, []Key{"repository acme/terraform-provider-demo"}},
		{"a fork's branch of that name moves nothing", "pull_request", `{"action":"closed","pull_request":{"number":8,"base":{"ref":"main"},"head":{"ref":"submission/issue-7","repo":{"full_name":"evil/registry"}}},` + meta + `}`, nil},
		{"a review may merge", "pull_request_review", `{"action":"submitted","pull_request":{"number":8},` + meta + `}`, []Key{"pull 8"}},
		{"a check asked for again", "check_run", `{"action":"rerequested","check_run":{"pull_requests":[{"number":8}]},` + meta + `}`, []Key{"check 8"}},
		{"the branch is published", "push", `{"ref":"refs/heads/main",` + meta + `}`, []Key{"publish"}},
		{"other branches are not", "push", `{"ref":"refs/heads/submission/issue-7",` + meta + `}`, nil},
		{"a pushed tag is a version", "push", `{"ref":"refs/tags/v1","repository":{"full_name":"Acme/terraform-aws-net"}}`, []Key{"repository acme/terraform-aws-net"}},
		{"a deleted tag is none", "push", `{"ref":"refs/tags/v1","deleted":true,` + theirs + `}`, nil},
		{"a created tag is a version", "create", `{"ref":"v1","ref_type":"tag",` + theirs + `}`, []Key{"repository acme/terraform-provider-demo"}},
		{"a created branch is none", "create", `{"ref":"v1","ref_type":"branch",` + theirs + `}`, nil},
		{"a release is a version", "release", `{"action":"published","release":{"tag_name":"v1"},` + theirs + `}`, []Key{"repository acme/terraform-provider-demo"}},
		{"a draft is none", "release", `{"action":"published","release":{"tag_name":"v1","draft":true},` + theirs + `}`, nil},
		{"a repository of another name cannot be registered", "release", `{"action":"published","repository":{"full_name":"acme/website"}}`, nil},
		{"a renamed repository is followed from its old name", "repository", `{"action":"renamed","changes":{"repository":{"name":{"from":"terraform-provider-old"}}},` + theirs + `}`, []Key{"moved acme/terraform-provider-demo", "moved acme/terraform-provider-old"}},
		{"and from one that could not be registered", "repository", `{"action":"renamed","changes":{"repository":{"name":{"from":"old"}}},` + theirs + `}`, []Key{"moved acme/terraform-provider-demo"}},
		{"a transferred one too", "repository", `{"action":"transferred","changes":{"owner":{"from":{"organization":{"login":"Old"}}}},` + theirs + `}`, []Key{"moved acme/terraform-provider-demo", "moved old/terraform-provider-demo"}},
		{"a deleted one too", "repository", `{"action":"deleted",` + theirs + `}`, []Key{"moved acme/terraform-provider-demo"}},
		{"a new one is registered by a person", "repository", `{"action":"created",` + theirs + `}`, nil},
		{"our own repository may move", "repository", `{"action":"renamed","changes":{"repository":{"name":{"from":"terraform-provider-old"}}},` + meta + `}`, nil},
		{"a closed warning moves its repository", "pull_request", `{"action":"closed","pull_request":{"number":8,"base":{"ref":"main"},"head":{"ref":"warning/module-acme/net/aws","repo":{"full_name":"reg/registry"}}},` + meta + `}`, []Key{"moved acme/terraform-aws-net"}},
		{"an edited release is compared with its record", "release", `{"action":"edited","release":{"tag_name":"v1"},` + theirs + `}`, []Key{"repository acme/terraform-provider-demo", "audit providers/a/acme/demo.json v1"}},
		{"a tag that could not stand in a key is none", "release", `{"action":"edited","release":{"tag_name":"v1 x"},` + theirs + `}`, []Key{"repository acme/terraform-provider-demo"}},
		{"a closed batch is taken back", "pull_request", `{"action":"closed","pull_request":{"number":8,"base":{"ref":"main"},"head":{"ref":"release/batch","repo":{"full_name":"reg/registry"}}},` + meta + `}`, []Key{"batch"}},
		{"a closed backfill goes on", "pull_request", `{"action":"closed","pull_request":{"number":8,"base":{"ref":"main"},"head":{"ref":"backfill/provider-acme/demo","repo":{"full_name":"reg/registry"}}},` + meta + `}`, []Key{"backfill providers/a/acme/demo.json"}},
		{"a release that is gone is looked at", "release", `{"action":"deleted","release":{"tag_name":"v1"},` + theirs + `}`, []Key{"repository acme/terraform-provider-demo", "audit providers/a/acme/demo.json v1"}},
		{"one that was taken back too", "release", `{"action":"unpublished","release":{"tag_name":"v1","draft":true},` + theirs + `}`, []Key{"repository acme/terraform-provider-demo", "audit providers/a/acme/demo.json v1"}},
		{"a new installation is looked at", "installation", `{"action":"created","installation":{"id":12}}`, []Key{"installation 12"}},
		{"and what it gets", "installation_repositories", `{"action":"added","installation":{"id":12}}`, []Key{"installation 12"}},
		{"what it loses is nothing", "installation_repositories", `{"action":"removed","installation":{"id":12}}`, nil},
		{"an installation without a number", "installation", `{"action":"created"}`, nil},
		{"unknown events are not ours", "star", `{"action":"created"}`, nil},
	} {
		t.Run(c.rule, func(t *testing.T) {
			got, err := testHandlers().Keys(c.event, []byte(c.payload))
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// TestKeysOfRecordedEvents: GitHub's own examples are all understood.
func TestKeysOfRecordedEvents(t *testing.T) {
	examples, err := githubspec.WebhookExamples()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range examples {
		if _, err := testHandlers().Keys(e.Event, e.Payload); err != nil {
			t.Errorf("%s %d: %v", e.Event, e.Index, err)
		}
	}
}

func TestKeySubject(t *testing.T) {
	for key, want := range map[Key]string{
		"issue 7": "thread 7", "pull 7": "thread 7", "check 7": "thread 7", "recheck 7 99": "thread 7",
		"publish": "publish", "repository acme/x": "repository acme/x", "moved acme/x": "repository acme/x",
	} {
		if got := key.Subject(); got != want {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
}

func TestReleaseBranchRoundTrip(t *testing.T) {
	for _, e := range []registrydata.Entity{
		registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}.Entity(),
		registrydata.ProviderAddress{Namespace: "a-b", Name: "c-d"}.Entity(),
		registrydata.ModuleAddress{Namespace: "acme", Name: "net-work", Target: "aws"}.Entity(),
	} {
		if got, ok := releaseBranches.entity(releaseBranches.of(e)); !ok || got != e {
			t.Errorf("%s: got %v, %v", releaseBranches.of(e), got, ok)
		}
	}
	for _, branch := range []string{"main", "release/", "release/provider-acme", "release/other-acme/demo", "release/module-a/b"} {
		if e, ok := releaseBranches.entity(branch); ok {
			t.Errorf("%q was read as %v", branch, e)
		}
	}
}

func FuzzKeys(f *testing.F) {
	f.Add("issues", []byte(`{"action":"opened","issue":{"number":7},"repository":{"full_name":"reg/registry"}}`))
	f.Add("issue_comment", []byte(`{"action":"created","issue":{"number":1},"comment":{"id":2,"body":"/recheck"},"repository":{"full_name":"reg/registry"}}`))
	f.Add("push", []byte(`{"ref":"refs/tags/v1","repository":{"full_name":"a/terraform-b-c"}}`))
	f.Fuzz(func(t *testing.T, name string, payload []byte) {
		keys, err := testHandlers().Keys(name, payload)
		if err != nil {
			return
		}
		for _, k := range keys {
			if k.Subject() == "" || len(k) > 300+len(payload) {
				t.Errorf("odd key %q", k)
			}
		}
	})
}
