package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/sandbox"
)

// burst is what came to GitHub while many issues were opened.
type burst struct {
	mu       sync.Mutex
	opened   map[int]time.Time
	answered map[int]time.Time // the first comment of the bot
	twice    []int             // issues with a second one
}

// limitLasts is for how long GitHub wants no more requests each time.
const limitLasts = 2 * time.Second

var commentPath = regexp.MustCompile(`/issues/(\d+)/comments$`)

func (b *burst) saw(x sandbox.Exchange) {
	m := commentPath.FindStringSubmatch(x.Request.URL.Path)
	if m == nil || x.Request.Method != http.MethodPost || x.Status != http.StatusCreated || fromPerson(x.Request) {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n, _ := strconv.Atoi(m[1])
	if _, there := b.answered[n]; there {
		b.twice = append(b.twice, n)
		return
	}
	b.answered[n] = time.Now()
}

// TestBurstOfIssues: many issues in a short time, half of them by one author. Each
// is answered once, who opens few waits less, GitHub is left alone when it says so,
// and memory stays bounded. REGISTRAR_TEST_BURST="10000 60s" is at full size.
func TestBurstOfIssues(t *testing.T) {
	text := os.Getenv("REGISTRAR_TEST_BURST")
	if text == "" {
		t.Log(`takes a while: REGISTRAR_TEST_BURST="200 1s"`)
		return
	}
	var issues int
	var lasts string
	if _, err := fmt.Sscan(text, &issues, &lasts); err != nil {
		t.Fatal(err)
	}
	within, err := time.ParseDuration(lasts)
	mustDo(t, err)
	t.Parallel()
	ctx := t.Context()
	c := newCrashBot(t, mergedByHand)
	b := &burst{opened: map[int]time.Time{}, answered: map[int]time.Time{}}
	c.github.Observe(b.saw)
	config, err := os.ReadFile(c.all[0].config)
	mustDo(t, err)
	mustDo(t, os.WriteFile(c.all[0].config, []byte(strings.Replace(string(config), `"10s"`, `"1m"`, 1)), 0o600))
	c.start(c.all[0])
	people := make([]*actors.Person, 51) // the first one opens half of all
	for i := range people {
		login := fmt.Sprintf("author%d", i)
		people[i], err = actors.New(c.github.URL(), login, c.github.AddUser(login).Token)
		mustDo(t, err)
	}
	mustDo(t, c.github.Knobs().Set(sandbox.Settings{
		Seed: 7, SparePeople: true, RateLimit: 100_000_000,
		Faults: []sandbox.Fault{{Limit: "secondary", For: sandbox.Duration(limitLasts), Probability: 3 / float64(12*issues)}},
	}))
	by := make([]int, issues+1)
	var opening errgroup.Group
	opening.SetLimit(8)
	began := time.Now()
	tick := time.NewTicker(within / time.Duration(issues))
	defer tick.Stop()
	var mu sync.Mutex
	for i := range issues {
		<-tick.C
		opening.Go(func() error {
			who := 0
			if i%2 == 1 {
				who = 1 + i/2%50
			}
			n, err := people[who].OpenIssue(ctx, c.metadata, fmt.Sprintf("Module: nothing %d", i),
				repositoryForm("Module", fmt.Sprintf("author%d/terraform-demo-nothing%d", who, i)), "module", "submission")
			mu.Lock()
			defer mu.Unlock()
			by[n], b.opened[n] = who, time.Now()
			return err
		})
	}
	mustDo(t, opening.Wait())
	opened := time.Since(began)
	answered := func() int {
		b.mu.Lock()
		defer b.mu.Unlock()
		return len(b.answered)
	}
	mustDo(t, actors.Until(ctx, time.Minute+10*within, "all are answered", func(context.Context) (bool, error) { return answered() == issues, nil }))
	took := time.Since(began)
	memory := peakMemory(c.all[0].cmd)
	b.mu.Lock()
	defer b.mu.Unlock()
	var many, few []time.Duration
	for n, at := range b.answered {
		if wait := at.Sub(b.opened[n]); by[n] == 0 {
			many = append(many, wait)
		} else {
			few = append(few, wait)
		}
	}
	slices.Sort(many)
	slices.Sort(few)
	t.Logf("%d issues in %.1f s, all answered after %.1f s; memory at most %d MB", issues, opened.Seconds(), took.Seconds(), memory>>20)
	t.Logf("who opened half of them waited %v at the median and %v at most, the 50 others %v and %v",
		many[len(many)/2].Round(time.Millisecond), many[len(many)-1].Round(time.Millisecond),
		few[len(few)/2].Round(time.Millisecond), few[len(few)-1].Round(time.Millisecond))
	if len(b.twice) > 0 {
		t.Errorf("answered more than once: %v", b.twice)
	}
	if memory > 300<<20 && issues >= 10_000 { // what the race detector needs is not the bot's
		t.Errorf("%d MB", memory>>20)
	}
	checkLimits(t, c.github.Calls())
}

// checkLimits: what is on its way when GitHub refuses a request arrives, and no
// more until it wants requests again. Of the calls the last ones are known.
func checkLimits(t *testing.T, calls []sandbox.Call) {
	t.Helper()
	const onTheirWay = 100 * time.Millisecond
	var asked, limits []time.Time
	for _, c := range calls {
		// Whom it refuses the sandbox does not know; people it spares.
		if c.Kind != "rest" || c.Actor != "" && c.Actor != "registrar[bot]" {
			continue
		}
		asked = append(asked, c.At)
		if c.Status == http.StatusForbidden {
			limits = append(limits, c.At)
		}
	}
	during := 0
	for _, at := range asked {
		if slices.ContainsFunc(limits, func(l time.Time) bool {
			return at.After(l.Add(onTheirWay)) && at.Before(l.Add(limitLasts-onTheirWay))
		}) {
			during++
		}
	}
	t.Logf("%d limits, %d of %d requests in the time of one", len(limits), during, len(asked))
	if during > 0 {
		t.Errorf("%d requests while GitHub wanted none", during)
	}
}
