package githubspec

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// A route is one path template of the description.
type route struct {
	template string
	item     *openapi3.PathItem
	pattern  *regexp.Regexp
	names    []string // parameter names, in the order of the pattern's groups
	fixed    int      // length of the template's literal text
}

// manySegments are the parameters whose values hold slashes, although OpenAPI
// says that a path parameter is one segment: "contents/docs/readme.md",
// "git/ref/heads/main", "compare/v1...feature/x".
var manySegments = []string{"path", "ref", "branch", "basehead"}

var parameter = regexp.MustCompile(`\{([a-z_]+)\}`)

// newRoutes compiles every template, the most literal first, so that
// "releases/latest" wins over "releases/{release_id}".
func newRoutes(doc *openapi3.T) ([]*route, error) {
	var routes []*route
	for template, item := range doc.Paths.Map() {
		r, err := newRoute(template, item)
		if err != nil {
			return nil, fmt.Errorf("route %s: %w", template, err)
		}
		routes = append(routes, r)
	}
	slices.SortFunc(routes, func(a, b *route) int {
		if a.fixed != b.fixed {
			return b.fixed - a.fixed
		}
		return strings.Compare(a.template, b.template)
	})
	return routes, nil
}

func newRoute(template string, item *openapi3.PathItem) (*route, error) {
	r := &route{template: template, item: item}
	var pattern strings.Builder
	pattern.WriteString("^")
	last := 0
	for _, at := range parameter.FindAllStringSubmatchIndex(template, -1) {
		name := template[at[2]:at[3]]
		pattern.WriteString(regexp.QuoteMeta(template[last:at[0]]))
		if slices.Contains(manySegments, name) {
			pattern.WriteString("(.+)")
		} else {
			pattern.WriteString("([^/]+)")
		}
		r.names = append(r.names, name)
		r.fixed += at[0] - last
		last = at[1]
	}
	pattern.WriteString(regexp.QuoteMeta(template[last:]) + "$")
	r.fixed += len(template) - last
	var err error
	r.pattern, err = regexp.Compile(pattern.String())
	return r, err
}

// match returns the values of the path's parameters, or false.
func (r *route) match(escapedPath string) (map[string]string, bool) {
	found := r.pattern.FindStringSubmatch(escapedPath)
	if found == nil {
		return nil, false
	}
	values := make(map[string]string, len(r.names))
	for i, name := range r.names {
		value, err := url.PathUnescape(found[i+1])
		if err != nil {
			return nil, false
		}
		values[name] = value
	}
	return values, true
}

// find returns the route and operation of a request. Where several templates
// fit, the most literal one that has the method is meant.
func (s *Spec) find(method, escapedPath string) (*route, *openapi3.Operation, map[string]string, error) {
	var methodMissing string
	for _, r := range s.routes {
		values, ok := r.match(escapedPath)
		if !ok {
			continue
		}
		if operation := r.item.GetOperation(method); operation != nil {
			return r, operation, values, nil
		}
		methodMissing = r.template
	}
	if methodMissing != "" {
		return nil, nil, nil, fmt.Errorf("GitHub describes no method %s for %s", method, methodMissing)
	}
	return nil, nil, nil, fmt.Errorf("GitHub describes no route %s", escapedPath)
}

// apiPath removes what a GitHub other than github.com puts before its API's
// paths, and spells the numeric paths that GitHub uses in redirects and Link
// headers, but does not describe, as their described equivalents.
func apiPath(escapedPath string) string {
	for _, prefix := range []string{"/api/v3", "/api/uploads"} {
		if rest, ok := strings.CutPrefix(escapedPath, prefix); ok && (rest == "" || rest[0] == '/') {
			escapedPath = rest
			break
		}
	}
	return numericRepository.ReplaceAllString(escapedPath, "/repos/-/-$1")
}

var numericRepository = regexp.MustCompile(`^/repositories/[0-9]+(/.*)?$`)
