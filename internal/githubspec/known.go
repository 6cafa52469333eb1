package githubspec

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// This file lists, one by one, where GitHub is known to do what its
// description does not say. Nothing else is forgiven.

// redirects are answers that GitHub gives for every route of a repository that
// was renamed or moved, described for some of them only.
var redirects = map[int]bool{
	http.StatusMovedPermanently:  true,
	http.StatusFound:             true,
	http.StatusTemporaryRedirect: true,
}

// commonErrors are the refusals that any route may give, described for some of
// them only ("Troubleshooting the REST API", "Rate limits for the REST API").
var commonErrors = map[int]bool{
	http.StatusBadRequest:           true, // "Problems parsing JSON"
	http.StatusUnauthorized:         true, // "Bad credentials"
	http.StatusForbidden:            true, // "Resource not accessible by integration", rate limit
	http.StatusNotFound:             true, // also for what one may not see
	http.StatusConflict:             true, // "Git Repository is empty."
	http.StatusGone:                 true, // issues disabled or deleted
	http.StatusUnsupportedMediaType: true,
	http.StatusUnprocessableEntity:  true,
	http.StatusTooManyRequests:      true, // secondary rate limit
}

// errorBody is what every refusal carries. The description makes all of its
// members optional, but GitHub always sends these two.
var errorBody = openapi3.NewSchemaRef("", &openapi3.Schema{
	Type:     &openapi3.Types{openapi3.TypeObject},
	Required: []string{"message", "documentation_url"},
	Properties: openapi3.Schemas{
		"message":           openapi3.NewSchemaRef("", openapi3.NewStringSchema()),
		"documentation_url": openapi3.NewSchemaRef("", openapi3.NewStringSchema()),
	},
})

// isEmptyRequest tells whether a request has no body to check. The token
// request of ghinstallation v2 sends the JSON of a nil pointer, "null", which
// GitHub takes for "no restriction".
func isEmptyRequest(template string, body []byte) bool {
	if len(body) == 0 {
		return true
	}
	return strings.HasSuffix(template, "/access_tokens") && string(bytes.TrimSpace(body)) == "null"
}

// correct changes the description where GitHub accepts or answers more.
func correct(doc *openapi3.T) {
	allowBareLabels(doc)
	accountOfEitherKind(doc)
	errorsOfAnyKind(doc)
	emptyBodyFound(doc)
}

// allowBareLabels lets the labels of an issue be sent as a bare list, as the
// prose of the description says ("You can also pass an array of labels
// directly") and go-github does.
func allowBareLabels(doc *openapi3.T) {
	item := doc.Paths.Value("/repos/{owner}/{repo}/issues/{issue_number}/labels")
	if item == nil {
		return
	}
	list := openapi3.NewArraySchema()
	list.Items = openapi3.NewSchemaRef("", openapi3.NewStringSchema())
	for _, operation := range []*openapi3.Operation{item.Post, item.Put} {
		media := operation.RequestBody.Value.Content["application/json"]
		media.Schema = openapi3.NewSchemaRef("", &openapi3.Schema{
			AnyOf: openapi3.SchemaRefs{media.Schema, openapi3.NewSchemaRef("", list)},
		})
	}
}

// accountOfEitherKind repairs the list of installations, whose account must be
// a user *and* an enterprise at once according to the description; the answer
// for one installation says "any of" there, which is what GitHub sends.
func accountOfEitherKind(doc *openapi3.T) {
	item := doc.Paths.Value("/app/installations")
	if item == nil {
		return
	}
	list := item.Get.Responses.Status(http.StatusOK).Value.Content["application/json"].Schema.Value
	account := list.Items.Value.Properties["account"].Value
	if account != nil && len(account.AllOf) > 1 {
		account.AnyOf, account.AllOf = account.AllOf, nil
	}
}

// errorsOfAnyKind lets a refusal fit several of the error forms described for
// it. "One of" them cannot be told apart, because no member of an error is
// required.
func errorsOfAnyKind(doc *openapi3.T) {
	for _, item := range doc.Paths.Map() {
		for _, operation := range item.Operations() {
			for status, response := range operation.Responses.Map() {
				media := response.Value.Content["application/json"]
				if status < "400" || media == nil || media.Schema.Value == nil || len(media.Schema.Value.OneOf) == 0 {
					continue
				}
				media.Schema.Value.AnyOf, media.Schema.Value.OneOf = media.Schema.Value.OneOf, nil
			}
		}
	}
}

// emptyBodyFound lets search return an issue without a body. It is null there
// as in every other answer, where the description says so.
func emptyBodyFound(doc *openapi3.T) {
	schema := doc.Components.Schemas["issue-search-result-item"]
	if schema != nil && schema.Value.Properties["body"] != nil {
		schema.Value.Properties["body"].Value.Nullable = true
	}
}
