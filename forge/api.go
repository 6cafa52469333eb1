package forge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-github/v57/github"
	"golang.org/x/sync/errgroup"
)

// api sends requests with one identity. go-github signs, parses errors and
// counts the rate limit; addresses are built here, because its own methods put
// names into them unescaped.
type api struct {
	// client returns the client to use; forget drops it after GitHub refused
	// its credentials.
	client func(ctx context.Context) (*github.Client, error)
	forget func()
}

// route joins path segments, each escaped.
func route(segments ...any) string {
	parts := make([]string, len(segments))
	for i, s := range segments {
		parts[i] = url.PathEscape(fmt.Sprint(s))
	}
	return strings.Join(parts, "/")
}

// escapePath escapes the segments of a path but not its slashes.
func escapePath(path string) string {
	parts := strings.Split(path, "/")
	for i, s := range parts {
		parts[i] = url.PathEscape(s)
	}
	return strings.Join(parts, "/")
}

// call sends a request with an optional JSON body and reads a JSON answer into
// out: nil, a pointer, or a func(io.Reader) error. A short rate limit is waited
// for: to fail there would be to begin the whole job anew, and to meet the next
// limit before it ends.
func (a *api) call(ctx context.Context, method, path string, in, out any, opts ...github.RequestOption) (*github.Response, error) {
	for try := 1; ; try++ {
		resp, err := a.once(ctx, method, path, in, out, opts...)
		var limited *RateLimitError
		if try == limitTries || !errors.As(err, &limited) || time.Until(limited.Until) > limitPatience {
			return resp, err
		}
		// What was refused was not done, so that a write may be sent again, too.
		// Up to twice the time, so that what waited together does not come back
		// together.
		if sleep(ctx, 2*max(time.Until(limited.Until), limitLeast)) != nil {
			return resp, err
		}
	}
}

const (
	// limitPatience is the longest rate limit that a request waits for, holding
	// its job's worker. GitHub's own are mostly longer: those the queue waits for.
	limitPatience = 4 * time.Second
	// limitTries bounds how often it is refused.
	limitTries = 6
	limitLeast = 50 * time.Millisecond
)

func (a *api) once(ctx context.Context, method, path string, in, out any, opts ...github.RequestOption) (*github.Response, error) {
	client, err := a.client(ctx)
	if err != nil {
		return nil, err
	}
	req, err := client.NewRequest(method, path, in, opts...)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	resp, err := client.BareDo(ctx, req)
	if err != nil {
		err = classify(err)
		if a.forget != nil && errors.Is(err, ErrUnauthorized) {
			a.forget()
		}
		return resp, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer resp.Body.Close()
	if err := decode(resp.Body, out); err != nil {
		return resp, fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	return resp, nil
}

func decode(r io.Reader, out any) error {
	switch out := out.(type) {
	case nil:
		return nil
	case func(io.Reader) error:
		return out(r)
	default:
		return json.NewDecoder(r).Decode(out)
	}
}

// get is call for GET.
func (a *api) get(ctx context.Context, path string, out any) error {
	_, err := a.call(ctx, http.MethodGet, path, nil, out)
	return err
}

const (
	perPage      = 100
	pageParallel = 8
)

// listAll reads all pages of a list, those after the first at the same time, and
// at most maxItems items; more is true where GitHub has more of them.
func listAll[T any](ctx context.Context, a *api, path string, query url.Values, maxItems int) (items []T, more bool, err error) {
	page := func(ctx context.Context, n int) ([]T, *github.Response, error) {
		q := url.Values{"per_page": {strconv.Itoa(perPage)}}
		for k, v := range query {
			q[k] = v
		}
		if n > 1 {
			q.Set("page", strconv.Itoa(n))
		}
		var got []T
		resp, err := a.call(ctx, http.MethodGet, path+"?"+q.Encode(), nil, func(r io.Reader) (err error) {
			got, err = decodeArray[T](r)
			return err
		})
		return got, resp, err
	}
	items, resp, err := page(ctx, 1)
	if err != nil {
		return nil, false, err
	}
	if resp.LastPage > 1 {
		return restOfPages(ctx, items, resp.LastPage, maxItems, page)
	}
	// Without a last page the pages must be asked for one after the other.
	for resp.NextPage > 1 && len(items) < maxItems {
		var got []T
		got, resp, err = page(ctx, resp.NextPage)
		if err != nil {
			return nil, false, err
		}
		if len(got) == 0 {
			break
		}
		items = append(items, got...)
	}
	items, more = cut(items, maxItems, resp.NextPage > 1)
	return items, more, nil
}

func restOfPages[T any](ctx context.Context, first []T, last, maxItems int,
	page func(context.Context, int) ([]T, *github.Response, error)) ([]T, bool, error) {
	size := max(len(first), 1)
	wanted := min(last, (maxItems+size-1)/size)
	pages := make([][]T, wanted+1)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(pageParallel)
	for n := 2; n <= wanted; n++ {
		group.Go(func() (err error) {
			pages[n], _, err = page(ctx, n)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, false, err
	}
	for _, p := range pages {
		first = append(first, p...)
	}
	first, more := cut(first, maxItems, wanted < last)
	return first, more, nil
}

// cut shortens a list to maxItems; more is then true.
func cut[T any](items []T, maxItems int, more bool) ([]T, bool) {
	if len(items) > maxItems {
		return items[:maxItems], true
	}
	return items, more
}

// decodeArray reads a JSON array one element at a time, so that an answer never
// stands in memory as a whole.
func decodeArray[T any](r io.Reader) ([]T, error) {
	dec := json.NewDecoder(r)
	if tok, err := dec.Token(); err != nil {
		return nil, err
	} else if tok != json.Delim('[') {
		return nil, fmt.Errorf("want a list, got %v", tok)
	}
	var items []T
	for dec.More() {
		var item T
		if err := dec.Decode(&item); err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	_, err := dec.Token()
	return items, err
}
