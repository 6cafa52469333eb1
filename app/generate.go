package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

const generateHelp = `Render every answer of the registry API from a folder with the metadata
repository, and publish what differs from what is live, to a folder or a bucket.

  registrar generate --data registry --out public
  registrar generate --data registry --out s3://bucket/prefix --dry-run

What is live is known from manifests beside the files (.registrar), so a second
run writes nothing, and so does the bot after it. A file that cannot be read is
named; everything else is rendered, and what is live of it stays.

What clients have locked does not go by accident: a run that would take versions
away, or change their checksums, publishes nothing, unless the blacklist of the
data or --remove names them.

--only publishes what some files of the metadata repository concern: data files,
keys, the aliases. A data file that is not there (any more) removes its entry.

A bucket is reached with AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and
AWS_ENDPOINT_URL (for R2: https://ACCOUNT.r2.cloudflarestorage.com). With
--cloudflare-zone what has changed is purged there; CLOUDFLARE_API_TOKEN may.

With --json the summary is one JSON object: "entities" and "files" (rendered),
"entities_changed", "files_written", "files_deleted", "not_in_layout" (files at
no address), "faults" (file, line, where, message), "seconds", "dry_run", and
with --verbose "changes" (entity, write, delete).

Exit status: 0 done, 1 done, but files could not be read, 2 wrong usage,
3 refused, or something in the way.`

func generateCommand(env *environment) *cobra.Command {
	var o generateOptions
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Render a whole registry to a folder or a bucket",
		Long:  generateHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), env, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.data, "data", "", "folder with the metadata repository")
	f.StringVar(&o.out, "out", "", "where to publish: a folder, or s3://bucket[/prefix]")
	f.StringSliceVar(&o.only, "only", nil, "publish what these files of the metadata repository concern, separated by commas")
	f.StringSliceVar(&o.remove, "remove", nil, "what may go: data files, or versions of them (providers/a/acme/demo.json@1.0.0)")
	f.Float64Var(&o.maxDelete, "max-delete", 0.01, "share of the registry that one run may remove, of 1")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would change, and write nothing")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "name every file that changes")
	f.BoolVar(&o.json, "json", false, "print the summary as one JSON object")
	f.BoolVar(&o.compatible, "compatible", false, "reproduce the reference's generator where it errs (docs/differences.md)")
	f.StringVar(&o.webURL, "web-url", forge.DefaultWebURL, "GitHub's web address, where modules are cloned from")
	f.StringVar(&o.commit, "commit", "", "the commit that the data is: serve goes on from there")
	f.StringVar(&o.zone, "cloudflare-zone", "", "id of the Cloudflare zone before the bucket, to purge")
	f.BoolVar(&o.byPrefix, "cloudflare-by-prefix", false, "purge all of a provider or module for any file of it, not single addresses")
	f.StringVar(&o.plan, "cloudflare-plan", "free", "the zone's plan: free, pro, business or enterprise")
	f.StringVar(&o.baseURL, "base-url", "", "the registry's address, to purge")
	f.BoolVar(&o.pathStyle, "path-style", false, "the bucket is a part of the path, and not of the host's name")
	return cmd
}

// generateOptions are the flags.
type generateOptions struct {
	data, out, webURL, commit string
	only, remove              []string
	maxDelete                 float64
	dryRun, verbose, json     bool
	compatible, pathStyle     bool
	byPrefix                  bool
	zone, plan, baseURL       string
}

func (o generateOptions) check() error {
	switch {
	case o.data == "" || o.out == "":
		return usageError("--data and --out are needed")
	case o.maxDelete <= 0 || o.maxDelete > 1:
		return usageError("--max-delete %v is not between 0 and 1", o.maxDelete)
	case o.zone != "" && o.baseURL == "":
		return usageError("--cloudflare-zone needs --base-url")
	case o.commit != "" && len(o.only) > 0:
		return usageError("--commit says that everything of the commit is live, which --only does not see to")
	}
	return nil
}

func (o generateOptions) run(ctx context.Context, env *environment, out io.Writer) error {
	start := time.Now()
	if err := o.check(); err != nil {
		return err
	}
	allowed, err := parseRemovals(o.remove)
	if err != nil {
		return err
	}
	data, err := openDataFolder(o.data)
	if err != nil {
		return err
	}
	defer data.Close() //nolint:errcheck // only read
	place, err := o.open(env.getenv)
	if err != nil {
		return err
	}
	defer place.close()
	g := &generation{
		data: data, place: place, dryRun: o.dryRun, verbose: o.verbose, maxDelete: o.maxDelete, allowed: allowed,
		renderer: registrydata.Renderer{WebURL: o.webURL, Compatible: o.compatible},
		progress: newProgress(env.stderr), commit: o.commit,
	}
	err = g.run(ctx, o.only)
	g.progress.clear()
	// A dry run says what would change even where that would be refused.
	var refused *publish.RefusedError
	if err != nil && (!o.dryRun || !errors.As(err, &refused)) {
		return err
	}
	g.summary.Seconds = float64(time.Since(start).Milliseconds()) / 1000
	if printed := g.summary.print(out, o.json); printed != nil || err != nil {
		return errors.Join(err, printed)
	}
	if len(g.summary.Faults) > 0 {
		return errFindings
	}
	return nil
}

// generateSummary is what generate --json prints.
type generateSummary struct {
	DryRun  bool `json:"dry_run"`
	Partial bool `json:"partial"` // --only
	// Entities and Files were rendered and compared.
	Entities        int `json:"entities"`
	Files           int `json:"files"`
	EntitiesChanged int `json:"entities_changed"`
	FilesWritten    int `json:"files_written"`
	FilesDeleted    int `json:"files_deleted"`
	// NotInLayout are data files that stand at no address.
	NotInLayout int              `json:"not_in_layout"`
	Seconds     float64          `json:"seconds"`
	Faults      []generateFault  `json:"faults"`
	Changes     []generateChange `json:"changes,omitempty"`
}

// generateFault is a file of which nothing could be made.
type generateFault struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Where   string `json:"where,omitempty"`
	Message string `json:"message"`
}

// generateChange is what differs of one entity.
type generateChange struct {
	Entity string   `json:"entity"` // its data file
	Write  []string `json:"write,omitempty"`
	Delete []string `json:"delete,omitempty"`
}

func faultOf(f *registrydata.FileFault) generateFault {
	out := generateFault{File: f.Path, Message: f.Err.Error()}
	var parse *registrydata.ParseError
	if errors.As(f.Err, &parse) {
		out.Line, out.Where, out.Message = parse.Line, parse.Where, parse.Reason
	}
	return out
}

func (s *generateSummary) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(s)
	}
	var b strings.Builder
	for _, c := range s.Changes {
		for _, p := range c.Write {
			fmt.Fprintf(&b, "write  %s\n", terminalText(p))
		}
		for _, p := range c.Delete {
			fmt.Fprintf(&b, "delete %s\n", terminalText(p))
		}
	}
	for _, f := range s.Faults {
		fmt.Fprintf(&b, "%s:%d: %s: left out, and what is live of it stays\n", terminalText(f.File), max(1, f.Line), terminalText(strings.TrimPrefix(f.Where+": "+f.Message, ": ")))
	}
	fmt.Fprintf(&b, "%d files of %d entries rendered in %.1f s\n", s.Files, s.Entities, s.Seconds)
	wrote, deleted := "wrote", "deleted"
	if s.DryRun {
		wrote, deleted = "would write", "delete"
	}
	if s.EntitiesChanged == 0 {
		b.WriteString("nothing differs from what is live\n")
	} else {
		fmt.Fprintf(&b, "%s %d files and %s %d, of %d entries\n", wrote, s.FilesWritten, deleted, s.FilesDeleted, s.EntitiesChanged)
	}
	if s.NotInLayout > 0 {
		fmt.Fprintf(&b, "%d data files stand at no address and are not rendered (check data names them)\n", s.NotInLayout)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
