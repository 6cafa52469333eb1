package handlers

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// board is the issues of a metadata repository, in memory. It counts writes.
type board struct {
	Threads
	mu     sync.Mutex
	issues []Issue
	writes int
}

func (b *board) list(open bool) []Issue {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Issue
	for _, i := range b.issues {
		if i.Open == open {
			out = append(out, i)
		}
	}
	return out
}

func (b *board) AlertIssues(context.Context) ([]Issue, error)  { return b.list(true), nil }
func (b *board) ClosedAlerts(context.Context) ([]Issue, error) { return b.list(false), nil }

func (b *board) CreateIssue(_ context.Context, title, body string, labels []string) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes++
	n := len(b.issues) + 1
	b.issues = append(b.issues, Issue{Number: n, Title: title, Body: body, Labels: labels, Open: true, Author: "registrar[bot]"})
	return n, nil
}

func (b *board) EditIssue(_ context.Context, number int, edit IssueEdit) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writes++
	i := &b.issues[number-1]
	if edit.Body != nil {
		i.Body = strings.ReplaceAll(*edit.Body, "\n", "\r\n") // as a browser would
	}
	if edit.State != nil {
		i.Open = *edit.State == "open"
	}
	return nil
}

var alertedDemo = registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}.Entity()

func condition(tag, message string) templates.AlertCondition {
	return templates.AlertCondition{Tag: tag, Author: "ada", Findings: []validation.Finding{
		{Code: "x", Severity: validation.Error, Message: message, Fix: "Mend it."}}}
}

func (b *board) settle(t *testing.T, h *Handlers, source templates.AlertSource, conditions ...templates.AlertCondition) {
	t.Helper()
	if err := h.settleAlert(t.Context(), alertedDemo, repositoryOf(alertedDemo), source, conditions); err != nil {
		t.Fatal(err)
	}
}

// TestAlert follows one alert through its life. Told the same once more it is
// never written to.
func TestAlert(t *testing.T) {
	b := &board{}
	h := New(Options{Threads: b, Site: templates.Site{BotLogin: "registrar[bot]"}})
	says := func(step string, writes, open int, want ...string) {
		t.Helper()
		alerts := b.list(true)
		if b.writes != writes || len(alerts) != open {
			t.Fatalf("%s: %d writes, %d open", step, b.writes, len(alerts))
		}
		for _, w := range want {
			if !strings.Contains(alerts[0].Body, w) {
				t.Errorf("%s: %q stands not in\n%s", step, w, alerts[0].Body)
			}
		}
	}
	b.settle(t, h, templates.AlertReleases)
	says("nothing to tell", 0, 0)
	for range 2 {
		b.settle(t, h, templates.AlertReleases, condition("v1.0.0", "It is no zip."))
		says("a release", 1, 1, "@ada", "It is no zip.")
	}
	for range 2 {
		b.settle(t, h, templates.AlertTags, condition("v0.9.0", "The tag moved."))
		says("a tag beside it", 2, 1, "@ada", "It is no zip.", "The tag moved.")
	}
	b.settle(t, h, templates.AlertReleases, condition("v1.1.0", "It is too large."), templates.AlertCondition{Tag: "v1.0.0", Unchanged: true})
	says("another release, the first not looked at", 3, 1, "It is no zip.", "It is too large.", "The tag moved.")
	b.settle(t, h, templates.AlertReleases)
	says("the releases are mended", 4, 1, "The tag moved.")
	for range 2 {
		b.settle(t, h, templates.AlertTags)
		says("all is mended", 5, 0)
	}
	b.settle(t, h, templates.AlertReleases, condition("v2.0.0", "It is no zip."))
	says("something new is a new issue", 6, 1, "v2.0.0")
	if e, ok := h.alertedEntity(b.issues[1]); !ok || e != alertedDemo {
		t.Errorf("the alert of %v %v", e, ok)
	}
}

// What a person closed stays closed while it says the same.
func TestAlertClosedByHand(t *testing.T) {
	b := &board{}
	h := New(Options{Threads: b})
	b.settle(t, h, templates.AlertReleases, condition("v1.0.0", "It is no zip."))
	b.issues[0].Open = false
	b.settle(t, h, templates.AlertReleases, condition("v1.0.0", "It is no zip."))
	if len(b.issues) != 1 {
		t.Fatalf("%d issues", len(b.issues))
	}
	b.settle(t, h, templates.AlertReleases, condition("v1.0.0", "It is no zip."), condition("v1.1.0", "It is no zip."))
	if len(b.issues) != 2 {
		t.Fatalf("%d issues", len(b.issues))
	}
}

// Several sources at once make one alert, and one that was opened twice is one
// again.
func TestAlertAtOnce(t *testing.T) {
	b := &board{}
	h := New(Options{Threads: b})
	sources := []templates.AlertSource{templates.AlertReleases, templates.AlertTags, templates.AlertRecorded, templates.AlertRepository}
	_, err := each(t.Context(), sources, func(ctx context.Context, s templates.AlertSource) (struct{}, error) {
		return struct{}{}, h.settleAlert(ctx, alertedDemo, repositoryOf(alertedDemo), s, []templates.AlertCondition{condition("v1.0.0", "Told by "+string(s)+".")})
	})
	if err != nil || len(b.issues) != 1 || strings.Count(b.issues[0].Body, "Told by") != len(sources) {
		t.Fatalf("%v, %+v", err, b.issues)
	}
	_, _ = b.CreateIssue(t.Context(), "twice", b.issues[0].Body, nil)
	b.settle(t, h, templates.AlertReleases)
	if open := b.list(true); len(open) != 1 || open[0].Number != 1 || strings.Contains(open[0].Body, "releases.") {
		t.Errorf("%+v", open)
	}
}

// Only the App's own issues are alerts, whatever others write.
func TestAlertIsOwn(t *testing.T) {
	h := New(Options{Site: templates.Site{BotLogin: "registrar[bot]"}})
	body := templates.AlertMarker(validation.KindProvider, "acme/demo") + "\ntext"
	own := Issue{Author: "registrar[bot]", Body: body, Labels: []string{forge.AlertLabel}}
	if _, ok := h.alertedEntity(own); !ok {
		t.Fatal("it is the App's own")
	}
	for name, change := range map[string]func(*Issue){
		"someone else's":               func(i *Issue) { i.Author = "mallory" },
		"without its label":            func(i *Issue) { i.Labels = nil },
		"of nothing":                   func(i *Issue) { i.Body = templates.AlertMarker("key", "acme") },
		"with the marker in its midst": func(i *Issue) { i.Body = "x\n" + body },
	} {
		i := own
		if change(&i); func() bool { _, ok := h.alertedEntity(i); return ok }() {
			t.Errorf("an issue %s is an alert", name)
		}
	}
}
