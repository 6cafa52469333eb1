package githubspec

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// maxWords bounds the faults listed for one value: one forgotten member in a
// list of a hundred would otherwise fill the screen.
const maxWords = 20

// checkJSON parses a body and compares it with a schema.
func checkJSON(where string, schema *openapi3.SchemaRef, body []byte, options ...openapi3.SchemaValidationOption) []string {
	value, err := parse(body)
	if err != nil {
		return []string{fmt.Sprintf("%s: not JSON: %v", where, err)}
	}
	options = append(options, openapi3.MultiErrors(), openapi3.WithStringFormatValidator("uri", absoluteURI))
	if err := schema.Value.VisitJSON(value, options...); err != nil {
		return words(where, err)
	}
	return nil
}

// parse reads exactly one JSON value, with numbers as they are written.
func parse(body []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the value")
	}
	return value, nil
}

var absoluteURI = openapi3.NewCallbackValidator(func(value string) error {
	if at, err := url.Parse(value); err != nil || !at.IsAbs() {
		return errors.New("not an absolute URI")
	}
	return nil
})

// words flattens a validation error into lines "where /json/pointer: reason".
func words(where string, err error) []string {
	var lines []string
	collect(where, err, &lines)
	if len(lines) > maxWords {
		lines = append(lines[:maxWords], fmt.Sprintf("%s: and %d more", where, len(lines)-maxWords))
	}
	return lines
}

func collect(where string, err error, lines *[]string) {
	switch err := err.(type) { //nolint:errorlint // the validator's own tree of errors is walked, node by node
	case openapi3.MultiError:
		for _, one := range err {
			collect(where, one, lines)
		}
	case *openapi3.SchemaError:
		*lines = append(*lines, where+" "+describe(err))
	case *openapi3filter.RequestError:
		if err.Err != nil {
			collect(where, err.Err, lines)
			return
		}
		*lines = append(*lines, where+": "+err.Reason)
	default:
		*lines = append(*lines, where+": "+err.Error())
	}
}

// describe says what one schema error means; for a value that fits none of
// several alternatives it says why each was refused.
func describe(err *openapi3.SchemaError) string {
	text := "/" + strings.Join(err.JSONPointer(), "/") + ": " + err.Reason
	var causes []string
	for origin := err.Origin; origin != nil; origin = errors.Unwrap(origin) {
		if several, ok := origin.(openapi3.MultiError); ok { //nolint:errorlint // as above
			for _, one := range several {
				collect("", one, &causes)
			}
			break
		}
		if one, ok := origin.(*openapi3.SchemaError); ok { //nolint:errorlint // as above
			collect("", one, &causes)
			break
		}
	}
	if len(causes) > 0 {
		text += " [" + strings.Join(causes, " |") + " ]"
	}
	if value, ok := err.Value.(string); ok && len(value) < 80 {
		text += fmt.Sprintf(" (value %q)", value)
	}
	return text
}
