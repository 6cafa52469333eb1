package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/internal/actors"
)

// The cast of the demo. The provider and its key are Ada's, the module is
// Marcel's; Grace maintains the registry.
const (
	demoNamespace = "acme"
	demoProvider  = "acme/demo"
	demoModule    = "acme/greeting/demo"
	patience      = 30 * time.Second // for each thing that the bot does
)

var (
	providerRepo = actors.Repo{Owner: demoNamespace, Name: "terraform-provider-demo"}
	moduleRepo   = actors.Repo{Owner: demoNamespace, Name: "terraform-demo-greeting"}
)

// play is the whole loop, from an author's issue to init.
func (w *world) play(ctx context.Context, d *demoSteps) {
	key, err := actors.NewSigningKey("Acme", "releases@acme.example", 0)
	d.run("sandbox-ready", func() (string, error) {
		if err != nil {
			return "", err
		}
		return w.prepare(ctx, key)
	})
	w.playSubmission(ctx, d, act{
		name: "provider", by: w.author, title: "Provider: " + demoProvider, labels: []string{"provider", "submission"},
		body: "### Provider Repository\n\n" + providerRepo.String() + "\n",
		live: func(ctx context.Context) (bool, error) {
			return w.lists(ctx, "/v1/providers/"+demoProvider+"/versions", "1.0.0")
		},
	})
	w.playSubmission(ctx, d, act{
		name: "key", by: w.author, title: "Provider Key: " + demoNamespace, labels: []string{"provider-key", "submission"},
		body: keyForm(key),
		live: func(ctx context.Context) (bool, error) {
			return w.answers(ctx, "/v1/providers/"+demoProvider+"/1.0.0/download/linux/amd64", key.ID())
		},
	})
	w.playSubmission(ctx, d, act{
		name: "module", by: w.moduleAuthor, title: "Module: " + moduleRepo.String(), labels: []string{"module", "submission"},
		body: "### Module Repository\n\nhttps://github.com/" + moduleRepo.String() + "\n",
		live: func(ctx context.Context) (bool, error) {
			return w.lists(ctx, "/v1/modules/"+demoModule+"/versions", "1.0.0")
		},
	})
	w.playRelease(ctx, d, key)
	w.playClients(ctx, d, key)
}

// keyForm is the body that the key form makes.
func keyForm(key *actors.SigningKey) string {
	armor, err := key.Public()
	if err != nil {
		return ""
	}
	return "### Provider Namespace\n\n" + demoNamespace + "\n\n### Provider Name (Optional)\n\n_No response_\n\n" +
		"### Public Membership\n\n- [x] I have made my membership public\n\n### Provider GPG Key\n\n" + armor
}

// act is one submission of the demo.
type act struct {
	name   string
	by     *actors.Person
	title  string
	labels []string
	body   string
	live   func(context.Context) (bool, error)
}

// playSubmission is the life of a submission in four steps.
func (w *world) playSubmission(ctx context.Context, d *demoSteps, a act) {
	var issue, pull int
	d.run(a.name+"-submitted", func() (string, error) {
		n, err := a.by.OpenIssue(ctx, w.metadata, a.title, a.body, a.labels...)
		issue = n
		return fmt.Sprintf("%s opened issue #%d", a.by.Login, n), err
	})
	d.run(a.name+"-pull-request", func() (string, error) {
		n, err := w.waitPull(ctx, fmt.Sprintf("submission/issue-%d", issue), issue)
		pull = n
		return fmt.Sprintf("the bot commented, and opened pull request #%d with a green check", n), err
	})
	d.run(a.name+"-merged", func() (string, error) {
		return fmt.Sprintf("%s merged #%d", w.maintainer.Login, pull), w.maintainer.Merge(ctx, w.metadata, pull)
	})
	d.run(a.name+"-live", func() (string, error) {
		return "served at " + w.registryURL, actors.Until(ctx, patience, a.name+" live", a.live)
	})
}

// waitPull waits for an open pull request from the branch with a green check,
// and for a comment on the issue.
func (w *world) waitPull(ctx context.Context, branch string, issue int) (int, error) {
	number := 0
	err := actors.Until(ctx, patience, "pull request from "+branch, func(ctx context.Context) (bool, error) {
		pull, err := w.maintainer.PullFrom(ctx, w.metadata, branch)
		if err != nil || pull == nil {
			return false, err
		}
		number = pull.GetNumber()
		conclusion, err := w.maintainer.CheckConclusion(ctx, w.metadata, pull.GetHead().GetSHA())
		if err != nil || conclusion == "" {
			return false, err
		}
		if conclusion != "success" {
			return false, fmt.Errorf("the check of #%d says %s", number, conclusion)
		}
		comments, err := w.maintainer.Comments(ctx, w.metadata, issue)
		return len(comments) > 0, err
	})
	if errors.Is(err, actors.ErrTimeout) {
		if comments, cerr := w.maintainer.Comments(ctx, w.metadata, issue); cerr == nil && len(comments) > 0 {
			err = fmt.Errorf("%w; the bot said: %s", err, comments[0])
		}
	}
	return number, err
}

// playRelease publishes a second version of the provider and waits until it is
// served, signature and all: nobody touches anything in between.
func (w *world) playRelease(ctx context.Context, d *demoSteps, key *actors.SigningKey) {
	d.run("release-published", func() (string, error) {
		err := w.author.PublishProvider(ctx, providerRepo, actors.ProviderRelease{Name: "demo", Version: "1.1.0", Key: key})
		return w.author.Login + " published v1.1.0", err
	})
	d.run("release-live", func() (string, error) {
		return "1.1.0 is served", actors.Until(ctx, patience, "release live", func(ctx context.Context) (bool, error) {
			return w.lists(ctx, "/v1/providers/"+demoProvider+"/versions", "1.1.0")
		})
	})
}

// playClients runs the real clients, where there are any.
func (w *world) playClients(ctx context.Context, d *demoSteps, key *actors.SigningKey) {
	clients := findClients(w.caFile, w.dir)
	d.run("client-provider", func() (string, error) {
		return runClients(clients, func(c registryClient) (string, error) {
			out, err := c.init(ctx, "provider", providerConfiguration(w.host, demoProvider, "1.1.0"))
			if err == nil && !strings.Contains(out, key.ID()) {
				err = fmt.Errorf("%s did not name the signing key %s: %s", c.name, key.ID(), out)
			}
			return out, err
		})
	})
	d.run("client-module", func() (string, error) {
		return runClients(clients, func(c registryClient) (string, error) {
			return c.init(ctx, "module", moduleConfiguration(w.host, demoModule, "1.0.0"))
		})
	})
}

func runClients(clients []registryClient, run func(registryClient) (string, error)) (string, error) {
	if len(clients) == 0 {
		return skippedPrefix + "neither tofu nor terraform is on PATH", nil
	}
	var said []string
	for _, c := range clients {
		out, err := run(c)
		if err != nil {
			return "", err
		}
		said = append(said, c.name+": "+telling(out))
	}
	return strings.Join(said, " | "), nil
}

// prepare lets the authors publish what they will submit.
func (w *world) prepare(ctx context.Context, key *actors.SigningKey) (string, error) {
	if err := w.author.CreateRepository(ctx, providerRepo); err != nil {
		return "", err
	}
	if err := w.author.PublishProvider(ctx, providerRepo, actors.ProviderRelease{Name: "demo", Version: "1.0.0", Key: key}); err != nil {
		return "", err
	}
	if err := w.moduleAuthor.CreateRepository(ctx, moduleRepo); err != nil {
		return "", err
	}
	main := "variable \"name\" {\n  type    = string\n  default = \"world\"\n}\n\noutput \"greeting\" {\n  value = \"Hello, ${var.name}!\"\n}\n"
	if err := w.moduleAuthor.PutFile(ctx, moduleRepo, "main.tf", []byte(main)); err != nil {
		return "", err
	}
	if err := w.moduleAuthor.Tag(ctx, moduleRepo, "v1.0.0"); err != nil {
		return "", err
	}
	return "GitHub at " + w.github.URL() + ", registry at " + w.registryURL, nil
}

// lists tells whether a version list of the registry names a version.
func (w *world) lists(ctx context.Context, path, version string) (bool, error) {
	body, found, err := w.get(ctx, path)
	if err != nil || !found {
		return false, err
	}
	type versions struct {
		Versions []struct{ Version string }
	}
	var list struct {
		versions
		Modules []versions
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return false, fmt.Errorf("%s: %w", path, err)
	}
	for _, set := range append(list.Modules, list.versions) {
		for _, v := range set.Versions {
			if v.Version == version {
				return true, nil
			}
		}
	}
	return false, nil
}

// answers tells whether an answer of the registry holds a text.
func (w *world) answers(ctx context.Context, path, text string) (bool, error) {
	body, found, err := w.get(ctx, path)
	return found && strings.Contains(string(body), text), err
}

func (w *world) get(ctx context.Context, path string) (body []byte, found bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.registryURL+path, nil)
	if err != nil {
		return nil, false, err
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, false, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	return body, resp.StatusCode == http.StatusOK, err
}
