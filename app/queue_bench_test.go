package main

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
)

// BenchmarkWebhook is the time from a delivery to its 202, over HTTP, the job
// synced to the disk; the jobs run meanwhile.
func BenchmarkWebhook(b *testing.B) {
	app := testApp(b, &fakeReconciler{})
	payload := []byte(`{"action":"opened","issue":{"number":1}}`)
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		d := signed("issues", fmt.Sprintf("guid-%08d", i), payload)
		began := time.Now()
		if status, body := post(b, app, d); status != 202 {
			b.Fatal(status, body)
		}
		times = append(times, time.Since(began))
	}
	reportMedian(b, times)
}

// BenchmarkPickup is the time from a stored job to the start of its run, in an
// idle bot.
func BenchmarkPickup(b *testing.B) {
	begun := make(chan time.Time, 1)
	r := &fakeReconciler{onReconcile: func(context.Context, handlers.Key) (handlers.Result, error) {
		begun <- time.Now()
		return handlers.Result{}, nil
	}}
	q := testQueue(b, r)
	var times []time.Duration
	for i := 0; b.Loop(); i++ {
		if err := q.Enqueue(b.Context(), handlers.IssueKey(i+1)); err != nil {
			b.Fatal(err)
		}
		stored := time.Now()
		times = append(times, (<-begun).Sub(stored))
	}
	reportMedian(b, times)
}

func reportMedian(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "median-ms")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds())/1000, "p99-ms")
}
