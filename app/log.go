package main

import (
	"context"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"
)

// quiet passes on what a library says at level error: its warnings are told
// better by the code that uses it. That it was interrupted because we stop is no
// error, and what it repeats many times a second, as while the disk is full, it
// has said.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(quietHandler{above(log, slog.LevelError).Handler(), &saidBefore{}})
}

// quietHandler drops records about a cancelled context, and repetitions.
type quietHandler struct {
	slog.Handler
	before *saidBefore
}

// Handle implements slog.Handler.
func (h quietHandler) Handle(ctx context.Context, r slog.Record) error {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		text += " " + a.Value.String()
		return true
	})
	if strings.Contains(text, context.Canceled.Error()) || h.before.again(text, r.Time) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h quietHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return quietHandler{h.Handler.WithAttrs(attrs), h.before}
}

// WithGroup implements slog.Handler.
func (h quietHandler) WithGroup(name string) slog.Handler {
	return quietHandler{h.Handler.WithGroup(name), h.before}
}

// repeatAfter is how long a library's complaint is not repeated.
const repeatAfter = 10 * time.Second

// saidBefore remembers what was said lately.
type saidBefore struct {
	mu sync.Mutex
	at map[string]time.Time
}

// again tells whether the text was said a moment ago; else it is said now.
func (s *saidBefore) again(text string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.at, func(_ string, at time.Time) bool { return now.Sub(at) >= repeatAfter })
	if _, said := s.at[text]; said {
		return true
	}
	if s.at == nil {
		s.at = map[string]time.Time{}
	}
	s.at[text] = now
	return false
}

// above drops what is below a level.
func above(log *slog.Logger, floor slog.Level) *slog.Logger {
	return slog.New(&floorHandler{Handler: log.Handler(), floor: floor})
}

// floorHandler drops records below a level.
type floorHandler struct {
	slog.Handler
	floor slog.Level
}

// Enabled implements slog.Handler.
func (h *floorHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.floor && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h *floorHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &floorHandler{Handler: h.Handler.WithAttrs(attrs), floor: h.floor}
}

// WithGroup implements slog.Handler.
func (h *floorHandler) WithGroup(name string) slog.Handler {
	return &floorHandler{Handler: h.Handler.WithGroup(name), floor: h.floor}
}
