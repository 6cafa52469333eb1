package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/sandbox"
	"github.com/tofu-registrar/registrar/sandbox/sandboxtest"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// realSubmission is an issue that someone really filed.
type realSubmission struct {
	name, title, author, body string
	labels                    []string
}

// readSubmissions reads the shared folder of real submissions.
func readSubmissions(t *testing.T) []realSubmission {
	files, err := filepath.Glob(filepath.Join(testdata.Shared(t), "issues", "*.md"))
	if err != nil || len(files) < 40 {
		t.Fatalf("%d real submissions, %v", len(files), err)
	}
	var all []realSubmission
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		head, body, _ := strings.Cut(string(text), "<!-- BODY BELOW -->\n")
		body, _, _ = strings.Cut(body, "<!-- END BODY -->")
		s := realSubmission{name: strings.TrimSuffix(filepath.Base(file), ".md"), body: body}
		for line := range strings.SplitSeq(head, "\n") {
			key, value, _ := strings.Cut(line, ": ")
			value = strings.Trim(value, `'"`)
			switch key {
			case "title":
				s.title = value
			case "author":
				s.author = value
			case "labels":
				for l := range strings.SplitSeq(strings.Trim(value, "[]"), ", ") {
					if l != "-" {
						s.labels = append(s.labels, l)
					}
				}
			}
		}
		all = append(all, s)
	}
	return all
}

// TestRealSubmissions plays every real submission, with LF and with CRLF as
// GitHub delivers them: where its form is right, the repository is made with a
// release, and it must end as a pull request with a green check; where it is
// not, as a comment that says so; what is no submission gets no answer.
func TestRealSubmissions(t *testing.T) {
	submissions := readSubmissions(t)
	for _, ends := range []string{"\n", "\r\n"} {
		t.Run(fmt.Sprintf("%q", ends), func(t *testing.T) {
			t.Parallel()
			w, err := newWorld(t.Context(), worldOptions{observe: func(s *sandbox.Server) { sandboxtest.Watch(t, s) }})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = w.Close() })
			key, err := actors.NewSigningKey("Author", "author@example.org", 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range submissions {
				s.body = strings.ReplaceAll(s.body, "\n", ends)
				if err := w.playReal(t.Context(), s, key); err != nil {
					t.Errorf("%s: %v", s.name, err)
				}
			}
		})
	}
}

// playReal files one real submission and waits for what must become of it.
func (w *world) playReal(ctx context.Context, s realSubmission, key *actors.SigningKey) error {
	author, err := w.signUp(s.author)
	if err != nil {
		return err
	}
	sub, findings := validation.ReadSubmission(templates.ParseIssue(s.title, s.labels, s.body))
	right := !validation.HasErrors(findings) && len(sub.Candidates) > 0
	if right {
		if err := w.makeSubmitted(ctx, author, actors.Repo{Owner: sub.Candidates[0].Owner, Name: sub.Candidates[0].Name}, sub, key); err != nil {
			return err
		}
	}
	issue, err := author.OpenIssue(ctx, w.metadata, s.title, s.body, s.labels...)
	if err != nil {
		return err
	}
	switch {
	case right:
		_, err = w.waitPull(ctx, fmt.Sprintf("submission/issue-%d", issue), issue)
		return err
	case sub.Kind == validation.KindNone:
		if err := w.Idle(ctx); err != nil {
			return err
		}
		comments, err := w.maintainer.Comments(ctx, w.metadata, issue)
		if len(comments) > 0 {
			return fmt.Errorf("got an answer: %s", comments[0])
		}
		return err
	}
	return actors.Until(ctx, patience, "a comment", func(ctx context.Context) (bool, error) {
		comments, err := w.maintainer.Comments(ctx, w.metadata, issue)
		return len(comments) == 1, err
	})
}

// signUp makes an account.
func (w *world) signUp(login string) (*actors.Person, error) {
	user := w.github.AddUser(login)
	return actors.New(w.github.URL(), login, user.Token)
}

// makeSubmitted makes the repository that is submitted, with one version. Its
// owner is the author or an organization of theirs.
func (w *world) makeSubmitted(ctx context.Context, author *actors.Person, repo actors.Repo, sub validation.Submission, key *actors.SigningKey) error {
	if !strings.EqualFold(repo.Owner, author.Login) {
		w.github.AddOrganization(repo.Owner, sandbox.Member{Login: author.Login, Role: "admin"})
	}
	if err := author.CreateRepository(ctx, repo); err != nil {
		return err
	}
	if sub.Kind == validation.KindModule {
		return author.Tag(ctx, repo, "v1.0.0")
	}
	name := strings.TrimPrefix(strings.ToLower(repo.Name), "terraform-provider-")
	return author.PublishProvider(ctx, repo, actors.ProviderRelease{Name: name, Version: "1.0.0", Key: key})
}
