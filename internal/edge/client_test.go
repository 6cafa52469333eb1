package edge

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

// client is a registry client on this machine.
type client struct{ name, path, caFile string }

// clients are those that there are; one at least is wanted.
func clients(t *testing.T, caFile string) []client {
	t.Helper()
	var found []client
	for _, name := range []string{"tofu", "terraform"} {
		if path, err := exec.LookPath(name); err == nil {
			found = append(found, client{name: name, path: path, caFile: caFile})
		}
	}
	if len(found) == 0 {
		testdata.Missing(t, "a registry client on PATH (tofu or terraform)")
	}
	return found
}

// init runs the client's init in a new folder, and returns what it said and
// whether it failed. It sees no settings of the user.
func (c client) init(t *testing.T, configuration string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	for name, body := range map[string]string{"main.tf": configuration, "cli.tfrc": "disable_checkpoint = true\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.path, "init", "-no-color", "-input=false") // #nosec G204 -- a client found on PATH
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + t.TempDir(),
		"TF_CLI_CONFIG_FILE=" + filepath.Join(dir, "cli.tfrc"), "CHECKPOINT_DISABLE=1",
		"SSL_CERT_FILE=" + c.caFile, "GIT_TERMINAL_PROMPT=0",
		"GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_CONFIG_SYSTEM=" + os.DevNull,
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func wantProvider(host, version string) string {
	return fmt.Sprintf(`terraform {
  required_providers {
    demo = {
      source  = "%s/%s"
      version = "%s"
    }
  }
}
`, host, demo, version)
}

func wantModule(host, version string) string {
	return fmt.Sprintf(`module "net" {
  source  = "%s/%s"
  version = "%s"
}
`, host, vnet, version)
}
