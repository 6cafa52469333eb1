package main

import (
	"context"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/sandbox"
	"github.com/tofu-registrar/registrar/sandbox/sandboxtest"
)

// TestStories plays the stories of testdata/script: people do things on GitHub,
// and what they then see on GitHub and in the registry is compared. Each story
// has a world of its own.
func TestStories(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"world": storyWorld(t), "provider": storyProvider, "module": storyModule, "repository": storyRepository,
			"issue": storyIssue, "say": storySay, "pull": storyPull, "keyfile": storyKeyFile,
			"expect": storyExpect, "quiet": storyQuiet, "run": storyRun,
			"github": storyGitHub, "asset": storyAsset, "tags": storyTags, "repeat": storyRepeat, "forget": storyForget, "push": storyPush,
			"later": storyLater, "release": storyRelease, "tag": storyTag, "rules": storyRules, "look": storyLook, "web": storyWeb, "registered": storyRegistered,
			"decided": storyDecided, "rights": storyRights, "rephrase": storyRephrase,
			"replace": storyReplace, "old": storyOld, "fill": storyFill, "put": storyPut, "untag": storyUntag, "retag": storyRetag,
		},
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Values[storyKey{}] = &story{keys: map[string]*actors.SigningKey{}}
			return nil
		},
	})
}

type storyKey struct{}

// story is the world of a running script.
type story struct {
	*world
	log  *tail        // of the bot and its GitHub
	late atomic.Int64 // nanoseconds by which the bot's clock is ahead
	// held are the files that were left out of a release, by name, by
	// "owner/name tag".
	held    map[string]map[string][]byte
	commits int // of storyTag
	keys    map[string]*actors.SigningKey
}

const storyPatience = 20 * time.Second

func theStory(ts *testscript.TestScript) *story {
	s := ts.Value(storyKey{}).(*story)
	if s.world == nil {
		ts.Fatalf("a story begins with: world")
	}
	return s
}

func (s *story) person(ts *testscript.TestScript, login string) *actors.Person {
	for _, p := range []*actors.Person{s.author, s.moduleAuthor, s.maintainer, s.stranger} {
		if p.Login == login {
			return p
		}
	}
	ts.Fatalf("nobody is called %s", login)
	return nil
}

// key is the signing key of that name, made at first use.
func (s *story) key(ts *testscript.TestScript, name string) *actors.SigningKey {
	if name == "" {
		return nil
	}
	if s.keys[name] == nil {
		k, err := actors.NewSigningKey(name, name+"@example.org", 0)
		ts.Check(err)
		s.keys[name] = k
	}
	return s.keys[name]
}

// words splits key=value words from the others.
func words(args []string) (plain []string, set map[string]string) {
	set = map[string]string{}
	for _, a := range args {
		if k, v, ok := strings.Cut(a, "="); ok {
			set[k] = v
			continue
		}
		plain = append(plain, a)
	}
	return plain, set
}

func repo(ts *testscript.TestScript, name string) actors.Repo {
	owner, repo, ok := strings.Cut(name, "/")
	if !ok {
		ts.Fatalf("%q is no owner/name", name)
	}
	return actors.Repo{Owner: owner, Name: repo}
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}

// storyWorld: world [merge=…] [releases=…] [impatient] [looks]
// An impatient world's jobs are tried three times in a moment.
//
// Every exchange with its GitHub is held against GitHub's own description.
func storyWorld(t *testing.T) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		plain, set := words(args)
		var options []Option
		if slices.Contains(plain, "impatient") {
			options = append(options, WithRetries(time.Millisecond, time.Millisecond))
		}
		s := ts.Value(storyKey{}).(*story)
		options = append(options, WithClock(func() time.Time { return time.Now().Add(time.Duration(s.late.Load())) }))
		log, text := tailedLog(slog.LevelWarn)
		w, err := newWorld(context.Background(), worldOptions{
			options: options, merge: set["merge"], releases: set["releases"], log: log, look: storyLooks(plain),
			observe: func(s *sandbox.Server) { sandboxtest.Watch(t, s) },
		})
		ts.Check(err)
		ts.Defer(func() {
			if err := w.Close(); err != nil {
				ts.Logf("end of the world: %v", err)
			}
		})
		s.world, s.log = w, text
	}
}

// storyLog is silent unless REGISTRAR_TEST_LOG asks for a level.
func storyLog() *slog.Logger {
	log, _ := tailedLog(slog.LevelError + 1)
	return log
}

// tailedLog keeps what is logged from a level on, and shows what
// REGISTRAR_TEST_LOG asks for.
func tailedLog(level slog.Level) (*slog.Logger, *tail) {
	text := &tail{}
	var shown slog.Level
	if shown.UnmarshalText([]byte(os.Getenv("REGISTRAR_TEST_LOG"))) == nil {
		text.also, level = os.Stderr, min(level, shown)
	}
	return slog.New(slog.NewTextHandler(text, &slog.HandlerOptions{Level: level})), text
}

// storyRepository: repository PERSON OWNER/NAME makes one; with a word more it
// is changed: rename NAME, transfer OWNER, private, public, archive, delete.
func storyRepository(ts *testscript.TestScript, neg bool, args []string) {
	ctx, p, r := context.Background(), theStory(ts).person(ts, args[0]), repo(ts, args[1])
	do := ""
	if len(args) > 2 {
		do = args[2]
	}
	switch do {
	case "":
		ts.Check(p.CreateRepository(ctx, r))
	case "rename":
		ts.Check(p.Rename(ctx, r, args[3]))
	case "transfer":
		ts.Check(p.Transfer(ctx, r, args[3]))
	case "private", "public":
		ts.Check(p.SetPrivate(ctx, r, do == "private"))
	case "archive":
		ts.Check(p.Archive(ctx, r))
	case "delete":
		ts.Check(p.DeleteRepository(ctx, r))
	default:
		ts.Fatalf("a repository cannot %s", do)
	}
}

// storyProvider: provider PERSON OWNER/NAME VERSION [key=NAME] [fault=KIND]
// publishes a release; the repository is there already.
func storyProvider(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	plain, set := words(args)
	r := repo(ts, plain[1])
	rel := actors.ProviderRelease{
		Name: strings.TrimPrefix(strings.ToLower(r.Name), "terraform-provider-"), Version: plain[2],
		Key: s.key(ts, set["key"]), Platforms: []string{"linux_amd64", "linux_riscv64"},
		Change: s.holdBack(r.String()+" v"+plain[2], releaseFault(ts, set["fault"])),
	}
	if set["fault"] == "bomb" {
		rel.Program = make([]byte, 100<<20)
	}
	ts.Check(s.person(ts, plain[0]).PublishProvider(context.Background(), r, rel))
}

// releaseFault makes the mistakes that authors make.
func releaseFault(ts *testscript.TestScript, kind string) func(map[string][]byte) {
	named := func(files map[string][]byte, suffix string) string {
		for name := range files {
			if strings.HasSuffix(name, suffix) {
				return name
			}
		}
		ts.Fatalf("no file ends with %s", suffix)
		return ""
	}
	switch kind {
	case "":
		return nil
	case "blank-line":
		return func(f map[string][]byte) { n := named(f, "SHA256SUMS"); f[n] = append(f[n], '\n') }
	case "no-sums":
		return func(f map[string][]byte) { delete(f, named(f, "SHA256SUMS")) }
	case "other-zip":
		return func(f map[string][]byte) { n := named(f, "linux_amd64.zip"); f[n] = append(f[n], 'x') }
	case "no-sig":
		return func(f map[string][]byte) { delete(f, named(f, ".sig")) }
	case "no-zip":
		return func(f map[string][]byte) { delete(f, named(f, "linux_amd64.zip")) }
	case "bomb":
		return nil // the program is what swells
	case "armored":
		return func(f map[string][]byte) {
			f[named(f, ".sig")] = []byte("-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n")
		}
	}
	if change := strangeForms[kind]; change.to != nil {
		return func(f map[string][]byte) { n := named(f, change.file); f[n] = change.to(f[n]) }
	}
	ts.Fatalf("unknown fault %q", kind)
	return nil
}

// storyModule: module PERSON OWNER/NAME TAG…
func storyModule(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	for _, tag := range args[2:] {
		ts.Check(s.person(ts, args[0]).Tag(context.Background(), repo(ts, args[1]), tag))
	}
}

// storyIssue: issue PERSON open FILE TITLE [LABELS], edit N FILE, close N, reopen N
func storyIssue(ts *testscript.TestScript, neg bool, args []string) {
	s, ctx := theStory(ts), context.Background()
	p := s.person(ts, args[0])
	switch args[1] {
	case "open":
		var labels []string
		if len(args) > 4 {
			labels = strings.Split(args[4], ",")
		}
		n, err := p.OpenIssue(ctx, s.metadata, args[3], s.text(ts, args[2]), labels...)
		ts.Check(err)
		ts.Setenv("ISSUE", strconv.Itoa(n))
	case "edit":
		n := number(ts, args[2])
		issue, err := p.Issue(ctx, s.metadata, n)
		ts.Check(err)
		ts.Check(p.EditIssue(ctx, s.metadata, n, issue.GetTitle(), s.text(ts, args[3])))
	case "close":
		ts.Check(p.SetIssueState(ctx, s.metadata, number(ts, args[2]), "closed"))
	case "reopen":
		ts.Check(p.SetIssueState(ctx, s.metadata, number(ts, args[2]), "open"))
	default:
		ts.Fatalf("issue cannot %s", args[1])
	}
}

// text is a file of the story; KEY(name) and PRIVATE(name) stand for key blocks.
func (s *story) text(ts *testscript.TestScript, file string) string {
	body := ts.ReadFile(file)
	return regexp.MustCompile(`(KEY|PRIVATE)\((\w+)\)`).ReplaceAllStringFunc(body, func(m string) string {
		kind, name, _ := strings.Cut(strings.TrimSuffix(m, ")"), "(")
		block, err := s.key(ts, name).Public()
		if kind == "PRIVATE" {
			block, err = s.key(ts, name).Private()
		}
		ts.Check(err)
		return block
	})
}

// storySay: say PERSON N TEXT; sets $COMMENT
func storySay(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	id, err := s.person(ts, args[0]).Comment(context.Background(), s.metadata, number(ts, args[1]), args[2])
	ts.Check(err)
	ts.Setenv("COMMENT", strconv.FormatInt(id, 10))
}

// storyPull: pull PERSON merge|close|approve N, or propose TITLE PATH FILE…:
// a pull request from a fork that writes files; sets $PULL.
func storyPull(ts *testscript.TestScript, neg bool, args []string) {
	s, ctx := theStory(ts), context.Background()
	p := s.person(ts, args[0])
	if args[1] == "propose" {
		s.propose(ts, p, args[2:])
		return
	}
	n := number(ts, args[2])
	var err error
	switch args[1] {
	case "merge":
		err = p.Merge(ctx, s.metadata, n)
	case "close":
		err = p.ClosePull(ctx, s.metadata, n)
	case "approve":
		err = p.Approve(ctx, s.metadata, n)
	default:
		ts.Fatalf("pull cannot %s", args[1])
	}
	if neg == (err == nil) {
		ts.Fatalf("pull %s: %v", args[1], err)
	}
}

func (s *story) propose(ts *testscript.TestScript, p *actors.Person, args []string) {
	ctx := context.Background()
	fork, err := p.Fork(ctx, s.metadata)
	ts.Check(err)
	for i := 1; i+1 < len(args); i += 2 {
		ts.Check(p.PutFile(ctx, fork, args[i], []byte(s.text(ts, args[i+1]))))
	}
	n, err := p.OpenPull(ctx, s.metadata, fork, args[0], "Please.")
	ts.Check(err)
	ts.Setenv("PULL", strconv.Itoa(n))
}

// storyForget: forget PERSON PATH proposes a data file without the remembered id
// of its repository; sets $PULL.
func storyForget(ts *testscript.TestScript, neg bool, args []string) {
	s, ctx := theStory(ts), context.Background()
	p := s.person(ts, args[0])
	body, err := p.File(ctx, s.metadata, args[1])
	ts.Check(err)
	fork, err := p.Fork(ctx, s.metadata)
	ts.Check(err)
	ts.Check(p.PutFile(ctx, fork, args[1], []byte(regexp.MustCompile(`,\s*"repository_id": \d+`).ReplaceAllString(body, ""))))
	n, err := p.OpenPull(ctx, s.metadata, fork, "Forget the id", "Known to be rightful.")
	ts.Check(err)
	ts.Setenv("PULL", strconv.Itoa(n))
}

// storyKeyFile: keyfile NAME FILE writes a public key to a file.
func storyKeyFile(ts *testscript.TestScript, neg bool, args []string) {
	block, err := theStory(ts).key(ts, args[0]).Public()
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(block), 0o600))
}

// storyExpect waits until something can be seen:
//
//	expect comment N REGEXP     the bot's comment on an issue
//	expect pull BRANCH STATE    open, closed or merged; sets $PULL
//	expect check BRANCH CONCLUSION
//	expect verdict N CONCLUSION REGEXP   the check of a pull request
//	expect issue N STATE        open or closed
//	expect label N LABEL
//	expect body N REGEXP        the text of an issue
//	expect live PATH REGEXP     an answer of the registry
//	expect gone PATH            no answer of the registry
//	expect alert STATE REGEXP   the newest alert, open or closed
//	expect main PATH REGEXP     a file of the metadata branch
//	expect log REGEXP           a warning or an error in the bot's log
//	expect metric REGEXP        a figure of the bot
//
// With ! before it, it waits until all is idle and then must not see it.
func storyExpect(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	ctx := context.Background()
	var last string
	ask := func(ctx context.Context) (bool, error) {
		ok, saw, err := s.sees(ctx, ts, args)
		last = saw
		return ok, err
	}
	if neg {
		s.idle(ts)
		if ok, err := ask(ctx); err != nil || ok {
			ts.Fatalf("did not expect %q: %v, saw %s", args, err, last)
		}
		return
	}
	if err := actors.Until(ctx, storyPatience, strings.Join(args, " "), ask); err != nil {
		ts.Fatalf("%v; saw %s", err, last)
	}
}

func (s *story) sees(ctx context.Context, ts *testscript.TestScript, args []string) (bool, string, error) {
	what, rest := args[0], args[1:]
	switch what {
	case "comment":
		comments, err := s.maintainer.Comments(ctx, s.metadata, number(ts, rest[0]))
		return matches(rest[1], strings.Join(comments, "\n")), strings.Join(comments, "\n"), err
	case "pull", "check":
		return s.seesPull(ctx, ts, what, rest[0], rest[1])
	case "verdict":
		conclusion, text, err := s.maintainer.PullCheck(ctx, s.metadata, number(ts, rest[0]))
		return conclusion == rest[1] && matches(rest[2], text), conclusion + ": " + text, err
	case "issue", "label", "body":
		return s.seesIssue(ctx, ts, what, number(ts, rest[0]), rest[1])
	case "live", "gone":
		body, found, err := s.get(ctx, rest[0])
		if what == "gone" {
			return !found, string(body), err
		}
		return found && matches(rest[1], string(body)), string(body), err
	case "alert":
		if len(rest) == 2 {
			return s.seesNewestAlert(ctx, ts, rest[0], rest[1])
		}
		return s.seesAlert(ctx, rest[0], rest[1])
	case "main":
		body, err := s.maintainer.File(ctx, s.metadata, rest[0])
		return matches(rest[1], body), body, err
	case "log":
		text := s.log.String()
		return matches(rest[0], text), text, nil
	case "metric":
		text, err := s.figures(ctx)
		return matches(rest[0], text), text, err
	}
	ts.Fatalf("cannot expect %s", what)
	return false, "", nil
}

func (s *story) seesPull(ctx context.Context, ts *testscript.TestScript, what, branch, want string) (bool, string, error) {
	pull, err := s.maintainer.PullFrom(ctx, s.metadata, branch)
	if err != nil || pull == nil {
		return false, "no pull request", err
	}
	ts.Setenv("PULL", strconv.Itoa(pull.GetNumber()))
	if what == "check" {
		conclusion, err := s.maintainer.CheckConclusion(ctx, s.metadata, pull.GetHead().GetSHA())
		return conclusion == want, conclusion, err
	}
	state := pull.GetState()
	if pull.MergedAt != nil {
		state = "merged"
	}
	return state == want, state, nil
}

func (s *story) seesIssue(ctx context.Context, ts *testscript.TestScript, what string, n int, want string) (bool, string, error) {
	issue, err := s.maintainer.Issue(ctx, s.metadata, n)
	if err != nil {
		return false, "", err
	}
	switch what {
	case "body":
		return matches(want, issue.GetBody()), issue.GetBody(), nil
	case "label":
		var names []string
		for _, l := range issue.Labels {
			names = append(names, l.GetName())
		}
		return matches("(^|,)"+want+"(,|$)", strings.Join(names, ",")), strings.Join(names, ","), nil
	}
	return issue.GetState() == want, issue.GetState(), nil
}

// seesAlert reads the newest issue that bears the label of alerts.
func (s *story) seesAlert(ctx context.Context, state, want string) (bool, string, error) {
	all, err := s.maintainer.IssuesWith(ctx, s.metadata, forge.AlertLabel)
	if err != nil || len(all) == 0 {
		return false, "no alert", err
	}
	return all[0].GetState() == state && matches(want, all[0].GetBody()), all[0].GetState() + ": " + all[0].GetBody(), nil
}

func matches(expr, text string) bool { return regexp.MustCompile("(?s)" + expr).MatchString(text) }

// idle waits until GitHub has delivered everything and the bot has done it.
func (s *story) idle(ts *testscript.TestScript) {
	ctx, cancel := context.WithTimeout(context.Background(), storyPatience)
	defer cancel()
	ts.Check(s.world.Idle(ctx))
}

// storyRun: run KEY… enqueues keys, as the sweep does.
func storyRun(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	s.idle(ts)
	for _, key := range args {
		ts.Check(s.bot.Queue.Enqueue(context.Background(), handlers.Key(strings.ReplaceAll(key, "_", " "))))
	}
}
