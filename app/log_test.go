package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// testLog writes to the log of the test.
func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// What a library says again and again is said once in ten seconds.
func TestQuiet(t *testing.T) {
	var out bytes.Buffer
	h := quiet(slog.New(slog.NewTextHandler(&out, nil))).With("queue", "default").Handler()
	start := time.Now()
	say := func(after time.Duration, level slog.Level, message, err string) {
		t.Helper()
		r := slog.NewRecord(start.Add(after), level, message, 0)
		r.AddAttrs(slog.String("error", err))
		if !h.Enabled(context.Background(), level) {
			return
		}
		if err := h.Handle(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	say(0, slog.LevelError, "fetch", "disk is full")
	say(time.Second, slog.LevelError, "fetch", "disk is full")
	say(2*time.Second, slog.LevelError, "fetch", "disk is gone")
	say(3*time.Second, slog.LevelWarn, "fetch", "slow")
	say(4*time.Second, slog.LevelError, "fetch", "stopped: context canceled")
	say(repeatAfter, slog.LevelError, "fetch", "disk is full")
	if got := strings.Count(out.String(), "disk is full"); got != 2 || strings.Count(out.String(), "\n") != 3 || !strings.Contains(out.String(), "queue=default") {
		t.Errorf("said:\n%s", out.String())
	}
}
