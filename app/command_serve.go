package main

import (
	"errors"

	"github.com/spf13/cobra"
)

const serveHelp = `Serve runs the bot: it takes GitHub's webhooks in, works on them, and publishes
what was merged.

The configuration is checked whole before anything starts; every fault is told
with its place, and the exit code is 2. SIGTERM or Ctrl-C: no more webhooks are
taken in, running jobs have server.stop_within to end, and those that have not
go back to the queue. Exit code 3 if something is in the way.

The configuration, with what holds where a key is left out:

  github    app_id, private_key, webhook_secret (text, or a list of two while it
            is being changed); api_url ("https://api.github.com"),
            web_url ("https://github.com"), download_hosts ([]: more hosts that
            release files may come from)
  metadata  repository; branch ("main")
  policy    merge ("manual", or "approved", "automatic"),
            releases ("automatic", or "batch": one commit for several, "manual")
  look      how registered repositories are looked at that send no webhooks:
            least ("5m") and most ("4h"), the pauses of a repository with a new
            release and of a silent one; tags_most ("12h"); limit ("24h", how old
            a look may become); feeds_per_second (10), tags_per_second (3),
            parallel (16); off (false)
  audit     what is recorded is compared with what authors publish now: every
            ("720h", how often each entry has its turn), off (false)
  backfill  sizes and hashes of versions recorded without them are found, a few at
            a time, by pull request: every ("720h"), off (false)
  queue     database ("registrar.db", or "postgres://HOST/NAME",
            which several processes may serve), workers (16), sweep_every ("5m")
  publish   base_url; name (its host); directory { path } or
            r2 { account_id, bucket, access_key_id, secret_access_key };
            cloudflare { zone_id, api_token }
  server    listen (":8080"), stop_within ("25s");
            registry { listen (":8443"), tls { certificate, key } or plain_http,
            data (the metadata repository in memory), refresh ("15s"),
            access_log (false) }: answer the registry API as well; SIGHUP looks
            for new data and a new certificate. With data, and without github,
            metadata and publish: answer the registry API and do nothing else
  log       decisions ("decisions.jsonl" beside the queue's database): the file
            that every decision is appended to; see audit show

env("NAME") is an environment variable, file("path") the text of a file. Paths
are relative to the configuration file.`

func serveCommand(env *environment) *cobra.Command {
	var path string
	var check, rebuild bool
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the bot",
		Long:  serveHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := env.config(path)
			if err != nil || check {
				return err
			}
			if cfg.registryOnly() {
				return serveRegistryOnly(cmd.Context(), cfg, env.log)
			}
			options := []Option{WithLog(env.log)}
			if rebuild {
				options = append(options, WithRebuild())
			}
			app, err := NewApp(cmd.Context(), cfg, options...)
			if err != nil {
				return err
			}
			return app.Run(cmd.Context())
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&check, "check", false, "check the configuration and end")
	cmd.Flags().BoolVar(&rebuild, "rebuild", false, "forget the queue, and find anew on GitHub what there is to do")
	return cmd
}

func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "registrar.hcl", "configuration file")
}

// config reads the configuration, and prints its faults where it has some.
func (env *environment) config(path string) (Config, error) {
	cfg, err := LoadConfig(path, env.getenv)
	var faulty *ConfigError
	if errors.As(err, &faulty) {
		faulty.Write(env.stderr, isTerminal(env.stderr))
		return cfg, &exitError{code: exitUsage}
	}
	if err != nil {
		return cfg, usageError("%w", err)
	}
	return cfg, nil
}
