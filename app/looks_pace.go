package main

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// lookState is what is remembered of a registered repository between two looks.
// All of it can be lost: the next look finds out what is not recorded.
type lookState struct {
	Repository registrydata.Repository // in lower case
	Feed       forge.FeedKind
	Mark       forge.FeedMark // of the feed at the last look that read it
	// FeedSeen and TagsSeen are digests of the versions that were seen; "" before
	// the first look of that kind.
	FeedSeen, TagsSeen string

	Since    time.Time // when it was first known here
	LookedAt time.Time // the last look that had an answer, whatever it was
	Released time.Time // the newest version that was seen, as far as it is believed
	Changed  time.Time // when a look last saw something new
	Asked    time.Time // when someone last asked: a webhook, a command
	TagsDue  time.Time // when the tags are to be listed
	Due      time.Time // the next look

	Failures int  // looks that failed, one after the other
	Gone     bool // strangers cannot read it
}

// sight is what a look saw.
type sight struct {
	FeedLooked bool // the feed was read, or is unchanged
	Feed       forge.Feed
	TagsLooked bool // the tags were listed
	TagsThere  bool // and the repository was there
	Tags       []validation.Tag
	// Fault is what was wrong, nil if nothing. What was seen before it counts.
	Fault error
}

// lookPace says how often repositories are looked at. It is pure: the schedule
// of a day can be played through in a moment.
type lookPace struct {
	// Least is the pause of a repository with a release or a question of the last
	// day; it grows with the square root of the time since, up to Most. That
	// spends the looks where releases are likely: the chance of a release falls
	// about as one over the time since the last one, and the best pauses then go
	// as the root of that time.
	Least, Most time.Duration
	// TagsMost is the longest pause between two listings of the tags, which show
	// what the ten entries of a feed do not.
	TagsMost time.Duration
}

const (
	// freshFor is how long a release counts as of now.
	freshFor = 24 * time.Hour
	// askedFor is how long a question keeps a repository at the least pause.
	askedFor = 2 * time.Hour
	// tagsEach is how many pauses of the feed make one of the tags.
	tagsEach = 6
	// tagsLeast is the least pause between two listings of the tags.
	tagsLeast = 30 * time.Minute
	// lookJitter is by how much a pause is shortened or lengthened by chance, so
	// that looks that began together do not stay together.
	lookJitter = 0.1
	// maxBackOff bounds the doublings after failures.
	maxBackOff = 8
)

// every is the pause after a look at a time.
func (p lookPace) every(s lookState, now time.Time) time.Duration {
	if !s.Asked.IsZero() && now.Sub(s.Asked) < askedFor && !s.Gone {
		return p.backOff(p.Least, s.Failures)
	}
	fresh := s.Released
	if s.Changed.After(fresh) {
		fresh = s.Changed
	}
	if fresh.IsZero() || s.Gone {
		return p.Most
	}
	pause := p.Least
	if age := now.Sub(fresh); age > freshFor {
		pause = time.Duration(float64(p.Least) * math.Sqrt(float64(age)/float64(freshFor)))
	}
	return p.backOff(min(pause, p.Most), s.Failures)
}

// backOff doubles the pause for each failure.
func (p lookPace) backOff(pause time.Duration, failures int) time.Duration {
	return min(pause<<min(failures, maxBackOff), p.Most)
}

// tagsEvery is the pause between two listings of the tags.
func (p lookPace) tagsEvery(every time.Duration) time.Duration {
	return min(max(tagsEach*every, tagsLeast), p.TagsMost)
}

// wantsTags tells whether a look at a time lists the tags, whatever the feed
// shows. A first look does not: the feed tells what is new, and the listings
// are spread over their pause.
func (s lookState) wantsTags(now time.Time) bool {
	return !s.TagsDue.IsZero() && !now.Before(s.TagsDue)
}

// after is the state after a look, and whether something is there that was not
// there before. Of a repository that was never seen everything is new that is
// not recorded; recorded is nil where that is not known. chance is from 0 to 1.
func (p lookPace) after(s lookState, saw sight, now time.Time, recorded func(tag string) bool, chance func() float64) (lookState, bool) {
	changed := s.see(saw, now, recorded)
	s.LookedAt = now
	if changed {
		s.Changed = now
	}
	s.Failures++
	if saw.Fault == nil {
		s.Failures = 0
	}
	every := p.every(s, now)
	tags := p.tagsEvery(every)
	switch {
	case saw.TagsLooked:
		s.TagsDue = now.Add(jitter(tags, chance()))
	case s.TagsDue.IsZero():
		s.TagsDue = now.Add(time.Duration(chance() * float64(tags)))
	case s.TagsDue.After(now.Add(tags + tags/4)): // there was a release since it was set
		s.TagsDue = now.Add(jitter(tags, chance()))
	}
	s.Due = now.Add(jitter(every, chance()))
	if s.Failures == 0 && s.TagsDue.Before(s.Due) && s.TagsDue.After(now) {
		s.Due = s.TagsDue
	}
	return s, changed
}

// see takes in what a look saw.
func (s *lookState) see(saw sight, now time.Time, recorded func(string) bool) (changed bool) {
	gone := saw.Fault == nil && (saw.Feed.Gone || (saw.TagsLooked && !saw.TagsThere))
	if gone {
		s.Gone = true
		return false
	}
	if saw.Fault == nil {
		s.Gone = false
	}
	if f := saw.Feed; saw.FeedLooked && !f.Unchanged && !f.Gone {
		seen := digestOf(f.Entries, feedLine)
		changed = isNew(s.FeedSeen, seen, f.Entries, func(e forge.FeedEntry) string { return e.Tag }, recorded)
		s.Mark, s.FeedSeen = f.Mark, seen
		s.Released = newest(f.Entries, now)
	}
	if saw.TagsLooked && saw.TagsThere {
		seen := digestOf(saw.Tags, tagLine)
		changed = isNew(s.TagsSeen, seen, saw.Tags, func(t validation.Tag) string { return t.Name }, recorded) || changed
		s.TagsSeen = seen
	}
	return changed
}

// isNew compares digests and, where there was none before, what is recorded.
func isNew[T any](before, seen string, items []T, tag func(T) string, recorded func(string) bool) bool {
	if before != "" {
		return before != seen
	}
	return slices.ContainsFunc(items, func(item T) bool {
		_, version := registrydata.VersionKey(tag(item))
		return version && (recorded == nil || !recorded(tag(item)))
	})
}

// newest is the date of the newest version of a feed. Who makes a tag chooses
// its date: one in the future says nothing.
func newest(entries []forge.FeedEntry, now time.Time) (at time.Time) {
	for _, e := range entries {
		if e.Updated.After(at) && !e.Updated.After(now) {
			at = e.Updated
		}
	}
	return at
}

// feedLine is what counts of an entry: a release that is edited counts as new.
func feedLine(e forge.FeedEntry) string {
	if _, version := registrydata.VersionKey(e.Tag); !version {
		return ""
	}
	return e.Tag + " " + e.Updated.Format(time.RFC3339)
}

func tagLine(t validation.Tag) string {
	if _, version := registrydata.VersionKey(t.Name); !version {
		return ""
	}
	return t.Name + " " + t.Object
}

// digestOf is of the set of lines: their order says nothing.
func digestOf[T any](items []T, line func(T) string) string {
	lines := make([]string, 0, len(items))
	for _, item := range items {
		if l := line(item); l != "" {
			lines = append(lines, l)
		}
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return hex.EncodeToString(sum[:12])
}

// jitter shortens or lengthens a pause by chance, which is from 0 to 1.
func jitter(pause time.Duration, chance float64) time.Duration {
	return time.Duration(float64(pause) * (1 + lookJitter*(2*chance-1)))
}
