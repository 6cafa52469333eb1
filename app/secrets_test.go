package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/sandbox"
)

// secretsKept knows the secrets of a run, and what the bot said to GitHub.
type secretsKept struct {
	mu      sync.Mutex
	secrets map[string]string // what each is
	said    bytes.Buffer
}

// watch learns the credentials of each request, and the tokens that are given
// out.
func (k *secretsKept) watch(e sandbox.Exchange) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, credentials, ok := strings.Cut(e.Request.Header.Get("Authorization"), " "); ok {
		what := "token of a person"
		switch {
		case strings.Count(credentials, ".") == 2:
			what = "JWT"
			credentials = credentials[strings.LastIndexByte(credentials, '.')+1:]
		case strings.HasPrefix(credentials, "ghs_"):
			what = "installation token"
		}
		k.secrets[credentials] = what
		if what != "token of a person" {
			k.said.Write(e.RequestBody)
			k.said.WriteString(e.Request.URL.String() + "\n")
		}
	}
	var issued struct{ Token string }
	if strings.HasSuffix(e.Request.URL.Path, "/access_tokens") && json.Unmarshal(e.ResponseBody, &issued) == nil && issued.Token != "" {
		k.secrets[issued.Token] = "installation token"
	}
}

// add takes a secret, each line of it for itself: where it is quoted, line ends
// are written otherwise.
func (k *secretsKept) add(what, secret string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for line := range strings.Lines(secret) {
		if line = strings.TrimSpace(line); len(line) >= 8 && !strings.HasPrefix(line, "-----") && !strings.Contains(line, ": ") {
			k.secrets[line] = what
		}
	}
}

// find looks for every secret in a text, as it is and as HTTP's basic
// authentication would write it.
func (k *secretsKept) find(t *testing.T, place, text string) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	for secret, what := range k.secrets {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte("x-access-token:" + secret)), base64.StdEncoding.EncodeToString([]byte(secret))} {
			if at := strings.Index(text, form); at >= 0 {
				t.Errorf("%s shows a %s: …%s…", place, what, text[max(0, at-200):at])
				break
			}
		}
	}
	for _, word := range []string{"Bearer ", "Authorization:", "x-access-token", "X-Hub-Signature"} {
		if strings.Contains(text, word) {
			t.Errorf("%s shows %q", place, word)
		}
	}
}

// No secret is in anything that the bot writes down or says, whether all goes
// well or GitHub, the bucket and the cache refuse it, and its requests are wrong.
func TestNoSecretIsShownInAnyLog(t *testing.T) {
	t.Parallel()
	kept := &secretsKept{secrets: map[string]string{}}
	const s3Secret, s3Key, cacheToken = "s3-secret-0123456789abcdef", "s3-key-id-0123456789", "cloudflare-token-0123456789"
	kept.add("S3 secret", s3Secret)
	kept.add("S3 key", s3Key)
	kept.add("Cloudflare token", cacheToken)
	bucket, s3 := newMemoryBucket(t)
	s3.AccessKeyID, s3.SecretAccessKey = s3Key, s3Secret
	purges, cache := newPurgeRecorder(t)
	cache.APIToken = cacheToken
	cache.APIURL = translated(t, purges, "Bearer "+cacheToken, "Bearer token") + "/client/v4"
	log, text := tailedLog(slog.LevelDebug)
	world, err := newWorld(t.Context(), worldOptions{
		log: log, observe: func(s *sandbox.Server) { s.Observe(kept.watch) },
		options: []Option{
			WithRetries(time.Millisecond, time.Millisecond),
			publishingTo(func(p *PublishConfig) { p.S3, p.Cloudflare = s3, cache }),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	defer func() {
		if !stopped {
			_ = world.Close()
		}
	}()
	w := &publishingWorld{world: world, t: t, log: text}
	kept.add("private key of the App", string(w.bot.cfg.GitHub.PrivateKey))
	for _, secret := range w.bot.cfg.GitHub.WebhookSecrets {
		kept.add("webhook secret", string(secret))
	}
	key, err := actors.NewSigningKey("acme", "acme@example.org", 0)
	if err != nil {
		t.Fatal(err)
	}
	private, err := key.Private()
	if err != nil {
		t.Fatal(err)
	}

	ctx := t.Context()
	repository := actors.Repo{Owner: demoNamespace, Name: "terraform-provider-demo"}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	release := func(version string) {
		t.Helper()
		check(w.author.PublishProvider(ctx, repository, actors.ProviderRelease{Name: "demo", Version: version, Key: key, Platforms: []string{"linux_amd64"}}))
		w.idle()
	}
	fails := func(faults ...sandbox.Fault) {
		t.Helper()
		check(w.github.Knobs().Change(func(k *sandbox.Settings) { k.SparePeople, k.Faults = true, faults }))
	}
	submit := func(body string) int {
		t.Helper()
		n, err := w.author.OpenIssue(ctx, w.metadata, "Provider: acme/demo", body, "provider", "submission")
		check(err)
		w.idle()
		return n
	}
	form := "### Provider Repository\n\n" + repository.String() + "\n"

	// All goes well.
	check(w.author.CreateRepository(ctx, repository))
	release("1.0.0")
	submit(form)
	pull, err := w.maintainer.PullFrom(ctx, w.metadata, "submission/issue-1")
	if err != nil || pull == nil {
		t.Fatalf("no pull request: %v\n%s", err, text)
	}
	check(w.maintainer.Merge(ctx, w.metadata, pull.GetNumber()))
	w.idle()

	// A private key where everyone can read it: from now on it is one of the secrets
	// that the bot must not repeat.
	kept.add("private key of an author", private)
	submit("### Provider Repository\n\n" + private + "\n")

	// GitHub refuses the token, and a new one; it fails; the bucket and the cache
	// refuse theirs.
	fails(sandbox.Fault{Method: "GET", Path: "/repos/registry/metadata/issues", Status: 401},
		sandbox.Fault{Method: "POST", Path: "access_tokens", Status: 401})
	submit(form)
	fails(sandbox.Fault{Method: "POST", Path: "/repos/registry/metadata", Status: 500})
	submit(form + "\n")
	fails(sandbox.Fault{Method: "POST", Path: "access_tokens", Status: 500}, sandbox.Fault{Method: "GET", Path: "/repos/", Status: 403})
	submit(form + "\n\n")
	fails()
	bucket.refuse("AccessDenied")
	release("1.1.0")
	bucket.refuse("NoSuchBucket")
	w.again()
	bucket.refuse("")
	purges.answer(http.StatusForbidden)
	release("1.2.0")
	purges.answer(0)
	w.again()

	// Requests that are none of GitHub's.
	var answers bytes.Buffer
	for _, r := range []struct{ method, path, body string }{
		{"POST", "/webhook", "{}"}, {"POST", "/webhook", strings.Repeat("x", 30<<20)}, {"GET", "/webhook", ""},
		{"GET", "/metrics", ""}, {"GET", "/healthz", ""}, {"GET", "/readyz", ""}, {"GET", "/none", ""}, {"PUT", "/", ""},
	} {
		answers.WriteString(answerOf(ctx, r.method, w.botURL+r.path, r.body))
	}
	world.bot.Queue.o.Log.Info("the bot's configuration", "config", world.bot.cfg)
	if code := world.stopBot(ctx); code != nil {
		t.Error(code)
	}
	stopped = true
	defer func() { world.bot = nil; _ = world.Close() }()

	files := map[string]string{"the log": text.String(), "what is said to GitHub": kept.said.String(), "an answer": answers.String()}
	for _, pattern := range []string{"registrar.db*", decisionsFile} {
		names, err := filepath.Glob(filepath.Join(w.dir, pattern))
		if err != nil || len(names) == 0 {
			t.Errorf("%s: %v, %v", pattern, names, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			check(err)
			files[filepath.Base(name)] = string(b)
		}
	}
	bucket.mu.Lock()
	for path, body := range bucket.objects {
		files["published "+path] = body
	}
	bucket.mu.Unlock()
	for place, text := range files {
		kept.find(t, place, text)
	}

	// The test would find something: all of it was there, and the failures were.
	kinds := map[string]int{}
	for _, what := range kept.secrets {
		kinds[what]++
	}
	for _, what := range []string{"JWT", "installation token", "S3 secret", "Cloudflare token", "private key of the App", "webhook secret", "private key of an author"} {
		if kinds[what] == 0 {
			t.Errorf("the run used no %s: %v", what, slices.Sorted(maps.Keys(kinds)))
		}
	}
	for place, want := range map[string][]string{
		"the log":                {"level=DEBUG", "level=ERROR", "401", "500", "AccessDenied", "NoSuchBucket", "403", "[secret]"},
		"what is said to GitHub": {"acme/demo", "private key"},
		decisionsFile:            {`"did":"published"`, `"state":"private-key"`},
		"an answer":              {"registrar_jobs"},
	} {
		for _, word := range want {
			if !strings.Contains(files[place], word) {
				t.Errorf("%s does not tell of %q", place, word)
			}
		}
	}
}

// translated is a server with credentials of its own before a handler that knows
// others.
func translated(t *testing.T, handler http.Handler, outside, inside string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == outside {
			r.Header.Set("Authorization", inside)
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// answerOf is the whole answer to a request with a wrong signature.
func answerOf(ctx context.Context, method, url, body string) string {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	req.Header.Set("X-GitHub-Event", "issues")
	req.Header.Set("X-GitHub-Delivery", "00000000-0000-0000-0000-000000000000")
	req.Header.Set("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	var head bytes.Buffer
	_ = resp.Header.Write(&head)
	return head.String() + string(b)
}

func (w *world) stopBot(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return w.bot.Stop(ctx)
}
