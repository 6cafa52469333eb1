package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/time/rate"
)

const (
	testZone  = "0123456789abcdef0123456789abcdef"
	testToken = "a-token-of-the-test-that-is-40-letters-xx"
)

// fakeCloudflare records purges and holds them against the rules of the API: who
// asks, the shape of the body, the limits.
type fakeCloudflare struct {
	t      testing.TB
	mu     sync.Mutex
	orders []purgeOrder
	answer func(n int) (status int, retryAfter, body string) // n from 1; 0: succeed
	n      int
}

type purgeOrder struct {
	Files    []string `json:"files"`
	Prefixes []string `json:"prefixes"`
}

func (f *fakeCloudflare) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.n++
	if r.Method != http.MethodPost || r.URL.Path != "/client/v4/zones/"+testZone+"/purge_cache" {
		f.t.Errorf("%s %s", r.Method, r.URL)
	}
	if got := r.Header.Get("Authorization"); got != "Bearer "+testToken {
		f.t.Errorf("Authorization: %q", got)
	}
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		f.t.Errorf("Content-Type: %q", got)
	}
	if f.answer != nil {
		if status, after, body := f.answer(f.n); status != 0 {
			if after != "" {
				w.Header().Set("Retry-After", after)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return
		}
	}
	f.record(r)
	_, _ = io.WriteString(w, `{"success":true,"errors":[],"messages":[],"result":{"id":"`+testZone+`"}}`)
}

func (f *fakeCloudflare) record(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		f.t.Error(err)
	}
	var keys map[string][]string
	var order purgeOrder
	if err := errors.Join(json.Unmarshal(body, &keys), json.Unmarshal(body, &order)); err != nil {
		f.t.Errorf("body %s: %v", body, err)
	}
	if len(keys) != 1 || keys["files"] == nil && keys["prefixes"] == nil {
		f.t.Errorf("the body must hold exactly one of files and prefixes: %s", body)
	}
	for kind, list := range keys {
		if len(list) == 0 || len(list) > 100 {
			f.t.Errorf("%d %s in a request", len(list), kind)
		}
	}
	for _, file := range order.Files {
		if !strings.HasPrefix(file, "https://registry.example.org/") {
			f.t.Errorf("file %q", file)
		}
	}
	for _, prefix := range order.Prefixes {
		if !strings.HasPrefix(prefix, "registry.example.org/") || strings.HasSuffix(prefix, "/") || strings.ContainsAny(prefix, "?#") {
			f.t.Errorf("prefix %q", prefix)
		}
	}
	f.orders = append(f.orders, order)
}

func startFakeCloudflare(t testing.TB) (*fakeCloudflare, *Cloudflare) {
	fake := &fakeCloudflare{t: t}
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	return fake, newTestCloudflare(t, server.URL+"/client/v4/", nil)
}

func newTestCloudflare(t testing.TB, api string, transport http.RoundTripper) *Cloudflare {
	t.Helper()
	c, err := NewCloudflare(CloudflareConfig{
		ZoneID: testZone, APIToken: testToken, BaseURL: "https://registry.example.org", APIURL: api, Transport: transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCloudflarePurge(t *testing.T) {
	t.Parallel()
	fake, c := startFakeCloudflare(t)
	var paths, prefixes []string
	for i := range 230 {
		paths = append(paths, fmt.Sprintf("v1/modules/acme/m%d/aws/versions", i))
	}
	for i := range 101 {
		prefixes = append(prefixes, fmt.Sprintf("v1/providers/acme/p%d/", i))
	}
	if err := c.Purge(context.Background(), Stale{Paths: paths, Prefixes: prefixes}); err != nil {
		t.Fatal(err)
	}
	var files, below, sizes []string
	for _, o := range fake.orders {
		files, below = append(files, o.Files...), append(below, o.Prefixes...)
		sizes = append(sizes, fmt.Sprintf("%d+%d", len(o.Files), len(o.Prefixes)))
	}
	if want := []string{"100+0", "100+0", "30+0", "0+100", "0+1"}; !slices.Equal(sizes, want) {
		t.Errorf("requests %v, want %v", sizes, want)
	}
	if len(files) != 230 || files[0] != "https://registry.example.org/"+paths[0] {
		t.Errorf("%d files, the first %q", len(files), files[0])
	}
	if len(below) != 101 || below[0] != "registry.example.org/v1/providers/acme/p0" {
		t.Errorf("%d prefixes, the first %q", len(below), below[0])
	}
}

// By prefix, a file stands for its entity, and a file of none for itself.
func TestCloudflareByPrefix(t *testing.T) {
	t.Parallel()
	fake, c := startFakeCloudflare(t)
	c.byPrefix = true
	stale := Stale{
		Paths: []string{
			"v1/providers/acme/demo/versions", "v1/providers/acme/demo/1.0.0/download/linux/amd64", "v1/modules/acme/net/aws/1.0.0/download",
			"v1/modules/acme/net/aws/versions", ".well-known/terraform.json",
		},
		Prefixes: []string{"v1/providers/acme/demo/", "v1/providers/acme/demo2/"},
	}
	if err := c.Purge(context.Background(), stale); err != nil {
		t.Fatal(err)
	}
	want := []purgeOrder{{Prefixes: []string{
		"registry.example.org/.well-known/terraform.json", "registry.example.org/v1/modules/acme/net/aws",
		"registry.example.org/v1/providers/acme/demo", "registry.example.org/v1/providers/acme/demo2",
	}}}
	if diff := cmp.Diff(want, fake.orders); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
}

// Addresses are purged as clients write them: escaped, and a "+" in both ways.
func TestCloudflareAddresses(t *testing.T) {
	fake, c := startFakeCloudflare(t)
	if err := c.Purge(context.Background(), Stale{Paths: []string{"v1/modules/a/b/c/1.0.0+b & c/download"}}); err != nil {
		t.Fatal(err)
	}
	want := []purgeOrder{{Files: []string{
		"https://registry.example.org/v1/modules/a/b/c/1.0.0+b%20&%20c/download",
		"https://registry.example.org/v1/modules/a/b/c/1.0.0%2Bb%20&%20c/download",
	}}}
	if diff := cmp.Diff(want, fake.orders); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
}

func TestCloudflareRefusals(t *testing.T) {
	one := Stale{Paths: []string{"v1/x"}}
	message := func(code int) string {
		return fmt.Sprintf(`{"success":false,"errors":[{"code":%d,"message":"as the test wants it"}],"messages":[],"result":null}`, code)
	}
	tests := []struct {
		status int
		after  string
		body   string
		kind   error
		retry  time.Duration
	}{
		{429, "37", message(971), nil, 37 * time.Second},
		{429, "", "<html>", nil, 12 * time.Second},
		{403, "", message(10000), ErrCredentials, 0},
		{401, "", message(1001), ErrCredentials, 0},
		{400, "", message(6003), ErrCredentials, 0},
		{404, "", message(1001), ErrNoZone, 0},
		{400, "", message(1094), nil, 0},
		{500, "", "<html>", nil, 0},
		{503, "30", "", nil, 0},
		{200, "", `{"success":false,"errors":[]}`, nil, 0},
		{200, "", `not json`, nil, 0},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.status, tt.body), func(t *testing.T) {
			t.Parallel()
			fake, c := startFakeCloudflare(t)
			fake.answer = func(n int) (int, string, string) {
				if n > 1 {
					return 0, "", ""
				}
				return tt.status, tt.after, tt.body
			}
			err := c.Purge(context.Background(), one)
			if err == nil || fake.n != 1 {
				t.Fatalf("Purge = %v after %d requests, want an error after 1", err, fake.n)
			}
			if strings.Contains(err.Error(), testToken) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error is not fit for a log: %q", err)
			}
			var limit *RateLimitError
			var trouble *TroubleError
			if errors.As(err, &limit) != (tt.retry > 0) || tt.retry > 0 && limit.RetryAfter != tt.retry {
				t.Errorf("Purge = %v; want to come back in %s", err, tt.retry)
			}
			if errors.As(err, &trouble) != (tt.kind != nil) || tt.kind != nil && !errors.Is(err, tt.kind) {
				t.Errorf("Purge = %v; want %v", err, tt.kind)
			}
			// After a 429 Cloudflare is left alone until its time has come.
			err = c.Purge(context.Background(), one)
			if tt.retry > 0 {
				if !errors.As(err, &limit) || limit.RetryAfter > tt.retry || fake.n != 1 {
					t.Errorf("the next Purge = %v, after %d requests", err, fake.n)
				}
			} else if err != nil {
				t.Errorf("the next Purge = %v", err)
			}
		})
	}
}

// The plan's budget is spent and not exceeded: bursts, then the rate, and where
// that would take long, an error that says how long.
func TestCloudflareBudget(t *testing.T) {
	for _, tt := range []struct {
		plan     string
		burst    int           // prefix requests at once
		interval time.Duration // then
		files    int           // a second
	}{
		{"free", 25, 12 * time.Second, 800}, {"pro", 25, 200 * time.Millisecond, 1500},
		{"business", 50, 100 * time.Millisecond, 1500}, {"enterprise", 500, 20 * time.Millisecond, 3000},
	} {
		b := budgets[tt.plan]
		if b.burst != tt.burst || b.files != tt.files || b.prefixes != rate.Every(tt.interval) {
			t.Errorf("%s: %+v", tt.plan, b)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		c := newTestCloudflare(t, "", roundTrip(func(r *http.Request) (*http.Response, error) {
			if r.URL.String() != "https://api.cloudflare.com/client/v4/zones/"+testZone+"/purge_cache" {
				t.Errorf("asked %s", r.URL)
			}
			sent++
			return &http.Response{
				StatusCode: 200, Header: http.Header{}, Request: r,
				Body: io.NopCloser(strings.NewReader(`{"success":true}`)),
			}, nil
		}))
		ctx := context.Background()
		prefix := Stale{Prefixes: []string{"v1/a/"}}
		began := time.Now()
		for i := range 27 {
			if err := c.Purge(ctx, prefix); err != nil {
				t.Fatalf("request %d: %v", i+1, err)
			}
		}
		// 25 at once but for cloudflare-go's own 4 requests a second, then 5 a
		// minute.
		if took := time.Since(began); took < 24*time.Second || took > 25*time.Second {
			t.Errorf("27 requests took %s", took)
		}
		hasty, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		var limit *RateLimitError
		if err := c.Purge(hasty, prefix); !errors.As(err, &limit) || limit.RetryAfter < time.Second || limit.RetryAfter > 12*time.Second {
			t.Errorf("with a second left: %v", err)
		}
		if err := c.Purge(ctx, prefix); err != nil { // what was not sent was not spent
			t.Error(err)
		}
		if sent != 28 {
			t.Errorf("%d requests", sent)
		}
	})
}

func TestNewCloudflare(t *testing.T) {
	whole := CloudflareConfig{ZoneID: testZone, APIToken: testToken, BaseURL: "https://registry.example.org"}
	for _, spoil := range []func(*CloudflareConfig){
		func(c *CloudflareConfig) { c.ZoneID = "" }, func(c *CloudflareConfig) { c.APIToken = "" },
		func(c *CloudflareConfig) { c.BaseURL = "" }, func(c *CloudflareConfig) { c.Plan = "gold" },
	} {
		c := whole
		spoil(&c)
		if _, err := NewCloudflare(c); err == nil {
			t.Errorf("NewCloudflare(%+v) is no error", c)
		}
	}
	for _, plan := range Plans() {
		whole.Plan = plan
		if _, err := NewCloudflare(whole); err != nil {
			t.Error(err)
		}
	}
}

// The whole way: a change is published to a bucket and purged at Cloudflare,
// which refuses at first.
func TestPublishAndPurge(t *testing.T) {
	t.Parallel()
	fake, c := startFakeCloudflare(t)
	bucket := startFakeS3(t)
	pub, ctx := New(bucket.open(t), WithPurger(c)), context.Background()
	fake.answer = func(n int) (int, string, string) {
		if n == 1 {
			return 429, "1", ""
		}
		return 0, "", ""
	}
	if err := pub.Publish(ctx, rendered("a", "1.0.0")); err != nil {
		t.Fatal(err)
	}
	var limit *RateLimitError
	if err := pub.SetPublished(ctx, "abc"); !errors.As(err, &limit) {
		t.Fatalf("SetPublished = %v", err)
	}
	time.Sleep(limit.RetryAfter)
	if err := pub.SetPublished(ctx, "abc"); err != nil {
		t.Fatal(err)
	}
	want := []purgeOrder{{Files: []string{
		"https://registry.example.org/v1/providers/acme/demo/1.0.0/download/linux/amd64",
		"https://registry.example.org/v1/providers/acme/demo/1.0.0/download/linux/arm64",
		"https://registry.example.org/v1/providers/acme/demo/versions",
	}}}
	if diff := cmp.Diff(want, fake.orders); diff != "" {
		t.Errorf("orders (-want +got):\n%s", diff)
	}
}
