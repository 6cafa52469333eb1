package main

import (
	"errors"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// Why something is held back, as the metrics name it.
const (
	heldForLoss   = "loss"       // versions or checksums that clients rely on
	heldForAmount = "max-delete" // too much at once
)

func newHeldBack() *prometheus.GaugeVec {
	held := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "registrar_publish_held_back",
		Help: "Entries that the guard keeps from being published, by reason: loss (each of them would lose versions or change checksums), max-delete (how many a commit would remove, which is too many).",
	}, []string{"reason"})
	held.WithLabelValues(heldForLoss)
	held.WithLabelValues(heldForAmount)
	return held
}

// ran notes what a publication held back. A run that failed otherwise has found
// out nothing.
func (m *metrics) ran(key handlers.Key, err error) {
	var refused *publish.RefusedError
	if key != handlers.PublishKey || err != nil && !errors.As(err, &refused) {
		return
	}
	lossy := map[registrydata.Entity]bool{}
	removed := 0.0
	if refused != nil {
		for _, l := range refused.Losses {
			lossy[l.Entity] = true
		}
		removed = refused.Removed
	}
	m.heldBack.WithLabelValues(heldForLoss).Set(float64(len(lossy)))
	m.heldBack.WithLabelValues(heldForAmount).Set(removed)
}

// severity is how loud a failure is that will be tried again: one that an
// operator has to mend is an error from the first time on.
func severity(err error) slog.Level {
	if errors.As(err, new(*publish.TroubleError)) || errors.As(err, new(*publish.RefusedError)) {
		return slog.LevelError
	}
	return slog.LevelWarn
}
