package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

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
	rate    int
	lasts   time.Duration
	work    string
	address string
}

// TestLoad: webhooks come fast, and the process is killed in the middle of them.
// Every webhook that was accepted is worked on, and none is refused but those
// that nobody was there to take.
func TestLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes")
	}
	l := &load{rate: 150, lasts: 2 * time.Second, work: "1ms", address: freeAddress(t)}
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
	numbers := make([]int, int(float64(l.rate)*l.lasts.Seconds()))
	for n := range numbers {
		numbers[n] = n
	}
	var restart sync.WaitGroup
	began := time.Now()
	first := l.attack(numbers, func() {
		restart.Go(func() {
			memory = peakMemory(bot)
			kill(bot)
			bot = l.start(t, config)
		})
	})
	took := time.Since(began)
	restart.Wait()
	again := l.attack(first.unanswered, nil) // as GitHub does when the sweep asks for it
	accepted := append(first.accepted, again.accepted...)
	if len(again.unanswered) > 0 || len(first.refused)+len(again.refused) > 0 || len(accepted) != len(numbers) {
		t.Errorf("%d accepted, refused %v and %v, %d unanswered; want %d accepted",
			len(accepted), first.refused, again.refused, len(again.unanswered), len(numbers))
	}
	left := l.settle(t, filepath.Join(dir, "registrar.db"))
	memory = max(memory, peakMemory(bot))
	kill(bot)
	for _, n := range accepted {
		if !left[webhookGUID(n)] {
			t.Errorf("webhook %d was accepted and is lost", n)
		}
	}
	t.Logf("until the kill: median %v, p99 %v, worst %v", first.calm.P50, first.calm.P99, first.calm.Max)
	t.Logf("%d webhooks in %v (%.1f/s), %d while nobody was there: median %v, p99 %v, worst %v; memory at most %d MB; all worked on after %v",
		len(numbers), took.Round(time.Millisecond), float64(len(numbers))/took.Seconds(), len(first.unanswered),
		first.all.P50, first.all.P99, first.all.Max, memory>>20, time.Since(began).Round(time.Millisecond))
}

// attacked is how an attack went: the numbers of the webhooks, and how long those
// took that were accepted.
type attacked struct {
	accepted, unanswered []int
	refused              map[int]int           // how many, by status
	all, calm            vegeta.LatencyMetrics // calm are those of the first half
}

// attack sends webhooks at the rate of the load. halfway is called when half of
// them are answered.
func (l *load) attack(numbers []int, halfway func()) (a attacked) {
	var next atomic.Int64
	targets := func(target *vegeta.Target) error {
		i := int(next.Add(1)) - 1
		if i >= len(numbers) {
			return vegeta.ErrNoTargets
		}
		*target = l.webhook(numbers[i])
		return nil
	}
	a.refused = map[int]int{}
	seen := 0
	attacker := vegeta.NewAttacker(vegeta.Timeout(10*time.Second), vegeta.MaxWorkers(200))
	for r := range attacker.Attack(targets, vegeta.Rate{Freq: l.rate, Per: time.Second}, 0, "") {
		_, number, sent := strings.Cut(r.URL, "#")
		if !sent {
			continue // there are no more of them
		}
		n, _ := strconv.Atoi(number)
		switch r.Code {
		case http.StatusAccepted:
			a.accepted = append(a.accepted, n)
			a.all.Add(r.Latency)
			if seen < len(numbers)/2 {
				a.calm.Add(r.Latency)
			}
		case 0, http.StatusServiceUnavailable: // killed, or not ready yet
			a.unanswered = append(a.unanswered, n)
		default:
			a.refused[int(r.Code)]++
		}
		if seen++; seen == len(numbers)/2 && halfway != nil {
			halfway()
		}
	}
	for _, m := range []*vegeta.LatencyMetrics{&a.all, &a.calm} {
		m.P50, m.P99 = m.Quantile(0.50), m.Quantile(0.99)
	}
	return a
}

func webhookGUID(n int) string { return fmt.Sprintf("guid-%08d", n) }

// webhook is webhook n. One sender in two is the same one.
func (l *load) webhook(n int) vegeta.Target {
	sender := "mallory"
	if n%2 == 0 {
		sender = fmt.Sprintf("sender-%d", n%100)
	}
	payload := fmt.Appendf(nil, `{"action":"opened","issue":{"number":%d},"sender":{"login":%q}}`, n+1, sender)
	return vegeta.Target{
		Method: http.MethodPost, Body: payload,
		URL: fmt.Sprintf("http://%s/webhook#%d", l.address, n), // what follows # is not sent
		Header: http.Header{
			"Content-Type": {"application/json"}, "X-Github-Event": {"issues"}, "X-Github-Delivery": {webhookGUID(n)},
			"X-Hub-Signature-256": {signature("secret", payload)},
		},
	}
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
		if resp, err := http.Get("http://" + l.address + "/readyz"); err == nil {
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
