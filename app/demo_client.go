package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// registryClients are the programs that authors and users run against a
// registry.
var registryClients = []string{"tofu", "terraform"}

// registryClient is one of them, on this machine's PATH.
type registryClient struct {
	name, path string
	caFile     string // PEM file with the certificate that the registry shows
	dir        string // a folder for its configurations and its home
	settings   string // more of the user's own settings
}

// findClients looks for clients on PATH.
func findClients(caFile, dir string) []registryClient {
	var found []registryClient
	for _, name := range registryClients {
		if path, err := exec.LookPath(name); err == nil {
			found = append(found, registryClient{name: name, path: path, caFile: caFile, dir: dir})
		}
	}
	return found
}

// init runs the client's init on a configuration and returns what it said. It
// sees nothing of the user's own settings.
func (c registryClient) init(ctx context.Context, what, configuration string) (string, error) {
	work := filepath.Join(c.dir, c.name+"-"+what)
	home := filepath.Join(work, "home")
	if err := os.MkdirAll(home, 0o750); err != nil {
		return "", err
	}
	files := map[string]string{"main.tf": configuration, "home/cli.tfrc": "disable_checkpoint = true\n" + c.settings}
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(work, name), []byte(body), 0o600); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.path, "init", "-no-color", "-input=false") // #nosec G204 -- a client found on PATH
	cmd.Dir = work
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + os.TempDir(),
		"TF_CLI_CONFIG_FILE=" + filepath.Join(home, "cli.tfrc"), "CHECKPOINT_DISABLE=1",
		"SSL_CERT_FILE=" + c.caFile, "GIT_TERMINAL_PROMPT=0",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s init: %w: %s", c.name, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

// providerConfiguration wants a provider of the registry.
func providerConfiguration(host, address, version string) string {
	return fmt.Sprintf(`terraform {
  required_providers {
    demo = {
      source  = "%s/%s"
      version = "%s"
    }
  }
}
`, host, address, version)
}

// moduleConfiguration calls a module of the registry.
func moduleConfiguration(host, address, version string) string {
	return fmt.Sprintf(`module "demo" {
  source  = "%s/%s"
  version = "%s"
}
`, host, address, version)
}

// telling are the lines of a client's output that say what it installed.
func telling(output string) string {
	var lines []string
	for line := range strings.SplitSeq(output, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "- Installed ") || strings.HasPrefix(line, "Downloading ") || strings.HasPrefix(line, "- demo in ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}
