package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/sandbox"
)

// worldOptions says what world to make.
type worldOptions struct {
	merge, releases string        // policies, "manual" and "automatic" if empty
	latency         time.Duration // added to each answer of GitHub, once all is set up
	log             *slog.Logger
	look            *LookConfig           // nil is off: nothing is looked at by itself
	options         []Option              // of the bot
	observe         func(*sandbox.Server) // before anything happens
	configure       func(*Config)         // changes the bot's configuration
	// oneProgram lets the bot itself serve the registry from memory, instead of
	// publishing to a folder that a web server serves.
	oneProgram bool
}

// world is everything around the bot on one machine: a GitHub with people and
// repositories, the bot, and the registry that clients read.
type world struct {
	dir    string
	github *sandbox.Server
	bot    *App
	public *publish.Folder
	served *http.Server

	metadata                         actors.Repo
	author, moduleAuthor, maintainer *actors.Person
	stranger                         *actors.Person

	botURL            string
	registryURL, host string // of the registry: https://127.0.0.1:1234, 127.0.0.1:1234
	caFile            string
	client            *http.Client
}

// newWorld starts everything. Close ends it and leaves nothing behind.
func newWorld(ctx context.Context, o worldOptions) (w *world, err error) {
	if o.log == nil {
		o.log = slog.New(slog.DiscardHandler)
	}
	w = &world{metadata: actors.Repo{Owner: "registry", Name: "metadata"}}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.Close())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "registrar-demo-"); err != nil {
		return w, err
	}
	if err := w.startGitHub(o); err != nil {
		return w, err
	}
	if err := w.startRegistry(&o); err != nil {
		return w, err
	}
	if err := w.fillMetadata(ctx); err != nil {
		return w, err
	}
	if err := w.startBot(ctx, o); err != nil {
		return w, err
	}
	return w, w.github.Knobs().Change(func(k *sandbox.Settings) { k.Latency = sandbox.Duration(o.latency) })
}

// Close stops everything and removes what it left on disk.
func (w *world) Close() error {
	var errs []error
	if w.bot != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		errs = append(errs, w.bot.Stop(ctx))
	}
	if w.served != nil {
		errs = append(errs, w.served.Close())
	}
	if w.public != nil {
		errs = append(errs, w.public.Close())
	}
	if w.github != nil {
		errs = append(errs, w.github.Close())
	}
	if w.dir != "" {
		errs = append(errs, os.RemoveAll(w.dir))
	}
	return errors.Join(errs...)
}

// startGitHub makes the people and organizations, as they would sign up.
func (w *world) startGitHub(o worldOptions) error {
	github, err := sandbox.New(sandbox.Options{Dir: filepath.Join(w.dir, "github"), Log: o.log})
	if err != nil {
		return err
	}
	w.github = github
	if o.observe != nil {
		o.observe(github)
	}
	if _, err := github.Start("127.0.0.1:0"); err != nil {
		return err
	}
	github.AddOrganization(demoNamespace,
		sandbox.Member{Login: "ada", Public: true, Role: "admin"}, sandbox.Member{Login: "marcel", Role: "admin"})
	github.AddOrganization(w.metadata.Owner, sandbox.Member{Login: "grace", Public: true, Role: "admin"})
	for login, person := range map[string]**actors.Person{
		"ada": &w.author, "marcel": &w.moduleAuthor, "grace": &w.maintainer, "mallory": &w.stranger,
	} {
		user := github.AddUser(login)
		if *person, err = actors.New(github.URL(), login, user.Token); err != nil {
			return err
		}
	}
	return nil
}

// startRegistry serves the published folder over HTTPS with a certificate made
// on the spot, or prepares for the bot to serve.
func (w *world) startRegistry(o *worldOptions) error {
	w.caFile = filepath.Join(w.dir, "certificate.pem")
	cert, err := loopbackCertificate(w.caFile)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.host = l.Addr().String()
	w.registryURL = "https://" + w.host
	if o.oneProgram {
		o.options = append(o.options, WithRegistryListener(l))
		err = writePrivateKey(cert, w.keyFile())
	} else {
		err = w.serveFolder(l, cert)
	}
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		return err
	}
	pool.AddCert(leaf)
	w.client = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
	}}
	return nil
}

func (w *world) keyFile() string { return filepath.Join(w.dir, "key.pem") }

func (w *world) serveFolder(l net.Listener, cert tls.Certificate) (err error) {
	if w.public, err = publish.OpenFolder(filepath.Join(w.dir, "public")); err != nil {
		return err
	}
	w.served = &http.Server{
		Handler: publish.Handler(w.public), ReadHeaderTimeout: 10 * time.Second,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12},
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	go func() { _ = w.served.ServeTLS(l, "", "") }()
	return nil
}

// fillMetadata makes the metadata repository with its issue forms.
func (w *world) fillMetadata(ctx context.Context) error {
	if err := w.maintainer.CreateRepository(ctx, w.metadata); err != nil {
		return err
	}
	if err := w.maintainer.PutFile(ctx, w.metadata, "README.md", []byte("# Demo Registry\n\nThe data of a registry.\n")); err != nil {
		return err
	}
	return putForms(ctx, w.maintainer, w.metadata)
}

// startBot registers the App, installs it where the people of this story want
// it, and starts the bot.
func (w *world) startBot(ctx context.Context, o worldOptions) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.botURL = "http://" + l.Addr().String()
	const secret = "of the demo, and of nothing else" // #nosec G101
	app, err := w.github.AddApp(sandbox.AppOptions{
		Name: "registrar", Owner: w.metadata.Owner, WebhookURL: w.botURL + "/webhook", WebhookSecret: secret,
	})
	if err != nil {
		return err
	}
	for _, account := range []string{w.metadata.Owner, demoNamespace} {
		if _, err := w.github.Install(app.Slug, account); err != nil {
			return err
		}
	}
	w.bot, err = NewApp(ctx, w.config(app, secret, o), append(o.options, WithListener(l), WithLog(o.log))...)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	return w.bot.Start(ctx)
}

// config is what an operator would write into the configuration file.
func (w *world) config(app sandbox.App, secret string, o worldOptions) Config {
	downloads := strings.TrimPrefix(w.github.AssetsURL(), "http://")
	cfg := Config{
		GitHub: GitHubConfig{
			AppID: app.ID, PrivateKey: Secret(app.PrivateKeyPEM), WebhookSecrets: []Secret{Secret(secret)},
			APIURL: w.github.APIURL(), WebURL: w.github.URL(), DownloadHosts: []string{downloads},
		},
		Metadata: MetadataConfig{Repository: registrydata.Repository{Owner: w.metadata.Owner, Name: w.metadata.Name}},
		Policy:   PolicyConfig{Merge: o.merge, Releases: o.releases},
		Queue:    QueueConfig{Database: Database(filepath.Join(w.dir, "registrar.db"))},
		Publish: PublishConfig{
			BaseURL: w.registryURL, Name: "Demo Registry", Directory: &DirectoryConfig{Path: filepath.Join(w.dir, "public")},
		},
	}
	cfg.Audit.Off, cfg.Backfill.Off = true, true
	cfg.Look = LookConfig{Off: true}
	if o.look != nil {
		cfg.Look = *o.look
	}
	if o.oneProgram {
		cfg.Publish.Directory = nil
		cfg.Server.Registry = &RegistryConfig{TLS: &TLSConfig{Certificate: w.caFile, Key: w.keyFile()}}
	}
	if o.configure != nil {
		o.configure(&cfg)
	}
	return cfg
}

// Idle waits until GitHub has delivered all that happened and the bot has done
// all of it.
func (w *world) Idle(ctx context.Context) error {
	for range 3 { // what the bot did last may have been told to it once more
		if err := w.github.Idle(ctx); err != nil {
			return err
		}
		if err := w.bot.Idle(ctx, 5*time.Second); err != nil {
			return err
		}
	}
	return nil
}
