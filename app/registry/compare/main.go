// Command compare measures the registry that `serve` answers from memory beside
// nginx, which answers with the same bytes from files, in one run on one machine.
//
//	go run ./app/registry/compare --data DIR
//
// DIR is a folder with a metadata repository. The programs nginx and wrk must be
// on PATH (Debian: nginx, wrk). wrk speaks HTTP/1.1 only, so HTTP/2 is not measured.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/app/registry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var c comparison
	flag.StringVar(&c.data, "data", "", "folder with a metadata repository")
	flag.IntVar(&c.rounds, "rounds", 5, "rounds, in each of which every server is measured once")
	flag.DurationVar(&c.each, "each", 5*time.Second, "how long each server is measured in a round")
	flag.IntVar(&c.clients, "clients", 64, "connections")
	flag.IntVar(&c.entities, "entities", 3000, "providers and modules whose answers are asked for")
	flag.Parse()
	if err := c.run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		stop()
		os.Exit(1) //nolint:gocritic // what is deferred has been done
	}
}

// comparison is one run.
type comparison struct {
	data                      string
	rounds, clients, entities int
	each                      time.Duration

	dir   string
	paths []string
}

// contender is a server that is measured.
type contender struct {
	name, url string
	processes func() []int // that answer
	rates     []float64    // requests a second
	p50, p99  []time.Duration
	cost      []time.Duration // processor time a request
}

func (c *comparison) run(ctx context.Context, out io.Writer) (err error) {
	if c.dir, err = os.MkdirTemp("", "registrar-compare-"); err != nil {
		return err
	}
	defer os.RemoveAll(c.dir)                      //nolint:errcheck // a temporary folder
	if err := os.Chmod(c.dir, 0o755); err != nil { // #nosec G302 -- nginx reads as another user
		return err
	}
	cert, key, err := writeCertificate(c.dir)
	if err != nil {
		return err
	}
	start := time.Now()
	r, err := registry.New(registry.Options{Source: registry.NewFolder(c.data)})
	if err != nil {
		return err
	}
	if err := r.Reload(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "loaded in %s\n", time.Since(start).Round(time.Millisecond))
	plain, stopPlain, err := serve(ctx, r, "", "")
	if err != nil {
		return err
	}
	defer stopPlain()
	secure, stopSecure, err := serve(ctx, r, cert, key)
	if err != nil {
		return err
	}
	defer stopSecure()
	bytes, err := c.sample(ctx, plain)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d answers of %d providers and modules, %d bytes on average\n", len(c.paths), c.entities, bytes/len(c.paths))
	nginx, err := c.startNginx(ctx, cert, key)
	if err != nil {
		return err
	}
	defer nginx.stop()
	return c.measure(ctx, out, []*contender{
		{name: "nginx, HTTP", url: "http://" + nginx.http, processes: nginx.workers}, {name: "registrar, HTTP", url: plain, processes: self},
		{name: "nginx, HTTPS", url: "https://" + nginx.https, processes: nginx.workers}, {name: "registrar, HTTPS", url: secure, processes: self},
	})
}

// serve makes the registry reachable and returns its address.
func serve(ctx context.Context, r *registry.Registry, cert, key string) (url string, stop func(), err error) {
	s, err := registry.NewServer(ctx, r, registry.ServerOptions{Listen: "127.0.0.1:0", Certificate: cert, Key: key})
	if err != nil {
		return "", nil, err
	}
	if err := s.Start(ctx); err != nil {
		return "", nil, err
	}
	url = "http://" + s.Addr()
	if cert != "" {
		url = "https://" + s.Addr()
	}
	return url, func() { _ = s.Stop(context.WithoutCancel(ctx)) }, nil
}

// sample asks for answers of some entities, spread over the registry, and writes
// them to where nginx serves from. It returns their size.
func (c *comparison) sample(ctx context.Context, url string) (bytes int, err error) {
	candidates, err := candidatePaths(c.data, c.entities)
	if err != nil {
		return 0, err
	}
	for _, path := range candidates {
		body, found, err := fetch(ctx, url+path)
		if err != nil {
			return 0, err
		}
		if !found {
			continue // an address that is not served
		}
		file := filepath.Join(c.dir, "www", filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { // #nosec G301 -- nginx reads as another user
			return 0, err
		}
		if err := os.WriteFile(file, body, 0o644); err != nil { // #nosec G306 -- likewise
			return 0, err
		}
		c.paths = append(c.paths, path)
		bytes += len(body)
	}
	if len(c.paths) == 0 {
		return 0, fmt.Errorf("%s holds nothing that can be served", c.data)
	}
	return bytes, os.WriteFile(filepath.Join(c.dir, "paths.txt"), []byte(strings.Join(c.paths, "\n")+"\n"), 0o600)
}

func fetch(ctx context.Context, url string) (body []byte, found bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, false, err
	}
	resp, err := (&http.Client{Transport: uncompressed}).Do(req)
	if err != nil {
		return nil, false, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return body, resp.StatusCode == http.StatusOK, err
}

var uncompressed = &http.Transport{DisableCompression: true}

// measure runs all rounds and prints the medians. The order changes from round to
// round, so that what else the machine does falls on all.
func (c *comparison) measure(ctx context.Context, out io.Writer, all []*contender) error {
	for round := range c.rounds {
		order := slices.Clone(all)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, x := range order {
			if err := c.wrk(ctx, x); err != nil {
				return err
			}
			last := len(x.rates) - 1
			fmt.Fprintf(out, "round %d  %-16s  %7.0f requests/s  p50 %8s  p99 %8s  %6s of a processor each\n", round+1, x.name, x.rates[last], x.p50[last], x.p99[last], x.cost[last])
		}
	}
	fmt.Fprint(out, "\n| server | requests/s | of nginx | p50 | p99 | processor time a request | requests in it, of nginx |\n|---|---|---|---|---|---|---|\n")
	for i, x := range all {
		base := all[i-i%2]
		fmt.Fprintf(out, "| %s | %.0f | %.0f %% | %s | %s | %s | %.0f %% |\n",
			x.name, median(x.rates), 100*median(x.rates)/median(base.rates), median(x.p50), median(x.p99), median(x.cost),
			100*float64(median(base.cost))/float64(median(x.cost)))
	}
	return nil
}

func median[T float64 | time.Duration](values []T) T {
	values = slices.Clone(values)
	slices.Sort(values)
	return values[len(values)/2]
}
