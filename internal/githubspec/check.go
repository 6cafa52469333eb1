package githubspec

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// An exchange is one request with its answer, and what the description says
// about the operation.
type exchange struct {
	template  string
	operation *openapi3.Operation
	request   *http.Request
	values    map[string]string
	reqBody   []byte

	status   int
	header   http.Header
	respBody []byte
}

// Check returns what one exchange does that GitHub's description does not
// allow, in words, each with the place ("response body /owner/login: …"); none
// means that the exchange is faithful. The path may carry a query, and one of
// the prefixes /api/v3 and /api/uploads.
func (s *Spec) Check(method, path string, reqHeader http.Header, reqBody []byte, status int, respHeader http.Header, respBody []byte) []string {
	target, err := url.Parse(path)
	if err != nil {
		return []string{fmt.Sprintf("%s %s: %v", method, path, err)}
	}
	described := method
	if method == http.MethodHead {
		described = http.MethodGet
	}
	r, operation, values, err := s.find(described, apiPath(target.EscapedPath()))
	if err != nil {
		return allowUndescribed(method, path, status, err)
	}
	e := &exchange{
		template: method + " " + r.template, operation: operation, values: values,
		request: &http.Request{Method: method, URL: target, Header: orEmpty(reqHeader)},
		reqBody: reqBody, status: status, header: orEmpty(respHeader), respBody: respBody,
	}
	var faults []string
	// A request that GitHub refuses may be wrong: that is what is tested then.
	if status < 400 {
		faults = append(faults, e.checkParameters(s.doc, r)...)
		faults = append(faults, e.checkRequestBody()...)
	}
	if method != http.MethodHead {
		faults = append(faults, e.checkResponse()...)
	}
	for i, fault := range faults {
		faults[i] = fmt.Sprintf("%s (%d): %s", e.template, status, fault)
	}
	return faults
}

func orEmpty(header http.Header) http.Header {
	if header == nil {
		return http.Header{}
	}
	return header
}

// allowUndescribed accepts an unknown route only when it is answered as one.
func allowUndescribed(method, path string, status int, err error) []string {
	if status == http.StatusNotFound || status == http.StatusMethodNotAllowed {
		return nil
	}
	return []string{fmt.Sprintf("%s %s (%d): %v", method, path, status, err)}
}

// checkParameters checks path, query and header parameters. A query parameter
// that GitHub does not describe is a fault too: GitHub would ignore it, so
// whoever sends it is mistaken.
func (e *exchange) checkParameters(doc *openapi3.T, r *route) []string {
	input := &openapi3filter.RequestValidationInput{
		Request: e.request, PathParams: e.values,
		Route:   &routers.Route{Spec: doc, Path: r.template, PathItem: r.item, Method: e.request.Method, Operation: e.operation},
		Options: &openapi3filter.Options{MultiError: true, SkipSettingDefaults: true},
	}
	known := map[string]bool{}
	var faults []string
	for _, list := range []openapi3.Parameters{r.item.Parameters, e.operation.Parameters} {
		for _, ref := range list {
			known[ref.Value.In+" "+ref.Value.Name] = true
			if err := openapi3filter.ValidateParameter(context.Background(), input, ref.Value); err != nil {
				faults = append(faults, words(fmt.Sprintf("request %s parameter %s", ref.Value.In, ref.Value.Name), err)...)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.request.URL.Query())) {
		if !known["query "+name] {
			faults = append(faults, fmt.Sprintf("request query parameter %s: not described", name))
		}
	}
	return faults
}

func (e *exchange) checkRequestBody() []string {
	body := e.operation.RequestBody
	if isEmptyRequest(e.template, e.reqBody) {
		if body != nil && body.Value.Required {
			return []string{"request body: required but missing"}
		}
		return nil
	}
	if body == nil {
		return []string{"request body: none is described"}
	}
	media := body.Value.Content["application/json"]
	if media == nil {
		return nil // an upload: any bytes
	}
	if kind := mediaType(e.request.Header); kind != "application/json" {
		return []string{fmt.Sprintf("request body: Content-Type is %q, not application/json", kind)}
	}
	return checkJSON("request body", media.Schema, e.reqBody, openapi3.VisitAsRequest())
}

func (e *exchange) checkResponse() []string {
	described := e.operation.Responses.Status(e.status)
	switch {
	case e.status == http.StatusNotModified || e.status == http.StatusNoContent:
		if len(e.respBody) > 0 {
			return []string{"response body: a body where none is allowed"}
		}
		if e.status == http.StatusNoContent && described == nil {
			return []string{"response status: not described"}
		}
		return nil
	case e.status >= 300 && e.status < 400:
		if described == nil && !redirects[e.status] {
			return []string{"response status: not described"}
		}
		if e.header.Get("Location") == "" {
			return []string{"response header Location: missing on a redirect"}
		}
		return nil
	case e.status >= 500:
		return nil // a proxy's page as well as a JSON error
	case e.status >= 400:
		return e.checkError(described)
	case described == nil:
		return []string{"response status: not described"}
	}
	return e.checkSuccess(described.Value)
}

// checkError checks a refusal: described or commonly known status, and
// GitHub's error body.
func (e *exchange) checkError(described *openapi3.ResponseRef) []string {
	if described == nil && !commonErrors[e.status] {
		return []string{"response status: not described"}
	}
	if kind := mediaType(e.header); kind != "application/json" {
		return []string{fmt.Sprintf("response header Content-Type: %q, not application/json", kind)}
	}
	faults := checkJSON("response body", errorBody, e.respBody, openapi3.VisitAsResponse())
	if described == nil {
		return faults
	}
	if media := described.Value.Content["application/json"]; media != nil {
		faults = append(faults, checkJSON("response body", media.Schema, e.respBody, openapi3.VisitAsResponse())...)
	}
	return faults
}

func (e *exchange) checkSuccess(response *openapi3.Response) []string {
	var faults []string
	if len(response.Content) == 0 || asksForOtherMedia(e.request.Header) {
		return faults
	}
	kind := mediaType(e.header)
	media := response.Content[kind]
	if media == nil {
		return []string{fmt.Sprintf("response header Content-Type: %q, described are %s", kind,
			strings.Join(slices.Sorted(maps.Keys(response.Content)), ", "))}
	}
	if media.Schema == nil || !isJSON(kind) {
		return nil
	}
	return checkJSON("response body", media.Schema, e.respBody, openapi3.VisitAsResponse())
}

// asksForOtherMedia tells whether the request asks for one of GitHub's custom
// representations (raw file, rendered HTML, diff, bare SHA, asset's bytes),
// whose bodies the description does not cover.
func asksForOtherMedia(header http.Header) bool {
	accept := header.Get("Accept")
	for _, special := range []string{".raw", ".html", ".diff", ".patch", ".sha", "octet-stream"} {
		if strings.Contains(accept, special) {
			return true
		}
	}
	return false
}

func mediaType(header http.Header) string {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return header.Get("Content-Type")
	}
	return kind
}

func isJSON(kind string) bool {
	return kind == "application/json" || strings.HasSuffix(kind, "+json")
}
