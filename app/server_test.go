package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" // #nosec G505 -- as GitHub signs for old receivers
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/internal/githubspec"
	"github.com/tofu-registrar/registrar/registrydata"
)

const testSecret = "It's a Secret to Everybody"

// testConfig is a configuration without faults, for an App of its own.
func testConfig(t testing.TB) Config {
	dir := t.TempDir()
	return Config{
		GitHub:   GitHubConfig{AppID: 1, PrivateKey: Secret(testKey(t)), WebhookSecrets: []Secret{testSecret}},
		Metadata: MetadataConfig{Repository: registrydata.Repository{Owner: "acme", Name: "registry"}},
		Queue:    QueueConfig{Database: Database(filepath.Join(dir, "queue.db")), SweepEvery: -1},
		Publish:  PublishConfig{BaseURL: "https://registry.example.org", Directory: &DirectoryConfig{Path: filepath.Join(dir, "public")}},
	}
}

// testApp is an App with a fake in place of handlers and GitHub, ready.
func testApp(t testing.TB, r Reconciler, change ...func(*Config)) *App {
	t.Helper()
	cfg := testConfig(t)
	for _, f := range change {
		f(&cfg)
	}
	app, err := NewApp(context.Background(), cfg, WithListener(loopbackListener(t)), WithLog(quiet(testLog(t))), WithReconciler(r, nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := app.Stop(ctx); err != nil {
			t.Errorf("stop the App: %v", err)
		}
	})
	if err := app.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	return app
}

// delivery is a webhook as GitHub sends it.
type delivery struct {
	event, guid, signature string
	sha1, contentType      string
	body                   io.Reader
}

func signed(event, guid string, payload []byte) delivery {
	return delivery{event: event, guid: guid, signature: signature(testSecret, payload), body: bytes.NewReader(payload)}
}

func signature(secret string, payload []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(payload)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// sha1Signature is the kind that GitHub sends for old receivers.
func sha1Signature(payload []byte) string {
	mac := hmac.New(sha1.New, []byte(testSecret))
	mac.Write(payload)
	return "sha1=" + hex.EncodeToString(mac.Sum(nil))
}

// post delivers and returns the status and the text of the answer.
func post(t testing.TB, app *App, d delivery) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+app.Addr()+"/webhook", d.body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", orElse(d.contentType, "application/json"))
	for name, value := range map[string]string{
		"X-GitHub-Event": d.event, "X-GitHub-Delivery": d.guid, "X-Hub-Signature-256": d.signature,
		"X-Hub-Signature": d.sha1,
	} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func get(t testing.TB, app *App, path string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get("http://" + app.Addr() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// storedJobs is how many jobs there are, whatever their state.
func storedJobs(t testing.TB, app *App) int {
	t.Helper()
	jobs, err := listJobs(t.Context(), app.Queue.client, true)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, j := range jobs {
		if j.Kind == (reconcileArgs{}).Kind() { // the others are of the schedules
			n++
		}
	}
	return n
}

// The 329 examples of @octokit/webhooks-examples, translated by the handlers
// themselves. Those that name our metadata repository make jobs.
func TestWebhookTakesGitHubsExamples(t *testing.T) {
	t.Parallel()
	examples, err := githubspec.WebhookExamples()
	if err != nil {
		t.Fatal(err)
	}
	// Most examples are of this repository.
	metadata := registrydata.Repository{Owner: "Codertocat", Name: "Hello-World"}
	real := handlers.New(handlers.Options{Metadata: metadata, Branch: "master"})
	r := &fakeReconciler{onKeys: real.Keys}
	app := testApp(t, r)
	statuses := map[int]int{}
	for i, example := range examples {
		guid := fmt.Sprintf("example-%04d", i)
		status, body := post(t, app, signed(example.Event, guid, example.Payload))
		statuses[status]++
		if status != http.StatusAccepted {
			t.Errorf("%s %d: %d %s", example.Event, example.Index, status, body)
		}
	}
	if stored := storedJobs(t, app); stored < 10 {
		t.Errorf("%d jobs of %d examples: is nothing ours?", stored, len(examples))
	}
	t.Logf("%d examples, answers %v, %d jobs", len(examples), statuses, storedJobs(t, app))
}

func TestWebhookRefuses(t *testing.T) {
	t.Parallel()
	payload := []byte(`{"action":"opened","issue":{"number":1}}`)
	with := func(change func(*delivery)) delivery {
		d := signed("issues", "guid-0001", payload)
		change(&d)
		return d
	}
	cases := map[string]struct {
		delivery delivery
		status   int
	}{
		"no signature":            {with(func(d *delivery) { d.signature = "" }), 401},
		"another secret":          {with(func(d *delivery) { d.signature = signature("guess", payload) }), 401},
		"signature of other text": {with(func(d *delivery) { d.signature = signature(testSecret, []byte("{}")) }), 401},
		"half a signature":        {with(func(d *delivery) { d.signature = d.signature[:20] }), 401},
		"SHA-1":                   {with(func(d *delivery) { d.signature, d.sha1 = "", sha1Signature(payload) }), 401},
		"no event":                {with(func(d *delivery) { d.event = "" }), 400},
		"no GUID":                 {with(func(d *delivery) { d.guid = "" }), 400},
		"a GUID of another shape": {with(func(d *delivery) { d.guid = strings.Repeat("x", 65) }), 400},
		"text":                    {with(func(d *delivery) { d.contentType = "text/plain" }), 400},
		"not JSON":                {signed("issues", "guid-0001", []byte(`{"action":`)), 400},
		"JSON of another shape":   {signed("issues", "guid-0001", []byte(`[1,2]`)), 400},
		"empty":                   {signed("issues", "guid-0001", nil), 400},
	}
	app := testApp(t, &fakeReconciler{})
	for name, c := range cases {
		status, body := post(t, app, c.delivery)
		if status != c.status {
			t.Errorf("%s: %d, want %d", name, status, c.status)
		}
		if len(body) > 12 {
			t.Errorf("%s: the answer tells too much: %q", name, body)
		}
	}
	if n := storedJobs(t, app); n != 0 {
		t.Errorf("%d jobs were stored", n)
	}
	if status, _ := post(t, app, signed("issues", "guid-0001", payload)); status != 202 || storedJobs(t, app) != 1 {
		t.Errorf("the right signature: %d and %d jobs, want 202 and 1", status, storedJobs(t, app))
	}
}

func TestWebhookFormEncoded(t *testing.T) {
	t.Parallel()
	app := testApp(t, &fakeReconciler{})
	body := []byte("payload=%7B%22issue%22%3A%7B%22number%22%3A1%7D%7D")
	d := signed("issues", "guid-0001", body)
	d.contentType = "application/x-www-form-urlencoded"
	if status, _ := post(t, app, d); status != 202 || storedJobs(t, app) != 1 {
		t.Errorf("%d and %d jobs, want 202 and 1", status, storedJobs(t, app))
	}
}

func TestWebhookReplay(t *testing.T) {
	t.Parallel()
	r := &fakeReconciler{}
	app := testApp(t, r)
	for range 3 {
		if status, _ := post(t, app, signed("issues", "guid-0001", []byte(`{"issue":{"number":1}}`))); status != 202 {
			t.Errorf("status %d, want 202", status)
		}
		settle(t, app.Queue)
	}
	if n := r.ran(handlers.IssueKey(1)); n != 1 {
		t.Errorf("a delivery that came three times ran %d times", n)
	}
	if _, text := get(t, app, "/metrics"); !strings.Contains(text, `registrar_deliveries_total{event="issues",outcome="known"} 2`) {
		t.Error("the metrics do not tell of the replays")
	}
}

func TestWebhookTwoSecrets(t *testing.T) {
	t.Parallel()
	app := testApp(t, &fakeReconciler{}, func(c *Config) { c.GitHub.WebhookSecrets = []Secret{"new", testSecret} })
	payload := []byte(`{"issue":{"number":1}}`)
	for secret, want := range map[string]int{"new": 202, testSecret: 202, "older": 401} {
		d := delivery{event: "issues", guid: "guid-" + fmt.Sprint(len(secret)) + "-xxxx", body: bytes.NewReader(payload), signature: signature(secret, payload)}
		if status, _ := post(t, app, d); status != want {
			t.Errorf("signed with %q: %d, want %d", secret, status, want)
		}
	}
}

// endless is a body without end. It counts what was taken of it.
type endless struct{ read atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	e.read.Add(int64(len(p)))
	return len(p), nil
}

func TestWebhookBodyIsBounded(t *testing.T) {
	t.Parallel()
	app := testApp(t, &fakeReconciler{})
	for name, length := range map[string]int64{"declared": maxDelivery + 1, "undeclared": -1} {
		body := &endless{}
		req, err := http.NewRequest(http.MethodPost, "http://"+app.Addr()+"/webhook", io.NopCloser(io.LimitReader(body, 1<<30)))
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		req.Header.Set("X-GitHub-Event", "issues")
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Logf("%s: %v (the connection was cut while we still sent)", name, err)
		} else {
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("%s: %d, want 413", name, resp.StatusCode)
			}
		}
		if body.read.Load() > 2*maxDelivery {
			t.Errorf("%s: %d bytes were taken", name, body.read.Load())
		}
	}
	_, text := get(t, app, "/metrics")
	if !strings.Contains(text, `registrar_deliveries_total{event="issues",outcome="too-large"} 2`) {
		t.Error("the metrics do not tell of two deliveries that were too large")
	}
	if n := storedJobs(t, app); n != 0 {
		t.Errorf("%d jobs were stored", n)
	}
}

func TestWebhookStorageFails(t *testing.T) {
	t.Parallel()
	app := testApp(t, &fakeReconciler{})
	if _, err := app.Queue.db.Exec(`CREATE TRIGGER full BEFORE INSERT ON river_job BEGIN SELECT RAISE(ABORT, 'disk full'); END`); err != nil {
		t.Fatal(err)
	}
	status, body := post(t, app, signed("issues", "guid-0001", []byte(`{"issue":{"number":1}}`)))
	if status != http.StatusServiceUnavailable || strings.Contains(body, "disk") {
		t.Errorf("%d %q, want 503 without detail", status, body)
	}
	if _, err := app.Queue.db.Exec(`DROP TRIGGER full`); err != nil {
		t.Fatal(err)
	}
	// GitHub redelivers under the same GUID.
	if status, _ := post(t, app, signed("issues", "guid-0001", []byte(`{"issue":{"number":1}}`))); status != 202 || storedJobs(t, app) != 1 {
		t.Errorf("redelivered: %d and %d jobs, want 202 and 1", status, storedJobs(t, app))
	}
}

func TestServerRoutes(t *testing.T) {
	t.Parallel()
	app := testApp(t, &fakeReconciler{})
	for path, want := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/metrics": 200, "/": 404, "/webhook": 405, "/debug/pprof/": 404, "/..%2f": 404,
	} {
		resp, body := get(t, app, path)
		if resp.StatusCode != want {
			t.Errorf("GET %s: %d, want %d: %s", path, resp.StatusCode, want, body)
		}
		if resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Content-Security-Policy") == "" ||
			resp.Header.Get("X-Request-Id") == "" || resp.Header.Get("Server") != "" {
			t.Errorf("GET %s: headers %v", path, resp.Header)
		}
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	app := testApp(t, &fakeReconciler{})
	expect := func(status int, reason string) {
		t.Helper()
		resp, body := get(t, app, "/readyz")
		if resp.StatusCode != status || !strings.Contains(body, reason) {
			t.Errorf("readyz: %d %q, want %d %q", resp.StatusCode, body, status, reason)
		}
	}
	app.health.checkEvery = time.Hour
	expect(200, "ready")
	app.health.contactWithin = time.Nanosecond
	expect(503, "GitHub")
	app.health.contactWithin = time.Hour
	if _, err := app.Queue.db.Exec(`DROP TABLE registrar_probe`); err != nil {
		t.Fatal(err)
	}
	expect(200, "ready") // the disk is not written for everyone who asks
	app.health.checkEvery = 0
	expect(503, "queue")
	app.health.setStopping()
	expect(503, "stopping")
	if resp, _ := get(t, app, "/healthz"); resp.StatusCode != 200 {
		t.Errorf("healthz: %d, want 200 while the process lives", resp.StatusCode)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	r := &fakeReconciler{onReconcile: func(_ context.Context, key handlers.Key) (handlers.Result, error) {
		if key == handlers.IssueKey(2) {
			return handlers.Result{}, handlers.ErrMalformedKey
		}
		return handlers.Result{}, nil
	}}
	app := testApp(t, r)
	post(t, app, signed("issues", "guid-0001", []byte(`{"issue":{"number":1}}`)))
	post(t, app, signed("issues", "guid-0002", []byte(`{"issue":{"number":2}}`)))
	post(t, app, signed("made-up-by-a-stranger", "guid-0003", []byte(`{}`)))
	settle(t, app.Queue)
	_, text := get(t, app, "/metrics")
	for _, line := range []string{
		`registrar_deliveries_total{event="issues",outcome="stored"} 2`,
		`registrar_deliveries_total{event="other",outcome="ignored"} 1`,
		`registrar_jobs_total{key="issue",outcome="done"} 1`,
		`registrar_jobs_total{key="issue",outcome="refused"} 1`,
		`registrar_job_seconds_count{key="issue"} 2`,
		`registrar_delivery_seconds_count 3`,
		`registrar_queue_jobs{state="available"} 0`,
		`registrar_queue_jobs{state="discarded"} 0`,
		`registrar_queue_oldest_due_seconds 0`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
}

func TestAppRefusesAFaultyConfiguration(t *testing.T) {
	cfg := testConfig(t)
	cfg.GitHub.AppID, cfg.Policy.Merge = 0, "never"
	_, err := NewApp(t.Context(), cfg)
	if err == nil || !strings.Contains(err.Error(), "github.app_id") || !strings.Contains(err.Error(), "policy.merge") {
		t.Errorf("NewApp: %v, want both faults", err)
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	cfg := testConfig(t)
	var logged bytes.Buffer
	log, err := newLog(&logged, "json", "info")
	if err != nil {
		t.Fatal(err)
	}
	log.Info("configuration", "config", cfg, "secret", cfg.GitHub.WebhookSecrets[0])
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v %s", cfg, cfg, cfg, cfg.GitHub.PrivateKey), string(asJSON), logged.String()} {
		if strings.Contains(text, testSecret) || strings.Contains(text, "PRIVATE KEY") {
			t.Errorf("a secret shows in %.200s", text)
		}
	}
}

// FuzzWebhook posts a stranger's bytes, signed, as each event.
func FuzzWebhook(f *testing.F) {
	examples, err := githubspec.WebhookExamples()
	if err != nil {
		f.Fatal(err)
	}
	for _, example := range examples {
		if slices.Contains(handlers.Events, example.Event) && example.Index == 0 {
			f.Add(example.Event, "guid-0001", []byte(example.Payload))
		}
	}
	f.Add("issues", "", []byte(`{"issue":{"number":-1}}`))
	f.Add("push", "guid-0002", []byte(`{"ref":["refs"]}`))
	f.Add("release", strings.Repeat("g", 70), []byte("\x00"))
	real := handlers.New(handlers.Options{Metadata: registrydata.Repository{Owner: "Codertocat", Name: "Hello-World"}, Branch: "master"})
	r := &fakeReconciler{onKeys: real.Keys}
	store := &memoryStore{}
	h := newWebhook([]Secret{testSecret}, r, store, newMetrics(), quiet(testLog(f)))
	f.Fuzz(func(t *testing.T, event, guid string, payload []byte) {
		store.keys = nil
		req := httptest.NewRequest(http.MethodPost, "/webhook", bytes.NewReader(payload))
		req.Header["X-Github-Event"], req.Header["X-Github-Delivery"] = []string{event}, []string{guid}
		req.Header.Set("X-Hub-Signature-256", signature(testSecret, payload))
		req.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, req)
		if answer.Code != http.StatusAccepted && answer.Code != http.StatusBadRequest {
			t.Errorf("answer %d", answer.Code)
		}
		if answer.Code != http.StatusAccepted && len(store.keys) > 0 {
			t.Errorf("refused, yet stored %q", store.keys)
		}
		for _, key := range store.keys {
			if len(key) > 300 || strings.ContainsAny(string(key), "\x00\n\r") {
				t.Errorf("key %q", key)
			}
		}
	})
}

type memoryStore struct{ keys []handlers.Key }

func (m *memoryStore) Store(_ context.Context, _, _, _ string, keys []handlers.Key) (int, error) {
	m.keys = append(m.keys, keys...)
	return len(keys), nil
}
