package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
)

// alertPlan is what has to be done about the alert of an entry.
type alertPlan struct {
	issue *Issue // nil: there is none
	text  string
	open  bool    // something is left to mend
	spare []Issue // more of the same, which two runs opened at once
}

func (p alertPlan) empty() bool {
	if len(p.spare) > 0 {
		return false
	}
	if p.issue == nil {
		return !p.open
	}
	return p.open && sameText(p.issue.Body, p.text)
}

// settleAlert makes the one alert about an entry say what a source now knows: it
// is opened, edited in place, or closed when no source has anything left.
// Conditions are all that the source has; those that it did not look at this
// time are marked as unchanged.
func (h *Handlers) settleAlert(ctx context.Context, e registrydata.Entity, repo registrydata.Repository, source templates.AlertSource, conditions []templates.AlertCondition) error {
	open, err := h.threads.AlertIssues(ctx)
	if err != nil {
		return err
	}
	return h.settleAlertAmong(ctx, open, e, repo, source, conditions)
}

// settleAlertAmong is settleAlert for whoever has read the open alerts already,
// beside something else. They are read once more only where something is to be
// written.
func (h *Handlers) settleAlertAmong(ctx context.Context, open []Issue, e registrydata.Entity, repo registrydata.Repository, source templates.AlertSource, conditions []templates.AlertCondition) error {
	a := templates.Alert{
		Site: h.site, Kind: kindOf(e), Address: e.String(), Repository: repo.String(),
		Source: source, Conditions: conditions,
	}
	if decideAlert(open, a).empty() {
		return nil
	}
	// Looks of several sources at one entry may run at once.
	defer h.alerts.lock(e.Path())()
	open, err := h.threads.AlertIssues(ctx)
	if err != nil {
		return err
	}
	if err := h.applyAlert(ctx, a, decideAlert(open, a)); err != nil {
		return fmt.Errorf("alert about %s %s: %w", e.Kind, e, err)
	}
	return nil
}

// decideAlert finds the entry's alert among the open ones, and what it should say.
func decideAlert(open []Issue, a templates.Alert) alertPlan {
	var p alertPlan
	marker := templates.AlertMarker(a.Kind, a.Address)
	for _, issue := range open {
		switch {
		case !templates.HasMarker(issue.Body, marker):
		case p.issue == nil:
			p.issue, a.Before = &issue, issue.Body
		default:
			p.spare = append(p.spare, issue)
		}
	}
	p.text, p.open = templates.AlertBody(a)
	return p
}

func (h *Handlers) applyAlert(ctx context.Context, a templates.Alert, p alertPlan) error {
	if p.issue != nil && !p.empty() {
		if err := h.decisions.record(ctx, alertDecision(a, p)); err != nil {
			return err
		}
	}
	for _, s := range p.spare {
		settled, _ := templates.AlertBody(templates.Alert{Site: a.Site, Kind: a.Kind, Address: a.Address, Repository: a.Repository})
		if err := h.closeAlert(ctx, s.Number, settled, "not_planned"); err != nil {
			return err
		}
	}
	switch {
	case p.issue == nil && p.open:
		return h.openAlert(ctx, a, p)
	case p.issue == nil:
		return nil
	case !p.open:
		return h.closeAlert(ctx, p.issue.Number, p.text, "completed")
	case sameText(p.issue.Body, p.text):
		return nil
	}
	return h.threads.EditIssue(ctx, p.issue.Number, IssueEdit{Body: &p.text})
}

func (h *Handlers) closeAlert(ctx context.Context, number int, text, reason string) error {
	closed := "closed"
	return h.threads.EditIssue(ctx, number, IssueEdit{Body: &text, State: &closed, StateReason: &reason})
}

// openAlert opens the alert, unless a person has closed one that said the same:
// that was their answer.
func (h *Handlers) openAlert(ctx context.Context, a templates.Alert, p alertPlan) error {
	closed, err := h.threads.ClosedAlerts(ctx)
	if err != nil {
		return err
	}
	marker := templates.AlertMarker(a.Kind, a.Address)
	if slices.ContainsFunc(closed, func(i Issue) bool {
		return templates.HasMarker(i.Body, marker) && templates.AlertParts(i.Body) == templates.AlertParts(p.text)
	}) {
		return nil
	}
	if err := h.decisions.record(ctx, alertDecision(a, p)); err != nil {
		return err
	}
	_, err = h.threads.CreateIssue(ctx, templates.AlertTitle(a), p.text, []string{forge.AlertLabel})
	return err
}

// alertedEntity is the entry that an issue of this App is the alert of.
func (h *Handlers) alertedEntity(issue Issue) (registrydata.Entity, bool) {
	line, _, _ := strings.Cut(issue.Body, "\n")
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), "<!-- registrar:"+templates.MarkerAlert+" ")
	key, ended := strings.CutSuffix(rest, " -->")
	kind, address, named := strings.Cut(key, "=")
	if !ok || !ended || !named || !strings.EqualFold(issue.Author, h.site.BotLogin) || !slices.Contains(issue.Labels, forge.AlertLabel) {
		return registrydata.Entity{}, false
	}
	return entityNamed(kind, address)
}

// entityNamed is the entity of a kind's word and an address.
func entityNamed(kind, address string) (registrydata.Entity, bool) {
	switch kind {
	case registrydata.KindProvider.String():
		a, err := registrydata.ParseProviderAddress(address)
		return a.Entity(), err == nil
	case registrydata.KindModule.String():
		a, err := registrydata.ParseModuleAddress(address)
		return a.Entity(), err == nil
	}
	return registrydata.Entity{}, false
}

// keyedLock lets one run at a time work on what has a name.
type keyedLock struct {
	// across does the same over all processes; nil where there is one.
	across func(name string) (unlock func())

	mu   sync.Mutex
	held map[string]*waitedLock
}

type waitedLock struct {
	mu      sync.Mutex
	waiting int
}

// lock waits for its turn and returns what ends it.
func (l *keyedLock) lock(name string) (unlock func()) {
	l.mu.Lock()
	if l.held == nil {
		l.held = map[string]*waitedLock{}
	}
	one := l.held[name]
	if one == nil {
		one = &waitedLock{}
		l.held[name] = one
	}
	one.waiting++
	l.mu.Unlock()
	one.mu.Lock()
	elsewhere := func() {}
	if l.across != nil {
		elsewhere = l.across(name)
	}
	return func() {
		elsewhere()
		one.mu.Unlock()
		l.mu.Lock()
		defer l.mu.Unlock()
		if one.waiting--; one.waiting == 0 {
			delete(l.held, name)
		}
	}
}
