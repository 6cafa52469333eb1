package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// The exit codes of every command.
const (
	exitOK       = 0
	exitFindings = 1 // the command worked, and what it judged has faults
	exitUsage    = 2 // wrong command line or configuration
	exitFailure  = 3 // the operator's trouble: network, disk, GitHub
)

// exitError carries an exit code. Its error has been told already where it is
// nil.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usageError makes an error end with exit code 2.
func usageError(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

// environment is what a command has of the process that it runs in.
type environment struct {
	getenv func(string) string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger // writes to stderr, as --log and --log-level say
	began  bool         // the command line was understood
}

// run is the program: it executes the command line and returns the exit code.
func run(ctx context.Context, args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	env := &environment{getenv: getenv, stdin: stdin, stdout: stdout, stderr: stderr, log: slog.New(slog.DiscardHandler)}
	root := rootCommand(env)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	exit := env.exit(err)
	if exit.err != nil {
		fmt.Fprintf(stderr, "registrar: %v\n", exit.err)
	}
	return exit.code
}

// exit tells what an error means for the caller. One that came before the
// command began is about the command line.
func (env *environment) exit(err error) *exitError {
	var exit *exitError
	switch {
	case errors.As(err, &exit):
		return exit
	case errors.Is(err, errFindings):
		return &exitError{code: exitFindings}
	case !env.began:
		return &exitError{code: exitUsage, err: err}
	}
	return &exitError{code: exitFailure, err: err}
}

const rootHelp = `Registrar runs an OpenTofu/Terraform registry as a GitHub App.

Exit codes: 0 all is well; 1 what was judged has faults; 2 the command line or
the configuration is wrong; 3 something in the way: network, disk, GitHub.`

// rootCommand joins the commands, one a file: command_*.go, demo.go, check.go, …
func rootCommand(env *environment) *cobra.Command {
	var format, level string
	root := &cobra.Command{
		Use:           "registrar",
		Short:         "An OpenTofu/Terraform registry as a GitHub App",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			var err error
			env.log, err = newLog(env.stderr, format, level)
			env.began = err == nil
			return err
		},
	}
	root.PersistentFlags().StringVar(&format, "log", "text", "form of the log on standard error: text or json")
	root.PersistentFlags().StringVar(&level, "log-level", "info", "least level of the log: debug, info, warn or error")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(
		demoCommand(env),
		serveCommand(env),
		checkCommand(env),
		generateCommand(env),
		sandboxCommand(env),
		syncCommand(env),
		jobsCommand(env),
		auditCommand(env),
		versionCommand(env),
	)
	refuseStrangeWords(root)
	return root
}

// refuseStrangeWords makes a command that only groups others refuse a word that
// is none of them; cobra prints the help and calls it success.
func refuseStrangeWords(cmd *cobra.Command) {
	for _, sub := range cmd.Commands() {
		refuseStrangeWords(sub)
	}
	if cmd.HasSubCommands() && !cmd.Runnable() {
		cmd.Args = noSuchCommand
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
}

// noSuchCommand refuses a word that is no command, with what was perhaps meant.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf(" (did you mean %s?)", strings.Join(near, " or "))
	}
	return usageError("there is no command %q%s; see %s --help", args[0], hint, cmd.CommandPath())
}

func newLog(w io.Writer, format, level string) (*slog.Logger, error) {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		return nil, usageError("--log-level %q is none of debug, info, warn, error", level)
	}
	options := &slog.HandlerOptions{Level: least}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, options)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, options)), nil
	}
	return nil, usageError("--log %q is none of text, json", format)
}

// isTerminal tells whether a person looks at what is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
