package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"regexp"
	"time"

	"github.com/google/go-github/v57/github"
	"github.com/palantir/go-githubapp/githubapp"

	"github.com/tofu-registrar/registrar/handlers"
)

const (
	// maxDelivery is the largest payload that GitHub sends
	// (docs.github.com/webhooks/webhook-events-and-payloads#payload-cap).
	maxDelivery = 25 << 20
	// storeTimeout bounds the write to the queue: GitHub gives up after 10 s.
	storeTimeout = 8 * time.Second
)

// guidShape bounds what is stored as a delivery's name.
var guidShape = regexp.MustCompile(`^[A-Za-z0-9-]{8,64}$`)

// errMalformed is a payload that does not parse, or a delivery without a name.
var errMalformed = errors.New("malformed delivery")

// deliveryStore is where webhooks go: the queue.
type deliveryStore interface {
	Store(ctx context.Context, sender, guid, event string, keys []handlers.Key) (stored int, err error)
}

// webhook receives GitHub's deliveries: signature checked, keys stored, 202.
type webhook struct {
	reconciler Reconciler
	store      deliveryStore
	metrics    *metrics
	log        *slog.Logger
	// dispatchers has one for each secret; the first is tried with anything that
	// no secret fits, and refuses it.
	dispatchers []dispatcher
}

type dispatcher struct {
	secret  []byte
	handler http.Handler
}

var _ githubapp.EventHandler = (*webhook)(nil)

func newWebhook(secrets []Secret, r Reconciler, store deliveryStore, m *metrics, log *slog.Logger) *webhook {
	h := &webhook{reconciler: r, store: store, metrics: m, log: log}
	for _, secret := range secrets {
		h.dispatchers = append(h.dispatchers, dispatcher{
			secret: []byte(secret),
			handler: githubapp.NewEventDispatcher([]githubapp.EventHandler{h}, string(secret),
				githubapp.WithErrorCallback(h.refuse), githubapp.WithResponseCallback(h.accept)),
		})
	}
	return h
}

// ServeHTTP reads the payload, within bounds, and finds the secret that it was
// signed with. What it answers has no detail: GitHub shows it to nobody who
// would need it.
func (h *webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func(start time.Time) { h.metrics.answerTime.Observe(time.Since(start).Seconds()) }(time.Now())
	if r.ContentLength > maxDelivery {
		h.tooLarge(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxDelivery))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		h.tooLarge(w, r)
		return
	case err != nil:
		h.count(eventOf(r), "malformed")
		http.Error(w, "malformed", http.StatusBadRequest)
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	// SHA-1 signatures are not looked at: GitHub sends the better one always.
	r.Header.Del(github.SHA1SignatureHeader)
	h.dispatcherOf(r.Header.Get(github.SHA256SignatureHeader), body).ServeHTTP(w, r)
}

// dispatcherOf finds the one whose secret fits, comparing in constant time.
func (h *webhook) dispatcherOf(signature string, body []byte) http.Handler {
	for _, d := range h.dispatchers {
		if github.ValidateSignature(signature, body, d.secret) == nil {
			return d.handler
		}
	}
	return h.dispatchers[0].handler
}

// Handles are the events that are translated. Others are accepted and dropped.
func (h *webhook) Handles() []string { return handlers.Events }

// Handle stores the keys of a delivery whose signature was right.
func (h *webhook) Handle(ctx context.Context, event, guid string, payload []byte) error {
	if !guidShape.MatchString(guid) {
		return fmt.Errorf("%w: no usable GUID", errMalformed)
	}
	keys, err := h.reconciler.Keys(event, payload)
	if err != nil {
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	if len(keys) == 0 {
		h.count(event, "ignored")
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	stored, err := h.store.Store(ctx, senderOf(payload), guid, event, keys)
	if err != nil {
		return fmt.Errorf("store delivery %s: %w", guid, err)
	}
	outcome := "stored"
	if stored == 0 {
		outcome = "known"
	}
	h.count(event, outcome)
	h.log.DebugContext(ctx, "delivery", "event", event, "delivery", guid, "outcome", outcome, "keys", len(keys))
	return nil
}

// senderOf is the login of who caused a delivery, empty where it names none.
func senderOf(payload []byte) string {
	var p struct {
		Sender struct{ Login string }
	}
	if json.Unmarshal(payload, &p) != nil || len(p.Sender.Login) > 64 {
		return ""
	}
	return p.Sender.Login
}

func (h *webhook) accept(w http.ResponseWriter, r *http.Request, _ string, handled bool) {
	if !handled {
		h.count(eventOf(r), "ignored")
	}
	w.WriteHeader(http.StatusAccepted)
}

// refuse answers a delivery that was not stored. GitHub keeps it as failed, and
// the sweep asks for it again unless the fault is the delivery's own.
func (h *webhook) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status, outcome, level := http.StatusServiceUnavailable, "failed", slog.LevelError
	var invalid githubapp.ValidationError
	switch {
	case errors.Is(err, errMalformed):
		status, outcome, level = http.StatusBadRequest, "malformed", slog.LevelWarn
	case errors.As(err, &invalid):
		status, outcome, level = http.StatusUnauthorized, "unsigned", slog.LevelWarn
		if eventOf(r) == "" || !knownContentType(r) {
			status, outcome = http.StatusBadRequest, "malformed"
		}
	}
	h.count(eventOf(r), outcome)
	h.log.Log(r.Context(), level, "delivery refused", "status", status, "error", err,
		"event", clip(eventOf(r)), "delivery", clip(r.Header.Get(github.DeliveryIDHeader)))
	http.Error(w, outcome, status)
}

func (h *webhook) tooLarge(w http.ResponseWriter, r *http.Request) {
	h.count(eventOf(r), "too-large")
	w.Header().Set("Connection", "close")
	http.Error(w, "too large", http.StatusRequestEntityTooLarge)
}

// count counts a delivery by its event, where that is one of GitHub's that we
// know: a stranger must not make up label values.
func (h *webhook) count(event, outcome string) {
	if !knownEvents[event] {
		event = "other"
	}
	h.metrics.deliveries.WithLabelValues(event, outcome).Inc()
}

func eventOf(r *http.Request) string { return r.Header.Get(github.EventTypeHeader) }

var knownEvents = func() map[string]bool {
	known := map[string]bool{"ping": true, "installation": true, "installation_repositories": true}
	for _, event := range handlers.Events {
		known[event] = true
	}
	return known
}()

// knownContentType are the two forms that GitHub can send a payload in.
func knownContentType(r *http.Request) bool {
	form, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && (form == "application/json" || form == "application/x-www-form-urlencoded")
}

// clip bounds a header for the log.
func clip(s string) string { return s[:min(len(s), 64)] }
