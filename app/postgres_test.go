package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

// postgresServer is Debian's PostgreSQL, started by the first test that wants it
// and stopped by TestMain. It listens to a socket in its folder, and to nothing
// else.
var postgresServer struct {
	once  sync.Once
	fault string // why there is none
	dir   string
	stdin io.Closer // ends the server, also when this process is killed
	cmd   *exec.Cmd
	mu    sync.Mutex
	made  int // databases
}

// postgresScript makes a server and runs it until its standard input ends. What
// is kept on the disk does not outlive it, so nothing is synced.
const postgresScript = `set -e
"$1/initdb" -D "$2/data" -A trust -U postgres --no-sync >/dev/null
"$1/postgres" -D "$2/data" -F -c listen_addresses= -c "unix_socket_directories=$2" -c max_connections=200 >"$2/log" 2>&1 &
while ! "$1/pg_isready" -q -h "$2"; do kill -0 $!; sleep 0.05; done
echo ready
read -r _ || true
kill -INT $!
wait`

func startPostgres() (fault string) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return "PostgreSQL below /usr/lib/postgresql (Debian's package postgresql)"
	}
	s := &postgresServer
	var err error
	// A socket's name must be short, so this is no folder of a test.
	if s.dir, err = os.MkdirTemp("", "pg"); err != nil {
		return err.Error()
	}
	if err := os.Chmod(s.dir, 0o777); err != nil { // #nosec G302 -- PostgreSQL refuses to run as root
		return err.Error()
	}
	args := []string{"sh", "-c", postgresScript, "sh", filepath.Dir(found[len(found)-1]), s.dir}
	if os.Getuid() == 0 {
		args = append([]string{"runuser", "-u", "postgres", "--"}, args...)
	}
	s.cmd = exec.Command(args[0], args[1:]...) // #nosec G204 -- a test
	s.cmd.Dir = s.dir
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		s.stdin, err = s.cmd.StdinPipe()
	}
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return err.Error()
	}
	if line, err := io.ReadAll(io.LimitReader(out, 6)); string(line) != "ready\n" {
		log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
		return fmt.Sprintf("PostgreSQL that starts: %v %s", err, log)
	}
	return ""
}

func stopPostgres() {
	s := &postgresServer
	if s.stdin == nil {
		return
	}
	_ = s.stdin.Close()
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.dir)
}

// testPostgres is the address of an empty database.
func testPostgres(t testing.TB) string {
	t.Helper()
	s := &postgresServer
	s.once.Do(func() { s.fault = startPostgres() })
	if s.fault != "" {
		testdata.Missing(t, s.fault)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	name := fmt.Sprintf("queue%d", s.made)
	if err := adminPostgres("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	return postgresAddress(name)
}

func postgresAddress(name string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Path: "/" + name,
		RawQuery: url.Values{"host": {postgresServer.dir}}.Encode()}
	return u.String()
}

func adminPostgres(statement string, args ...any) (err error) {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, postgresAddress("postgres"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, statement, args...)
	return err
}

// onEachDatabase runs a test of the queue on SQLite and on PostgreSQL.
func onEachDatabase(t *testing.T, test func(t *testing.T, here func(*queueOptions))) {
	t.Helper()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "queue.db")
		test(t, func(o *queueOptions) { o.Path = path })
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		address := testPostgres(t)
		test(t, func(o *queueOptions) { o.Path = address })
	})
}
