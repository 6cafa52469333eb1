package main

import (
	"context"
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/sandbox"
)

var (
	faultsEach  = flag.Float64("faults", 0, "the chance of each of GitHub's faults, for each request and each delivery; 0 plays no such day")
	lostSamples = flag.Int("lost", 0, "deliveries that are lost, of each kind; 0 loses none")
)

// badNetwork is a proxy to GitHub's API on whose way connections are slow, stand
// still, break in the middle of an answer and are reset.
func badNetwork(t *testing.T, github string, chance float64) string {
	t.Helper()
	quiet := zerolog.Nop()
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), quiet), "github", "127.0.0.1:0", github)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Stop)
	for _, toxic := range []string{
		`{"type": "latency", "toxicity": 1, "attributes": {"latency": 5, "jitter": 5}}`,
		// Of a connection, which carries many answers. The largest one must fit.
		fmt.Sprintf(`{"type": "limit_data", "toxicity": 1, "attributes": {"bytes": %d}}`, max(int(10_000/chance), 1<<20)),
		fmt.Sprintf(`{"type": "reset_peer", "toxicity": %g, "attributes": {"timeout": 20}}`, chance),
		fmt.Sprintf(`{"type": "timeout", "toxicity": %g, "attributes": {"timeout": 1000}}`, chance),
	} {
		if _, err := proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			t.Fatal(err)
		}
	}
	return proxy.Listen
}

// misbehaviour is every knob at once, at the same chance. People are spared: it
// is not their perseverance that is tested.
func misbehaviour(seed uint64, chance float64) sandbox.Settings {
	return sandbox.Settings{
		Seed: seed, SparePeople: true, RateLimit: 1_000_000,
		Faults: []sandbox.Fault{
			{Status: 500, Probability: chance},
			{Status: 502, Probability: chance, DidIt: true},
			{Status: -1, Probability: chance},
			{Status: -1, Probability: chance, DidIt: true},
			{Limit: "primary", For: sandbox.Duration(time.Second), Probability: chance},
			{Limit: "secondary", For: sandbox.Duration(time.Second), Probability: chance},
		},
		WebFaults:  []sandbox.WebFault{{Status: 503, Probability: chance}},
		StaleReads: sandbox.Duration(time.Second), StaleProbability: chance,
		Deliveries: sandbox.DeliveryFaults{
			LoseProbability: chance, DropProbability: chance, DuplicateProbability: chance, ReorderProbability: chance,
			LateProbability: chance, LateBy: sandbox.Duration(time.Hour),
		},
	}
}

// troubledWorld makes a world whose bot sweeps often and tries again soon.
// network is between the bot and GitHub's API, nil for none; queue is the folder
// of its database, "" for the world's own.
func troubledWorld(t *testing.T, network func(github string) string, queue string) *world {
	t.Helper()
	var w *world
	w, err := newWorld(t.Context(), worldOptions{
		log:  storyLog(),
		look: &LookConfig{Least: 30 * time.Second, Most: time.Minute, FeedsPerSecond: 100},
		options: []Option{WithRetries(100*time.Millisecond, 200*time.Millisecond, 500*time.Millisecond,
			time.Second, time.Second, time.Second, time.Second, time.Second, time.Second)},
		observe: func(s *sandbox.Server) {
			if err := s.Knobs().Change(func(k *sandbox.Settings) { k.RateLimit = 1_000_000 }); err != nil {
				t.Fatal(err)
			}
		},
		configure: func(cfg *Config) {
			cfg.Queue.SweepEvery = 10 * time.Second
			if queue != "" {
				cfg.Queue.Database = Database(filepath.Join(queue, "registrar.db"))
			}
			if network != nil {
				cfg.GitHub.APIURL = strings.Replace(cfg.GitHub.APIURL, addressOf(cfg.GitHub.WebURL), network(addressOf(cfg.GitHub.WebURL)), 1)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return w
}

func addressOf(url string) string { return strings.TrimPrefix(url, "http://") }

// TestGitHubMisbehaves plays a day while GitHub does all it can, and while it
// does nothing. Both must end alike.
func TestGitHubMisbehaves(t *testing.T) {
	if *faultsEach == 0 {
		t.Log("takes minutes: -faults 0.02")
		return
	}
	t.Parallel()
	seed := seedOf(t)
	plan, err := planDay(seed, *crashSubmissions, *crashReleases)
	if err != nil {
		t.Fatal(err)
	}
	calm := troubledWorld(t, nil, "")
	want := playTroubled(t, calm, plan)
	want.sane(t)
	bad := troubledWorld(t, func(github string) string { return badNetwork(t, github, *faultsEach) }, "")
	if err := bad.github.Knobs().Set(misbehaviour(seed, *faultsEach)); err != nil {
		t.Fatal(err)
	}
	reportDifferences(t, want, playTroubled(t, bad, plan))
}

// playTroubled plays a day, then lets GitHub behave, and looks at the end.
func playTroubled(t *testing.T, w *world, plan []*episode) dayEnd {
	t.Helper()
	ctx := t.Context()
	began := time.Now()
	d := newDay(w, plan, 5*time.Minute)
	if err := d.play(ctx); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d episodes, played in %.0f s", len(plan), time.Since(began).Seconds())
	if err := w.github.Knobs().Set(sandbox.Settings{RateLimit: 1_000_000}); err != nil {
		t.Fatal(err)
	}
	// The hour of those that are late is over long after all that they tell of.
	if err := w.swept(ctx); err != nil {
		t.Fatal(err)
	}
	w.github.DeliverLate()
	return d.settledEnd(t)
}

// settledEnd waits until nothing is left to be done, and looks at the end.
func (d *scriptedDay) settledEnd(t *testing.T) dayEnd {
	t.Helper()
	w, ctx, began := d.world, t.Context(), time.Now()
	// What was lost last is found by the sweep.
	if err := w.swept(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Idle(ctx); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, c := range w.github.Calls() {
		if c.Status == 0 || c.Status >= 500 || c.Status == 403 {
			failed++
		}
	}
	t.Logf("%d requests, %d of them refused; settled %.0f s after the day", len(w.github.Calls()), failed, time.Since(began).Seconds())
	end := d.end(ctx, t)
	emptyQueue(t, Database(w.bot.Queue.o.Path))
	return end
}

// swept waits for a sweep that began after now, and for what it has made due.
func (w *world) swept(ctx context.Context) error {
	now := time.Now()
	for {
		last, err := w.bot.Queue.lastSweep(ctx)
		if err != nil {
			return err
		}
		if last.After(now) {
			return nil
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// TestLostDeliveriesAreMadeUpFor measures how long it takes until a submission
// is answered whose delivery GitHub logs as failed, and one that is lost without
// a trace, where the sweep runs every ten seconds; until its comment says that it
// is live, where all deliveries of the merge are lost; and until a request to look
// again is heard, where that is lost.
func TestLostDeliveriesAreMadeUpFor(t *testing.T) {
	if *lostSamples == 0 {
		t.Log("waits for sweeps: -lost 1")
		return
	}
	t.Parallel()
	w := troubledWorld(t, nil, "")
	ctx := t.Context()
	key, err := actors.NewSigningKey("Acme", "acme@example.org", 0)
	if err != nil {
		t.Fatal(err)
	}
	deliver := func(faults sandbox.DeliveryFaults) {
		t.Helper()
		if err := w.github.Knobs().Change(func(k *sandbox.Settings) { k.Deliveries = faults }); err != nil {
			t.Fatal(err)
		}
	}
	// repaired does something of which the bot hears nothing, and tells how long it
	// takes until it has seen to it nevertheless.
	repaired := func(faults sandbox.DeliveryFaults, does, until func(context.Context) error) time.Duration {
		t.Helper()
		if err := w.Idle(ctx); err != nil {
			t.Fatal(err)
		}
		deliver(faults)
		if err := inTurn(ctx, does, w.github.Idle); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		deliver(sandbox.DeliveryFaults{})
		if err := until(ctx); err != nil {
			t.Fatal(err)
		}
		return time.Since(began).Round(100 * time.Millisecond)
	}
	for kind, faults := range map[string]sandbox.DeliveryFaults{
		"failed": {LoseProbability: 1}, "lost without a trace": {DropProbability: 1},
	} {
		day := &scriptedDay{world: w, patience: 2 * time.Minute}
		var submitted, merged, asked []time.Duration // the last two where GitHub knows of no failure
		for n := range *lostSamples {
			e := &episode{scriptedDay: day, name: fmt.Sprintf("%s%d", kind[:4], n)}
			submitted = append(submitted, repaired(faults,
				func(ctx context.Context) error { return inTurn(ctx, e.newModule, e.submitModule) }, e.ready))
			if faults.DropProbability == 0 {
				continue
			}
			merged = append(merged, repaired(faults, e.merge,
				func(ctx context.Context) error { return e.said(ctx, "is live") }))
			e = &episode{scriptedDay: day, name: fmt.Sprintf("ask%d", n), key: key}
			if err := inTurn(ctx, e.newProvider, e.submitProvider, e.refused); err != nil {
				t.Fatal(err)
			}
			asked = append(asked, repaired(faults,
				func(ctx context.Context) error { return inTurn(ctx, e.firstRelease, e.askAgain) }, e.ready))
		}
		for _, times := range [][]time.Duration{submitted, merged, asked} {
			slices.Sort(times)
		}
		t.Logf("%s: the pull request was ready after %v, its comment says it is live after %v, a request to look again was heard after %v",
			kind, submitted, merged, asked)
	}
}
