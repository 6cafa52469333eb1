package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// candidatePaths are the lists of n entities, spread over the folder, and some
// downloads of the newest three versions of each.
func candidatePaths(dir string, n int) ([]string, error) {
	var all []registrydata.Entity
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, _ fs.DirEntry, err error) error {
		if e, ok := registrydata.EntityFromPath(path); ok {
			all = append(all, e)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var paths []string
	for i := 0; i < len(all); i += max(len(all)/n, 1) {
		content, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(all[i].Path()))) // #nosec G304 -- the operator's folder
		if err != nil {
			return nil, err
		}
		paths = append(paths, pathsOf(all[i], content)...)
	}
	return paths, nil
}

const (
	newest    = 3 // versions
	platforms = 4 // of a provider's version
)

func pathsOf(e registrydata.Entity, content []byte) []string {
	base := "/v1/" + e.Kind.String() + "s/" + e.String() + "/"
	paths := []string{base + "versions"}
	segment := func(version string) string { return strings.ToLower(strings.TrimPrefix(version, "v")) }
	if m, err := registrydata.ParseModule(content); err == nil && e.Kind == registrydata.KindModule {
		for _, v := range m.Versions[:min(newest, len(m.Versions))] {
			paths = append(paths, base+segment(v.Version)+"/download")
		}
	}
	if p, err := registrydata.ParseProvider(content); err == nil && e.Kind == registrydata.KindProvider {
		for _, v := range p.Versions[:min(newest, len(p.Versions))] {
			for _, t := range v.Targets[:min(platforms, len(v.Targets))] {
				paths = append(paths, base+segment(v.Version)+"/download/"+t.OS+"/"+t.Arch)
			}
		}
	}
	return paths
}

// nginxConfiguration is Debian's, with the same headers that matter and no access
// log, as the registry has none.
const nginxConfiguration = `worker_processes auto;
daemon off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 768; }
http {
  sendfile on;
  tcp_nopush on;
  types_hash_max_size 2048;
  default_type application/json;
  gzip on;
  access_log off;
  keepalive_requests 100000000;
  server { listen %[2]s; root %[1]s/www; }
  server { listen %[3]s ssl; root %[1]s/www; ssl_certificate %[4]s; ssl_certificate_key %[5]s; }
}
`

// nginxServer is a running nginx.
type nginxServer struct {
	http, https string // addresses
	cmd         *exec.Cmd
}

func (c *comparison) startNginx(ctx context.Context, cert, key string) (n *nginxServer, err error) {
	n = &nginxServer{}
	for _, address := range []*string{&n.http, &n.https} {
		if *address, err = freeAddress(ctx); err != nil {
			return nil, err
		}
	}
	file := filepath.Join(c.dir, "nginx.conf")
	text := fmt.Sprintf(nginxConfiguration, c.dir, n.http, n.https, cert, key)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, err
	}
	n.cmd = exec.CommandContext(ctx, "nginx", "-c", file) // #nosec G204 -- nginx
	n.cmd.Stderr = os.Stderr
	n.cmd.Cancel = func() error { return n.cmd.Process.Signal(os.Interrupt) } // its workers end too
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	for range 100 {
		if _, found, err := fetch(ctx, "http://"+n.http+c.paths[0]); err == nil && found {
			return n, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	n.stop()
	return nil, errors.New("nginx does not answer")
}

func (n *nginxServer) stop() {
	_ = n.cmd.Cancel()
	_ = n.cmd.Wait()
}

// workers are the processes that answer: nginx's children.
func (n *nginxServer) workers() []int {
	all, _ := filepath.Glob("/proc/[0-9]*")
	var pids []int
	for _, dir := range all {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if fields := statOf(pid); err == nil && len(fields) > 1 && fields[1] == strconv.Itoa(n.cmd.Process.Pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func self() []int { return []int{os.Getpid()} }

// statOf are the fields of /proc/PID/stat behind the name (proc(5)): state,
// parent, …; none where the system has no such file.
func statOf(pid int) []string {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat") // #nosec G304 -- a number
	if err != nil {
		return nil
	}
	text := string(raw)
	return strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
}

// processorTime is what processes have used of the processors, as Linux tells it
// in hundredths of a second.
func processorTime(pids []int) (sum time.Duration) {
	for _, pid := range pids {
		if fields := statOf(pid); len(fields) > 12 {
			for _, ticks := range fields[11:13] { // in user mode, in the kernel
				n, _ := strconv.Atoi(ticks)
				sum += time.Duration(n) * 10 * time.Millisecond
			}
		}
	}
	return sum
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// wrkScript asks for the paths in an order of chance, the same for everyone.
const wrkScript = `local paths, id = {}, 0
for line in io.lines("paths.txt") do paths[#paths + 1] = line end
function setup(thread) thread:set("id", id); id = id + 1 end
function init(args) math.randomseed(id + 1) end
function request() return wrk.format("GET", paths[math.random(#paths)]) end
`

var (
	wrkRate   = regexp.MustCompile(`Requests/sec:\s+([0-9.]+)`)
	wrkCount  = regexp.MustCompile(`(\d+) requests in`)
	wrkP50    = regexp.MustCompile(`(?m)^\s+50%\s+(\S+)`)
	wrkP99    = regexp.MustCompile(`(?m)^\s+99%\s+(\S+)`)
	wrkFaults = regexp.MustCompile(`Non-2xx or 3xx responses: .*|Socket errors: .*`)
)

// wrk measures a server once.
func (c *comparison) wrk(ctx context.Context, x *contender) error {
	script := filepath.Join(c.dir, "paths.lua")
	if err := os.WriteFile(script, []byte(wrkScript), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "wrk", "-t2", "-c"+strconv.Itoa(c.clients), "-d"+c.each.String(), "--latency", "-s", script, x.url) // #nosec G204 -- wrk
	cmd.Dir = c.dir
	before := processorTime(x.processes())
	raw, err := cmd.CombinedOutput()
	used := processorTime(x.processes()) - before
	said := string(raw)
	if err != nil || wrkFaults.MatchString(said) {
		return errors.Join(err, fmt.Errorf("wrk against %s: %s", x.name, said))
	}
	rate, err := strconv.ParseFloat(group(wrkRate, said), 64)
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(group(wrkCount, said))
	if err != nil || count == 0 {
		return fmt.Errorf("wrk against %s: %s", x.name, said)
	}
	p50, err := time.ParseDuration(group(wrkP50, said))
	if err != nil {
		return err
	}
	p99, err := time.ParseDuration(group(wrkP99, said))
	if err != nil {
		return err
	}
	x.rates, x.p50, x.p99 = append(x.rates, rate), append(x.p50, p50), append(x.p99, p99)
	x.cost = append(x.cost, (used / time.Duration(count)).Round(100*time.Nanosecond))
	return nil
}

func group(pattern *regexp.Regexp, text string) string {
	if m := pattern.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// writeCertificate makes a certificate for this machine.
func writeCertificate(dir string) (cert, key string, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return "", "", err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return "", "", err
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	return cert, key, errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
	)
}
