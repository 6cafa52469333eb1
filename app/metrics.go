package main

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/tofu-registrar/registrar/handlers"
)

// metrics are what an operator watches. Each App has its own registry.
type metrics struct {
	registry    *prometheus.Registry
	deliveries  *prometheus.CounterVec
	answerTime  prometheus.Histogram
	jobs        *prometheus.CounterVec
	jobTime     *prometheus.HistogramVec
	sweeps      *prometheus.CounterVec
	redelivered prometheus.Counter
	lastSweep   prometheus.Gauge
	heldBack    *prometheus.GaugeVec
	differences *differences
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "registrar_deliveries_total",
			Help: "Webhook deliveries by event and by what became of them: stored, known (a GUID seen before), ignored, malformed, unsigned, too-large, failed.",
		}, []string{"event", "outcome"}),
		answerTime: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "registrar_delivery_seconds", Help: "Time to answer a webhook delivery.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "registrar_jobs_total",
			Help: "Runs by the kind of key and by outcome: done, covered (by another run), interrupted, rate-limited, crowded (enough runs of one owner), refused, failed (to be tried again), given-up.",
		}, []string{"key", "outcome"}),
		jobTime: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "registrar_job_seconds", Help: "Time of a run, with its wait for others on the same subject.",
			Buckets: []float64{.005, .025, .1, .25, .5, 1, 2.5, 5, 10, 30, 120, 600, 1800},
		}, []string{"key"}),
		sweeps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "registrar_sweeps_total", Help: "Sweeps by outcome: done, failed.",
		}, []string{"outcome"}),
		redelivered: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "registrar_redeliveries_total", Help: "Webhooks that GitHub was asked to send again.",
		}),
		lastSweep: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "registrar_last_sweep_timestamp_seconds", Help: "When a sweep last succeeded.",
		}),
		heldBack: newHeldBack(),
	}
	m.registry.MustRegister(m.deliveries, m.answerTime, m.jobs, m.jobTime, m.sweeps, m.redelivered, m.lastSweep, m.heldBack,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.differences = newDifferences(m.registry)
	return m
}

func (m *metrics) jobDone(key handlers.Key, outcome string, took time.Duration) {
	word := keyWord(key)
	m.jobs.WithLabelValues(word, outcome).Inc()
	if outcome != outcomeCovered {
		m.jobTime.WithLabelValues(word).Observe(took.Seconds())
	}
}

func (m *metrics) sweepDone(err error) {
	if err != nil {
		m.sweeps.WithLabelValues("failed").Inc()
		return
	}
	m.sweeps.WithLabelValues("done").Inc()
	m.lastSweep.SetToCurrentTime()
}

// queueCollector reads the queue's figures when they are asked for.
type queueCollector struct {
	db            *database
	depth, oldest *prometheus.Desc

	mu   sync.Mutex
	at   time.Time
	last figures // hold for a second, for anyone may ask
}

func newQueueCollector(db *database) *queueCollector {
	return &queueCollector{
		db: db,
		depth: prometheus.NewDesc("registrar_queue_jobs",
			"Jobs in the queue by state: available, retryable, running, scheduled, and discarded (failed for good, kept for the operator).",
			[]string{"state"}, nil),
		oldest: prometheus.NewDesc("registrar_queue_oldest_due_seconds",
			"How long the oldest job that is due has waited for a worker.", nil, nil),
	}
}

// Describe implements prometheus.Collector.
func (c *queueCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.depth; ch <- c.oldest }

// Collect implements prometheus.Collector.
func (c *queueCollector) Collect(ch chan<- prometheus.Metric) {
	figures, err := c.figures()
	if err != nil {
		ch <- prometheus.NewInvalidMetric(c.depth, err)
		return
	}
	for state, n := range figures.states {
		ch <- prometheus.MustNewConstMetric(c.depth, prometheus.GaugeValue, float64(n), state)
	}
	ch <- prometheus.MustNewConstMetric(c.oldest, prometheus.GaugeValue, figures.oldest.Seconds())
}

func (c *queueCollector) figures() (figures, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) < time.Second {
		return c.last, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	f, err := c.db.figures(ctx, time.Now())
	if err == nil {
		c.at, c.last = time.Now(), f
	}
	return f, err
}

// rateLimits is a forge that knows what is left of GitHub's quota.
type rateLimits interface {
	// RateLimit is what the last answer said; ok is false before the first.
	RateLimit() (remaining int, reset time.Time, ok bool)
}

// watchRateLimit shows the quota where the forge offers it.
func (m *metrics) watchRateLimit(source any) {
	limits, ok := source.(rateLimits)
	if !ok {
		return
	}
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "registrar_github_requests_remaining", Help: "What is left of GitHub's hourly quota; -1 before the first request.",
	}, func() float64 {
		remaining, _, known := limits.RateLimit()
		if !known {
			return -1
		}
		return float64(remaining)
	}))
}
