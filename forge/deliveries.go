package forge

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/google/go-github/v57/github"
)

// maxDeliveryPages bounds how far back failed deliveries are looked for.
const maxDeliveryPages = 50

// ListFailedDeliveries are the App's webhooks since a time that GitHub could not
// deliver, nor redeliver later: GitHub does not do that by itself. Newest first.
// (GET /app/hook/deliveries)
func (f *Forge) ListFailedDeliveries(ctx context.Context, since time.Time) ([]Delivery, error) {
	var (
		failed []Delivery
		seen   = map[string]bool{} // by GUID, which redeliveries share
		cursor string
	)
	for range maxDeliveryPages {
		page, next, err := f.deliveries(ctx, cursor)
		if err != nil {
			return nil, fmt.Errorf("webhook deliveries: %w", err)
		}
		for _, d := range page {
			if d.Delivered.Before(since) {
				return failed, nil
			}
			if !seen[d.GUID] && (d.Status < 200 || d.Status > 299) {
				failed = append(failed, d)
			}
			seen[d.GUID] = true
		}
		if next == "" || next == cursor {
			break
		}
		cursor = next
	}
	return failed, nil
}

func (f *Forge) deliveries(ctx context.Context, cursor string) ([]Delivery, string, error) {
	query := url.Values{"per_page": {strconv.Itoa(perPage)}}
	if cursor != "" {
		query.Set("cursor", cursor)
	}
	var answer []struct {
		ID          int64
		GUID        string
		Event       string
		DeliveredAt time.Time `json:"delivered_at"`
		StatusCode  int       `json:"status_code"`
	}
	resp, err := f.app.call(ctx, http.MethodGet, "app/hook/deliveries?"+query.Encode(), nil, &answer)
	if err != nil {
		return nil, "", err
	}
	page := make([]Delivery, len(answer))
	for i, a := range answer {
		page[i] = Delivery{ID: a.ID, GUID: a.GUID, Event: a.Event, Delivered: a.DeliveredAt.UTC(), Status: a.StatusCode}
	}
	return page, resp.Cursor, nil
}

// Redeliver asks GitHub to deliver a webhook again. One that GitHub has
// forgotten (after three days) is ErrNotFound.
// (POST /app/hook/deliveries/{delivery_id}/attempts)
func (f *Forge) Redeliver(ctx context.Context, id int64) error {
	_, err := f.app.call(ctx, http.MethodPost, route("app", "hook", "deliveries", id, "attempts"), nil, nil)
	var accepted *github.AcceptedError // the normal answer, 202
	if err != nil && !errors.As(err, &accepted) {
		return fmt.Errorf("redeliver webhook %d: %w", id, err)
	}
	return nil
}
