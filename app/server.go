package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// server answers GitHub's webhooks and the operator's probes.
type server struct {
	http     *http.Server
	health   *health
	webhooks atomic.Pointer[webhook] // nil until the App is ready for them
	setups   atomic.Pointer[setup]   // the same
	log      *slog.Logger
}

func newServer(h *health, m *metrics, log *slog.Logger) *server {
	s := &server{health: h, log: log}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = plainErrors
	e.Use(middleware.RecoverWithConfig(middleware.RecoverConfig{
		DisablePrintStack: true,
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			log.ErrorContext(c.Request().Context(), "a request panicked", "error", err, "stack", string(stack),
				"request", c.Response().Header().Get(echo.HeaderXRequestID))
			return err
		},
	}), s.observe)
	e.POST("/webhook", s.webhook)
	e.GET("/setup", s.setup)
	e.GET("/healthz", h.alive)
	e.GET("/readyz", h.ready)
	e.GET("/metrics", echo.WrapHandler(promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError), ErrorHandling: promhttp.ContinueOnError,
	})))
	s.http = &http.Server{
		Handler:           e,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       20 * time.Second, // GitHub itself gives up after 10
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	return s
}

// serve answers on the listener until stop.
func (s *server) serve(l net.Listener) error {
	if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve on %s: %w", l.Addr(), err)
	}
	return nil
}

// stop takes no more requests and waits for those under way.
func (s *server) stop(ctx context.Context) error {
	if err := s.http.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("stop the server: %w", err), s.http.Close())
	}
	return nil
}

// webhook answers 503 while the program starts: GitHub keeps the delivery as
// failed, and the sweep that follows asks for it.
func (s *server) webhook(c echo.Context) error {
	h := s.webhooks.Load()
	if h == nil {
		return echo.NewHTTPError(http.StatusServiceUnavailable, "starting")
	}
	h.ServeHTTP(c.Response(), c.Request())
	return nil
}

// setup answers 503 while the program starts, as webhook does.
func (s *server) setup(c echo.Context) error {
	page := s.setups.Load()
	if page == nil {
		return echo.NewHTTPError(http.StatusServiceUnavailable, "starting")
	}
	return page.serve(c)
}

// observe names each request, sets what every answer has, and logs it.
func (s *server) observe(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		header := c.Response().Header()
		id := uuid.NewString()
		header.Set(echo.HeaderXRequestID, id)
		header.Set(echo.HeaderXContentTypeOptions, "nosniff")
		header.Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("Cache-Control", "no-store")
		err := next(c)
		if err != nil {
			c.Error(err)
		}
		s.log.DebugContext(c.Request().Context(), "request", "request", id, "method", c.Request().Method,
			"route", c.Path(), "status", c.Response().Status, "ms", time.Since(start).Milliseconds())
		return nil
	}
}

// plainErrors answers with the status alone: what went wrong is in the log.
func plainErrors(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status := http.StatusInternalServerError
	var known *echo.HTTPError
	if errors.As(err, &known) {
		status = known.Code
	}
	_ = c.String(status, http.StatusText(status)+"\n")
}
