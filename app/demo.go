package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"
)

// demoCommand plays the whole loop on this machine.
func demoCommand(env *environment) *cobra.Command {
	var keep, asJSON bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Play the whole loop on this machine: no account, no network",
		Long: "Starts a GitHub, the bot and a registry over HTTPS on loopback addresses, and plays an author's\n" +
			"submissions and a maintainer's merges through GitHub's own interfaces. Where tofu or terraform is\n" +
			"on PATH, it then runs init for real. Nothing is installed, and nothing is left behind.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !cmd.Flags().Changed("log-level") {
				env.log = above(env.log, slog.LevelWarn) // the steps tell what goes well
			}
			steps := &demoSteps{out: cmd.OutOrStdout(), json: asJSON}
			return runDemo(cmd.Context(), env, steps, keep)
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave everything running at the end and print where it is")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line for each step")
	return cmd
}

func runDemo(ctx context.Context, env *environment, steps *demoSteps, keep bool) (err error) {
	steps.start()
	w, err := newWorld(ctx, worldOptions{log: env.log})
	if err != nil {
		steps.run("sandbox-ready", func() (string, error) { return "", err })
		return &exitError{code: exitFailure}
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	w.play(ctx, steps)
	if keep {
		if !steps.json {
			fmt.Fprint(steps.out, w.directions())
		}
		<-ctx.Done()
	}
	if steps.failed {
		return &exitError{code: exitFailure}
	}
	return nil
}

// directions tell a newcomer where to go and who to be.
func (w *world) directions() string {
	return fmt.Sprintf(`
Everything is still running; stop it with Ctrl-C.

  GitHub       %s
               choose who you are at the top of a page: ada and marcel write providers and
               modules, grace maintains the registry, mallory is a stranger
  Submit       %s/%s/issues/new/choose
  Merge        %s/%s/pulls
  Registry     %s  (trust its certificate with SSL_CERT_FILE=%s)
  Health       %s/healthz, /metrics

Try it with a client:

  export SSL_CERT_FILE=%s
  # source = "%s/%s"
`, w.github.URL(), w.github.URL(), w.metadata, w.github.URL(), w.metadata, w.registryURL, w.caFile,
		w.botURL, w.caFile, w.host, demoProvider)
}
