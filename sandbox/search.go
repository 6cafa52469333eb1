package sandbox

import (
	"net/http"
	"regexp"
	"strings"
)

func (s *Server) registerSearch() {
	s.route("GET /search/issues", access{}, s.searchIssues, searching)
}

// searchTerm is one word of a search: key:value, key:"two words" or plain text.
var searchTerm = regexp.MustCompile(`(-?)(?:([a-z-]+):)?(?:"([^"]*)"|(\S+))`)

// searchIssues serves the qualifiers that name where to look (repo, user, org)
// and what for (is, type, state, author, label, head, base, in); plain words
// must stand in the title or body.
func (s *Server) searchIssues(c *call) (*response, error) {
	q := c.query("q")
	if strings.TrimSpace(q) == "" {
		return nil, missingField("Search", "q")
	}
	var places []*repository
	var tests []func(*issue) bool
	for _, m := range searchTerm.FindAllStringSubmatch(q, -1) {
		value := m[3] + m[4]
		if found, isPlace := s.searchPlace(m[2], value); isPlace {
			places = append(places, found...)
			continue
		}
		test := issueTest(m[2], value)
		if test == nil {
			return nil, invalidField("Search", "q")
		}
		if m[1] == "-" {
			positive := test
			test = func(i *issue) bool { return !positive(i) }
		}
		tests = append(tests, test)
	}
	return s.answerSearch(c, places, tests)
}

func (s *Server) answerSearch(c *call, places []*repository, tests []func(*issue) bool) (*response, error) {
	if len(places) == 0 {
		return nil, &apiError{status: http.StatusUnprocessableEntity, message: "Validation Failed", errors: []fieldError{{
			Resource: "Search", Code: "invalid", Field: "q", Message: "The listed users and repositories cannot be searched " +
				"either because the resources do not exist or you do not have permission to view them."}}}
	}
	var found []*issue
	for _, r := range places {
		if !s.canSee(c.actor, r) {
			continue
		}
		for _, i := range r.issues {
			if all(tests, i) {
				found = append(found, i)
			}
		}
	}
	sortIssues(found, c.query("sort"), c.query("order"))
	return paginateIn(c, "items", found, func(i *issue) any {
		out := s.issueJSON(i)
		out["score"] = 1.0
		if i.body == "" {
			delete(out, "body") // never null here, by GitHub's description
		}
		return out
	}, obj{"incomplete_results": false, "search_type": "lexical"})
}

func all(tests []func(*issue) bool, i *issue) bool {
	for _, test := range tests {
		if !test(i) {
			return false
		}
	}
	return true
}

func (s *Server) searchPlace(key, value string) (places []*repository, isPlace bool) {
	switch key {
	case "repo":
		owner, name, _ := strings.Cut(value, "/")
		if r := s.findRepo(owner, name); r != nil {
			places = append(places, r)
		}
		return places, true
	case "user", "org":
		if a := s.account(value); a != nil {
			places = reposOf(a)
		}
		return places, true
	}
	return nil, false
}

// issueTest makes the test of one qualifier, nil for one that is not known.
func issueTest(key, value string) func(*issue) bool {
	switch key + ":" + value {
	case "is:issue", "type:issue":
		return func(i *issue) bool { return i.pull == nil }
	case "is:pr", "type:pr", "is:pull-request":
		return func(i *issue) bool { return i.pull != nil }
	case "is:open", "state:open":
		return func(i *issue) bool { return !i.closed }
	case "is:closed", "state:closed":
		return func(i *issue) bool { return i.closed }
	case "is:merged":
		return func(i *issue) bool { return i.pull != nil && i.pull.merged }
	case "in:title", "in:body", "is:public":
		return func(*issue) bool { return true }
	}
	switch key {
	case "author":
		value = strings.TrimPrefix(value, "app/")
		return func(i *issue) bool { return isNamed(i.user, value) || isNamed(i.user, value+"[bot]") }
	case "label":
		return func(i *issue) bool { return findLabel(i.labels, value) != nil }
	case "head":
		return func(i *issue) bool { return i.pull != nil && i.pull.headRef == value }
	case "base":
		return func(i *issue) bool { return i.pull != nil && i.pull.baseRef == value }
	case "":
		word := strings.ToLower(value)
		return func(i *issue) bool {
			return strings.Contains(strings.ToLower(i.title), word) || strings.Contains(strings.ToLower(i.body), word)
		}
	}
	return nil
}
