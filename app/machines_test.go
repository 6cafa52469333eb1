package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/sandbox"
)

// programVariable makes the test binary the program: its arguments are a command
// line of registrar.
const programVariable = "REGISTRAR_TEST_PROGRAM"

// machines are real processes of the program around one world, behind a load
// balancer, as an operator would run them.
type machines struct {
	*world
	t        *testing.T
	app      sandbox.App
	secret   string
	database Database
	all      []*machine
	last     atomic.Int64
	kills    atomic.Int64
}

// machine is one process. It keeps its address when it is started anew.
type machine struct {
	config, address string
	mu              sync.Mutex
	cmd             *exec.Cmd
	log             *bytes.Buffer
}

// newMachines makes the world, and n processes that serve one database.
func newMachines(t *testing.T, database Database, n int) *machines {
	t.Helper()
	m := &machines{t: t, database: database, secret: "of the test, and of nothing else"}
	m.world = &world{metadata: actors.Repo{Owner: "registry", Name: "metadata"}, dir: t.TempDir()}
	t.Cleanup(func() { _ = m.world.Close() })
	o := worldOptions{log: slog.New(slog.DiscardHandler)}
	balancer := httptest.NewServer(m)
	t.Cleanup(balancer.Close)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(m.startGitHub(o))
	must(m.startRegistry(&o))
	must(m.fillMetadata(t.Context()))
	var err error
	m.app, err = m.github.AddApp(sandbox.AppOptions{
		Name: "registrar", Owner: m.metadata.Owner, WebhookURL: balancer.URL + "/webhook", WebhookSecret: m.secret,
	})
	must(err)
	for _, account := range []string{m.metadata.Owner, demoNamespace} {
		_, err = m.github.Install(m.app.Slug, account)
		must(err)
	}
	must(os.WriteFile(filepath.Join(m.dir, "app.pem"), m.app.PrivateKeyPEM, 0o600))
	for i := range n {
		c := &machine{config: filepath.Join(m.dir, fmt.Sprintf("machine%d.hcl", i)), address: freeAddress(t)}
		must(os.WriteFile(c.config, []byte(m.configText(c)), 0o600))
		m.all = append(m.all, c)
	}
	t.Cleanup(func() {
		for _, c := range m.all {
			c.kill()
			if t.Failed() {
				t.Logf("%s says:\n%s", c.address, c.log)
			}
		}
	})
	for _, c := range m.all {
		m.start(c)
	}
	return m
}

func (m *machines) configText(c *machine) string {
	return fmt.Sprintf(`
github {
  app_id         = %d
  private_key    = file("app.pem")
  webhook_secret = %q
  api_url        = %q
  web_url        = %q
  download_hosts = [%q]
}
metadata { repository = %q }
policy { merge = "automatic" }
look { off = true }
queue {
  database    = %q
  sweep_every = "10s"
}
publish {
  base_url = %q
  directory { path = "public" }
}
server { listen = %q }
`, m.app.ID, m.secret, m.github.APIURL(), m.github.URL(), strings.TrimPrefix(m.github.AssetsURL(), "http://"),
		m.metadata.String(), string(m.database), m.registryURL, c.address)
}

// start starts a process and waits until it is ready.
func (m *machines) start(c *machine, extra ...string) {
	m.t.Helper()
	c.mu.Lock()
	c.log = &bytes.Buffer{}
	c.cmd = exec.Command(os.Args[0], append([]string{"serve", "-c", c.config, "--log-level", "warn"}, extra...)...) // #nosec G204 -- this test
	c.cmd.Env = append(os.Environ(), programVariable+"=1")
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	err := c.cmd.Start()
	c.mu.Unlock()
	if err != nil {
		m.t.Fatal(err)
	}
	for range 1500 {
		if resp, err := http.Get("http://" + c.address + "/readyz"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	m.t.Errorf("%s is not ready", c.address)
}

// kill ends the process as a power cut would.
func (c *machine) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil || c.cmd.Process == nil {
		return
	}
	_ = c.cmd.Process.Kill() // SIGKILL
	_ = c.cmd.Wait()
	c.cmd = nil
}

// ServeHTTP gives a webhook to one process, and to the next one if that fails.
func (m *machines) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, "broken", http.StatusBadGateway)
		return
	}
	for range m.all {
		c := m.all[int(m.last.Add(1))%len(m.all)]
		req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+c.address+r.URL.Path, bytes.NewReader(body))
		if err != nil {
			break
		}
		req.Header = r.Header.Clone()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode < 500 {
			w.WriteHeader(resp.StatusCode)
			return
		}
	}
	http.Error(w, "no machine", http.StatusBadGateway)
}

// killInTurn kills one process after the other, each when its predecessor is
// back, until it is told to stop.
func (m *machines) killInTurn(ctx context.Context, pause time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan bool)
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
			c := m.all[i%len(m.all)]
			c.kill()
			m.kills.Add(1)
			m.start(c)
		}
	}()
	return func() { cancel(); <-done }
}

// submit has n modules submitted, waits until their first version is served, has
// a second one released, and waits for that.
func (m *machines) submit(ctx context.Context, from, to int) error {
	each := func(do func(name string, r actors.Repo) error) error {
		errs := make([]error, to-from)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				name := fmt.Sprintf("part%d", from+i)
				errs[i] = do(name, actors.Repo{Owner: demoNamespace, Name: "terraform-demo-" + name})
			})
		}
		all.Wait()
		return errors.Join(errs...)
	}
	live := func(version string) error {
		return each(func(name string, _ actors.Repo) error {
			wait, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			return actors.Until(wait, time.Minute, name+" "+version, func(ctx context.Context) (bool, error) {
				return m.lists(ctx, "/v1/modules/"+demoNamespace+"/"+name+"/demo/versions", version)
			})
		})
	}
	err := each(func(_ string, r actors.Repo) error {
		if err := m.moduleAuthor.CreateRepository(ctx, r); err != nil {
			return err
		}
		if err := m.moduleAuthor.Tag(ctx, r, "v1.0.0"); err != nil {
			return err
		}
		_, err := m.moduleAuthor.OpenIssue(ctx, m.metadata, "Module: "+r.String(),
			"### Module Repository\n\nhttps://github.com/"+r.String()+"\n", "module", "submission")
		return err
	})
	if err == nil {
		err = live("1.0.0")
	}
	if err == nil {
		err = each(func(_ string, r actors.Repo) error { return m.moduleAuthor.Tag(ctx, r, "v1.1.0") })
	}
	if err == nil {
		err = live("1.1.0")
	}
	return err
}

// settled waits until nothing is in the queue that is due soon.
func (m *machines) settled(ctx context.Context) error {
	db, err := openDatabase(ctx, m.database, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	for quietSince := time.Now(); time.Since(quietSince) < time.Second; {
		if err := m.github.Idle(ctx); err != nil {
			return err
		}
		running, due, err := db.unsettled(ctx, time.Now().Add(5*time.Second))
		if err != nil {
			return err
		}
		if due || len(running) > 0 {
			quietSince = time.Now()
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// theEnd is all that the bot has done, counted at GitHub, and what is published.
type theEnd struct {
	Comments  map[string]int // by the issue's title
	Pulls     map[string]int // by title
	Commits   map[string]int // on the metadata branch, by their first line
	Published map[string]string
}

func (m *machines) end(ctx context.Context) theEnd {
	m.t.Helper()
	e := theEnd{Comments: map[string]int{}, Pulls: map[string]int{}, Commits: map[string]int{}, Published: map[string]string{}}
	for n := 1; ; n++ {
		issue, err := m.maintainer.Issue(ctx, m.metadata, n)
		if err != nil {
			break
		}
		if issue.IsPullRequest() {
			e.Pulls[issue.GetTitle()]++
			continue
		}
		comments, err := m.maintainer.Comments(ctx, m.metadata, n)
		if err != nil {
			m.t.Fatal(err)
		}
		e.Comments[issue.GetTitle()] += len(comments)
	}
	dir, err := m.github.GitDir(m.metadata.Owner, m.metadata.Name)
	if err != nil {
		m.t.Fatal(err)
	}
	log, err := exec.Command("git", "-C", dir, "log", "--format=%s", "main").Output() // #nosec G204 -- a test
	if err != nil {
		m.t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), " (#") // the number of a pull request is chance
		e.Commits[line]++
	}
	for name, text := range readTree(m.t, filepath.Join(m.dir, "public")).served() {
		e.Published[name] = chance.ReplaceAllString(text, "…")
	}
	return e
}

// chance is what differs between two worlds: ports, commits, times.
var chance = regexp.MustCompile(`127\.0\.0\.1:\d+|[0-9a-f]{40}|\d{4}-\d\d-\d\dT[0-9:.]+Z`)

// TestMachinesAreKilledInTurn: three processes on PostgreSQL, one killed at a
// time, end as one on SQLite that is not disturbed, and do nothing twice.
func TestMachinesAreKilledInTurn(t *testing.T) {
	if testing.Short() {
		t.Skip("runs five processes")
	}
	t.Parallel()
	const each = 2 // modules a round
	rounds := 4
	if text := os.Getenv("REGISTRAR_TEST_ROUNDS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rounds)*time.Minute)
	defer cancel()
	calm := newMachines(t, Database(filepath.Join(t.TempDir(), "queue.db")), 1)
	for i := range rounds {
		if err := calm.submit(ctx, i*each, (i+1)*each); err != nil {
			t.Fatal(err)
		}
	}
	if err := calm.settled(ctx); err != nil {
		t.Fatal(err)
	}
	want := calm.end(ctx)
	for title, n := range want.Comments {
		if n != 1 {
			t.Errorf("undisturbed: %d comments on %s, want 1", n, title)
		}
	}
	if len(want.Pulls) != 2*rounds*each {
		t.Errorf("undisturbed: pull requests %v, want one a submission and one a release", want.Pulls)
	}

	m := newMachines(t, Database(testPostgres(t)), 3)
	stop := m.killInTurn(ctx, 100*time.Millisecond)
	defer stop()
	for i := range rounds {
		if err := m.submit(ctx, i*each, (i+1)*each); err != nil {
			t.Fatal(err)
		}
		for m.kills.Load() <= int64(i) {
			if err := pause(ctx, 10*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
	}
	stop()
	if err := m.settled(ctx); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d kills", m.kills.Load())
	if diff := cmp.Diff(want, m.end(ctx)); diff != "" {
		t.Errorf("undisturbed, and with three processes of which one after the other was killed (-want +got):\n%s", diff)
	}
}
