package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/riverqueue/river/rivertype"
	"github.com/spf13/cobra"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
)

const syncHelp = `Sync looks for new versions now, beside a bot that runs or without one.

An address is namespace/name of a provider, namespace/name/target of a module, or
owner/terraform-… of a repository. Each version that is not recorded is judged
anew, as after a webhook. With --all every registered repository is looked at as
the bot does by itself, by its feed and without API quota, and what has something
new is judged; the rates of the block look hold.

Where a bot serves the queue, it does the work and this command waits for it;
otherwise the command does the work itself. What is asked for is in the queue
first: stopping the command does not take it back.

Exit code 1 if an address is not registered, 3 if a look failed.`

// syncOptions are the flags of the command.
type syncOptions struct {
	config string
	all    bool
	json   bool
	wait   time.Duration
}

func syncCommand(env *environment) *cobra.Command {
	var o syncOptions
	cmd := &cobra.Command{
		Use:   "sync ADDRESS... | --all",
		Short: "Look for new versions now",
		Long:  syncHelp,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.all == (len(args) > 0) {
				return usageError("name what to look at, or say --all")
			}
			cfg, err := env.config(o.config)
			if err != nil {
				return err
			}
			entities, err := syncAddresses(args)
			if err != nil {
				return err
			}
			if o.all && cfg.Look.Off {
				return usageError("the configuration has look.off")
			}
			return runSync(cmd.Context(), env, cfg, o, entities)
		},
	}
	configFlag(cmd, &o.config)
	cmd.Flags().BoolVar(&o.all, "all", false, "look at everything that is registered")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object a line")
	cmd.Flags().DurationVar(&o.wait, "wait", 2*time.Hour, "how long to wait for the end")
	return cmd
}

// syncAddresses reads the words of the command line.
func syncAddresses(args []string) (entities []registrydata.Entity, err error) {
	for _, arg := range args {
		e, err := syncAddress(arg)
		if err != nil {
			return nil, usageError("%.200q: %w", arg, err)
		}
		entities = append(entities, e)
	}
	return entities, nil
}

func syncAddress(arg string) (registrydata.Entity, error) {
	owner, name, _ := strings.Cut(strings.ToLower(arg), "/")
	repo := registrydata.Repository{Owner: owner, Name: name}
	if a, ok := registrydata.ProviderFromRepository(repo); ok {
		return a.Entity(), a.Check()
	}
	if a, ok := registrydata.ModuleFromRepository(repo); ok && !strings.Contains(name, "/") {
		return a.Entity(), a.Check()
	}
	if strings.Contains(name, "/") {
		a, err := registrydata.ParseModuleAddress(arg)
		return a.Entity(), err
	}
	a, err := registrydata.ParseProviderAddress(arg)
	return a.Entity(), err
}

// runSync asks for the work, and does it where nobody else does.
func runSync(ctx context.Context, env *environment, cfg Config, o syncOptions, entities []registrydata.Entity) (err error) {
	ctx, cancel := context.WithTimeout(ctx, o.wait)
	defer cancel()
	cfg.Queue.SweepEvery, cfg.Look.onlyAsked = -1, true // only what is asked for
	cfg.Audit.Off, cfg.Backfill.Off = true, true
	cfg.Server.Registry = nil
	app, err := NewApp(ctx, cfg, WithLog(env.log))
	if err != nil {
		return err
	}
	defer func() {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.withDefaults().Server.StopWithin)
		defer cancel()
		err = errors.Join(err, app.Stop(stopping))
	}()
	s := &syncRun{app: app, env: env, o: o}
	var missing []registrydata.Entity
	if !o.all {
		if entities, missing, err = s.registered(ctx, entities); err != nil {
			return err
		}
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	if o.all {
		return s.all(ctx)
	}
	return s.each(ctx, entities, missing)
}

// syncRun is one run of the command.
type syncRun struct {
	app   *App
	env   *environment
	o     syncOptions
	alone bool // this process works on the queue
}

// begin works on the queue unless another process does.
func (s *syncRun) begin(ctx context.Context) error {
	if _, err := s.app.forge.Bot(ctx); err != nil {
		return fmt.Errorf("ask GitHub who we are: %w", err)
	}
	if err := s.app.meetGitHub(ctx); err != nil {
		return err
	}
	s.app.Queue.Watch(newGitHubLooks(s.app.forge))
	err := s.app.Queue.Start(ctx, s.app.reconciler, s.app.deliveries)
	if errors.Is(err, ErrServedElsewhere) {
		return nil
	}
	s.alone = err == nil
	return err
}

// registered tells what is registered from what is not.
func (s *syncRun) registered(ctx context.Context, entities []registrydata.Entity) (there, missing []registrydata.Entity, err error) {
	metadata := s.app.forge.Metadata()
	head, err := metadata.Head(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entities {
		_, ok, err := metadata.File(ctx, head.SHA, e.Path())
		switch {
		case err != nil:
			return nil, nil, err
		case ok:
			there = append(there, e)
		default:
			missing = append(missing, e)
		}
	}
	return there, missing, nil
}

// synced is what became of one address.
type synced struct {
	Address string `json:"address"`
	Kind    string `json:"kind"`
	// Outcome is "looked-at", "failed" (it is tried again, if a bot runs) or
	// "not-registered".
	Outcome string  `json:"outcome"`
	Error   string  `json:"error,omitempty"`
	Seconds float64 `json:"seconds"`
}

func (s *syncRun) each(ctx context.Context, there, missing []registrydata.Entity) error {
	began := time.Now()
	worst := exitOK
	for _, e := range missing {
		worst = exitFindings
		s.print(synced{Address: e.String(), Kind: e.Kind.String(), Outcome: "not-registered"})
	}
	keys := make([]handlers.Key, len(there))
	for i, e := range there {
		// Its handler knows which one its versions come from.
		keys[i] = handlers.RepositoryKey(e.Repository(registrydata.Aliases{}))
	}
	if len(keys) == 0 {
		return exitWith(worst)
	}
	jobs, err := s.app.Queue.Ask(ctx, keys...)
	if err != nil {
		return err
	}
	show := newProgress(s.env.stderr)
	defer show.clear()
	for i, job := range jobs {
		row, err := s.app.Queue.Await(ctx, job, func() { show.show("%d of %d looked at", i, len(jobs)) })
		if err != nil {
			return fmt.Errorf("wait for the look at %s: %w", there[i], err)
		}
		result := synced{Address: there[i].String(), Kind: there[i].Kind.String(), Outcome: "looked-at", Seconds: seconds(began)}
		if row.State != rivertype.JobStateCompleted {
			worst = exitFailure
			result.Outcome = "failed"
			if n := len(row.Errors); n > 0 {
				result.Error = row.Errors[n-1].Error
			}
		}
		show.clear()
		s.print(result)
	}
	if err := s.finish(ctx, show); err != nil {
		return err
	}
	return exitWith(worst)
}

// syncedAll is what became of a look at everything.
type syncedAll struct {
	Registered int     `json:"registered"`
	Looked     int     `json:"looked_at"`
	Changed    int     `json:"changed"`
	Failing    int     `json:"failing"`
	Gone       int     `json:"gone"`
	Seconds    float64 `json:"seconds"`
}

func (s *syncRun) all(ctx context.Context) error {
	began := time.Now()
	job, err := s.app.Queue.AskLook(ctx)
	if err != nil {
		return err
	}
	show := newProgress(s.env.stderr)
	defer show.clear()
	table := lookTable{s.app.Queue.db.DB}
	row, err := s.app.Queue.Await(ctx, job, func() {
		if r, err := table.since(ctx, began); err == nil {
			show.show("%d of %d looked at, %d with something new", r.Looked, r.Registered, r.Changed)
		}
	})
	if err != nil {
		return fmt.Errorf("wait for the looks: %w", err)
	}
	result, err := table.since(ctx, began)
	if err != nil {
		return err
	}
	result.Seconds = seconds(began)
	if err := s.finish(ctx, show); err != nil {
		return err
	}
	show.clear()
	s.print(result)
	if row.State != rivertype.JobStateCompleted || result.Looked < result.Registered {
		return fmt.Errorf("%d of %d repositories were not looked at", result.Registered-result.Looked, result.Registered)
	}
	return nil
}

// finish waits for what follows from the looks, where this process does it: the
// verdicts, pull requests and merges. What is to be done later stays in the queue.
func (s *syncRun) finish(ctx context.Context, show *progress) error {
	if !s.alone {
		return nil
	}
	show.show("judging what is new")
	return s.app.Queue.Idle(ctx, 5*time.Second)
}

func (s *syncRun) print(result any) {
	if s.o.json {
		_ = json.NewEncoder(s.env.stdout).Encode(result) // nothing can be done about a terminal that went away
		return
	}
	switch r := result.(type) {
	case synced:
		fmt.Fprintf(s.env.stdout, "%s %s: %s", r.Kind, r.Address, r.Outcome)
		if r.Error != "" {
			fmt.Fprintf(s.env.stdout, ": %s", terminalText(clipRunes(r.Error, 300)))
		}
		fmt.Fprintln(s.env.stdout)
	case syncedAll:
		fmt.Fprintf(s.env.stdout, "%d of %d repositories looked at in %.1f s: %d with something new, %d gone, %d failing\n",
			r.Looked, r.Registered, r.Seconds, r.Changed, r.Gone, r.Failing)
	}
}

func seconds(since time.Time) float64 {
	return float64(time.Since(since).Milliseconds()) / 1000
}

func exitWith(code int) error {
	if code == exitOK {
		return nil
	}
	return &exitError{code: code}
}
