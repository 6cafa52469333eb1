package main

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// lookMetrics are what an operator watches of the looks.
type lookMetrics struct {
	looks *prometheus.CounterVec
	full  prometheus.Counter
}

func newLookMetrics(r prometheus.Registerer) *lookMetrics {
	m := &lookMetrics{
		looks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "registrar_looks_total",
			Help: "Looks at repositories, by what was asked for (feed, tags) and outcome: unchanged, read, gone, fault (of the repository), failed, limited.",
		}, []string{"kind", "outcome"}),
		full: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "registrar_looks_postponed_total",
			Help: "Looks that found something new and were put off, because looks have found too much in the last hour.",
		}),
	}
	r.MustRegister(m.looks, m.full)
	return m
}

func (m *lookMetrics) looked(kind, outcome string) { m.looks.WithLabelValues(kind, outcome).Inc() }
func (m *lookMetrics) postponed()                  { m.full.Inc() }

// lookCollector reads the table's figures when they are asked for.
type lookCollector struct {
	table                                     lookTable
	oldest, registered, due, failing, goneNow *prometheus.Desc

	mu   sync.Mutex
	at   time.Time
	last lookFigures // hold for five seconds, for anyone may ask
}

func newLookCollector(t lookTable) *lookCollector {
	gauge := func(name, help string) *prometheus.Desc { return prometheus.NewDesc("registrar_"+name, help, nil, nil) }
	return &lookCollector{
		table: t,
		oldest: gauge("oldest_look_seconds",
			"How long ago the repository was looked at whose look is the oldest. Above look.limit something is wrong: looks do not run, or their rate is too low."),
		registered: gauge("look_repositories", "Registered repositories that are looked at."),
		due:        gauge("looks_due", "Looks that are due and wait for their turn."),
		failing:    gauge("looks_failing", "Repositories whose last look failed."),
		goneNow:    gauge("looks_gone", "Registered repositories that strangers cannot read any more."),
	}
}

// Describe implements prometheus.Collector.
func (c *lookCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.oldest, c.registered, c.due, c.failing, c.goneNow} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *lookCollector) Collect(ch chan<- prometheus.Metric) {
	f, err := c.figures()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(c.oldest, err)
		return
	}
	for desc, v := range map[*prometheus.Desc]float64{
		c.oldest: f.Oldest.Seconds(), c.registered: float64(f.Registered), c.due: float64(f.Due),
		c.failing: float64(f.Failing), c.goneNow: float64(f.Gone),
	} {
		ch <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, v)
	}
}

func (c *lookCollector) figures() (lookFigures, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) < 5*time.Second {
		return c.last, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	f, err := c.table.figures(ctx, time.Now())
	if err == nil {
		c.at, c.last = time.Now(), f
	}
	return f, err
}
