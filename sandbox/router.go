package sandbox

import (
	"net/http"
	"net/url"
	"strings"
)

// router finds REST routes. http.ServeMux can't hold GitHub's table: it refuses
// "issues/comments/{id}" beside "issues/{number}/labels", and a branch name with
// slashes in the middle of a path ("commits/{ref...}/check-runs").
//
// A literal segment wins over {name}, which takes one segment, and that over
// {name...}, which takes one or more. Segments are compared unescaped, so %2F
// stays inside its segment.
type router struct {
	methods map[string]*routerNode
}

type routerNode struct {
	literal map[string]*routerNode
	one     *routerNode
	many    *routerNode
	route   *route
	names   []string
}

// add registers "METHOD /path". A second route for the same path replaces the
// first.
func (t *router) add(pattern string, rt *route) {
	method, path, _ := strings.Cut(pattern, " ")
	if t.methods == nil {
		t.methods = map[string]*routerNode{}
	}
	if t.methods[method] == nil {
		t.methods[method] = &routerNode{}
	}
	node := t.methods[method]
	var names []string
	for segment := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		name, wild := strings.CutPrefix(segment, "{")
		if wild {
			names = append(names, strings.TrimSuffix(strings.TrimSuffix(name, "}"), "..."))
		}
		node = node.child(segment, wild)
	}
	node.route, node.names = rt, names
}

func (n *routerNode) child(segment string, wild bool) *routerNode {
	slot := &n.one
	switch {
	case wild && strings.HasSuffix(segment, "...}"):
		slot = &n.many
	case !wild:
		if n.literal == nil {
			n.literal = map[string]*routerNode{}
		}
		if n.literal[segment] == nil {
			n.literal[segment] = &routerNode{}
		}
		return n.literal[segment]
	}
	if *slot == nil {
		*slot = &routerNode{}
	}
	return *slot
}

// find returns the route for a request and sets its path values. HEAD is served
// by GET.
func (t *router) find(r *http.Request) *route {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	root := t.methods[method]
	if root == nil {
		return nil
	}
	segments := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return nil
		}
		segments[i] = plain
	}
	node, values := root.match(segments, nil)
	if node == nil {
		return nil
	}
	for i, name := range node.names {
		r.SetPathValue(name, values[i])
	}
	return node.route
}

func (n *routerNode) match(segments, values []string) (*routerNode, []string) {
	if len(segments) == 0 {
		if n.route == nil {
			return nil, nil
		}
		return n, values
	}
	if next := n.literal[segments[0]]; next != nil {
		if found, v := next.match(segments[1:], values); found != nil {
			return found, v
		}
	}
	if n.one != nil && segments[0] != "" {
		if found, v := n.one.match(segments[1:], append(values[:len(values):len(values)], segments[0])); found != nil {
			return found, v
		}
	}
	if n.many == nil {
		return nil, nil
	}
	for k := 1; k <= len(segments); k++ {
		taken := append(values[:len(values):len(values)], strings.Join(segments[:k], "/"))
		if found, v := n.many.match(segments[k:], taken); found != nil {
			return found, v
		}
	}
	return nil, nil
}
