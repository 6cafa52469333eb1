package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// GitHub's page sizes: 30 if nothing is said, 100 at most.
const (
	defaultPage = 30
	maxPage     = 100
)

// page is the part of a list that a request asks for.
type page struct{ number, size int }

func (c *call) page() page {
	p := page{number: 1, size: defaultPage}
	if n, err := strconv.Atoi(c.query("page")); err == nil && n > 0 {
		p.number = n
	}
	if n, err := strconv.Atoi(c.query("per_page")); err == nil && n > 0 {
		p.size = min(n, maxPage)
	}
	if limit := c.s.knobs.pageSize(); limit > 0 {
		p.size = min(p.size, limit)
	}
	return p
}

// bounds are the first index and the one after the last.
func (p page) bounds(total int) (from, to int) {
	if p.number > total/p.size+1 {
		return total, total
	}
	from = min((p.number-1)*p.size, total)
	return from, min(from+p.size, total)
}

// link writes the Link header (RFC 8288) with GitHub's relations; empty when
// one page holds everything.
func (c *call) link(p page, total int) string {
	last := max((total+p.size-1)/p.size, 1)
	if last == 1 && p.number <= 1 {
		return ""
	}
	var parts []string
	add := func(n int, rel string) {
		q := c.URL.Query()
		q.Set("page", strconv.Itoa(n))
		parts = append(parts, fmt.Sprintf("<%s?%s>; rel=%q", c.s.api(c.URL.EscapedPath()), q.Encode(), rel))
	}
	if p.number > 1 {
		add(min(p.number-1, last), "prev")
	}
	if p.number < last {
		add(p.number+1, "next")
		add(last, "last")
	}
	if p.number > 1 {
		add(1, "first")
	}
	return strings.Join(parts, ", ")
}

// paginate answers one page of items as a JSON array.
func paginate[T any](c *call, items []T, render func(T) any) (*response, error) {
	out, header := pageOf(c, items, render)
	return &response{status: http.StatusOK, body: out, header: header}, nil
}

// paginateIn answers one page inside an object with "total_count".
func paginateIn[T any](c *call, key string, items []T, render func(T) any, more obj) (*response, error) {
	out, header := pageOf(c, items, render)
	body := obj{"total_count": len(items), key: out}
	for k, v := range more {
		body[k] = v
	}
	return &response{status: http.StatusOK, body: body, header: header}, nil
}

func pageOf[T any](c *call, items []T, render func(T) any) ([]any, http.Header) {
	p := c.page()
	from, to := p.bounds(len(items))
	out := make([]any, 0, to-from)
	for _, item := range items[from:to] {
		out = append(out, render(item))
	}
	header := http.Header{}
	if link := c.link(p, len(items)); link != "" {
		header.Set("Link", link)
	}
	return out, header
}
