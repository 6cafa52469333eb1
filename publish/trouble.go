package publish

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// What an operator must mend. A *TroubleError wraps one of them.
var (
	// ErrCredentials is a key or token that is not accepted.
	ErrCredentials = errors.New("the credentials are not accepted")
	// ErrDenied is a key or token that may not do what is needed.
	ErrDenied = errors.New("the credentials do not allow this")
	// ErrNoBucket is a bucket that is not there.
	ErrNoBucket = errors.New("no such bucket")
	// ErrRegion is a bucket in another region than the one that is configured.
	ErrRegion = errors.New("the wrong region or endpoint")
	// ErrClock is a clock of this machine that is off by more than a signature
	// allows (15 minutes).
	ErrClock = errors.New("the clock is off")
	// ErrNoZone is a zone at Cloudflare that is not there.
	ErrNoZone = errors.New("no such zone")
	// ErrDisk is a disk that is full or cannot be written.
	ErrDisk = errors.New("the disk takes no more")
)

// TroubleError is a fault of the place that is published to, or of the way
// there, which trying again does not mend: an operator has to.
type TroubleError struct {
	// Kind is one of the errors above.
	Kind error
	// Problem says what is wrong, Remedy what mends it; both for an operator.
	Problem, Remedy string
	// Err is what was answered.
	Err error
}

func (e *TroubleError) Error() string {
	text := e.Problem + "; " + e.Remedy
	if e.Err != nil {
		text += " (" + oneLine(e.Err.Error()) + ")"
	}
	return text
}

// Unwrap gives the kind and the cause.
func (e *TroubleError) Unwrap() []error { return []error{e.Kind, e.Err} }

// RateLimitError is a server that asks to be left alone.
type RateLimitError struct {
	// Service is who asks: "the bucket", "Cloudflare".
	Service string
	// RetryAfter is for how long; never negative.
	RetryAfter time.Duration
	// Err is what was answered, if anything.
	Err error
}

func (e *RateLimitError) Error() string {
	text := fmt.Sprintf("%s asks to come back in %s", e.Service, e.RetryAfter.Round(time.Millisecond))
	if e.Err != nil {
		text += " (" + oneLine(e.Err.Error()) + ")"
	}
	return text
}

// Unwrap gives the cause.
func (e *RateLimitError) Unwrap() error { return e.Err }

// oneLine makes a foreign answer fit for one line of a log.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	const most = 300
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
