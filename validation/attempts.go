package validation

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/semver"

	"github.com/tofu-registrar/registrar/registrydata"
)

const (
	// retryStep is the unit of the pauses between attempts (spec §5.4).
	retryStep = 15 * time.Minute
	// maxAttemptText bounds the message of an attempt, in bytes.
	maxAttemptText = 500
	// maxToldTwice is from how many attempts on another message alone is no reason
	// to note one more: whoever changes a release each minute fills no file.
	maxToldTwice = 10
	// retriedByItself is how long after its first attempt a version is tried again
	// without anybody's doing.
	retriedByItself = 7 * 24 * time.Hour
)

// Attempts are the failed attempts to take in versions of a provider, as its
// data file keeps them (spec §1.4): by version descending, then time ascending.
type Attempts []registrydata.VersionError

// Of are the attempts at a version, given with or without a leading "v".
func (a Attempts) Of(version string) Attempts {
	var out Attempts
	for _, e := range a {
		if sameNumber(e.Version, version) {
			out = append(out, e)
		}
	}
	return out
}

func sameNumber(a, b string) bool {
	return strings.EqualFold(strings.TrimPrefix(a, "v"), strings.TrimPrefix(b, "v"))
}

// NextTry is when a version is tried again: not before the last attempt plus 15
// minutes times the square of how many there were (spec §5.4). The zero time is
// at once.
func (a Attempts) NextTry(version string) time.Time {
	list := a.Of(version)
	var last time.Time
	for _, e := range list {
		if t := attemptTime(e); t.After(last) {
			last = t
		}
	}
	if last.IsZero() {
		return time.Time{}
	}
	n := min(len(list), 1000)
	return last.Add(time.Duration(n*n) * retryStep)
}

// Again is how long to wait until the next of the versions that failed lately is
// tried again; 0 where there is none. An old one waits for something to happen.
func (a Attempts) Again(now time.Time) time.Duration {
	var soonest time.Duration
	for _, version := range a.Versions() {
		first := attemptTime(a.Of(version)[0])
		if first.IsZero() || now.Sub(first) > retriedByItself {
			continue
		}
		if wait := max(time.Second, a.NextTry(version).Sub(now)); soonest == 0 || wait < soonest {
			soonest = wait
		}
	}
	return soonest
}

// attemptTime is when an attempt was made; the zero time where the file does not
// say it in its form.
func attemptTime(e registrydata.VersionError) time.Time {
	t, err := time.Parse(time.RFC3339Nano, e.UTCTime)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Versions are those that have attempts, newest first.
func (a Attempts) Versions() []string {
	var out []string
	for _, e := range a {
		if !slices.ContainsFunc(out, func(v string) bool { return sameNumber(v, e.Version) }) {
			out = append(out, e.Version)
		}
	}
	return out
}

// Fail notes a failed attempt, unless it says nothing new: its time had not come
// yet, and the message is the last one's.
func (a Attempts) Fail(version, message string, now time.Time) Attempts {
	list := a.Of(version)
	if len(list) > 0 && now.Before(a.NextTry(version)) {
		if list[len(list)-1].Message == message || len(list) >= maxToldTwice {
			return a
		}
	}
	return append(slices.Clone(a), registrydata.VersionError{
		Version: strings.TrimPrefix(version, "v"), Message: message, UTCTime: now.UTC().Format(time.RFC3339Nano),
	}).sorted()
}

// Keep leaves the attempts at the versions that are still of interest.
func (a Attempts) Keep(wanted func(version string) bool) Attempts {
	return slices.DeleteFunc(slices.Clone(a), func(e registrydata.VersionError) bool { return !wanted(e.Version) })
}

// With joins attempts that were noted in two places.
func (a Attempts) With(more Attempts) Attempts {
	out := slices.Clone(a)
	for _, e := range more {
		if !slices.ContainsFunc(a, func(have registrydata.VersionError) bool { return sameAttempt(have, e) }) {
			out = append(out, e)
		}
	}
	return out.sorted()
}

// Same tells whether two lists say the same.
func (a Attempts) Same(b Attempts) bool { return slices.EqualFunc(a, b, sameAttempt) }

func sameAttempt(a, b registrydata.VersionError) bool {
	return a.Version == b.Version && a.Message == b.Message && a.UTCTime == b.UTCTime
}

func (a Attempts) sorted() Attempts {
	slices.SortStableFunc(a, func(x, y registrydata.VersionError) int {
		if c := registrydata.CompareVersions(y.Version, x.Version); c != 0 {
			return c
		}
		return attemptTime(x).Compare(attemptTime(y))
	})
	return a
}

// FailureMessage is the message of an attempt: all that was wrong.
func FailureMessage(findings []Finding) string {
	var said []string
	for _, f := range findings {
		if f.Severity == Error {
			said = append(said, f.Message)
		}
	}
	text := strings.Join(said, " ")
	if len(text) <= maxAttemptText {
		return text
	}
	at := maxAttemptText
	for !utf8.RuneStart(text[at]) {
		at--
	}
	return text[:at] + "…"
}

// Wanted tells whether a data file wants a version to be taken in: not below its
// minimum, and no pre-release where it wants none.
func Wanted(u registrydata.Upkeep, version string) bool {
	if !u.TakesPrereleases() && semver.Prerelease("v"+strings.TrimPrefix(version, "v")) != "" {
		return false
	}
	return u.MinimumVersion == "" || registrydata.CompareVersions(version, u.MinimumVersion) >= 0
}

// WorthTelling tells whether the author is told of a version that failed: one
// that was released after the provider came into the registry. What was released
// before that, the author was told when submitting it, or it is older than any
// of this. Where the file does not say when that was, a version above all that
// are recorded is new.
func WorthTelling(file *registrydata.Provider, version string, published time.Time) bool {
	var since time.Time
	newest := true
	for _, v := range file.Versions {
		if t, err := time.Parse(time.RFC3339Nano, v.Discovered); err == nil && (since.IsZero() || t.Before(since)) {
			since = t
		}
		newest = newest && registrydata.CompareVersions(version, v.Version) > 0
	}
	// GitHub tells when a release was published by the second.
	return newest || !since.IsZero() && !published.Before(since.Truncate(time.Second))
}
