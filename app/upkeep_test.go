package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
)

// registeredList is a world in which these are registered.
type registeredList struct {
	lookWorld
	sources []handlers.Source
	err     error
}

func (r *registeredList) Sources(context.Context) (string, []handlers.Source, error) {
	return "commit", r.sources, r.err
}

func upkeepSources(n int) (out []handlers.Source) {
	for i := range n {
		kind, path := registrydata.KindProvider, fmt.Sprintf("providers/a/acme/p%d.json", i)
		if i%2 == 1 {
			kind, path = registrydata.KindModule, fmt.Sprintf("modules/a/acme/m%d/aws.json", i)
		}
		out = append(out, handlers.Source{Kind: kind, Paths: []string{path}})
	}
	return out
}

// In one cycle everything has its turn once, whatever the pauses of the process
// as long as they are short, and the turns are spread.
func TestUpkeepTurns(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	got := map[handlers.Key]int{}
	most := 0
	u := &upkeep{
		audit: AuditConfig{Every: 24 * time.Hour}, backfill: BackfillConfig{Every: 48 * time.Hour},
		now: func() time.Time { return now },
		enqueue: func(_ context.Context, keys []handlers.Key) error {
			for _, k := range keys {
				got[k]++
			}
			most = max(most, len(keys))
			return nil
		},
	}
	world := &registeredList{sources: upkeepSources(2000)}
	for minute := range 24 * 60 {
		now = now.Add(time.Minute)
		if minute%7 == 3 { // GitHub is down now and then
			world.err = errors.New("down")
			if u.run(t.Context(), world) == nil {
				t.Error("no error")
			}
			world.err = nil
			continue
		}
		if err := u.run(t.Context(), world); err != nil {
			t.Fatal(err)
		}
		if err := u.run(t.Context(), world); err != nil { // twice in a minute
			t.Fatal(err)
		}
	}
	audits, backfills := 0, 0
	for key, n := range got {
		if n != 1 {
			t.Errorf("%s had its turn %d times", key, n)
		}
		if keyWord(key) == "audit" {
			audits++
		} else {
			backfills++
		}
	}
	if audits != 2000 || backfills < 400 || backfills > 600 {
		t.Errorf("%d audits and %d backfills in a day, want 2000 and half of 1000", audits, backfills)
	}
	if most > 40 {
		t.Errorf("%d at once, want them spread", most)
	}
}

func TestUpkeepOff(t *testing.T) {
	t.Parallel()
	u := &upkeep{audit: AuditConfig{Off: true, Every: time.Hour}, backfill: BackfillConfig{Every: time.Hour}}
	for _, key := range u.due(upkeepSources(10), 0, 59) {
		if keyWord(key) != "backfill" {
			t.Errorf("%s, though audits are off", key)
		}
	}
	u.backfill.Off = true
	if keys := u.due(upkeepSources(10), 0, 59); len(keys) > 0 {
		t.Errorf("%v, though all is off", keys)
	}
}

func TestUpkeepConfig(t *testing.T) {
	t.Parallel()
	for every, want := range map[time.Duration]int{time.Hour: 0, 720 * time.Hour: 0, time.Minute: 1, -time.Hour: 1, 10000 * time.Hour: 1} {
		a, b := AuditConfig{Every: every}.faults(), BackfillConfig{Every: every}.faults()
		if len(a) != want || len(b) != want || want == 1 && (a[0].path != "audit.every" || b[0].path != "backfill.every") {
			t.Errorf("every %s: %v %v", every, a, b)
		}
	}
}

// The figure is of what the last audit of each entity found.
func TestDifferences(t *testing.T) {
	t.Parallel()
	r := prometheus.NewRegistry()
	d := newDifferences(r)
	figures := func() (differences, audits float64) {
		families, err := r.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range families {
			if f.GetName() == "registrar_recorded_differences" {
				differences = f.GetMetric()[0].GetGauge().GetValue()
			} else {
				audits = f.GetMetric()[0].GetCounter().GetValue()
			}
		}
		return differences, audits
	}
	d.found("providers/a/acme/demo.json", 3)
	d.found("providers/a/acme/other.json", 1)
	d.found("providers/a/acme/demo.json", 2)
	if n, audits := figures(); n != 3 || audits != 3 {
		t.Errorf("%v differences, %v audits, want 3 and 3", n, audits)
	}
	d.found("providers/a/acme/demo.json", 0)
	d.found("providers/a/acme/other.json", 0)
	if n, audits := figures(); n != 0 || audits != 5 || len(d.byPath) != 0 {
		t.Errorf("%v differences of %v, %v audits, want none, and 5", n, d.byPath, audits)
	}
}

// The job enqueues what is due, and the queue runs it.
func TestUpkeepJob(t *testing.T) {
	t.Parallel()
	r := &fakeReconciler{}
	world := &registeredList{sources: upkeepSources(2000)}
	q := testQueue(t, r, func(o *queueOptions) { o.Audit.Every, o.Backfill.Off = time.Hour, true })
	q.Watch(world)
	turn := time.Now().UnixNano() / int64(upkeepTick)
	due := q.upkeep.due(world.sources, turn, turn+1) // a minute may pass meanwhile
	if _, err := q.client.Insert(t.Context(), upkeepArgs{}, nil); err != nil {
		t.Fatal(err)
	}
	settle(t, q)
	ran := 0
	for _, key := range due {
		ran += r.ran(key)
	}
	if all := len(q.upkeep.due(world.sources, turn, turn+59)); len(due) == 0 || ran == 0 || all != 2000 {
		t.Errorf("%d of %d audits ran, of %d in an hour; want some, and 2000", ran, len(due), all)
	}
}
