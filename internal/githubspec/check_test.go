package githubspec

import (
	"net/http"
	"strings"
	"testing"
)

const (
	label = `{"id":1,"node_id":"LA_1","url":"https://api.example.test/repos/o/r/labels/bug","name":"bug","description":null,"color":"ffffff","default":false}`
	ref   = `{"ref":"refs/heads/feature/a","node_id":"REF_1","url":"https://api.example.test/repos/o/r/git/refs/heads/feature/a",` +
		`"object":{"type":"commit","sha":"0123456789012345678901234567890123456789","url":"https://api.example.test/c"}}`
	blob = `{"content":"aGVsbG8=","encoding":"base64","url":"https://api.example.test/b","sha":"0123456789012345678901234567890123456789","size":5,"node_id":"B_1"}`
	user = `{"login":"ann","id":7,"node_id":"U_7","avatar_url":"https://example.test/a.svg","gravatar_id":"","url":"https://example.test/u",
		"html_url":"https://example.test/ann","followers_url":"https://example.test/f","following_url":"https://example.test/f{/other_user}",
		"gists_url":"https://example.test/g","starred_url":"https://example.test/s","subscriptions_url":"https://example.test/s",
		"organizations_url":"https://example.test/o","repos_url":"https://example.test/r","events_url":"https://example.test/e",
		"received_events_url":"https://example.test/e","type":"User","site_admin":false}`
	asset = `{"url":"https://api.example.test/a","browser_download_url":"https://example.test/d/x.zip","id":1,"node_id":"RA_1","name":"x.zip","label":null,
		"state":"uploaded","content_type":"application/zip","size":3,"digest":null,"download_count":0,"created_at":"2026-01-02T03:04:05Z",
		"updated_at":"2026-01-02T03:04:05Z","uploader":` + user + `}`
	apiError = `{"message":"Not Found","documentation_url":"https://docs.github.com/rest"}`
	created  = `{"token":"ghs_x","expires_at":"2026-01-02T03:04:05Z","permissions":{"issues":"write"}}`
)

type probe struct {
	name         string
	method, path string
	accept       string
	contentType  string // of the request
	body         string
	status       int
	answerType   string // "" is GitHub's JSON
	location     string
	answer       string
	want         []string // a part of each expected fault, in order
}

func (p probe) check(t *testing.T, spec *Spec) []string {
	t.Helper()
	request, answer := http.Header{}, http.Header{}
	request.Set("Content-Type", p.contentType)
	if p.contentType == "" {
		request.Set("Content-Type", "application/json")
	}
	request.Set("Accept", p.accept)
	answer.Set("Content-Type", p.answerType)
	if p.answerType == "" {
		answer.Set("Content-Type", "application/json; charset=utf-8")
	}
	if p.location != "" {
		answer.Set("Location", p.location)
	}
	return spec.Check(p.method, p.path, request, []byte(p.body), p.status, answer, []byte(p.answer))
}

func TestFaithfulExchanges(t *testing.T) {
	for _, p := range []probe{
		{name: "list", method: "GET", path: "/repos/o/r/labels?per_page=100&page=2", status: 200, answer: "[" + label + "]"},
		{name: "enterprise prefix", method: "GET", path: "/api/v3/repos/o/r/labels", status: 200, answer: "[]"},
		{name: "create", method: "POST", path: "/repos/o/r/labels", body: `{"name":"bug","color":"ffffff"}`, status: 201, answer: label},
		{name: "ref of several segments", method: "GET", path: "/repos/o/r/git/ref/heads/feature/a", status: 200, answer: ref},
		{name: "escaped slash", method: "GET", path: "/repos/o/r/git/ref/heads%2Ffeature%2Fa", status: 200, answer: ref},
		{name: "null body of ghinstallation", method: "POST", path: "/app/installations/3/access_tokens", body: "null\n", status: 201, answer: created},
		{name: "labels as a bare list", method: "POST", path: "/repos/o/r/issues/3/labels", body: `["bug"]`, status: 200, answer: "[" + label + "]"},
		{name: "labels as an object", method: "POST", path: "/repos/o/r/issues/3/labels", body: `{"labels":["bug"]}`, status: 200, answer: "[]"},
		{name: "upload", method: "POST", path: "/api/uploads/repos/o/r/releases/3/assets?name=x.zip", contentType: "application/zip", body: "PK\x03", status: 201, answer: asset},
		{name: "not modified", method: "GET", path: "/repos/o/r/labels", status: 304},
		{name: "no content", method: "DELETE", path: "/repos/o/r/git/refs/heads/feature/a", status: 204},
		{name: "documented error", method: "GET", path: "/repos/o/r", status: 404, answer: apiError},
		{name: "error of two forms", method: "PUT", path: "/repos/o/r/contents/a", body: `{"message":"m","content":""}`, status: 409, answer: apiError},
		{name: "undocumented refusal", method: "GET", path: "/repos/o/r/labels", status: 401, answer: apiError},
		{name: "GitHub is down", method: "GET", path: "/repos/o/r/labels", status: 502, answerType: "text/html", answer: "<html>"},
		{name: "moved", method: "GET", path: "/repos/o/old/labels", status: 301, location: "/repositories/9/labels", answer: apiError},
		{name: "numeric repository", method: "GET", path: "/repositories/9/labels?page=2", status: 200, answer: "[]"},
		{name: "refused request may be wrong", method: "POST", path: "/repos/o/r/labels", body: `{}`, status: 422, answer: `{"message":"Validation Failed","documentation_url":"x","errors":[]}`},
		{name: "unknown route refused", method: "GET", path: "/no/such", status: 404, answer: apiError},
		{name: "raw file", method: "GET", path: "/repos/o/r/contents/a/b.txt?ref=main", accept: "application/vnd.github.raw+json", status: 200, answerType: "application/vnd.github.raw+json", answer: "hello"},
		{name: "empty directory", method: "GET", path: "/repos/o/r/contents/a/b", status: 200, answer: "[]"},
		{name: "head", method: "HEAD", path: "/repos/o/r/labels", status: 200},
	} {
		t.Run(p.name, func(t *testing.T) {
			for _, fault := range p.check(t, load(t)) {
				t.Error(fault)
			}
		})
	}
}

func TestUnfaithfulExchanges(t *testing.T) {
	for _, p := range []probe{
		{name: "mistyped route", method: "GET", path: "/repos/o/r/label", status: 200, answer: "[]", want: []string{"no route /repos/o/r/label"}},
		{name: "method", method: "PUT", path: "/repos/o/r/labels", status: 200, answer: "[]", want: []string{"no method PUT"}},
		{name: "query parameter", method: "GET", path: "/repos/o/r/labels?perpage=3", status: 200, answer: "[]", want: []string{"query parameter perpage: not described"}},
		{name: "query value", method: "GET", path: "/repos/o/r/issues?state=opened", status: 200, answer: "[]", want: []string{"query parameter state /: value is not one of"}},
		{name: "path value", method: "GET", path: "/repos/o/r/issues/first", status: 200, answer: "[]", want: []string{"path parameter issue_number", "response body /"}},
		{name: "request member", method: "POST", path: "/repos/o/r/labels", body: `{"color":"ffffff"}`, status: 201, answer: label, want: []string{`request body /name: property "name" is missing`}},
		{name: "request missing", method: "POST", path: "/repos/o/r/labels", status: 201, answer: label, want: []string{"request body: required but missing"}},
		{name: "request type", method: "POST", path: "/repos/o/r/labels", contentType: "text/plain", body: `{"name":"bug"}`, status: 201, answer: label, want: []string{"Content-Type is"}},
		{name: "body where none is described", method: "GET", path: "/repos/o/r/labels", body: "{}", status: 200, answer: "[]", want: []string{"none is described"}},
		{name: "answer member", method: "GET", path: "/repos/o/r/git/blobs/abc", status: 200, answer: strings.Replace(blob, `"size":5,`, "", 1), want: []string{`response body /size: property "size" is missing`}},
		{name: "answer type", method: "GET", path: "/repos/o/r/labels", status: 200, answer: "[" + strings.Replace(label, `"id":1`, `"id":"1"`, 1) + "]", want: []string{"response body /0/id: value must be an integer"}},
		{name: "relative URL", method: "GET", path: "/repos/o/r/git/blobs/abc", status: 200, answer: strings.Replace(blob, "https://api.example.test/b", "/b", 1), want: []string{"response body /url: "}},
		{name: "time", method: "POST", path: "/api/uploads/repos/o/r/releases/3/assets?name=x.zip", status: 201, body: "x", answer: strings.Replace(asset, `"2026-01-02T03:04:05Z"`, `"yesterday"`, 1), want: []string{"response body /created_at: "}},
		{name: "upload without name", method: "POST", path: "/api/uploads/repos/o/r/releases/3/assets", status: 201, body: "x", answer: asset, want: []string{"query parameter name: value is required"}},
		{name: "answer not JSON", method: "GET", path: "/repos/o/r/labels", status: 200, answer: "[", want: []string{"not JSON"}},
		{name: "two values", method: "GET", path: "/repos/o/r/labels", status: 200, answer: "[][]", want: []string{"something follows"}},
		{name: "answer's type", method: "GET", path: "/repos/o/r/labels", status: 200, answerType: "text/html", answer: "[]", want: []string{`Content-Type: "text/html"`}},
		{name: "status", method: "POST", path: "/repos/o/r/labels", body: `{"name":"bug"}`, status: 200, answer: label, want: []string{"status: not described"}},
		{name: "odd refusal", method: "GET", path: "/repos/o/r/labels", status: 418, answer: apiError, want: []string{"status: not described"}},
		{name: "error without message", method: "GET", path: "/repos/o/r", status: 404, answer: `{"documentation_url":"x"}`, want: []string{`property "message" is missing`}},
		{name: "error without documentation", method: "GET", path: "/repos/o/r", status: 403, answer: `{"message":"x"}`, want: []string{`"documentation_url" is missing`}},
		{name: "redirect to nowhere", method: "GET", path: "/repos/o/r", status: 301, want: []string{"header Location"}},
		{name: "body with 204", method: "DELETE", path: "/repos/o/r/labels/bug", status: 204, answer: "{}", want: []string{"a body where none is allowed"}},
		{name: "null token body elsewhere", method: "POST", path: "/repos/o/r/labels", body: "null", status: 201, answer: label, want: []string{"request body /: "}},
		{name: "labels of numbers", method: "POST", path: "/repos/o/r/issues/3/labels", body: `[1]`, status: 200, answer: "[]", want: []string{"request body /"}},
	} {
		t.Run(p.name, func(t *testing.T) {
			faults := p.check(t, load(t))
			if len(faults) != len(p.want) {
				t.Fatalf("faults %q, want %d", faults, len(p.want))
			}
			for i, fault := range faults {
				if !strings.Contains(fault, p.want[i]) {
					t.Errorf("fault %q does not say %q", fault, p.want[i])
				}
			}
		})
	}
}

// The template is what a route is looked up by in the reports, so it tells
// which route was found.
func TestMostLiteralRouteWins(t *testing.T) {
	for path, want := range map[string]string{
		"/repos/o/r/releases/latest":                 "/repos/{owner}/{repo}/releases/latest",
		"/repos/o/r/releases/3":                      "/repos/{owner}/{repo}/releases/{release_id}",
		"/repos/o/r/commits/feature/a/check-runs":    "/repos/{owner}/{repo}/commits/{ref}/check-runs",
		"/repos/o/r/commits/feature/a":               "/repos/{owner}/{repo}/commits/{ref}",
		"/repos/o/r/contents/docs/a%20b.md":          "/repos/{owner}/{repo}/contents/{path}",
		"/repos/o/r/compare/v1...feature/x":          "/repos/{owner}/{repo}/compare/{basehead}",
		"/repos/o/r/branches/release/1.0":            "/repos/{owner}/{repo}/branches/{branch}",
		"/repos/o/r/issues/comments":                 "/repos/{owner}/{repo}/issues/comments",
		"/repos/o/r/git/trees/abc":                   "/repos/{owner}/{repo}/git/trees/{tree_sha}",
		"/repos/o/r/collaborators/ann/permission":    "/repos/{owner}/{repo}/collaborators/{username}/permission",
		"/orgs/o/public_members/ann":                 "/orgs/{org}/public_members/{username}",
		"/repos/o/r/commits/0123456/pulls":           "/repos/{owner}/{repo}/commits/{commit_sha}/pulls",
		"/repos/labels/issues/contents/a/labels/b":   "/repos/{owner}/{repo}/contents/{path}",
		"/repos/o/r/git/matching-refs/tags/v":        "/repos/{owner}/{repo}/git/matching-refs/{ref}",
		"/repositories/9/issues/2/comments":          "/repos/{owner}/{repo}/issues/{issue_number}/comments",
		"/repositories/9":                            "/repos/{owner}/{repo}",
		"/api/v3/repos/o/r/readme":                   "/repos/{owner}/{repo}/readme",
		"/api/v3/app/hook/deliveries/12345678901234": "/app/hook/deliveries/{delivery_id}",
	} {
		r, _, _, err := load(t).find("GET", apiPath(path))
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if r.template != want {
			t.Errorf("%s: found %s, want %s", path, r.template, want)
		}
	}
}

func TestLoadIsDoneOnce(t *testing.T) {
	if first, second := load(t), load(t); first != second {
		t.Error("Load gave two descriptions")
	}
}

func TestLongListOfFaultsIsCut(t *testing.T) {
	p := probe{method: "GET", path: "/repos/o/r/labels", status: 200, answer: "[" + strings.Repeat("{},", 200) + "{}]"}
	if faults := p.check(t, load(t)); len(faults) != maxWords+1 || !strings.Contains(faults[maxWords], "more") {
		t.Errorf("%d faults, last %q", len(faults), faults[len(faults)-1])
	}
}

func load(t *testing.T) *Spec {
	t.Helper()
	spec, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return spec
}
