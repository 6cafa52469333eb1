package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

const checkDataHelp = `Judge a whole metadata repository, as it stands in a folder, by the rules of the
bot. Nothing is asked of the network, and no symbolic link is followed.

Each finding names the file, the line and the place in it. At the end stands how
often each code was found, and in how many files.

With --json each finding is one JSON object on a line:

  {"file": "modules/a/acme/net/aws.json", "line": 6, "where": "versions[1].version",
   "code": "version-repeated", "severity": "error", "field": "1.0.0",
   "message": "…", "fix": "…"}

("line" and "where" are left out of what concerns a file as a whole) and the last
line is the summary:

  {"summary": {"files": 27637, "providers": 3931, "modules": 23534, "keys": 158,
   "errors": 1, "warnings": 0, "seconds": 7.5,
   "codes": [{"code": "version-repeated", "severity": "error", "findings": 1, "files": 1}]}}

Exit status: 0 no errors (there may be warnings), 1 errors, 2 wrong usage,
3 something could not be read.`

func checkDataCommand(env *environment) *cobra.Command {
	c := dataCheck{now: time.Now}
	cmd := &cobra.Command{
		Use:   "data DIR",
		Short: "Judge a whole metadata repository",
		Long:  checkDataHelp,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			c.out, c.progress = cmd.OutOrStdout(), newProgress(env.stderr)
			return c.run(cmd.Context(), args[0])
		},
	}
	cmd.Flags().BoolVar(&c.json, "json", false, "print each finding as a JSON object on a line, and the summary as the last")
	cmd.Flags().StringVar(&c.webURL, "web-url", forge.DefaultWebURL, "GitHub's web address, where releases are")
	return cmd
}

// dataCheck is one run of check data.
type dataCheck struct {
	json     bool
	webURL   string
	now      func() time.Time
	out      io.Writer
	progress *progress

	rules      validation.DataRules
	ownAliases bool // they are the repository's, and make sense

	summary dataSummary
	counts  map[codeCount]*codeCount // by Code and Severity
	last    map[codeCount]string     // the last file counted
}

// dataSummary is the last line of check data --json.
type dataSummary struct {
	Files     int         `json:"files"`
	Providers int         `json:"providers"`
	Modules   int         `json:"modules"`
	Keys      int         `json:"keys"`
	Errors    int         `json:"errors"`
	Warnings  int         `json:"warnings"`
	Seconds   float64     `json:"seconds"`
	Codes     []codeCount `json:"codes"`
}

// codeCount is how often something was found.
type codeCount struct {
	Code     string              `json:"code"`
	Severity validation.Severity `json:"severity"`
	Findings int                 `json:"findings"`
	Files    int                 `json:"files"`
}

func (c *dataCheck) run(ctx context.Context, dir string) error {
	data, err := openDataFolder(dir)
	if err != nil {
		return err
	}
	defer data.Close() //nolint:errcheck // only read
	data.listAll()
	if len(data.paths) == 0 && len(data.troubles) == 0 {
		return usageError("%s holds no providers, modules or keys: is it a metadata repository?", dir)
	}
	return c.judge(ctx, data)
}

func (c *dataCheck) judge(ctx context.Context, data *dataFolder) error {
	start := time.Now()
	c.counts, c.last = map[codeCount]*codeCount{}, map[codeCount]string{}
	c.rules = validation.DataRules{WebURL: c.webURL, Now: c.now()}
	if err := c.readRules(ctx, data); err != nil {
		return err
	}
	troubles, err := c.judgeFiles(ctx, data)
	if err != nil {
		return err
	}
	found, err := c.judgeRepository(ctx, data)
	if err == nil {
		err = c.print(found)
	}
	if err != nil {
		return err
	}
	c.summary.Seconds = float64(time.Since(start).Milliseconds()) / 1000
	c.progress.clear()
	if err := c.printSummary(); err != nil {
		return err
	}
	if troubles = append(troubles, data.troubles...); len(troubles) > 0 {
		return fmt.Errorf("not everything could be read: %w", errors.Join(troubles...))
	}
	if c.summary.Errors > 0 {
		return errFindings
	}
	return nil
}

// readRules reads what the rules for all files depend on. Where that makes no
// sense its own finding says so, and the others are judged without.
func (c *dataCheck) readRules(ctx context.Context, data *dataFolder) error {
	var fault *registrydata.FileFault
	al, err := registrydata.ReadAliases(ctx, data)
	_, c.ownAliases = data.files[registrydata.AliasesPath]
	if errors.As(err, &fault) {
		al, c.ownAliases, err = registrydata.DefaultAliases(), false, nil
	}
	if err != nil {
		return err
	}
	c.rules.Aliases = al
	content, ok, err := data.File(ctx, registrydata.BlacklistPath)
	if err != nil && !errors.As(err, &fault) {
		return err
	}
	if list, err := registrydata.ParseBlacklist(content); ok && err == nil {
		c.rules.Blacklist = list
	}
	return nil
}

// judgeFiles judges file by file, several at a time, and prints in order.
// Troubles are the files that could not be read.
func (c *dataCheck) judgeFiles(ctx context.Context, data *dataFolder) (troubles []error, err error) {
	for batch := range slices.Chunk(data.paths, 256) {
		found, failed := make([][]validation.FileFinding, len(batch)), make([]error, len(batch))
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(runtime.GOMAXPROCS(0))
		for i, name := range batch {
			group.Go(func() error {
				found[i], failed[i] = c.judgeFile(ctx, data, name)
				return ctx.Err()
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
		for i, name := range batch {
			c.count(name)
			if failed[i] != nil {
				troubles = append(troubles, failed[i])
			}
			if err := c.print(found[i]); err != nil {
				return nil, err
			}
		}
		c.progress.show("judged %d of %d files: %d errors, %d warnings", c.summary.Files, len(data.paths), c.summary.Errors, c.summary.Warnings)
	}
	return troubles, nil
}

func (c *dataCheck) judgeFile(ctx context.Context, data *dataFolder, name string) ([]validation.FileFinding, error) {
	if why := data.files[name].unread; why != 0 {
		return []validation.FileFinding{c.rules.NotRead(name, why)}, nil
	}
	content, _, err := data.File(ctx, name)
	if err != nil {
		return nil, err
	}
	return c.rules.Recorded(name, content), nil
}

// count counts a file under its kind.
func (c *dataCheck) count(name string) {
	c.summary.Files++
	e, ok := registrydata.EntityFromPath(name)
	switch {
	case ok && e.Kind == registrydata.KindProvider:
		c.summary.Providers++
	case ok:
		c.summary.Modules++
	case strings.HasPrefix(name, "keys/"):
		c.summary.Keys++
	}
}

// judgeRepository judges what no file shows alone.
func (c *dataCheck) judgeRepository(ctx context.Context, data *dataFolder) ([]validation.FileFinding, error) {
	in := validation.Recorded{Entities: map[registrydata.Entity]bool{}, OwnAliases: c.ownAliases}
	for _, e := range data.entities() {
		in.Entities[e] = true
	}
	for _, name := range data.keyPaths() {
		armor, _, err := data.File(ctx, name)
		if err != nil {
			armor = nil // judgeFiles has said so; where it stands can be judged all the same
		}
		in.Keys = append(in.Keys, validation.KeyOnFile{Path: name, Armor: armor})
	}
	return c.rules.Repository(in), ctx.Err()
}

func (c *dataCheck) print(found []validation.FileFinding) error {
	for _, f := range found {
		c.tally(f)
		c.progress.clear()
		var err error
		if c.json {
			err = json.NewEncoder(c.out).Encode(f)
		} else {
			err = printFileFinding(c.out, f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func printFileFinding(w io.Writer, f validation.FileFinding) error {
	place := terminalText(f.File)
	if f.Line > 0 {
		place += fmt.Sprintf(":%d", f.Line)
	}
	where := ""
	if f.Where != "" {
		where = " (" + terminalText(f.Where) + ")"
	}
	_, err := fmt.Fprintf(w, "%s: %s %s%s: %s\n        %s\n", place, f.Severity, f.Code, where, terminalText(f.Message), terminalText(f.Fix))
	return err
}

func (c *dataCheck) tally(f validation.FileFinding) {
	switch f.Severity {
	case validation.Error:
		c.summary.Errors++
	case validation.Warning:
		c.summary.Warnings++
	}
	key := codeCount{Code: f.Code, Severity: f.Severity}
	n := c.counts[key]
	if n == nil {
		n = &codeCount{Code: f.Code, Severity: f.Severity}
		c.counts[key] = n
	}
	n.Findings++
	if c.last[key] != f.File {
		c.last[key] = f.File
		n.Files++
	}
}

func (c *dataCheck) printSummary() error {
	s := &c.summary
	s.Codes = []codeCount{}
	for _, n := range c.counts {
		s.Codes = append(s.Codes, *n)
	}
	slices.SortFunc(s.Codes, func(a, b codeCount) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Code, b.Code))
	})
	if c.json {
		return json.NewEncoder(c.out).Encode(map[string]*dataSummary{"summary": s})
	}
	_, err := fmt.Fprintf(c.out, "%d files (%d providers, %d modules, %d keys) in %.1f s: %d errors, %d warnings\n",
		s.Files, s.Providers, s.Modules, s.Keys, s.Seconds, s.Errors, s.Warnings)
	for _, n := range s.Codes {
		if err == nil {
			_, err = fmt.Fprintf(c.out, "  %-7s %-22s %6d in %d files\n", n.Severity, n.Code, n.Findings, n.Files)
		}
	}
	return err
}
