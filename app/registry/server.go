package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// ServerOptions say how a Registry is reached.
type ServerOptions struct {
	// Listen is an address such as ":8443". Listener, if set, is used instead.
	Listen   string
	Listener net.Listener
	// Certificate and Key are PEM files. Without them the server speaks plain
	// HTTP, which clients take in development only, or from a proxy before it.
	Certificate, Key string
	// Refresh is how often the source is asked for new data; 0 is never.
	Refresh time.Duration
	// AccessLog writes each request to the log.
	AccessLog bool
	Log       *slog.Logger
}

const (
	// maxConnections bounds what a crowd of idle clients can hold open.
	maxConnections = 8192
	// certificateEvery is how often a renewed certificate is looked for.
	certificateEvery = 30 * time.Second
	// busyPause is the pause before data that is being written is looked at again.
	busyPause = time.Second
)

// Server makes a Registry reachable, and keeps its data and certificate fresh.
type Server struct {
	registry    *Registry
	o           ServerOptions
	http        *http.Server
	certificate *certificate // nil for plain HTTP
	listener    net.Listener
	again       chan struct{}
	failed      chan error

	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// NewServer reads the certificate. It listens to nothing yet.
func NewServer(ctx context.Context, r *Registry, o ServerOptions) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{registry: r, o: o, again: make(chan struct{}, 1), failed: make(chan error, 1)}
	var handler http.Handler = r
	if o.AccessLog {
		handler = accessLog(r, o.Log)
	}
	s.http = &http.Server{
		Handler: handler,
		// A request is a line and a few headers, and answers are small.
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug), // strangers' broken handshakes
	}
	if o.Certificate == "" && o.Key == "" {
		return s, nil
	}
	s.certificate = &certificate{files: [2]string{o.Certificate, o.Key}, log: o.Log, metrics: r.metrics}
	if err := s.certificate.check(ctx); err != nil {
		return nil, err
	}
	s.http.TLSConfig = &tls.Config{GetCertificate: s.certificate.get, MinVersion: tls.VersionTLS12}
	return s, nil
}

// Start listens and returns. The registry's first data is loaded in the
// background if it is not there yet; requests are answered with 503 until then.
func (s *Server) Start(ctx context.Context) error {
	l := s.o.Listener
	if l == nil {
		var err error
		if l, err = (&net.ListenConfig{}).Listen(ctx, "tcp", s.o.Listen); err != nil {
			return fmt.Errorf("listen on %s: %w", s.o.Listen, err)
		}
	}
	s.listener = netutil.LimitListener(l, maxConnections)
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	s.ended.Go(func() {
		if err := s.serve(); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- fmt.Errorf("serve the registry on %s: %w", l.Addr(), err)
		}
	})
	s.ended.Go(func() { s.keepFresh(work) })
	return nil
}

func (s *Server) serve() error {
	if s.certificate != nil {
		return s.http.ServeTLS(s.listener, "", "")
	}
	return s.http.Serve(s.listener)
}

// Stop takes no more requests, and waits for those under way until the context
// ends.
func (s *Server) Stop(ctx context.Context) error {
	if s.cancel == nil {
		return nil
	}
	s.cancel()
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("stop the registry: %w", err), s.http.Close())
	}
	s.ended.Wait()
	return err
}

// Addr is the address that the server listens on, once Start has been called.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Failed has the error that ended the server by itself.
func (s *Server) Failed() <-chan error { return s.failed }

// Again looks for new data and a new certificate soon.
func (s *Server) Again() {
	select {
	case s.again <- struct{}{}:
	default: // someone has asked already
	}
}

// keepFresh reloads until the context ends.
func (s *Server) keepFresh(ctx context.Context) {
	certificates := time.NewTicker(certificateEvery)
	defer certificates.Stop()
	pause := s.o.Refresh
	if !s.registry.Loaded() {
		pause = s.reload(ctx, time.Second)
	}
	data := time.NewTimer(orNever(pause))
	defer data.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-certificates.C:
			s.checkCertificate(ctx)
			continue
		case <-s.again:
			s.checkCertificate(ctx)
			pause = s.reload(ctx, time.Second)
		case <-data.C:
			pause = s.reload(ctx, min(2*pause, 30*time.Second))
		}
		data.Reset(orNever(pause))
	}
}

// orNever is a pause, where 0 has no end.
func orNever(pause time.Duration) time.Duration {
	if pause <= 0 {
		return 1<<63 - 1
	}
	return pause
}

// reload returns the time to the next one; retry is that after a failure.
func (s *Server) reload(ctx context.Context, retry time.Duration) time.Duration {
	err := s.registry.Reload(ctx)
	switch {
	case err == nil || ctx.Err() != nil:
		return s.o.Refresh
	case errors.Is(err, ErrBusy):
		return busyPause
	}
	s.o.Log.ErrorContext(ctx, "the registry's data cannot be loaded: what was served stays", "error", err)
	if s.o.Refresh > 0 && s.registry.Loaded() {
		return s.o.Refresh
	}
	return retry
}

func (s *Server) checkCertificate(ctx context.Context) {
	if s.certificate == nil {
		return
	}
	if err := s.certificate.check(ctx); err != nil {
		s.o.Log.ErrorContext(ctx, "the new certificate cannot be used: the old one stays", "error", err)
	}
}

// accessLog writes each request and how it was answered.
func accessLog(next http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		seen := &watchedWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(seen, r)
		log.InfoContext(r.Context(), "request", "method", r.Method, "path", r.URL.Path, "status", seen.status,
			"bytes", seen.bytes, "us", time.Since(start).Microseconds(), "from", r.RemoteAddr, "agent", r.UserAgent())
	})
}

// watchedWriter notes what was answered.
type watchedWriter struct {
	http.ResponseWriter
	status, bytes int
}

func (w *watchedWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *watchedWriter) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.bytes += n
	return n, err
}
