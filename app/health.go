package main

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// health is what the probes ask about.
type health struct {
	// check tells whether a delivery could be stored now.
	check func(context.Context) error
	// contactWithin is how long ago GitHub may have answered last.
	contactWithin time.Duration
	// checkEvery is how long the answer of check holds: a check writes to the
	// disk, and anyone may ask.
	checkEvery time.Duration

	mu       sync.Mutex
	started  bool
	stopping bool
	contact  time.Time // when GitHub last answered

	checking sync.Mutex
	checked  time.Time
	fault    error // of the last check
}

func (h *health) setStarted() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = true
}

func (h *health) setStopping() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stopping = true
}

// contacted notes that GitHub has answered.
func (h *health) contacted() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.contact = time.Now()
}

// alive answers as long as the process can.
func (h *health) alive(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// ready answers 200 when deliveries can be stored and worked on, else 503 with
// the first reason.
func (h *health) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 5*time.Second)
	defer cancel()
	if reason := h.unready(ctx); reason != "" {
		return c.String(http.StatusServiceUnavailable, reason+"\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

func (h *health) unready(ctx context.Context) string {
	h.mu.Lock()
	started, stopping, contact := h.started, h.stopping, h.contact
	h.mu.Unlock()
	switch {
	case stopping:
		return "stopping"
	case !started:
		return "starting: GitHub has not answered yet"
	case h.contactWithin > 0 && time.Since(contact) > h.contactWithin:
		return "GitHub has not answered for too long"
	case h.writable(ctx) != nil:
		return "the queue cannot be written"
	}
	return ""
}

func (h *health) writable(ctx context.Context) error {
	h.checking.Lock()
	defer h.checking.Unlock()
	if h.checked.IsZero() || time.Since(h.checked) >= h.checkEvery {
		h.checked, h.fault = time.Now(), h.check(ctx)
	}
	return h.fault
}
