package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/sandbox"
)

// benchLatency is added to each answer of the sandbox: about what GitHub takes.
const benchLatency = 50 * time.Millisecond

// BenchmarkLoop measures the three waits of the people around a registry, with
// 50 ms added to every answer of GitHub. Run it with -benchtime=20x: it reports
// the median and the worst of the runs.
//
//	issue-to-pull   from the author's issue to the pull request with its check
//	merge-to-live   from the maintainer's click to the version list being served
//	release-to-live from the release's publication to its version being served
func BenchmarkLoop(b *testing.B) {
	ctx := b.Context()
	w, err := newWorld(ctx, worldOptions{latency: benchLatency, log: storyLog()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	key, err := actors.NewSigningKey("Acme", "acme@example.org", 0)
	if err != nil {
		b.Fatal(err)
	}
	waits := map[string][]time.Duration{}
	calls := map[string]int{}
	for i := range b.N {
		if err := w.benchOnce(ctx, i, key, waits, calls); err != nil {
			b.Fatal(err)
		}
	}
	for name, list := range waits {
		slices.Sort(list)
		b.ReportMetric(list[len(list)/2].Seconds(), name+"-median-s")
		b.ReportMetric(list[len(list)-1].Seconds(), name+"-worst-s")
		b.ReportMetric(float64(calls[name])/float64(b.N), name+"-calls")
	}
	b.ReportMetric(0, "ns/op")
}

func (w *world) benchOnce(ctx context.Context, i int, key *actors.SigningKey, waits map[string][]time.Duration, calls map[string]int) error {
	name := fmt.Sprintf("bench%d", i)
	r := actors.Repo{Owner: demoNamespace, Name: "terraform-provider-" + name}
	if err := w.author.CreateRepository(ctx, r); err != nil {
		return err
	}
	for _, version := range []string{"1.0.0", "1.0.1", "1.1.0"} {
		if err := w.author.PublishProvider(ctx, r, actors.ProviderRelease{Name: name, Version: version, Key: key}); err != nil {
			return err
		}
	}
	if err := w.Idle(ctx); err != nil {
		return err
	}
	w.github.ResetCalls()
	issue, err := w.author.OpenIssue(ctx, w.metadata, "Provider: "+name, "### Provider Repository\n\n"+r.String()+"\n", "provider", "submission")
	if err != nil {
		return err
	}
	pull, err := w.waitPull(ctx, fmt.Sprintf("submission/issue-%d", issue), issue)
	if err != nil {
		return err
	}
	if err := w.Idle(ctx); err != nil {
		return err
	}
	w.measure(waits, calls, "issue-to-pull", `POST .*/issues$`, `POST .*/(pulls|check-runs)$`)

	list := "/v1/providers/" + demoNamespace + "/" + name + "/versions"
	err = w.benchLive(ctx, waits, calls, "merge-to-live", `PUT .*/pulls/\d+/merge$`, list, "1.1.0", func() error {
		return w.maintainer.Merge(ctx, w.metadata, pull)
	})
	if err != nil {
		return err
	}
	return w.benchLive(ctx, waits, calls, "release-to-live", `PATCH .*/releases/\d+$`, list, "1.2.0", func() error {
		return w.author.PublishProvider(ctx, r, actors.ProviderRelease{Name: name, Version: "1.2.0", Key: key})
	})
}

// benchLive measures from GitHub's answer to a person's call to the moment at
// which the registry serves the version.
func (w *world) benchLive(ctx context.Context, waits map[string][]time.Duration, calls map[string]int, name, from, list, version string, act func() error) error {
	w.github.ResetCalls()
	served := make(chan error, 1)
	var at time.Time
	go func() {
		err := actors.Until(ctx, patience, name, func(ctx context.Context) (bool, error) { return w.lists(ctx, list, version) })
		at = time.Now()
		served <- err
	}()
	if err := act(); err != nil {
		return err
	}
	if err := <-served; err != nil {
		return err
	}
	start, ok := callAt(w.github.Calls(), from, false)
	if !ok {
		return fmt.Errorf("%s: no call %s", name, from)
	}
	waits[name] = append(waits[name], at.Sub(start.Add(benchLatency)))
	calls[name] += countAfter(w.github.Calls(), start)
	return w.Idle(ctx)
}

// measure is the time between the answers to two calls.
func (w *world) measure(waits map[string][]time.Duration, calls map[string]int, name, from, to string) {
	log := w.github.Calls()
	start, _ := callAt(log, from, false)
	end, _ := callAt(log, to, true)
	waits[name] = append(waits[name], end.Sub(start))
	calls[name] += countAfter(log, start)
}

// callAt finds when the first, or the last, call of a form began.
func callAt(log []sandbox.Call, form string, last bool) (time.Time, bool) {
	expr := regexp.MustCompile(form)
	var at time.Time
	found := false
	for _, c := range log {
		if expr.MatchString(c.Method+" "+c.Path) && (!found || last) {
			at, found = c.At, true
		}
	}
	return at, found
}

// countAfter counts the bot's calls that began after a moment.
func countAfter(log []sandbox.Call, start time.Time) int {
	n := 0
	for _, c := range log {
		if c.At.After(start) && (c.Actor == "" || c.Actor == "app:registrar" || c.Actor == "registrar[bot]") {
			n++
		}
	}
	return n
}
