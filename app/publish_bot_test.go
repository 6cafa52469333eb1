package main

import (
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/publish"
)

// memoryBucket is an S3 server of one bucket, "registry", with conditional
// writes. It can be told to refuse.
type memoryBucket struct {
	mu      sync.Mutex
	objects map[string]string
	refusal string // an S3 error code, answered with 403 or 404
}

func newMemoryBucket(t *testing.T) (*memoryBucket, *S3Config) {
	b := &memoryBucket{objects: map[string]string{}}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return b, &S3Config{Endpoint: server.URL, Bucket: "registry", PathStyle: true, AccessKeyID: "key", SecretAccessKey: "secret"}
}

func (b *memoryBucket) refuse(code string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refusal = code
}

func etagOf(body string) string { return fmt.Sprintf(`"%x"`, md5.Sum([]byte(body))) }

// ServeHTTP implements http.Handler.
func (b *memoryBucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	fail := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
	}
	key := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/registry"), "/")
	have, there := b.objects[key]
	switch match := r.Header.Get("If-Match"); {
	case b.refusal == "NoSuchBucket":
		fail(http.StatusNotFound, b.refusal)
	case b.refusal != "":
		fail(http.StatusForbidden, b.refusal)
	case r.Method == http.MethodPut && (match != "" && match != etagOf(have) || r.Header.Get("If-None-Match") == "*" && there):
		fail(http.StatusPreconditionFailed, "PreconditionFailed")
	case r.Method == http.MethodPut:
		b.objects[key] = string(body)
		w.Header().Set("ETag", etagOf(string(body)))
	case r.Method == http.MethodDelete:
		delete(b.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case key == "":
		fmt.Fprint(w, "<ListBucketResult>")
		for name := range b.objects {
			if strings.HasPrefix(name, r.URL.Query().Get("prefix")) {
				fmt.Fprintf(w, "<Contents><Key>%s</Key></Contents>", name)
			}
		}
		fmt.Fprint(w, "</ListBucketResult>")
	case there:
		w.Header().Set("ETag", etagOf(have))
		fmt.Fprint(w, have)
	default:
		fail(http.StatusNotFound, "NoSuchKey")
	}
}

// purgeRecorder is Cloudflare's API, as far as it purges.
type purgeRecorder struct {
	mu     sync.Mutex
	purged []string
	status int // answered instead of success
}

func newPurgeRecorder(t *testing.T) (*purgeRecorder, *CloudflareConfig) {
	p := &purgeRecorder{}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	return p, &CloudflareConfig{ZoneID: strings.Repeat("0", 32), APIToken: "token", APIURL: server.URL + "/client/v4"}
}

// ServeHTTP implements http.Handler.
func (p *purgeRecorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var order struct{ Files, Prefixes []string }
	err := json.NewDecoder(r.Body).Decode(&order)
	switch {
	case r.Header.Get("Authorization") != "Bearer token" || p.status != 0:
		w.WriteHeader(max(p.status, http.StatusForbidden))
		fmt.Fprint(w, `{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}`)
	case err != nil || r.Method != http.MethodPost || r.URL.Path != "/client/v4/zones/"+strings.Repeat("0", 32)+"/purge_cache":
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"success":false,"errors":[{"code":1,"message":"what?"}]}`)
	default:
		p.purged = append(append(p.purged, order.Files...), order.Prefixes...)
		fmt.Fprint(w, `{"success":true}`)
	}
}

func (p *purgeRecorder) answer(status int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status = status
}

// since are the addresses that were purged since it was asked last, sorted.
func (p *purgeRecorder) since() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := slices.Clone(p.purged)
	p.purged = nil
	slices.Sort(out)
	return out
}

// publishingTo makes the bot of a world publish elsewhere.
func publishingTo(change func(*PublishConfig)) Option {
	return func(a *App) {
		a.cfg.Publish.Directory = nil
		change(&a.cfg.Publish)
	}
}

// publishingWorld is a world whose bot publishes elsewhere, and tries each job
// three times in a moment.
type publishingWorld struct {
	*world
	t      *testing.T
	log    *tail
	target publish.Target
}

func newPublishingWorld(t *testing.T, change func(*PublishConfig)) *publishingWorld {
	t.Helper()
	log, text := tailedLog(slog.LevelWarn)
	var config PublishConfig
	change(&config)
	w, err := newWorld(t.Context(), worldOptions{log: log, options: []Option{
		WithRetries(time.Millisecond, time.Millisecond), publishingTo(change),
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("end of the world: %v", err)
		}
	})
	target, closer, err := config.target()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = closer.Close() })
	return &publishingWorld{world: w, t: t, log: text, target: target}
}

// push commits data files, and waits until the bot has done what it can.
func (w *publishingWorld) push(files map[string]string) {
	w.t.Helper()
	var changes []actors.FileChange
	for path, content := range files {
		changes = append(changes, actors.FileChange{Path: path, Content: content})
	}
	if err := w.maintainer.Push(w.t.Context(), w.metadata, "Data", changes...); err != nil {
		w.t.Fatal(err)
	}
	w.idle()
}

// again lets the bot look once more, as the sweep does.
func (w *publishingWorld) again() {
	w.t.Helper()
	if err := w.bot.Queue.Enqueue(w.t.Context(), handlers.PublishKey); err != nil {
		w.t.Fatal(err)
	}
	w.idle()
}

func (w *publishingWorld) idle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), 2*storyPatience)
	defer cancel()
	if err := w.Idle(ctx); err != nil {
		w.t.Fatal(err)
	}
}

// live is a published file, "" where there is none.
func (w *publishingWorld) live(path string) string {
	w.t.Helper()
	f, err := w.target.Get(w.t.Context(), path)
	if err != nil && !isNotThere(err) {
		w.t.Fatal(err)
	}
	return string(f.Body)
}

// metric is a line of the bot's figures.
func (w *publishingWorld) metric(line string) bool {
	w.t.Helper()
	text, err := w.figures(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.Contains(text, line+"\n")
}
