package main

import (
	"bytes"
	"context"
	"database/sql"
	"flag"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/sandbox"
)

// How long the days of these tests are, and what they go through: a few seconds
// by themselves, a minute or two in .ci/run, and at full length
//
//	go test ./app -run TestCrashAnywhere -v -kills 200 -submissions 300 -releases 200 -timeout 2h
var (
	crashKills       = flag.Int("kills", 4, "how often the bot is killed in a day")
	crashSubmissions = flag.Int("submissions", 17, "of a day; every kind has its turn in 17")
	crashReleases    = flag.Int("releases", 6, "of a day")
	crashSeed        = flag.Uint64("seed", 0, "of what is left to chance; 0 is another one each time")
)

// mergedByHand: maintainers merge submissions, and new versions come in by
// themselves.
const mergedByHand = `policy { merge = "manual" }`

// crashBot is the real program around a world, which is killed and started anew.
type crashBot struct {
	*machines

	mu     sync.Mutex
	left   int           // requests until the next kill
	strike chan struct{} // the time has come
	kills  int
	asked  atomic.Int64
}

// newCrashBot makes a world with the program, not yet started. policy is its
// block of the configuration.
func newCrashBot(t *testing.T, policy string) *crashBot {
	t.Helper()
	b := &crashBot{machines: &machines{t: t, secret: "of the test, and of nothing else"}, strike: make(chan struct{}, 1)}
	b.world = &world{metadata: actors.Repo{Owner: "registry", Name: "metadata"}, dir: t.TempDir()}
	b.database = Database(filepath.Join(b.dir, "registrar.db"))
	t.Cleanup(func() { _ = b.world.Close() })
	o := worldOptions{log: slog.New(slog.DiscardHandler), observe: func(s *sandbox.Server) { s.Observe(b.saw) }}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(b.startGitHub(o))
	must(b.startRegistry(&o))
	must(b.fillMetadata(t.Context()))
	// A day has more requests than GitHub allows in an hour.
	must(b.github.Knobs().Change(func(k *sandbox.Settings) { k.RateLimit = 1_000_000 }))
	c := &machine{config: filepath.Join(b.dir, "registrar.hcl"), address: freeAddress(t)}
	b.all = []*machine{c}
	var err error
	b.app, err = b.github.AddApp(sandbox.AppOptions{
		Name: "registrar", Owner: b.metadata.Owner, WebhookURL: "http://" + c.address + "/webhook", WebhookSecret: b.secret,
	})
	must(err)
	for _, account := range []string{b.metadata.Owner, demoNamespace} {
		_, err = b.github.Install(b.app.Slug, account)
		must(err)
	}
	must(os.WriteFile(filepath.Join(b.dir, "app.pem"), b.app.PrivateKeyPEM, 0o600))
	must(os.Mkdir(b.temp(), 0o700))
	text := strings.Replace(b.configText(c), `policy { merge = "automatic" }`, policy, 1)
	must(os.WriteFile(c.config, []byte(text), 0o600))
	t.Cleanup(func() {
		c.kill()
		if t.Failed() {
			t.Logf("the bot says:\n%s", c.log)
		}
	})
	return b
}

// temp is the folder for temporary files of the bot.
func (b *crashBot) temp() string { return filepath.Join(b.dir, "tmp") }

// saw counts the bot's requests: every so many of them the bot is killed, which
// is while it does something.
func (b *crashBot) saw(x sandbox.Exchange) {
	if fromPerson(x.Request) {
		return
	}
	b.asked.Add(1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left == 0 {
		return
	}
	if b.left--; b.left == 0 {
		b.strike <- struct{}{}
	}
}

// fromPerson tells whether a request carries a personal access token.
func fromPerson(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Authorization"), " ghp_")
}

// run starts the bot.
func (b *crashBot) run() error {
	c := b.all[0]
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.log == nil {
		c.log = &bytes.Buffer{}
	}
	c.cmd = exec.Command(os.Args[0], "serve", "-c", c.config, "--log-level", "warn") // #nosec G204 -- this test
	c.cmd.Env = append(os.Environ(), programVariable+"=1", "TMPDIR="+b.temp())
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	return c.cmd.Start()
}

// killAtRandom kills the bot that many times, and starts it at once: after a
// number of requests, or, where it makes none, after a time.
func (b *crashBot) killAtRandom(ctx context.Context, times int, seed uint64) (stop func() error) {
	random := rand.New(rand.NewPCG(seed, 1)) // #nosec G404 -- repeatable, no secret
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		done <- func() error {
			for b.kills < times {
				b.mu.Lock()
				b.left = 1 + random.IntN(120)
				b.mu.Unlock()
				select {
				case <-ctx.Done():
					return nil
				case <-b.strike:
				case <-time.After(time.Duration(2+random.IntN(6)) * time.Second):
				}
				if err := pause(ctx, time.Duration(random.IntN(8))*time.Millisecond); err != nil {
					return nil //nolint:nilerr // told to stop
				}
				b.all[0].kill()
				b.kills++
				if err := b.run(); err != nil {
					return err
				}
			}
			return nil
		}()
	}()
	return func() error {
		err := <-done
		cancel()
		return err
	}
}

// emptyQueue waits until no job is to be done any more: looks begin by themselves.
func emptyQueue(t *testing.T, file Database) {
	t.Helper()
	var left map[string]int
	err := actors.Until(t.Context(), patience, "empty queue", func(context.Context) (bool, error) {
		left = leftInQueue(t, file)
		return len(left) == 0, nil
	})
	if err != nil {
		t.Errorf("left in the queue: %v", left)
	}
}

// leftInQueue are the jobs that are not done, by their state. What is scheduled
// for later is meant to be.
func leftInQueue(t *testing.T, file Database) map[string]int {
	t.Helper()
	db, err := sql.Open("sqlite", string(file))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT state, json_extract(args, '$.key') FROM river_job
		WHERE state NOT IN ('completed', 'cancelled', 'scheduled') AND kind = 'reconcile'`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	left := map[string]int{}
	for rows.Next() {
		var state, key string
		if err := rows.Scan(&state, &key); err != nil {
			t.Fatal(err)
		}
		left[state+" "+key]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return left
}

// temporary are the files that the bot left where nobody looks.
func (b *crashBot) temporary(t *testing.T) (left []string) {
	t.Helper()
	for _, dir := range []string{b.temp(), filepath.Join(b.dir, "public", ".registrar", "tmp")} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			left = append(left, filepath.Join(filepath.Base(dir), e.Name()))
		}
	}
	return left
}

// playCrashDay plays a day and looks at its end.
func playCrashDay(ctx context.Context, t *testing.T, policy string, plan []*episode, kills int, seed uint64) dayEnd {
	t.Helper()
	b := newCrashBot(t, policy)
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	stop := func() error { return nil }
	if kills > 0 {
		stop = b.killAtRandom(ctx, kills, seed)
	}
	d := newDay(b.world, plan, 5*time.Minute)
	if err := d.play(ctx); err != nil {
		t.Fatal(err)
	}
	played := time.Since(began)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if err := b.settled(ctx); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d episodes, %d requests, %d kills: played in %.0f s, settled after %.0f s",
		len(plan), b.asked.Load(), b.kills, played.Seconds(), time.Since(began).Seconds())
	end := d.end(ctx, t)
	emptyQueue(t, b.database)
	b.all[0].kill()
	if kills > 0 {
		b.outlives(t)
	}
	if left := b.temporary(t); len(left) > 0 {
		t.Errorf("left on disk: %v", left)
	}
	return end
}

// outlives lets the leftovers of the killed processes grow old, and starts the
// bot once more.
func (b *crashBot) outlives(t *testing.T) {
	t.Helper()
	dir := filepath.Join(b.dir, "public", ".registrar", "tmp")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Hour)
	for _, e := range entries {
		if err := os.Chtimes(filepath.Join(dir, e.Name()), old, old); err != nil {
			t.Fatal(err)
		}
	}
	b.start(b.all[0])
	b.all[0].kill()
}

// seedOf is the seed of this run, which is printed.
func seedOf(t *testing.T) uint64 {
	seed := *crashSeed
	if seed == 0 {
		seed = rand.Uint64() | 1
	}
	t.Logf("again with: -seed %d", seed)
	return seed
}

// TestCrashAnywhere plays a day twice: the bot is left alone, and it is killed
// at random moments. Both must end alike.
func TestCrashAnywhere(t *testing.T) {
	want, got := crashDays(t, mergedByHand)
	reportDifferences(t, want, got)
}

// TestCrashInABatch is the same where new versions of several entries are let in
// by one commit. How many such commits there are is chance, what they bring is not.
func TestCrashInABatch(t *testing.T) {
	if *crashKills < 10 {
		t.Log("takes a minute: -kills 10")
		return
	}
	want, got := crashDays(t, "policy {\n  merge = \"manual\"\n  releases = \"batch\"\n}")
	for _, end := range []dayEnd{want, got} {
		batches := 0
		maps.DeleteFunc(end, func(name, text string) bool {
			if strings.Contains(text, "merged release/batch") {
				batches++
			}
			return strings.HasPrefix(name, "commit ") || strings.HasPrefix(name, "pull request ") && strings.Contains(text, " release/")
		})
		t.Logf("%d batches", batches)
		if batches == 0 {
			t.Error("there was no batch")
		}
	}
	reportDifferences(t, want, got)
}

// crashDays are the ends of two days: of one on which the bot is left alone, and
// of one on which it is killed at random moments.
func crashDays(t *testing.T, policy string) (want, got dayEnd) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs processes")
	}
	t.Parallel()
	seed := seedOf(t)
	plan, err := planDay(seed, *crashSubmissions, *crashReleases)
	if err != nil {
		t.Fatal(err)
	}
	want = playCrashDay(t.Context(), t, policy, plan, 0, seed)
	want.sane(t)
	return want, playCrashDay(t.Context(), t, policy, plan, *crashKills, seed)
}

// reportDifferences fails the test, with the first ones.
func reportDifferences(t *testing.T, want, got dayEnd) {
	t.Helper()
	all := want.differs(got)
	t.Logf("%d things at the end, %d differences", len(want), len(all))
	for _, one := range all[:min(len(all), 12)] {
		t.Errorf("left alone (-) and now (+): %s", one)
	}
}

// sane holds what must hold of any end: each submission has one comment.
func (e dayEnd) sane(t *testing.T) {
	t.Helper()
	for name, text := range e {
		if !strings.HasPrefix(name, "issue ") || strings.Contains(text, "<!-- registrar:alert") {
			continue
		}
		if n := strings.Count(text, "comment: <!-- registrar:submission"); n != 1 {
			t.Errorf("%d comments of the bot on %s, want 1: %s", n, name, text)
		}
	}
}
