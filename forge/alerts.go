package forge

import (
	"context"
	"fmt"
	"net/url"
	"slices"
)

// AlertLabel is the label of the issues in which the App tells what there is to
// mend of something registered.
const AlertLabel = "registry-alert"

// AlertIssues are the open alerts of this App, oldest first. An unchanged list
// costs no quota.
// (GET /repos/{owner}/{repo}/issues)
func (m *Metadata) AlertIssues(ctx context.Context) ([]Issue, error) {
	query := url.Values{"state": {"open"}, "labels": {AlertLabel}, "sort": {"created"}, "direction": {"asc"}}
	alerts, err := m.alerts(ctx, query, maxIssues)
	if err != nil {
		return nil, err
	}
	// GitHub's list lags behind what this process opened a moment ago.
	for _, a := range m.opened.all(func(a issueAnswer) bool { return a.labeled(AlertLabel) }) {
		if !slices.ContainsFunc(alerts, func(i Issue) bool { return i.Number == a.Number }) {
			alerts = append(alerts, a.issue())
		}
	}
	return alerts, nil
}

// ClosedAlerts are the alerts of this App that were closed last, at most a
// hundred.
// (GET /repos/{owner}/{repo}/issues)
func (m *Metadata) ClosedAlerts(ctx context.Context) ([]Issue, error) {
	query := url.Values{"state": {"closed"}, "labels": {AlertLabel}, "sort": {"updated"}, "direction": {"desc"}}
	return m.alerts(ctx, query, perPage)
}

func (m *Metadata) alerts(ctx context.Context, query url.Values, most int) ([]Issue, error) {
	var all []issueAnswer
	var err error
	if most > perPage {
		all, _, err = listAll[issueAnswer](ctx, m.api, m.route("issues"), query, most)
	} else {
		query.Set("per_page", fmt.Sprint(perPage))
		err = m.api.get(ctx, m.route("issues")+"?"+query.Encode(), &all)
	}
	if err != nil {
		return nil, fmt.Errorf("alerts: %w", err)
	}
	var alerts []Issue
	for _, a := range all {
		alert, err := m.isAlert(ctx, a.listedIssue)
		if err != nil {
			return nil, err
		}
		if alert {
			alerts = append(alerts, a.issue())
		}
	}
	return alerts, nil
}

// isAlert tells an alert of this App from an issue that someone gave its label.
func (m *Metadata) isAlert(ctx context.Context, a listedIssue) (bool, error) {
	if a.PullRequest != nil || !a.labeled(AlertLabel) {
		return false, nil
	}
	return m.own(ctx, a.User, nil)
}
