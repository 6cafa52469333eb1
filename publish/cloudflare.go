package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cloudflare/cloudflare-go"
	"golang.org/x/time/rate"
)

// CloudflareConfig says which zone's cache. Zero fields have the stated
// defaults.
type CloudflareConfig struct {
	// ZoneID is the zone's id, 32 hex digits.
	ZoneID string
	// APIToken has the permission Zone → Cache Purge, for this zone.
	APIToken string
	// BaseURL is the registry's address: "https://registry.example.org".
	BaseURL string
	// Plan is the zone's plan, which sets its budget: "free" if empty, "pro",
	// "business" or "enterprise".
	Plan string
	// ByPrefix purges all of an entity for any file of it, instead of the file's
	// address. It reaches what the cache keeps under a key that is no address
	// (developers.cloudflare.com/cache/how-to/purge-cache/purge-cache-key), and
	// costs a request of the smaller budget.
	ByPrefix bool
	// APIURL is Cloudflare's API, "https://api.cloudflare.com/client/v4" if empty.
	APIURL string
	// Transport carries the requests, http.DefaultTransport if nil.
	Transport http.RoundTripper
}

// budget is how much may be purged: prefixes by requests of at most 100 each,
// files by URLs, a second, and how many at once
// (developers.cloudflare.com/cache/how-to/purge-cache, "Availability and
// limits"; for the whole account).
type budget struct {
	prefixes rate.Limit
	burst    int
	files    int
}

var budgets = map[string]budget{
	"free":       {rate.Every(12 * time.Second), 25, 800},
	"pro":        {5, 25, 1500},
	"business":   {10, 50, 1500},
	"enterprise": {50, 500, 3000},
}

// Plans are the plans that have a budget, the smallest first.
func Plans() []string { return []string{"free", "pro", "business", "enterprise"} }

// Cloudflare is a Purger of a zone's cache.
type Cloudflare struct {
	api         *cloudflare.API
	zone        string
	site        *url.URL
	byPrefix    bool
	prefixes    *rate.Limiter // requests
	files       *rate.Limiter // URLs
	longestWait time.Duration

	mu    sync.Mutex
	quiet time.Time // until when Cloudflare wants to be left alone
}

// NewCloudflare prepares purging; nothing is sent yet.
func NewCloudflare(config CloudflareConfig) (*Cloudflare, error) {
	site, err := url.Parse(config.BaseURL)
	if err != nil || site.Host == "" || config.ZoneID == "" || config.APIToken == "" {
		return nil, errors.New("purge at Cloudflare: the zone, its token or the registry's address is missing")
	}
	if config.Plan == "" {
		config.Plan = "free"
	}
	b, ok := budgets[config.Plan]
	if !ok {
		return nil, fmt.Errorf("purge at Cloudflare: there is no plan %q", config.Plan)
	}
	transport := config.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	options := []cloudflare.Option{
		// Its own retries lose Retry-After. The job queue knows better when.
		cloudflare.UsingRetryPolicy(0, 0, 0),
		cloudflare.HTTPClient(&http.Client{Transport: recorder{transport}, Timeout: 30 * time.Second}),
		cloudflare.UserAgent("registrar"),
	}
	if config.APIURL != "" {
		options = append(options, cloudflare.BaseURL(strings.TrimSuffix(config.APIURL, "/")))
	}
	api, err := cloudflare.NewWithAPIToken(config.APIToken, options...)
	if err != nil {
		return nil, fmt.Errorf("purge at Cloudflare: %w", err)
	}
	return &Cloudflare{
		api: api, zone: config.ZoneID, site: site, byPrefix: config.ByPrefix, longestWait: 20 * time.Second,
		prefixes: rate.NewLimiter(b.prefixes, b.burst), files: rate.NewLimiter(rate.Limit(b.files), b.files),
	}, nil
}

// Purge orders single files and prefixes to be forgotten, 100 a request, as fast
// as the plan allows. Where that means to wait for long, it returns a
// *RateLimitError instead.
func (c *Cloudflare) Purge(ctx context.Context, s Stale) error {
	if c.byPrefix {
		s = s.widened()
	}
	for paths := range slices.Chunk(c.urls(s.Paths), purgeBatch) {
		if err := c.order(ctx, c.files, len(paths), cloudflare.PurgeCacheRequest{Files: paths}); err != nil {
			return err
		}
	}
	for prefixes := range slices.Chunk(c.hostPrefixes(s.Prefixes), purgeBatch) {
		if err := c.order(ctx, c.prefixes, 1, cloudflare.PurgeCacheRequest{Prefixes: prefixes}); err != nil {
			return err
		}
	}
	return nil
}

// urls are the addresses of files, as a cache keys them. A "+" is also written
// %2B by some clients.
func (c *Cloudflare) urls(paths []string) []string {
	var urls []string
	for _, path := range paths {
		u := c.site.Scheme + "://" + c.site.Host + (&url.URL{Path: "/" + path}).EscapedPath()
		urls = append(urls, u)
		if strings.Contains(u, "+") {
			urls = append(urls, strings.ReplaceAll(u, "+", "%2B"))
		}
	}
	return urls
}

// hostPrefixes are prefixes as the API wants them: without a scheme, and without
// a slash at the end, which the documentation's examples lack. That may purge a
// neighbour whose name begins the same, and does no harm.
func (c *Cloudflare) hostPrefixes(prefixes []string) []string {
	var out []string
	for _, prefix := range prefixes {
		out = append(out, c.site.Host+(&url.URL{Path: "/" + trimSlash(prefix)}).EscapedPath())
	}
	return out
}

// order sends one request when the budget allows it.
func (c *Cloudflare) order(ctx context.Context, limiter *rate.Limiter, n int, request cloudflare.PurgeCacheRequest) error {
	if err := c.wait(ctx, limiter, n); err != nil {
		return err
	}
	var got reply
	answer, err := c.api.PurgeCacheContext(context.WithValue(ctx, replyKey{}, &got), c.zone, request)
	if err == nil && !answer.Success {
		err = errors.New("the answer does not tell of success")
	}
	return c.explain(ctx, got, err)
}

// wait spends n of the budget.
func (c *Cloudflare) wait(ctx context.Context, limiter *rate.Limiter, n int) error {
	c.mu.Lock()
	quiet := time.Until(c.quiet)
	c.mu.Unlock()
	if quiet > 0 {
		return &RateLimitError{Service: cloudflareName, RetryAfter: quiet}
	}
	spent := limiter.ReserveN(time.Now(), n)
	if !spent.OK() {
		return fmt.Errorf("purge at Cloudflare: %d at a time are more than the plan allows", n)
	}
	delay := spent.Delay()
	if deadline, ok := ctx.Deadline(); delay > c.longestWait || ok && time.Until(deadline) < delay {
		spent.Cancel()
		return &RateLimitError{Service: cloudflareName, RetryAfter: delay, Err: errors.New("the plan's budget is spent")}
	}
	if err := sleep(ctx, delay); err != nil {
		return fmt.Errorf("purge at Cloudflare: %w", err)
	}
	return nil
}

const cloudflareName = "Cloudflare"

// explain turns the end of a request into what the caller, or the operator, can
// use.
func (c *Cloudflare) explain(ctx context.Context, got reply, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("purge at Cloudflare: %w", context.Cause(ctx))
	}
	t := &TroubleError{Err: err}
	switch got.status {
	case http.StatusTooManyRequests:
		limit := &RateLimitError{Service: cloudflareName, RetryAfter: got.retryAfter, Err: errors.New("HTTP 429")}
		if limit.RetryAfter <= 0 {
			limit.RetryAfter = 12 * time.Second // the slowest budget's next request
		}
		c.mu.Lock()
		c.quiet = time.Now().Add(limit.RetryAfter)
		c.mu.Unlock()
		return limit
	case http.StatusUnauthorized, http.StatusBadRequest, http.StatusForbidden:
		if got.status == http.StatusBadRequest && !badToken(err) {
			break
		}
		t.Kind, t.Problem = ErrCredentials, "Cloudflare does not let this API token purge the cache of zone "+c.zone
		t.Remedy = "check api_token and zone_id; the token needs the permission Zone, Cache Purge, for this zone"
		return fmt.Errorf("purge at Cloudflare: %w", t)
	case http.StatusNotFound:
		t.Kind, t.Problem, t.Remedy = ErrNoZone, "Cloudflare has no zone "+c.zone, "correct zone_id"
		return fmt.Errorf("purge at Cloudflare: %w", t)
	}
	return fmt.Errorf("purge at Cloudflare: %w", err)
}

// badToken tells whether a 400 is about the token: "Invalid request headers"
// (6003) is what one that is no token at all gets.
func badToken(err error) bool {
	var request *cloudflare.RequestError
	return errors.As(err, &request) && (request.InternalErrorCodeIs(6003) || request.InternalErrorCodeIs(6111))
}
