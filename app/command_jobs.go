package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
	"github.com/spf13/cobra"
)

// mostListed bounds what jobs list prints.
const mostListed = 1000

func jobsCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{Use: "jobs", Short: "Look at the queue, also while the bot runs"}
	cmd.AddCommand(jobsListCommand(env), jobsRetryCommand(env), jobsMoveCommand(env))
	return cmd
}

func jobsListCommand(env *environment) *cobra.Command {
	var path string
	var all, asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the jobs that wait, run, or have failed for good",
		Long: "List the jobs that wait, run, or have failed for good (discarded), oldest first.\n" +
			"A discarded job stays for 30 days and never blocks others; retry it with: jobs retry ID.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return env.withQueue(cmd.Context(), path, func(ctx context.Context, client queueClient) error {
				jobs, err := listJobs(ctx, client, all)
				if err != nil {
					return err
				}
				return printJobs(env, jobs, asJSON)
			})
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&all, "all", false, "also those that are done or cancelled (kept for 3 days)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}

func jobsRetryCommand(env *environment) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "retry ID...",
		Short: "Run jobs again now",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ids := make([]int64, len(args))
			for i, arg := range args {
				id, err := strconv.ParseInt(arg, 10, 64)
				if err != nil || id <= 0 {
					return usageError("%q is no job's number", arg)
				}
				ids[i] = id
			}
			return env.withQueue(cmd.Context(), path, func(ctx context.Context, client queueClient) error {
				return retryJobs(ctx, env, client, ids)
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// withQueue opens the queue that the configuration names, beside the bot if
// that runs.
func (env *environment) withQueue(ctx context.Context, path string, do func(context.Context, queueClient) error) (err error) {
	cfg, err := env.config(path)
	if err != nil {
		return err
	}
	if _, err := os.Stat(string(cfg.Queue.Database)); err != nil && !cfg.Queue.Database.Server() {
		return fmt.Errorf("there is no queue yet: %w", err)
	}
	db, err := openDatabase(ctx, cfg.Queue.Database, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	client, err := db.newClient(&river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("open the queue: %w", err)
	}
	return do(ctx, client)
}

func listJobs(ctx context.Context, client queueClient, all bool) ([]*rivertype.JobRow, error) {
	params := river.NewJobListParams().OrderBy(river.JobListOrderByID, river.SortOrderAsc).First(mostListed)
	if all {
		params = params.States(rivertype.JobStates()...)
	} else {
		params = params.States(rivertype.JobStateAvailable, rivertype.JobStateDiscarded, rivertype.JobStatePending,
			rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled)
	}
	list, err := client.JobList(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	return list.Jobs, nil
}

// jobLine is a job as jobs list prints it.
type jobLine struct {
	ID       int64     `json:"id"`
	State    string    `json:"state"`
	Key      string    `json:"key"`
	Attempt  int       `json:"attempt"`
	Due      time.Time `json:"due"`
	Created  time.Time `json:"created"`
	Delivery string    `json:"delivery,omitempty"`
	Error    string    `json:"error,omitempty"`
}

func lineOf(job *rivertype.JobRow) jobLine {
	line := jobLine{
		ID: job.ID, State: string(job.State), Key: job.Kind, Attempt: job.Attempt,
		Due: job.ScheduledAt, Created: job.CreatedAt,
	}
	var args reconcileArgs
	if job.Kind == args.Kind() && json.Unmarshal(job.EncodedArgs, &args) == nil {
		line.Key, line.Delivery = args.Key, args.GUID
	}
	if n := len(job.Errors); n > 0 {
		line.Error = job.Errors[n-1].Error
	}
	return line
}

func printJobs(env *environment, jobs []*rivertype.JobRow, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(env.stdout)
		for _, job := range jobs {
			if err := encoder.Encode(lineOf(job)); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSTATE\tTRIES\tDUE\tKEY\tLAST ERROR")
	for _, job := range jobs {
		line := lineOf(job)
		fmt.Fprintf(table, "%d\t%s\t%d\t%s\t%s\t%s\n", line.ID, line.State, line.Attempt,
			line.Due.Local().Format(time.DateTime), terminalText(line.Key), terminalText(clipRunes(line.Error, 120)))
	}
	if len(jobs) == mostListed {
		fmt.Fprintf(table, "…\tthe first %d only\t\t\t\t\n", mostListed)
	}
	return table.Flush()
}

func retryJobs(ctx context.Context, env *environment, client queueClient, ids []int64) error {
	var missing []string
	for _, id := range ids {
		job, err := client.JobRetry(ctx, id)
		if errors.Is(err, river.ErrNotFound) {
			missing = append(missing, strconv.FormatInt(id, 10))
			continue
		}
		if err != nil {
			return fmt.Errorf("retry job %d: %w", id, err)
		}
		fmt.Fprintf(env.stdout, "job %d is %s: %s\n", id, job.State, terminalText(lineOf(job).Key))
	}
	if len(missing) > 0 {
		return fmt.Errorf("there is no job %s", strings.Join(missing, ", "))
	}
	return nil
}

func clipRunes(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}
