package main

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

var (
	noon     = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	testPace = LookConfig{}.withDefaults().pace()
)

func half() float64 { return 0.5 } // no jitter

const day = 24 * time.Hour

// TestEvery is the table of pauses.
func TestEvery(t *testing.T) {
	t.Parallel()
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	cases := []struct {
		name  string
		state lookState
		want  time.Duration
	}{
		{"a release of an hour ago", lookState{Released: ago(time.Hour)}, 5 * time.Minute},
		{"a release of a day ago", lookState{Released: ago(day)}, 5 * time.Minute},
		{"of four days ago", lookState{Released: ago(4 * day)}, 10 * time.Minute},
		{"of a month ago", lookState{Released: ago(30 * day)}, 27 * time.Minute},
		{"of a year ago", lookState{Released: ago(365 * day)}, 95 * time.Minute},
		{"of ten years ago", lookState{Released: ago(3650 * day)}, 4 * time.Hour},
		{"never one", lookState{}, 4 * time.Hour},
		{"an old date, seen just now: a back-port", lookState{Released: ago(3650 * day), Changed: ago(time.Minute)}, 5 * time.Minute},
		{"silent, and someone asked", lookState{Asked: ago(time.Hour)}, 5 * time.Minute},
		{"asked long ago", lookState{Asked: ago(3 * time.Hour)}, 4 * time.Hour},
		{"failed once", lookState{Released: ago(time.Hour), Failures: 1}, 10 * time.Minute},
		{"failed three times", lookState{Released: ago(time.Hour), Failures: 3}, 40 * time.Minute},
		{"failed for ever", lookState{Released: ago(time.Hour), Failures: 1 << 40}, 4 * time.Hour},
		{"gone", lookState{Released: ago(time.Hour), Gone: true}, 4 * time.Hour},
		{"gone, and someone asks again and again", lookState{Asked: ago(time.Hour), Gone: true}, 4 * time.Hour},
	}
	for _, c := range cases {
		if got := testPace.every(c.state, noon); math.Abs(got.Minutes()-c.want.Minutes()) > 1 {
			t.Errorf("%s: every %s, want %s", c.name, got, c.want)
		}
	}
}

// TestEveryIsBounded: whatever strangers put into a feed, the pause stays between
// its bounds.
func TestEveryIsBounded(t *testing.T) {
	t.Parallel()
	for _, at := range []time.Time{{}, time.Unix(0, 0), noon, noon.Add(time.Hour), noon.AddDate(500, 0, 0), time.Unix(1<<55, 0)} {
		for _, failures := range []int{0, 1, 100} {
			s := lookState{Released: at, Changed: at, Asked: at, Failures: failures}
			if got := testPace.every(s, noon); got < testPace.Least || got > testPace.Most {
				t.Errorf("%v, %d failures: every %s", at, failures, got)
			}
			if tags := testPace.tagsEvery(testPace.every(s, noon)); tags < tagsLeast || tags > testPace.TagsMost {
				t.Errorf("%v: tags every %s", at, tags)
			}
		}
	}
}

func feedOf(entries ...forge.FeedEntry) sight {
	return sight{FeedLooked: true, Feed: forge.Feed{Mark: forge.FeedMark{ETag: `"1"`}, Entries: entries}}
}

func entry(tag string, updated time.Time) forge.FeedEntry {
	return forge.FeedEntry{Tag: tag, Updated: updated}
}

// TestAfter: what counts as new, and what is remembered.
func TestAfter(t *testing.T) {
	t.Parallel()
	before := lookState{Repository: registrydata.Repository{Owner: "acme", Name: "terraform-provider-demo"}}
	recorded := func(tag string) bool { return tag == "v1.0.0" }
	old := entry("v1.0.0", noon.Add(-90*day))
	first, changed := testPace.after(before, feedOf(old), noon, recorded, half)
	if changed || first.FeedSeen == "" || !first.Released.Equal(old.Updated) || !first.LookedAt.Equal(noon) || first.Mark.ETag == "" {
		t.Fatalf("a first look at what is recorded: changed %v, %+v", changed, first)
	}
	if d := first.TagsDue.Sub(noon); d <= 0 || d > testPace.TagsMost {
		t.Errorf("tags of a new repository are due in %s", d)
	}
	if _, changed := testPace.after(before, feedOf(old, entry("v1.1.0", noon)), noon, recorded, half); !changed {
		t.Error("a first look at what is not recorded finds nothing")
	}
	if _, changed := testPace.after(before, feedOf(old), noon, nil, half); !changed {
		t.Error("a first look without knowing what is recorded finds nothing")
	}
	if _, changed := testPace.after(before, feedOf(entry("nightly", noon)), noon, nil, half); changed {
		t.Error("a tag that is no version is found")
	}
	later := noon.Add(time.Hour)
	same := sight{FeedLooked: true, Feed: forge.Feed{Unchanged: true}}
	for name, c := range map[string]struct {
		saw     sight
		changed bool
	}{
		"unchanged":                        {same, false},
		"read anew, the same":              {feedOf(old), false},
		"another order and a nightly":      {feedOf(entry("nightly", later), old), false},
		"a new version":                    {feedOf(entry("v1.1.0", later), old), true},
		"an older version that is new":     {feedOf(old, entry("v0.9.1", noon.Add(-900*day))), true},
		"an alpha beside an old version":   {feedOf(entry("v2.0.0-alpha", later), old), true},
		"a release that was edited":        {feedOf(entry("v1.0.0", later)), true},
		"a fault":                          {sight{Fault: &forge.Fault{Message: "HTML"}}, false},
		"gone":                             {sight{FeedLooked: true, Feed: forge.Feed{Gone: true}}, false},
		"a fault of the tags, news before": {sight{FeedLooked: true, Feed: feedOf(entry("v1.1.0", later)).Feed, Fault: &forge.Fault{Message: "hangs"}}, true},
	} {
		after, changed := testPace.after(first, c.saw, later, nil, half)
		if changed != c.changed {
			t.Errorf("%s: changed %v, want %v", name, changed, c.changed)
		}
		if !after.LookedAt.Equal(later) || !after.Due.After(later) || after.Due.After(later.Add(testPace.Most+testPace.Most/10)) {
			t.Errorf("%s: looked at %v, due %v", name, after.LookedAt, after.Due)
		}
		if (c.saw.Fault != nil) != (after.Failures == 1) || after.Gone != c.saw.Feed.Gone {
			t.Errorf("%s: %d failures, gone %v", name, after.Failures, after.Gone)
		}
		if !changed && after.FeedSeen != first.FeedSeen {
			t.Errorf("%s: the digest changed and nothing is new", name)
		}
	}
}

// TestAfterTags: the tags show what the feed does not.
func TestAfterTags(t *testing.T) {
	t.Parallel()
	saw := func(tags ...validation.Tag) sight {
		return sight{FeedLooked: true, Feed: forge.Feed{Unchanged: true}, TagsLooked: true, TagsThere: true, Tags: tags}
	}
	one, two := validation.Tag{Name: "v1.0.0", Object: "a"}, validation.Tag{Name: "v0.1.0", Object: "b"}
	s, _ := testPace.after(lookState{FeedSeen: "x", LookedAt: noon}, saw(one), noon, nil, half)
	if next, changed := testPace.after(s, saw(one, two), noon, nil, half); !changed || next.TagsSeen == s.TagsSeen {
		t.Error("a tag that the feed does not show is not found")
	}
	if _, changed := testPace.after(s, saw(validation.Tag{Name: "v1.0.0", Object: "c"}), noon, nil, half); !changed {
		t.Error("a tag that was moved is not found")
	}
	if _, changed := testPace.after(s, saw(one, validation.Tag{Name: "latest", Object: "z"}), noon, nil, half); changed {
		t.Error("a tag that is no version counts")
	}
	gone := saw()
	gone.TagsThere = false
	if next, changed := testPace.after(s, gone, noon, nil, half); changed || !next.Gone || next.TagsSeen != s.TagsSeen {
		t.Errorf("a repository that is gone: changed %v, %+v", changed, next)
	}
}

func TestJitter(t *testing.T) {
	t.Parallel()
	for _, c := range []float64{0, 0.25, 0.5, 0.999} {
		got := jitter(100*time.Minute, c)
		if got < 90*time.Minute || got > 110*time.Minute {
			t.Errorf("chance %v: %s", c, got)
		}
	}
	if fmt.Sprint(jitter(time.Hour, 0), jitter(time.Hour, 1)) != "54m0s 1h6m0s" {
		t.Error("the ends of the jitter")
	}
}

func TestLookConfig(t *testing.T) {
	t.Parallel()
	if faults := (LookConfig{}).faults(); len(faults) > 0 {
		t.Errorf("the defaults are faulty: %v", faults)
	}
	for field, c := range map[string]LookConfig{
		"look.least":            {Least: time.Second},
		"look.most":             {Least: time.Hour, Most: time.Minute},
		"look.tags_most":        {TagsMost: time.Minute},
		"look.limit":            {Limit: time.Hour},
		"look.feeds_per_second": {FeedsPerSecond: -1},
		"look.tags_per_second":  {TagsPerSecond: 1e9},
		"look.parallel":         {Parallel: 1000},
	} {
		if faults := c.faults(); len(faults) != 1 || faults[0].path != field {
			t.Errorf("%+v: %v, want one fault of %s", c, faults, field)
		}
	}
}
