package main

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/templates"
)

// setup serves the App's setup page, which GitHub sends people to after they
// have installed it (docs.github.com/apps/creating-github-apps/registering-a-github-app/about-the-setup-url).
// Everyone can ask for any number, so that what GitHub is asked is bounded.
type setup struct {
	page func(ctx context.Context, installation int64) (templates.Setup, error)
	pace *rate.Limiter
	log  *slog.Logger

	mu   sync.Mutex
	kept map[int64]keptPage
	now  func() time.Time
}

type keptPage struct {
	body  []byte // nil: there is no such installation
	until time.Time
}

const (
	setupKept    = time.Minute // how long a page is shown again as it is
	mostSetups   = 1000        // pages that are kept
	setupTimeout = 20 * time.Second
)

func newSetup(page func(context.Context, int64) (templates.Setup, error), now func() time.Time, log *slog.Logger) *setup {
	if now == nil {
		now = time.Now
	}
	return &setup{page: page, log: log, pace: rate.NewLimiter(rate.Every(2*time.Second), 10), kept: map[int64]keptPage{}, now: now}
}

// serve answers GET /setup?installation_id=N.
func (s *setup) serve(c echo.Context) error {
	id, err := strconv.ParseInt(c.QueryParam("installation_id"), 10, 64)
	if err != nil || id <= 0 {
		return echo.NewHTTPError(http.StatusBadRequest)
	}
	body, ok := s.look(id)
	if !ok {
		if !s.pace.AllowN(s.now(), 1) {
			c.Response().Header().Set("Retry-After", "10")
			return echo.NewHTTPError(http.StatusTooManyRequests)
		}
		ctx, cancel := context.WithTimeout(c.Request().Context(), setupTimeout)
		defer cancel()
		if body, err = s.make(ctx, id); err != nil {
			s.log.ErrorContext(ctx, "the setup page cannot be made", "installation", id, "error", err)
			return err
		}
		s.keep(id, body)
	}
	if body == nil {
		return echo.NewHTTPError(http.StatusNotFound)
	}
	header := c.Response().Header()
	header.Set(echo.HeaderContentSecurityPolicy, "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	return c.HTMLBlob(http.StatusOK, body)
}

// make asks GitHub; nil is an installation that is not there.
func (s *setup) make(ctx context.Context, id int64) ([]byte, error) {
	found, err := s.page(ctx, id)
	if errors.Is(err, forge.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return setupHTML(found)
}

func (s *setup) look(id int64) ([]byte, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept, ok := s.kept[id]
	return kept.body, ok && s.now().Before(kept.until)
}

func (s *setup) keep(id int64, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) >= mostSetups {
		clear(s.kept)
	}
	s.kept[id] = keptPage{body, s.now().Add(setupKept)}
}
