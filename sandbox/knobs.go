package sandbox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"sync"
	"time"
)

// Settings are the knobs: how this GitHub misbehaves. The zero value is a
// healthy GitHub with 5,000 requests an hour.
type Settings struct {
	// Latency is added to every answer of REST, feeds, git and downloads.
	Latency Duration `json:"latency,omitempty"`
	// PageSize caps per_page.
	PageSize int `json:"page_size,omitempty"`
	// RateLimit is the quota of a token for an hour; 0 means 5,000.
	RateLimit int `json:"rate_limit,omitempty"`
	// AnonymousRateLimit is the quota of requests without a token; 0 means
	// 5,000 here, because GitHub's 60 are too few for a test.
	AnonymousRateLimit int `json:"anonymous_rate_limit,omitempty"`
	// RateLimitAfter exhausts the quota of every token after that many more
	// requests, counted together from the moment of setting; 0 is off.
	RateLimitAfter int `json:"rate_limit_after,omitempty"`
	// Secondary plays the secondary rate limit.
	Secondary SecondaryLimit `json:"secondary,omitzero"`
	// Faults are tried in order for each REST request.
	Faults []Fault `json:"faults,omitempty"`
	// WebFaults are tried in order for each request of feeds, git and downloads.
	WebFaults []WebFault `json:"web_faults,omitempty"`
	// Deliveries says what happens to webhooks.
	Deliveries DeliveryFaults `json:"deliveries,omitzero"`
	// StaleReads lets a GET that was answered before a change to its
	// repository be answered the same for that long after the change, as
	// GitHub's replicas do.
	StaleReads Duration `json:"stale_reads,omitempty"`
	// StaleProbability is the chance of a read being stale; 0 means 1.
	StaleProbability float64 `json:"stale_probability,omitempty"`
	// SparePeople keeps faults, limits and stale reads from requests with a
	// personal access token.
	SparePeople bool `json:"spare_people,omitempty"`
	// Seed makes the probabilities repeatable.
	Seed uint64 `json:"seed,omitempty"`
}

// Duration is a time.Duration that reads and writes as text ("50ms") in JSON.
type Duration time.Duration

// MarshalText writes the duration as time.Duration prints it.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// UnmarshalText reads what time.ParseDuration reads.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("read duration: %w", err)
	}
	*d = Duration(v)
	return nil
}

// SecondaryLimit refuses Times requests with 403 and Retry-After after letting
// After more requests pass.
type SecondaryLimit struct {
	After      int      `json:"after,omitempty"`
	Times      int      `json:"times,omitempty"`
	RetryAfter Duration `json:"retry_after,omitempty"`
}

// Knobs hold the Settings of a running server.
type Knobs struct {
	mu       sync.Mutex
	settings Settings
	random   *rand.Rand
	seen     int // requests since Set, for RateLimitAfter and Secondary
	refused  int
	faults   []*faultState

	webFaults []*webFaultState
}

type faultState struct {
	Fault
	method, path *regexp.Regexp
	skipped      int
	done         int
}

// Set replaces all settings and starts their counts anew. It refuses a Fault
// whose pattern does not compile and leaves the old settings then.
func (k *Knobs) Set(settings Settings) error {
	faults, err := compileFaults(settings.Faults)
	if err != nil {
		return err
	}
	webFaults, err := compileWebFaults(settings.WebFaults)
	if err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.webFaults = webFaults
	k.settings, k.faults, k.seen, k.refused = settings, faults, 0, 0
	k.random = rand.New(rand.NewPCG(settings.Seed, settings.Seed)) // #nosec G404 -- repeatable faults, no secret
	return nil
}

// Get returns the settings, with the counts of deliveries that are left.
func (k *Knobs) Get() Settings {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.settings
}

// Change reads, changes and sets in one step.
func (k *Knobs) Change(change func(*Settings)) error {
	settings := k.Get()
	change(&settings)
	return k.Set(settings)
}

func compileFaults(faults []Fault) ([]*faultState, error) {
	var out []*faultState
	for _, f := range faults {
		method, err := regexp.Compile("^(?:" + f.Method + ")$")
		if err != nil {
			return nil, fmt.Errorf("fault's method: %w", err)
		}
		if f.Method == "" {
			method = regexp.MustCompile("")
		}
		path, err := regexp.Compile(f.Path)
		if err != nil {
			return nil, fmt.Errorf("fault's path: %w", err)
		}
		out = append(out, &faultState{Fault: f, method: method, path: path})
	}
	return out, nil
}

func (k *Knobs) pageSize() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.settings.PageSize
}

// fault finds the fault to play for a request, before or after doing it.
func (k *Knobs) fault(r *http.Request, didIt bool) *Fault {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.settings.SparePeople && fromPerson(r) {
		return nil
	}
	for _, f := range k.faults {
		if f.DidIt != didIt || (f.Times > 0 && f.done >= f.Times) ||
			!f.method.MatchString(r.Method) || !f.path.MatchString(r.URL.Path) {
			continue
		}
		if f.skipped < f.Skip {
			f.skipped++
			continue
		}
		if f.Probability > 0 && k.random.Float64() >= f.Probability {
			continue
		}
		f.done++
		return &f.Fault
	}
	return nil
}

// chance uses up one of count, or else draws with probability p.
func (k *Knobs) chance(count *int, p float64) bool {
	if *count > 0 {
		*count--
		return true
	}
	return p > 0 && k.random != nil && k.random.Float64() < p
}

// fate is what happens to one delivery.
type fate struct {
	lose, drop, duplicate, reorder bool
	delay                          time.Duration
	late                           time.Duration // sent aside after that
}

func (k *Knobs) deliveryFate() fate {
	k.mu.Lock()
	defer k.mu.Unlock()
	d := &k.settings.Deliveries
	f := fate{
		drop:      k.chance(&d.Drop, d.DropProbability),
		lose:      k.chance(&d.Lose, d.LoseProbability),
		duplicate: k.chance(&d.Duplicate, d.DuplicateProbability),
		reorder:   k.chance(&d.Reorder, d.ReorderProbability),
		delay:     time.Duration(d.Delay),
	}
	if k.chance(&d.Late, d.LateProbability) {
		f.late = time.Duration(d.LateBy)
	}
	return f
}

// delay waits the latency, or until the request is given up.
func (s *Server) delay(ctx context.Context) {
	d := time.Duration(s.knobs.Get().Latency)
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
