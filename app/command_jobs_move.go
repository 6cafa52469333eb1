package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivershared/uniquestates"
	"github.com/riverqueue/river/rivertype"
	"github.com/spf13/cobra"
)

func jobsMoveCommand(env *environment) *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use:   "move --from DATABASE --to DATABASE",
		Short: "Copy the queue to another database",
		Long: "Copy every job to another database: those that wait, those that failed for good, and those that are\n" +
			"done, which tell that a webhook is known. Stop the bot first; then change queue.database and start it.\n\n" +
			"A database is an SQLite file or postgres://user:password@host/name. The new one must hold no job yet.\n" +
			"The old one is left as it is. What is remembered of looks at repositories is learnt anew.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := moveJobs(cmd.Context(), Database(from), Database(to))
			if err != nil {
				return err
			}
			fmt.Fprintf(env.stdout, "%d jobs are in %s now\n", n, Database(to))
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the database that holds the queue")
	cmd.Flags().StringVar(&to, "to", "", "the database that is to hold it")
	_ = cmd.MarkFlagRequired("from") // it is a flag
	_ = cmd.MarkFlagRequired("to")
	return cmd
}

// moveJobs copies all jobs, all of them or none. Nobody may serve either database
// meanwhile.
func moveJobs(ctx context.Context, from, to Database) (n int, err error) {
	if _, err := os.Stat(string(from)); err != nil && !from.Server() {
		return 0, fmt.Errorf("there is no queue: %w", err)
	}
	var open [2]*database
	for i, name := range []Database{from, to} {
		d, err := openDatabase(ctx, name, slog.New(slog.DiscardHandler))
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, d.Close()) }()
		if err := d.serve(ctx, uuid.NewString(), true, time.Second); err != nil {
			return 0, err
		}
		open[i] = d
	}
	var there int
	if err := open[1].QueryRowContext(ctx, "SELECT count(*) FROM river_job").Scan(&there); err != nil {
		return 0, fmt.Errorf("look into %s: %w", to, err)
	}
	if there > 0 {
		return 0, fmt.Errorf("%s holds %d jobs already", to, there)
	}
	client, err := open[0].newClient(&river.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, fmt.Errorf("open the queue %s: %w", from, err)
	}
	err = open[1].insertAll(ctx, func(insert func([]*riverdriver.JobInsertFullParams) error) error {
		n, err = eachJob(ctx, client, insert)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("copy the jobs: %w", err)
	}
	return n, nil
}

// eachJob gives all jobs in portions, oldest first.
func eachJob(ctx context.Context, client queueClient, do func([]*riverdriver.JobInsertFullParams) error) (n int, err error) {
	const portion = 500
	params := river.NewJobListParams().OrderBy(river.JobListOrderByID, river.SortOrderAsc).
		States(rivertype.JobStates()...).First(portion)
	for {
		list, err := client.JobList(ctx, params)
		if err != nil {
			return n, err
		}
		jobs := make([]*riverdriver.JobInsertFullParams, len(list.Jobs))
		for i, job := range list.Jobs {
			if jobs[i], err = copyOf(job); err != nil {
				return n, err
			}
		}
		if len(jobs) > 0 {
			if err := do(jobs); err != nil {
				return n, err
			}
			n += len(jobs)
		}
		if len(jobs) < portion {
			return n, nil
		}
		params = params.After(list.LastCursor)
	}
}

// copyOf is the job as another database takes it. One that was interrupted by the
// end of its process waits again.
func copyOf(job *rivertype.JobRow) (*riverdriver.JobInsertFullParams, error) {
	c := &riverdriver.JobInsertFullParams{
		Attempt: job.Attempt, AttemptedAt: job.AttemptedAt, AttemptedBy: job.AttemptedBy,
		CreatedAt: &job.CreatedAt, EncodedArgs: job.EncodedArgs, FinalizedAt: job.FinalizedAt,
		Kind: job.Kind, MaxAttempts: job.MaxAttempts, Metadata: job.Metadata, Priority: job.Priority,
		Queue: job.Queue, ScheduledAt: &job.ScheduledAt, State: job.State, Tags: job.Tags,
		UniqueKey: job.UniqueKey, UniqueStates: uniquestates.UniqueStatesToBitmask(job.UniqueStates),
	}
	if job.State == rivertype.JobStateRunning {
		c.State, c.Attempt = rivertype.JobStateAvailable, max(job.Attempt-1, 0)
	}
	for _, e := range job.Errors {
		text, err := json.Marshal(e)
		if err != nil {
			return nil, err
		}
		c.Errors = append(c.Errors, text)
	}
	return c, nil
}
