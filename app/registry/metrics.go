package registry

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// kind says what a request was for.
type kind int

// A list comes right before the downloads of its kind.
const (
	kindOther kind = iota
	kindDiscovery
	kindProviderVersions
	kindProviderDownload
	kindModuleVersions
	kindModuleDownload
)

var kindNames = [...]string{"other", "discovery", "provider-versions", "provider-download", "module-versions", "module-download"}

// statuses are those that answers have.
var statuses = [...]int{200, 204, 304, 404, 405, 503}

// metrics are what an operator watches.
type metrics struct {
	requests                        [len(kindNames)][len(statuses)]prometheus.Counter
	entities                        *prometheus.GaugeVec
	faults, lastReload, certificate prometheus.Gauge
	reloads                         *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	gauge := func(name, help string) prometheus.Gauge {
		return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "registrar_registry_requests_total",
		Help: "Requests to the registry API by kind (discovery, provider-versions, provider-download, module-versions, module-download, other) and status.",
	}, []string{"kind", "status"})
	m := &metrics{
		entities: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "registrar_registry_entities", Help: "What is served, by kind: provider (old addresses too), module.",
		}, []string{"kind"}),
		faults:      gauge("registrar_registry_faulty_files", "Data and key files that cannot be read: what was served of them before stays."),
		lastReload:  gauge("registrar_registry_last_reload_timestamp_seconds", "When the data was last found to be, or brought, up to date."),
		certificate: gauge("registrar_registry_certificate_expiry_timestamp_seconds", "When the certificate in use expires."),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "registrar_registry_reloads_total", Help: "Looks for new data by outcome: changed, same, failed.",
		}, []string{"outcome"}),
	}
	for k, name := range kindNames {
		for i, status := range statuses {
			m.requests[k][i] = requests.WithLabelValues(name, strconv.Itoa(status))
		}
	}
	for _, c := range []prometheus.Collector{requests, m.entities, m.faults, m.lastReload, m.certificate, m.reloads} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *metrics) request(k kind, status int) {
	for i, s := range statuses {
		if s == status {
			m.requests[k][i].Inc()
		}
	}
}

func (m *metrics) serving(s *snapshot) {
	counts := map[bool]int{}
	for _, e := range s.entities {
		counts[e.provider != nil]++
	}
	m.entities.WithLabelValues("provider").Set(float64(counts[true]))
	m.entities.WithLabelValues("module").Set(float64(counts[false]))
	m.faults.Set(float64(len(s.faults)))
}
