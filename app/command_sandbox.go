package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/sandbox"
	"github.com/tofu-registrar/registrar/templates"
)

const sandboxHelp = `Sandbox runs a GitHub on this machine, to look at in a browser and to try a client
or the bot against. It has three people: author (who owns the organization acme),
maintainer (who owns the organization registry with the repository
registry/metadata and its issue forms) and stranger.

With --webhook it also has a GitHub App, installed on both organizations, whose
webhooks go to that address, and it writes a configuration for serve beside the
App's key. Everything is gone when the command ends; files stay where --dir says.`

// sandboxOptions are the flags of the command.
type sandboxOptions struct {
	listen, dir, webhook string
	json                 bool
}

func sandboxCommand(env *environment) *cobra.Command {
	var o sandboxOptions
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "Run a GitHub on this machine",
		Long:  sandboxHelp,
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runSandbox(cmd.Context(), env, o) },
	}
	cmd.Flags().StringVar(&o.listen, "listen", "127.0.0.1:8400", "address of the web pages and the API")
	cmd.Flags().StringVar(&o.dir, "dir", "", "folder for repositories, release files and the App's key (default: a temporary one)")
	cmd.Flags().StringVar(&o.webhook, "webhook", "", "register a GitHub App with this webhook address, such as http://127.0.0.1:8080/webhook")
	cmd.Flags().BoolVar(&o.json, "json", false, "print where everything is as one JSON object")
	return cmd
}

// sandboxPlaces are what someone who uses the sandbox needs to know.
type sandboxPlaces struct {
	URL       string            `json:"url"`
	APIURL    string            `json:"api_url"`
	Downloads string            `json:"downloads"`
	Metadata  string            `json:"metadata"`
	Tokens    map[string]string `json:"tokens"` // by login
	AppID     int64             `json:"app_id,omitempty"`
	KeyFile   string            `json:"key_file,omitempty"`      // of the App
	Config    string            `json:"configuration,omitempty"` // file
}

func runSandbox(ctx context.Context, env *environment, o sandboxOptions) (err error) {
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "registrar-sandbox-"); err != nil {
			return fmt.Errorf("make the sandbox's folder: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	}
	github, err := sandbox.New(sandbox.Options{Dir: o.dir, Log: env.log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, github.Close()) }()
	if _, err := github.Start(o.listen); err != nil {
		return err
	}
	places, err := furnishSandbox(ctx, github, o)
	if err != nil {
		return err
	}
	if err := places.print(env.stdout, o.json); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// furnishSandbox makes people, organizations, the metadata repository and, if
// asked for, the App.
func furnishSandbox(ctx context.Context, github *sandbox.Server, o sandboxOptions) (sandboxPlaces, error) {
	metadata := actors.Repo{Owner: "registry", Name: "metadata"}
	p := sandboxPlaces{
		URL: github.URL(), APIURL: github.APIURL(), Downloads: github.AssetsURL(),
		Metadata: metadata.String(), Tokens: map[string]string{},
	}
	for _, login := range []string{"author", "maintainer", "stranger"} {
		p.Tokens[login] = github.AddUser(login).Token
	}
	github.AddOrganization("acme", sandbox.Member{Login: "author", Public: true, Role: "admin"})
	github.AddOrganization(metadata.Owner, sandbox.Member{Login: "maintainer", Public: true, Role: "admin"})
	maintainer, err := actors.New(github.URL(), "maintainer", p.Tokens["maintainer"])
	if err != nil {
		return p, err
	}
	if err := maintainer.CreateRepository(ctx, metadata); err != nil {
		return p, err
	}
	err = putForms(ctx, maintainer, metadata)
	if err != nil || o.webhook == "" {
		return p, err
	}
	return p, p.addApp(github, o, metadata)
}

// putForms commits the issue forms to the metadata repository.
func putForms(ctx context.Context, by *actors.Person, metadata actors.Repo) error {
	forms := templates.Forms()
	return fs.WalkDir(forms, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(forms, name)
		if err != nil {
			return err
		}
		return by.PutFile(ctx, metadata, ".github/ISSUE_TEMPLATE/"+name, content)
	})
}

// addApp registers the App and writes what serve needs.
func (p *sandboxPlaces) addApp(github *sandbox.Server, o sandboxOptions, metadata actors.Repo) error {
	const secret = "sandbox-webhook-secret" // #nosec G101 -- of a GitHub that listens to this machine alone
	app, err := github.AddApp(sandbox.AppOptions{Name: "registrar", WebhookURL: o.webhook, WebhookSecret: secret})
	if err != nil {
		return err
	}
	for _, owner := range []string{metadata.Owner, "acme"} {
		if _, err := github.Install(app.Slug, owner); err != nil {
			return err
		}
	}
	p.AppID = app.ID
	p.KeyFile = filepath.Join(o.dir, "registrar.private-key.pem")
	p.Config = filepath.Join(o.dir, "registrar.hcl")
	if err := os.WriteFile(p.KeyFile, app.PrivateKeyPEM, 0o600); err != nil {
		return fmt.Errorf("write the App's key: %w", err)
	}
	hook, err := url.Parse(o.webhook)
	if err != nil {
		return usageError("--webhook: %v", err)
	}
	if err := os.WriteFile(p.Config, []byte(p.configuration(secret, hook.Host)), 0o600); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

// configuration is what serve needs to be this GitHub's App. It listens where
// the webhooks go.
func (p *sandboxPlaces) configuration(secret, listen string) string {
	return fmt.Sprintf(`# Made by registrar sandbox, for: registrar serve --config registrar.hcl
github {
  app_id         = %d
  private_key    = file("registrar.private-key.pem")
  webhook_secret = %q
  api_url        = %q
  web_url        = %q
  download_hosts = [%q]
}

metadata {
  repository = %q
}

publish {
  base_url = "https://registry.example.org"
  directory {
    path = "public"
  }
}

server {
  listen = %q
}
`, p.AppID, secret, p.APIURL, p.URL, p.Downloads[strings.LastIndex(p.Downloads, "/")+1:], p.Metadata, listen)
}

func (p *sandboxPlaces) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(p)
	}
	fmt.Fprintf(w, "GitHub     %s\nAPI        %s\nMetadata   %s/%s\n", p.URL, p.APIURL, p.URL, p.Metadata)
	for _, login := range []string{"author", "maintainer", "stranger"} {
		fmt.Fprintf(w, "Token      %s  (%s)\n", p.Tokens[login], login)
	}
	if p.AppID != 0 {
		fmt.Fprintf(w, "App        %d, key in %s\nTry        registrar serve --config %s\n", p.AppID, p.KeyFile, p.Config)
	}
	_, err := fmt.Fprintln(w, "Stop it with Ctrl-C.")
	return err
}
