package main

import (
	"context"
	"log/slog"
	"strings"
)

// quiet passes on what a library says at level error: its warnings are told
// better by the code that uses it. That it was interrupted because we stop is no
// error.
func quiet(log *slog.Logger) *slog.Logger {
	return slog.New(interruptedHandler{above(log, slog.LevelError).Handler()})
}

// interruptedHandler drops records about a cancelled context.
type interruptedHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h interruptedHandler) Handle(ctx context.Context, r slog.Record) error {
	interrupted := false
	r.Attrs(func(a slog.Attr) bool {
		interrupted = strings.Contains(a.Value.String(), context.Canceled.Error())
		return !interrupted
	})
	if interrupted {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h interruptedHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return interruptedHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h interruptedHandler) WithGroup(name string) slog.Handler {
	return interruptedHandler{h.Handler.WithGroup(name)}
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
