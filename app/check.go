package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// mostInput is how much of a file or of standard input check reads, in bytes:
// more than GitHub takes in an issue or than any key has.
const mostInput = 8 << 20

// checkCommand judges what authors submit by the bot's own rules.
func checkCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Judge a submission before you send it, with the rules of the bot",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(checkIssueCommand(env), checkKeyCommand(), checkRepositoryCommand(env), checkDataCommand(env))
	return cmd
}

// checkOptions are the flags of the checks that look at GitHub.
type checkOptions struct {
	title, author, data, webURL, apiURL string
	labels                              []string
	offline, json                       bool
}

func (o *checkOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.json, "json", false, "print the verdict as one JSON object")
	f.StringVar(&o.author, "author", "", "GitHub login of who submits: a key needs it")
	f.StringVar(&o.data, "data", "", "a checkout of the metadata repository, to know what is registered")
	f.StringVar(&o.webURL, "web-url", forge.DefaultWebURL, "GitHub's web address")
	f.StringVar(&o.apiURL, "api-url", forge.DefaultAPIURL, "GitHub's API address")
}

func checkIssueCommand(env *environment) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "issue FILE|-",
		Short: "Judge the text of a submission's issue",
		Long: "Judge the text of a submission's issue, as the form makes it.\n\n" +
			"Exit status: 0 accepted (or no submission at all), 1 something is wrong, 2 wrong usage, 3 we could not look.\n" +
			"GITHUB_TOKEN, if set, is used to read GitHub.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := readInput(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			issue := handlers.Issue{Title: o.title, Labels: o.labels, Body: string(body), Author: o.author, Created: time.Now()}
			return o.judge(cmd, issue, env.getenv)
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&o.title, "title", "", "the issue's title")
	cmd.Flags().StringSliceVar(&o.labels, "labels", nil, "the issue's labels, separated by commas")
	cmd.Flags().BoolVar(&o.offline, "offline", false, "judge only what needs no network")
	return cmd
}

func checkRepositoryCommand(env *environment) *cobra.Command {
	var o checkOptions
	cmd := &cobra.Command{
		Use:   "repository OWNER/NAME",
		Short: "Judge a repository and its releases as if it were submitted",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			form := "### Module Repository"
			if strings.Contains(args[0], "terraform-provider-") {
				form = "### Provider Repository"
			}
			body := form + "\n\n" + args[0] + "\n"
			return o.judge(cmd, handlers.Issue{Body: body, Author: o.author, Created: time.Now()}, env.getenv)
		},
	}
	o.flags(cmd)
	return cmd
}

// judge prints the verdict on an issue.
func (o checkOptions) judge(cmd *cobra.Command, issue handlers.Issue, getenv func(string) string) error {
	report, err := o.report(cmd.Context(), issue, getenv)
	if err != nil {
		return err
	}
	return printReport(cmd.OutOrStdout(), report, o.json)
}

func (o checkOptions) report(ctx context.Context, issue handlers.Issue, getenv func(string) string) (validation.Report, error) {
	if o.offline {
		answers := templates.ParseIssue(issue.Title, issue.Labels, issue.Body)
		_, report := validation.JudgeOffline(answers, time.Now())
		return report, nil
	}
	authors, err := forge.AnonymousAuthors(o.webURL, o.apiURL, getenv("GITHUB_TOKEN"))
	if err != nil {
		return validation.Report{}, err
	}
	snapshots, err := openFolder(o.data)
	if err != nil {
		return validation.Report{}, err
	}
	defer snapshots.Close()
	h := handlers.New(handlers.Options{Authors: authors, Snapshots: snapshots, WebURL: o.webURL})
	return h.Judge(ctx, issue)
}

// keyReport is the verdict on a key, with what is in it.
type keyReport struct {
	validation.Report
	Key *keyFacts `json:"key,omitempty"`
}

type keyFacts struct {
	ID          string     `json:"id"`
	Fingerprint string     `json:"fingerprint"`
	Algorithm   string     `json:"algorithm"`
	Created     time.Time  `json:"created"`
	Expires     *time.Time `json:"expires,omitempty"`
	UserIDs     []string   `json:"user_ids"`
}

func checkKeyCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "key FILE|-",
		Short: "Judge a public signing key",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			armor, err := readInput(cmd.InOrStdin(), args[0])
			if err != nil {
				return err
			}
			return printKeyReport(cmd.OutOrStdout(), judgeKeyFile(armor), asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the verdict as one JSON object")
	return cmd
}

func judgeKeyFile(armor []byte) keyReport {
	key, findings := validation.JudgeKeyMaterial(armor, time.Now())
	r := keyReport{Report: validation.Report{Kind: validation.KindProviderKey, Verdict: validation.Accept, Findings: findings}}
	if validation.HasErrors(findings) {
		r.Verdict = validation.NeedsChanges
	}
	if key.Fingerprint != "" {
		r.Key = &keyFacts{
			ID: key.KeyID, Fingerprint: key.Fingerprint, Algorithm: key.Algorithm,
			Created: key.Created, Expires: key.Expires, UserIDs: key.UserIDs,
		}
	}
	return r
}

func printKeyReport(w io.Writer, r keyReport, asJSON bool) error {
	r.Findings = listed(r.Findings)
	if asJSON {
		return printJSON(w, r, r.Findings)
	}
	if r.Key != nil {
		fmt.Fprintf(w, "key %s (%s), made on %s\n", r.Key.ID, r.Key.Algorithm, r.Key.Created.Format(time.DateOnly))
	}
	return printReport(w, r.Report, false)
}

// errFindings is the end of a check that found something wrong: the findings
// have been printed.
var errFindings = errors.New("something is wrong with the submission")

func printReport(w io.Writer, r validation.Report, asJSON bool) error {
	r.Findings = listed(r.Findings)
	if asJSON {
		return printJSON(w, r, r.Findings)
	}
	fmt.Fprintf(w, "%s: %s\n", r.Kind, r.Verdict)
	if r.Repository != "" {
		fmt.Fprintf(w, "repository %s\n", terminalText(r.Repository))
	}
	for _, f := range r.Findings {
		fmt.Fprintf(w, "%-7s %s", f.Severity, f.Code)
		if f.Field != "" {
			fmt.Fprintf(w, " (%s)", terminalText(f.Field))
		}
		fmt.Fprintf(w, ": %s\n", terminalText(f.Message))
		if f.Fix != "" {
			fmt.Fprintf(w, "        %s\n", terminalText(f.Fix))
		}
	}
	return foundErrors(r.Findings)
}

// listed makes no findings an empty list, which JSON shows as [].
func listed(findings []validation.Finding) []validation.Finding {
	if findings == nil {
		return []validation.Finding{}
	}
	return findings
}

func printJSON(w io.Writer, verdict any, findings []validation.Finding) error {
	if err := json.NewEncoder(w).Encode(verdict); err != nil {
		return err
	}
	return foundErrors(findings)
}

func foundErrors(findings []validation.Finding) error {
	if validation.HasErrors(findings) {
		return errFindings
	}
	return nil
}

// terminalText keeps a stranger's text from steering the terminal.
func terminalText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}

// readInput reads a file, or standard input for "-".
func readInput(stdin io.Reader, name string) ([]byte, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name) // #nosec G304 -- the file that the user names
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, mostInput+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(b) > mostInput {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, mostInput)
	}
	return b, nil
}
