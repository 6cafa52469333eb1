package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// trim returns a description that holds the given paths and every component
// they reach through $ref. Prose, examples and extensions go: nothing is
// validated by them, and they are nine tenths of the bytes.
func trim(spec map[string]any, paths []string) (map[string]any, error) {
	all, _ := spec["paths"].(map[string]any)
	components, _ := spec["components"].(map[string]any)
	kept := map[string]any{}
	for _, path := range paths {
		item, ok := all[path].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("no path %s in the description", path)
		}
		cleanPathItem(item)
		kept[path] = item
	}
	reached, err := reach(kept, components)
	if err != nil {
		return nil, err
	}
	info, _ := spec["info"].(map[string]any)
	return map[string]any{
		"openapi":    spec["openapi"],
		"info":       map[string]any{"title": info["title"], "version": info["version"], "license": info["license"]},
		"paths":      kept,
		"components": reached,
	}, nil
}

// reach copies the components that root names, directly or through others.
func reach(root any, components map[string]any) (map[string]any, error) {
	reached := map[string]any{}
	todo := references(root, nil)
	for len(todo) > 0 {
		ref := todo[0]
		todo = todo[1:]
		kind, name, ok := strings.Cut(strings.TrimPrefix(ref, "#/components/"), "/")
		group, _ := components[kind].(map[string]any)
		component, found := group[name].(map[string]any)
		if !ok || !found {
			return nil, fmt.Errorf("reference %s leads nowhere", ref)
		}
		into, _ := reached[kind].(map[string]any)
		if into == nil {
			into = map[string]any{}
			reached[kind] = into
		}
		if _, done := into[name]; done {
			continue
		}
		cleanComponent(kind, component)
		into[name] = component
		todo = references(component, todo)
	}
	return reached, nil
}

// references appends the value of every $ref below node, in a fixed order.
func references(node any, found []string) []string {
	switch node := node.(type) {
	case map[string]any:
		if ref, ok := node["$ref"].(string); ok {
			return append(found, ref)
		}
		for _, key := range slices.Sorted(maps.Keys(node)) {
			found = references(node[key], found)
		}
	case []any:
		for _, item := range node {
			found = references(item, found)
		}
	}
	return found
}

func cleanComponent(kind string, component map[string]any) {
	switch kind {
	case "schemas":
		cleanSchema(component)
	case "parameters", "headers":
		cleanParameter(component)
	case "responses":
		cleanBody(component)
	}
}

func cleanPathItem(item map[string]any) {
	for _, value := range item {
		operation, ok := value.(map[string]any)
		if !ok {
			continue
		}
		drop(operation, "summary", "description", "externalDocs", "tags", "servers", "deprecated")
		each(operation["parameters"], cleanParameter)
		if body, ok := operation["requestBody"].(map[string]any); ok {
			cleanBody(body)
		}
		each(operation["responses"], cleanBody)
	}
}

func cleanParameter(parameter map[string]any) {
	drop(parameter, "description", "example", "examples", "deprecated")
	each([]any{parameter["schema"]}, cleanSchema)
}

// cleanBody cleans a request body or a response, which have the same shape.
// A response must keep a description, so an empty one replaces it.
func cleanBody(body map[string]any) {
	if _, isRef := body["$ref"]; isRef {
		return
	}
	drop(body, "links")
	body["description"] = ""
	each(body["headers"], cleanParameter)
	each(body["content"], func(media map[string]any) {
		drop(media, "example", "examples")
		each([]any{media["schema"]}, cleanSchema)
	})
}

// cleanSchema removes prose from a schema and those inside it. It knows which
// members are schemas, because a property may itself be called "description".
func cleanSchema(schema map[string]any) {
	drop(schema, "title", "description", "example", "examples", "externalDocs", "deprecated", "default")
	each(schema["properties"], cleanSchema)
	for _, key := range []string{"items", "additionalProperties", "not"} {
		each([]any{schema[key]}, cleanSchema)
	}
	for _, key := range []string{"allOf", "anyOf", "oneOf"} {
		each(schema[key], cleanSchema)
	}
}

// each calls clean for every object among the members of a map or list.
func each(members any, clean func(map[string]any)) {
	switch members := members.(type) {
	case map[string]any:
		for _, member := range members {
			if object, ok := member.(map[string]any); ok {
				clean(object)
			}
		}
	case []any:
		for _, member := range members {
			if object, ok := member.(map[string]any); ok {
				clean(object)
			}
		}
	}
}

// drop removes the named members and every extension ("x-…").
func drop(node map[string]any, names ...string) {
	for _, name := range names {
		delete(node, name)
	}
	maps.DeleteFunc(node, func(key string, _ any) bool { return strings.HasPrefix(key, "x-") })
}
