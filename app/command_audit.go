package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tofu-registrar/registrar/handlers"
)

func auditCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{Use: "audit", Short: "Look at what was decided, and why"}
	cmd.AddCommand(auditShowCommand(env))
	return cmd
}

const auditShowHelp = `Show prints the history of a provider (namespace/name), a module
(namespace/name/target), a signing key ("key NAMESPACE"), an issue ("issue NUMBER")
or a pull request ("pull NUMBER"): each decision, oldest first, with who asked for
it, the verdict, what was found, the versions, the keys and the commit.

It reads the decision log that the configuration names (log.decisions), also while
the bot runs. Exit code 1 if nothing is known.`

func auditShowCommand(env *environment) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "show ADDRESS",
		Short: "Print the history of an address, a key, an issue or a pull request",
		Long:  auditShowHelp,
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			query, err := parseDecisionQuery(args)
			if err != nil {
				return err
			}
			cfg, err := env.config(path)
			if err != nil {
				return err
			}
			return showDecisions(env, cfg.decisionsPath(), query, asJSON)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func showDecisions(env *environment, path string, query decisionQuery, asJSON bool) (err error) {
	log, err := os.Open(path) // #nosec G304 -- the operator names it
	if err != nil {
		return fmt.Errorf("there is no decision log: %w", err)
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	encoder := json.NewEncoder(env.stdout)
	shown := 0
	faulty, err := query.read(log, func(d handlers.Decision) error {
		shown++
		if asJSON {
			return encoder.Encode(d)
		}
		_, err := fmt.Fprint(env.stdout, decisionText(d))
		return err
	})
	if err != nil {
		return err
	}
	if faulty > 0 {
		fmt.Fprintf(env.stderr, "%d lines of %s are no decision: cut off by a crash or a full disk, or changed\n", faulty, path)
	}
	if shown == 0 {
		fmt.Fprintln(env.stderr, "nothing is known of it")
		return errFindings
	}
	return nil
}

// decisionText is a decision for a person. What it quotes is a stranger's: no
// control character reaches the terminal.
func decisionText(d handlers.Decision) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s", d.Time.UTC().Format(time.RFC3339), terminalText(string(d.Did)))
	for _, word := range []string{string(d.State), string(d.Verdict)} {
		if word != "" {
			b.WriteString(" " + terminalText(word))
		}
	}
	if d.Did == handlers.DidPublish {
		fmt.Fprintf(&b, " %d entries", d.Entities)
	} else if len(d.About) > 0 {
		b.WriteString("  " + terminalText(strings.Join(d.About, ", ")))
	}
	b.WriteByte('\n')
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "    %-10s %s\n", name, terminalText(text))
		}
	}
	line("thread", threadText(d))
	line("asked by", d.Asked)
	line("policy", string(d.Policy))
	line("approved", strings.Join(d.Approved, ", "))
	line("merged by", d.MergedBy)
	line("commit", d.Commit)
	line("beside", d.Base)
	line("keys", strings.Join(d.Keys, ", "))
	line("incident", d.Incident)
	for _, v := range d.Versions {
		text := v.Version + " " + v.Outcome
		if v.SignedBy != "" {
			text += ", signed by " + v.SignedBy
		}
		if v.Of != "" {
			text += " (" + v.Of + ")"
		}
		line("version", text)
	}
	for _, f := range d.Findings {
		text := f.Code + ": " + f.Message
		if f.Field != "" {
			text = f.Field + ": " + text
		}
		line(string(f.Severity), text)
	}
	if d.Cut {
		line("", "…")
	}
	return b.String()
}

func threadText(d handlers.Decision) string {
	var parts []string
	if d.Issue > 0 {
		parts = append(parts, fmt.Sprintf("issue #%d", d.Issue))
	}
	if d.Pull > 0 {
		parts = append(parts, fmt.Sprintf("pull request #%d", d.Pull))
	}
	return strings.Join(parts, ", ")
}
