package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Options configure a Server. The zero value works.
type Options struct {
	// Dir is where bare repositories and release assets lie. Empty means a
	// temporary folder that Close removes.
	Dir string
	// Now is the sandbox's clock; nil means time.Now. JSON Web Tokens are
	// judged by the real clock, because their signers use it.
	Now func() time.Time
	// Log receives what goes wrong inside; nil discards.
	Log *slog.Logger
	// Knobs are the faults to play; nil means none, settable later through
	// Server.Knobs.
	Knobs *Knobs
	// BaseURL is the external address of the web root when the Server is
	// served by somebody else's listener. Start sets it otherwise.
	BaseURL string
}

// Server is a GitHub. It implements http.Handler: REST below /api/v3/, uploads
// below /api/uploads/, everything else is the web root.
type Server struct {
	log    *slog.Logger
	now    func() time.Time
	knobs  *Knobs
	dir    string
	ownDir bool

	base       string
	assetsBase string
	listeners  []*http.Server
	ctx        context.Context
	stop       context.CancelFunc

	rest  router         // patterns without the /api/v3 prefix
	web   *http.ServeMux // feeds, git, downloads
	pages *http.ServeMux // browser pages

	observation observation
	limits      rateLimits
	hooks       hookTraffic
	reads       staleReads
	signing     []byte // key of signed download addresses

	// mu guards everything below, and every entity reachable from it.
	mu            sync.RWMutex
	ids           int64
	accounts      map[string]*account // by lower-cased login
	accountsByID  map[int64]*account
	repos         map[int64]*repository
	renamed       map[string]int64 // former lower-cased full name to id
	apps          map[int64]*app
	appsBySlug    map[string]*app
	installations map[int64]*installation
	installedOn   map[int64][]*installation // by account id
	tokens        map[string]*token
	manifests     map[string]*manifest
	assetsByKey   map[string]*asset
}

// New makes an empty GitHub. Close it when done.
func New(o Options) (*Server, error) {
	s := &Server{
		log: o.Log, now: o.Now, knobs: o.Knobs, dir: o.Dir, base: strings.TrimSuffix(o.BaseURL, "/"),
		accounts: map[string]*account{}, accountsByID: map[int64]*account{},
		repos: map[int64]*repository{}, renamed: map[string]int64{},
		apps: map[int64]*app{}, appsBySlug: map[string]*app{},
		installations: map[int64]*installation{}, installedOn: map[int64][]*installation{},
		tokens: map[string]*token{}, manifests: map[string]*manifest{}, assetsByKey: map[string]*asset{},
		ids: 1000, signing: []byte(randomToken(32)),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.knobs == nil {
		s.knobs = &Knobs{}
	}
	if err := s.openDir(); err != nil {
		return nil, err
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.hooks.init()
	s.web, s.pages = http.NewServeMux(), http.NewServeMux()
	s.registerREST()
	s.registerWeb()
	s.registerPages(s.pages)
	return s, nil
}

func (s *Server) openDir() error {
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "sandbox-github-")
		if err != nil {
			return fmt.Errorf("make the sandbox's folder: %w", err)
		}
		s.dir, s.ownDir = dir, true
	}
	dir, err := filepath.Abs(s.dir)
	if err != nil {
		return fmt.Errorf("find the sandbox's folder %s: %w", s.dir, err)
	}
	s.dir = dir
	for _, sub := range []string{"git", "assets"} {
		if err := os.MkdirAll(filepath.Join(s.dir, sub), 0o750); err != nil {
			return fmt.Errorf("make the sandbox's folder: %w", err)
		}
	}
	return nil
}

// Start listens on addr ("127.0.0.1:0" for any free port), and on a second free
// port of the same host for the origin that release downloads redirect to. It
// returns the URL of the web root.
func (s *Server) Start(addr string) (string, error) {
	main, err := net.Listen("tcp", addr)
	if err != nil {
		return "", fmt.Errorf("sandbox: listen on %s: %w", addr, err)
	}
	host, _, err := net.SplitHostPort(main.Addr().String())
	if err != nil {
		return "", errors.Join(fmt.Errorf("sandbox: %w", err), main.Close())
	}
	second, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return "", errors.Join(fmt.Errorf("sandbox: listen for downloads: %w", err), main.Close())
	}
	if s.base == "" {
		s.base = "http://" + main.Addr().String()
	}
	s.assetsBase = "http://" + second.Addr().String()
	s.serve(main, s)
	s.serve(second, s.AssetsHandler())
	return s.base, nil
}

func (s *Server) serve(l net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	s.listeners = append(s.listeners, srv)
	go func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("sandbox: serve", "err", err)
		}
	}()
}

// Close stops listeners and deliveries and removes the folder if New made it.
func (s *Server) Close() error {
	s.stop()
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, shut(l))
	}
	s.hooks.wait()
	if s.ownDir {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}

// shut lets requests under way end, so that none writes to a folder that is
// being removed, but not for long.
func shut(l *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := l.Shutdown(ctx); err != nil {
		return l.Close()
	}
	return nil
}

// URL is the web root: what "https://github.com" is in real life, no slash at
// the end.
func (s *Server) URL() string { return s.base }

// APIURL is the root of REST, with a slash at the end, as go-github's
// WithEnterpriseURLs and ghinstallation's BaseURL want it.
func (s *Server) APIURL() string { return s.base + "/api/v3/" }

// UploadURL is the root of asset uploads, with a slash at the end.
func (s *Server) UploadURL() string { return s.base + "/api/uploads/" }

// AssetsURL is the origin that release downloads redirect to: a port of its own
// after Start, else a path of the web root.
func (s *Server) AssetsURL() string {
	if s.assetsBase != "" {
		return s.assetsBase
	}
	return s.base + assetsPath
}

// Knobs are the faults that can be set while the server runs.
func (s *Server) Knobs() *Knobs { return s.knobs }

// nextID hands out the numbers that GitHub puts on everything. Call with the
// lock held.
func (s *Server) nextID() int64 {
	s.ids++
	return s.ids
}

// view runs f with the state locked for reading, update for writing. repo, if
// not nil, may have its refs moved by f.
func (s *Server) view(f func()) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f()
}

func (s *Server) update(repo *repository, f func() error) error {
	if repo != nil {
		repo.refsMu.Lock()
		defer repo.refsMu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return f()
}

// ServeHTTP serves REST, uploads, feeds, git, downloads and pages.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/api/"):
		s.serveREST(w, r)
	case strings.HasPrefix(r.URL.Path, "/_sandbox/"):
		// A page of the web that a browser on this machine shows must not turn knobs.
		http.NewCrossOriginProtection().Handler(http.HandlerFunc(s.serveControl)).ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, assetsPath+"/"):
		http.StripPrefix(assetsPath, s.AssetsHandler()).ServeHTTP(w, r)
	default:
		s.serveWeb(w, r)
	}
}

// serveWeb prefers the machine-read addresses of the web root (feeds, git,
// downloads) to the pages, whose patterns may be as wide as they like.
func (s *Server) serveWeb(w http.ResponseWriter, r *http.Request) {
	if _, pattern := s.web.Handler(r); pattern != "" {
		if s.playWebFault(w, r) {
			return
		}
		s.web.ServeHTTP(w, r)
		return
	}
	s.pages.ServeHTTP(w, r)
}
