package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// docsURL stands in every error body, as on GitHub.
const docsURL = "https://docs.github.com/rest"

// apiError is an answer that refuses, in GitHub's form.
type apiError struct {
	status  int
	message string
	errors  []fieldError
	header  http.Header
	extra   obj
}

// fieldError is one entry of "errors" in a 422 answer. Codes: missing,
// missing_field, invalid, already_exists, unprocessable, custom.
type fieldError struct {
	Resource string `json:"resource"`
	Code     string `json:"code"`
	Field    string `json:"field,omitempty"`
	Message  string `json:"message,omitempty"`
	Value    any    `json:"value,omitempty"`
}

func (e *apiError) Error() string { return strconv.Itoa(e.status) + " " + e.message }

// body renders the error as GitHub writes it: the status is a string.
func (e *apiError) body() []byte {
	out := obj{"message": e.message, "documentation_url": docsURL, "status": strconv.Itoa(e.status)}
	if len(e.errors) > 0 {
		out["errors"] = e.errors
	}
	for k, v := range e.extra {
		out[k] = v
	}
	data, err := json.Marshal(out)
	if err != nil {
		return []byte(`{"message":"error body could not be written"}`)
	}
	return data
}

func fail(status int, message string) *apiError {
	return &apiError{status: status, message: message}
}

func notFound() *apiError       { return fail(http.StatusNotFound, "Not Found") }
func badCredentials() *apiError { return fail(http.StatusUnauthorized, "Bad credentials") }
func requiresAuth() *apiError   { return fail(http.StatusUnauthorized, "Requires authentication") }
func needsAdmin() *apiError {
	return fail(http.StatusForbidden, "Must have admin rights to Repository.")
}
func notForIntegration() *apiError {
	return fail(http.StatusForbidden, "Resource not accessible by integration")
}
func unprocessable(message string) *apiError {
	return fail(http.StatusUnprocessableEntity, message)
}

// invalid is GitHub's "Validation Failed".
func invalid(errors ...fieldError) *apiError {
	return &apiError{status: http.StatusUnprocessableEntity, message: "Validation Failed", errors: errors}
}

func missingField(resource, field string) *apiError {
	return invalid(fieldError{Resource: resource, Code: "missing_field", Field: field})
}

func invalidField(resource, field string) *apiError {
	return invalid(fieldError{Resource: resource, Code: "invalid", Field: field})
}

func customError(resource, message string) *apiError {
	return invalid(fieldError{Resource: resource, Code: "custom", Message: message})
}

func tooLong(resource, field string, limit int) *apiError {
	return invalid(fieldError{Resource: resource, Code: "custom", Field: field,
		Message: field + " is too long (maximum is " + strconv.Itoa(limit) + " characters)"})
}
