package edge

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

const (
	zoneID   = "0123456789abcdef0123456789abcdef"
	apiToken = "a-token-of-this-test-that-is-40-long-xxx"
)

// cloudflare is Cloudflare's API as far as it purges. It holds each order against
// the rules of the free plan (who asks, the body's shape, how much and how often:
// developers.cloudflare.com/cache/how-to/purge-cache), notes it, and carries it
// out on the Worker's cache.
type cloudflare struct {
	t    *testing.T
	w    *workerd
	url  string
	host string // of the zone

	mu       sync.Mutex
	prefixes *rate.Limiter // requests
	files    *rate.Limiter // URLs
	orders   []purgeOrder  // those that were carried out
	refused  map[int]int   // other answers, by status
}

// purgeOrder is the body of a request.
type purgeOrder struct {
	Files    []string `json:"files"`
	Prefixes []string `json:"prefixes"`
}

func startCloudflare(t *testing.T, w *workerd) *cloudflare {
	t.Helper()
	c := &cloudflare{t: t, w: w, host: w.host(), refused: map[int]int{}}
	c.refill()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	c.url = server.URL + "/client/v4"
	return c
}

// refill gives the account its whole budget, spend takes it away: 5 requests a
// minute and 25 at once, 800 URLs a second.
func (c *cloudflare) refill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prefixes, c.files = rate.NewLimiter(rate.Every(12*time.Second), 25), rate.NewLimiter(800, 800)
}

func (c *cloudflare) spend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prefixes.ReserveN(time.Now(), c.prefixes.Burst())
}

// taken are the orders since the last call.
func (c *cloudflare) taken() []purgeOrder {
	c.mu.Lock()
	defer c.mu.Unlock()
	orders := c.orders
	c.orders = nil
	return orders
}

// refusals is how often it has answered with a status.
func (c *cloudflare) refusals(status int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refused[status]
}

func (c *cloudflare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	status, code, message := c.order(w.Header(), r)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if status == http.StatusOK {
		fmt.Fprintf(w, `{"success":true,"errors":[],"messages":[],"result":{"id":%q}}`, zoneID)
		return
	}
	c.refused[status]++
	fmt.Fprintf(w, `{"success":false,"errors":[{"code":%d,"message":%q}],"messages":[],"result":null}`, code, message)
}

// order judges a request and carries it out.
func (c *cloudflare) order(answer http.Header, r *http.Request) (status, code int, message string) {
	if r.Header.Get("Authorization") != "Bearer "+apiToken {
		return http.StatusForbidden, 10000, "Authentication error"
	}
	if r.Method != http.MethodPost || r.URL.Path != "/client/v4/zones/"+zoneID+"/purge_cache" {
		c.t.Errorf("Cloudflare was asked for %s %s", r.Method, r.URL)
		return http.StatusNotFound, 7003, "Could not route"
	}
	body, err := io.ReadAll(r.Body)
	order, wrong := c.parse(body)
	if err = errors.Join(err, wrong); err != nil || r.Header.Get("Content-Type") != "application/json" {
		c.t.Errorf("Cloudflare was sent %s %s: %v", r.Header.Get("Content-Type"), body, err)
		return http.StatusBadRequest, 1012, "Request must contain one of \"purge_everything\", \"files\", \"tags\", \"hosts\" or \"prefixes\""
	}
	limiter, n := c.prefixes, 1
	if len(order.Files) > 0 {
		limiter, n = c.files, len(order.Files)
	}
	if spent := limiter.ReserveN(time.Now(), n); spent.Delay() > 0 {
		answer.Set("Retry-After", strconv.Itoa(int(spent.Delay().Seconds())+1))
		spent.Cancel()
		return http.StatusTooManyRequests, 10429, "Rate limit exceeded"
	}
	if err := c.purge(order); err != nil {
		c.t.Error(err)
		return http.StatusInternalServerError, 1, "purge failed"
	}
	c.orders = append(c.orders, order)
	return http.StatusOK, 0, ""
}

// parse reads a body, which must hold a list of exactly one kind.
func (c *cloudflare) parse(body []byte) (purgeOrder, error) {
	var kinds map[string][]string
	var order purgeOrder
	if err := errors.Join(json.Unmarshal(body, &kinds), json.Unmarshal(body, &order)); err != nil {
		return order, err
	}
	n := len(order.Files) + len(order.Prefixes)
	if len(kinds) != 1 || n == 0 || n > 100 {
		return order, fmt.Errorf("%d operations of the kinds %v, want 1 to 100 of one of files and prefixes", n, slices.Collect(maps.Keys(kinds)))
	}
	for _, file := range order.Files {
		if u, err := url.Parse(file); err != nil || u.Scheme != "https" || u.Host != c.host {
			return order, fmt.Errorf("the file %q is not of this zone", file)
		}
	}
	for _, prefix := range order.Prefixes {
		if !strings.HasPrefix(prefix, c.host+"/") || strings.ContainsAny(prefix, "?#") {
			return order, fmt.Errorf("the prefix %q is not of this zone", prefix)
		}
	}
	return order, nil
}

// purge makes the Worker's cache forget. The Cache API cannot list what it holds;
// that is no more than what was asked for.
func (c *cloudflare) purge(order purgeOrder) error {
	urls := append([]string{}, order.Files...) // never null
	for _, asked := range c.w.asked() {
		for _, prefix := range order.Prefixes {
			if strings.HasPrefix(c.host+"/"+asked, prefix) {
				urls = append(urls, "https://"+c.host+"/"+asked)
			}
		}
	}
	got, err := c.w.tell(map[string]any{"purge": urls})
	c.w.purged.Add(int64(got.Purged))
	return err
}
