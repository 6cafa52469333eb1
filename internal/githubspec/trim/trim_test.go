package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const whole = `{
 "openapi": "3.0.3",
 "info": {"title": "T", "version": "1", "license": {"name": "MIT"}, "description": "prose"},
 "paths": {
  "/kept": {"get": {
    "summary": "prose", "description": "prose", "tags": ["t"], "x-github": {},
    "parameters": [{"$ref": "#/components/parameters/page"}],
    "responses": {"200": {"description": "prose", "content": {"application/json": {"example": 1, "schema": {"$ref": "#/components/schemas/a"}}}}}
  }},
  "/dropped": {"get": {"responses": {"200": {"$ref": "#/components/responses/unused"}}}}
 },
 "components": {
  "parameters": {"page": {"name": "page", "in": "query", "description": "prose", "schema": {"type": "integer", "default": 1}}},
  "schemas": {
   "a": {"type": "object", "title": "A", "description": "prose", "required": ["description"], "properties": {
      "description": {"type": "string", "description": "prose"},
      "next": {"allOf": [{"$ref": "#/components/schemas/b"}]}}},
   "b": {"type": "object", "properties": {"back": {"$ref": "#/components/schemas/a"}}},
   "unused": {"type": "string"}
  },
  "responses": {"unused": {"description": "x"}}
 }
}`

const want = `{
 "openapi": "3.0.3",
 "info": {"title": "T", "version": "1", "license": {"name": "MIT"}},
 "paths": {
  "/kept": {"get": {
    "parameters": [{"$ref": "#/components/parameters/page"}],
    "responses": {"200": {"description": "", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/a"}}}}}
  }}
 },
 "components": {
  "parameters": {"page": {"name": "page", "in": "query", "schema": {"type": "integer"}}},
  "schemas": {
   "a": {"type": "object", "required": ["description"], "properties": {
      "description": {"type": "string"},
      "next": {"allOf": [{"$ref": "#/components/schemas/b"}]}}},
   "b": {"type": "object", "properties": {"back": {"$ref": "#/components/schemas/a"}}}
  }
 }
}`

func TestTrimKeepsWhatIsReached(t *testing.T) {
	got, err := trim(object(t, whole), []string{"/kept"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(object(t, want), got); diff != "" {
		t.Errorf("trimmed description (-want +got):\n%s", diff)
	}
}

func TestTrimRefusesALostPath(t *testing.T) {
	if _, err := trim(object(t, whole), []string{"/kept", "/gone"}); err == nil || !strings.Contains(err.Error(), "/gone") {
		t.Errorf("error %v, want one that names /gone", err)
	}
}

func TestTrimRefusesABrokenReference(t *testing.T) {
	broken := strings.ReplaceAll(whole, "#/components/schemas/b", "#/components/schemas/nowhere")
	if _, err := trim(object(t, broken), []string{"/kept"}); err == nil || !strings.Contains(err.Error(), "nowhere") {
		t.Errorf("error %v, want one that names the reference", err)
	}
}

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var value map[string]any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	return value
}
