package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/registrydata"
)

func TestSyncAddress(t *testing.T) {
	t.Parallel()
	provider := registrydata.Entity{Kind: registrydata.KindProvider, Namespace: "acme", Name: "demo"}
	module := registrydata.Entity{Kind: registrydata.KindModule, Namespace: "acme", Name: "net-core", Target: "aws"}
	for arg, want := range map[string]registrydata.Entity{
		"acme/demo": provider, "Acme/Demo": provider, "acme/terraform-provider-demo": provider,
		"acme/net-core/aws": module, "acme/terraform-aws-net-core": module,
	} {
		if e, err := syncAddress(arg); e != want || err != nil {
			t.Errorf("%s: %v %v, want %v", arg, e, err, want)
		}
	}
	for _, arg := range []string{"", "acme", "/", "acme/", "a/b/c/d", "../x", "acme/terraform-provider-", "https://example.org/x"} {
		if e, err := syncAddress(arg); err == nil {
			t.Errorf("%q is read as %v", arg, e)
		}
	}
}

func TestSyncUsage(t *testing.T) {
	t.Parallel()
	path := writeConfig(t, t.TempDir(), "")
	for _, args := range [][]string{{}, {"--all", "acme/demo"}, {"acme"}} {
		if code, _, stderr := command(t.Context(), t, append([]string{"sync", "-c", path}, args...)...); code != exitUsage {
			t.Errorf("sync %v: exit %d %q, want 2", args, code, stderr)
		}
	}
}

// farWorld has a provider of somebody who did not install the App.
func farWorld(t *testing.T) (*world, actors.Repo) {
	t.Helper()
	w, err := newWorld(t.Context(), worldOptions{log: storyLog(), look: storyLooks([]string{"looks"})})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("end of the world: %v", err)
		}
	})
	far := actors.Repo{Owner: "mallory", Name: "terraform-provider-far"}
	if err := w.stranger.CreateRepository(t.Context(), far); err != nil {
		t.Fatal(err)
	}
	release(t, w, far, "1.0.0")
	data := `{"versions": [{"version": "0.9.0", "protocols": ["5.0"], "shasums_url": "https://example.org/s",` +
		`"shasums_signature_url": "https://example.org/s.sig", "targets": [{"os": "linux", "arch": "amd64", "filename": "f.zip",` +
		`"download_url": "https://example.org/f.zip", "shasum": "` + strings.Repeat("0", 64) + `"}]}]}`
	if err := w.maintainer.PutFile(t.Context(), w.metadata, "providers/m/mallory/far.json", []byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := w.Idle(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w, far
}

var signing = sync.OnceValues(func() (*actors.SigningKey, error) { return actors.NewSigningKey("far", "far@example.org", 0) })

func release(t *testing.T, w *world, r actors.Repo, version string) {
	t.Helper()
	key, err := signing()
	if err != nil {
		t.Fatal(err)
	}
	rel := actors.ProviderRelease{Key: key, Name: strings.TrimPrefix(r.Name, "terraform-provider-"), Version: version, Platforms: []string{"linux_amd64"}}
	if err := w.stranger.PublishProvider(t.Context(), r, rel); err != nil {
		t.Fatal(err)
	}
}

// syncWorld runs the command beside or instead of the bot of a world.
func syncWorld(ctx context.Context, t *testing.T, cfg Config, o syncOptions, addresses ...string) (code int, lines []map[string]any) {
	t.Helper()
	var out bytes.Buffer
	env := &environment{getenv: os.Getenv, stdout: &out, stderr: &out, log: slog.New(slog.DiscardHandler), began: true}
	o.json, o.wait = true, time.Minute
	entities, err := syncAddresses(addresses)
	if err == nil {
		err = runSync(ctx, env, cfg, o, entities)
	}
	if err != nil {
		exit := env.exit(err)
		code = exit.code
		t.Logf("sync: %v", exit.err)
	}
	decoder := json.NewDecoder(&out)
	for {
		var line map[string]any
		if decoder.Decode(&line) != nil {
			return code, lines
		}
		lines = append(lines, line)
	}
}

func isLive(w *world, version string) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		body, _, err := w.get(ctx, "/v1/providers/mallory/far/versions")
		return strings.Contains(string(body), `"`+version+`"`), err
	}
}

// TestSyncBesideTheBot: the bot does the work, the command waits for it.
func TestSyncBesideTheBot(t *testing.T) {
	t.Parallel()
	w, far := farWorld(t)
	code, lines := syncWorld(t.Context(), t, w.bot.cfg, syncOptions{}, "mallory/far", "mallory/near")
	if code != exitFindings || len(lines) != 2 || lines[0]["outcome"] != "not-registered" || lines[1]["outcome"] != "looked-at" {
		t.Fatalf("exit %d, %v; want one that is not registered and one that is looked at", code, lines)
	}
	if err := actors.Until(t.Context(), storyPatience, "1.0.0 is live", isLive(w, "1.0.0")); err != nil {
		t.Fatal(err)
	}
	release(t, w, far, "1.1.0")
	code, lines = syncWorld(t.Context(), t, w.bot.cfg, syncOptions{all: true})
	if code != 0 || len(lines) != 1 || lines[0]["looked_at"] != 1.0 || lines[0]["changed"] != 1.0 {
		t.Fatalf("exit %d, %v; want one looked at and changed", code, lines)
	}
	if err := actors.Until(t.Context(), storyPatience, "1.1.0 is live", isLive(w, "1.1.0")); err != nil {
		t.Fatal(err)
	}
}

// TestSyncWithoutTheBot: the command does all of it, up to what clients read.
func TestSyncWithoutTheBot(t *testing.T) {
	t.Parallel()
	w, far := farWorld(t)
	cfg := w.bot.cfg
	stopping, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := w.bot.Stop(stopping); err != nil {
		t.Fatal(err)
	}
	w.bot = nil
	code, lines := syncWorld(t.Context(), t, cfg, syncOptions{}, "mallory/far")
	if code != 0 || len(lines) != 1 || lines[0]["outcome"] != "looked-at" {
		t.Fatalf("exit %d, %v", code, lines)
	}
	release(t, w, far, "1.1.0")
	if code, lines = syncWorld(t.Context(), t, cfg, syncOptions{all: true}); code != 0 || len(lines) != 1 || lines[0]["changed"] != 1.0 {
		t.Fatalf("exit %d, %v", code, lines)
	}
	// The cache may be deleted at any time: what is not recorded is found anew.
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(filepath.Join(w.dir, "registrar.db") + suffix); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	release(t, w, far, "1.2.0")
	if code, lines = syncWorld(t.Context(), t, cfg, syncOptions{all: true}); code != 0 || lines[0]["changed"] != 1.0 {
		t.Fatalf("after the table was lost: exit %d, %v", code, lines)
	}
	// Without the bot no webhook tells of the merges: the next publication does.
	main, err := w.maintainer.File(t.Context(), w.metadata, "providers/m/mallory/far.json")
	if err != nil || !strings.Contains(main, `"1.0.0"`) || !strings.Contains(main, `"1.2.0"`) {
		t.Errorf("recorded: %v\n%s", err, main)
	}
}
