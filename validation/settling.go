package validation

import "time"

// settlingChecks are how long after each other a release is looked at, from its
// publication on, while files of it are missing. GoReleaser publishes first and
// uploads for minutes.
var settlingChecks = []time.Duration{
	30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute,
}

// Settling tells how long to wait until a release of which files are missing is
// looked at again. settling is false once it has had its time: what is missing
// then is a failure. It depends on nothing but the two times, so that it
// survives whatever happens to the program.
func Settling(published, now time.Time) (wait time.Duration, settling bool) {
	if published.IsZero() {
		return 0, false
	}
	if published.After(now) { // another clock's
		published = now
	}
	check := published
	for _, d := range settlingChecks {
		if check = check.Add(d); check.After(now) {
			return check.Sub(now), true
		}
	}
	return 0, false
}

// Unfinished tells whether a release that was judged may still be on its way:
// files that SHA256SUMS names, or SHA256SUMS and its signature themselves, are
// not there, or went away while they were read.
func (r TagResult) Unfinished() bool {
	for _, f := range r.Findings {
		switch f.Code {
		case "asset-missing", "checksums-missing", "signature-missing", "file-unreadable", "other-file-missing":
			return true
		}
	}
	return false
}
