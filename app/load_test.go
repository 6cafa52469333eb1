package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
)

// loadVariable makes the test binary a bot without GitHub: it holds the
// configuration file, the address, and how long a run takes.
const loadVariable = "REGISTRAR_TEST_LOAD_CHILD"

func runLoadChild(words string) int {
	var path, address, work string
	if _, err := fmt.Sscan(words, &path, &address, &work); err != nil {
		fmt.Println(err)
		return 1
	}
	takes, err := time.ParseDuration(work)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	cfg, err := LoadConfig(path, os.Getenv)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	cfg.Queue.SweepEvery, cfg.Look.Off = -1, true
	l, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	r := quietReconciler{&fakeReconciler{}, takes}
	app, err := NewApp(context.Background(), cfg, WithListener(l), WithReconciler(r, nil), WithLog(slog.New(slog.DiscardHandler)))
	if err == nil {
		err = app.Run(context.Background())
	}
	fmt.Println(err)
	return 1
}

// quietReconciler remembers nothing: what is measured is the bot.
type quietReconciler struct {
	*fakeReconciler
	takes time.Duration
}

func (r quietReconciler) Reconcile(ctx context.Context, _ handlers.Key) (handlers.Result, error) {
	return handlers.Result{}, pause(ctx, r.takes)
}

// load is what is sent: REGISTRAR_TEST_LOAD="500 60s 1ms" is 500 webhooks a
// second for a minute, each of which is a run of a millisecond.
type load struct {
	rate     int
	lasts    time.Duration
	work     string
	address  string
	client   *http.Client
	mu       sync.Mutex
	accepted map[string]bool
	failed   []int           // numbers that no process answered
	answers  map[int]int     // by status
	took     []time.Duration // of the accepted ones
	calm     []time.Duration // of those before the kill
	killed   bool
}

// TestLoad: webhooks come fast, and the process is killed in the middle of them.
// Every webhook that was accepted is worked on, and none is refused but those
// that nobody was there to take.
func TestLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes")
	}
	l := &load{
		rate: 150, lasts: 2 * time.Second, work: "1ms", address: freeAddress(t),
		accepted: map[string]bool{}, answers: map[int]int{},
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 200}},
	}
	if text := os.Getenv("REGISTRAR_TEST_LOAD"); text != "" {
		var lasts string
		if _, err := fmt.Sscan(text, &l.rate, &lasts, &l.work); err != nil {
			t.Fatal(err)
		}
		var err error
		if l.lasts, err = time.ParseDuration(lasts); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	config := writeConfig(t, dir, "")
	bot := l.start(t, config)
	memory := int64(0)
	total := int(float64(l.rate) * l.lasts.Seconds())
	tick := time.NewTicker(time.Second / time.Duration(l.rate))
	defer tick.Stop()
	var senders sync.WaitGroup
	began := time.Now()
	for n := range total {
		<-tick.C
		senders.Go(func() { l.send(t, n) })
		if n == total/2 {
			senders.Go(func() {
				l.mu.Lock()
				l.killed = true
				l.mu.Unlock()
				memory = peakMemory(bot)
				kill(bot)
				bot = l.start(t, config)
			})
		}
	}
	senders.Wait()
	took := time.Since(began)
	lost := l.failed
	l.failed = nil
	for _, n := range lost { // as GitHub does when the sweep asks for it
		l.send(t, n)
	}
	if len(l.failed) > 0 || len(l.answers) != 1 || l.answers[http.StatusAccepted] != total {
		t.Errorf("answers by status: %v, %d unanswered; want %d times 202", l.answers, len(l.failed), total)
	}
	left := l.settle(t, filepath.Join(dir, "registrar.db"))
	memory = max(memory, peakMemory(bot))
	kill(bot)
	for guid := range l.accepted {
		if !left[guid] {
			t.Errorf("%s was accepted and is lost", guid)
		}
	}
	slices.Sort(l.took)
	slices.Sort(l.calm)
	t.Logf("until the kill: median %v, p99 %v, worst %v", l.calm[len(l.calm)/2], l.calm[len(l.calm)*99/100], l.calm[len(l.calm)-1])
	t.Logf("%d webhooks in %v (%.0f/s), %d while nobody was there: median %v, p99 %v, worst %v; memory at most %d MB; all worked on after %v",
		total, took.Round(time.Millisecond), float64(total)/took.Seconds(), len(lost),
		l.took[len(l.took)/2], l.took[len(l.took)*99/100], l.took[len(l.took)-1], memory>>20, time.Since(began).Round(time.Millisecond))
}

func (l *load) start(t *testing.T, config string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0]) // #nosec G204 -- this test
	cmd.Env = append(os.Environ(), loadVariable+"="+strings.Join([]string{config, l.address, l.work}, " "))
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Error(err)
		return cmd
	}
	t.Cleanup(func() { kill(cmd) })
	for range 1500 {
		if resp, err := l.client.Get("http://" + l.address + "/readyz"); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return cmd
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the bot is not ready")
	return cmd
}

func kill(cmd *exec.Cmd) {
	if cmd.Process == nil {
		return
	}
	_ = cmd.Process.Kill() // SIGKILL
	_ = cmd.Wait()
}

// send sends webhook n. One sender in two is the same one.
func (l *load) send(t *testing.T, n int) {
	guid := fmt.Sprintf("guid-%08d", n)
	sender := "mallory"
	if n%2 == 0 {
		sender = fmt.Sprintf("sender-%d", n%100)
	}
	payload := fmt.Appendf(nil, `{"action":"opened","issue":{"number":%d},"sender":{"login":%q}}`, n+1, sender)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+l.address+"/webhook", bytes.NewReader(payload))
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Github-Event", "issues")
	req.Header.Set("X-Github-Delivery", guid)
	req.Header.Set("X-Hub-Signature-256", signature("secret", payload))
	began := time.Now()
	resp, err := l.client.Do(req)
	took := time.Since(began)
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil || resp.StatusCode == http.StatusServiceUnavailable { // killed, or not ready yet
		if err == nil {
			_ = resp.Body.Close()
		}
		l.failed = append(l.failed, n)
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	l.answers[resp.StatusCode]++
	l.took = append(l.took, took)
	if !l.killed {
		l.calm = append(l.calm, took)
	}
	l.accepted[guid] = true
}

// settle waits until all jobs are done, and returns the deliveries that are.
func (l *load) settle(t *testing.T, path string) map[string]bool {
	t.Helper()
	db, err := sql.Open("sqlite", dataSource(path, "busy_timeout(10000)"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	d := &database{DB: db, engine: &sqliteFile{}}
	for deadline := time.Now().Add(time.Minute + 10*l.lasts); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		var open int
		if err := db.QueryRow(`SELECT count(*) FROM river_job WHERE state <> 'completed'`).Scan(&open); err != nil {
			t.Fatal(err)
		}
		if open > 0 {
			continue
		}
		done, err := d.texts(t.Context(), `SELECT json_extract(CAST(args AS text), '$.guid') FROM river_job`)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	t.Fatal("the queue does not settle")
	return nil
}

// peakMemory is the most that a process had in memory, in bytes; 0 where the
// system does not say.
func peakMemory(cmd *exec.Cmd) int64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	for line := range strings.Lines(string(text)) {
		var kB int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kB); n == 1 {
			return kB << 10
		}
	}
	return 0
}
