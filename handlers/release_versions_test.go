package handlers

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

var released = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func tagsNamed(names ...string) []validation.Tag {
	var out []validation.Tag
	for _, n := range names {
		out = append(out, validation.Tag{Name: n})
	}
	return out
}

func names(tags []validation.Tag) string {
	var out []string
	for _, t := range tags {
		out = append(out, t.Name)
	}
	return strings.Join(out, " ")
}

// TestCandidates: what is done about each tag that is not recorded.
func TestCandidates(t *testing.T) {
	a := registrydata.ProviderAddress{Namespace: "acme", Name: "demo"}
	list, err := registrydata.ParseBlacklist([]byte(`{"providers":[{"namespace":"acme","name":"demo","version":"1.6.0","reason":"x"}],"modules":[]}`))
	if err != nil {
		t.Fatal(err)
	}
	p := recordedProvider{
		file: &registrydata.Provider{
			Versions: []registrydata.ProviderVersion{{Version: "1.0.0"}}, Upkeep: registrydata.Upkeep{MinimumVersion: "0.5.0"},
		},
		proposed: &registrydata.Provider{Versions: []registrydata.ProviderVersion{{Version: "1.0.0"}, {Version: "1.1.0"}}},
		attempts: validation.Attempts{}.Fail("1.2.0", "x", released).Fail("1.3.0", "x", released.Add(-time.Hour)), blacklist: list,
	}
	tags := tagsNamed("v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0", "1.4.0", "v1.4.0", "v1.6.0", "v0.4.0", "latest", "v2")
	for patient, want := range map[bool]string{false: "v1.4.0 v1.3.0 v1.2.0 | ", true: "v1.4.0 v1.3.0 | v1.2.0"} {
		p.patient = patient
		c := p.candidates(a, tags, released)
		if got := names(c.judge) + " | " + names(c.postponed); got != want {
			t.Errorf("patient %v: %q, want %q", patient, got, want)
		}
		if len(c.proposed) != 1 || c.proposed[0].Version != "1.1.0" {
			t.Errorf("proposed %+v", c.proposed)
		}
	}
}

// What failed is bounded, and what is new is not behind it.
func TestCandidatesOfManyFailures(t *testing.T) {
	p := recordedProvider{file: &registrydata.Provider{Versions: []registrydata.ProviderVersion{{Version: "1.0.0"}}}}
	tags := tagsNamed("v0.0.1")
	for i := range 50 {
		version := fmt.Sprintf("2.%d.0", i)
		p.attempts = p.attempts.Fail(version, "x", released)
		tags = append(tags, validation.Tag{Name: "v" + version})
	}
	c := p.candidates(registrydata.ProviderAddress{}, tags, released)
	if len(c.judge) != mostRetried+1 || c.judge[0].Name != "v2.49.0" || c.judge[mostRetried].Name != "v0.0.1" || len(c.postponed) != 50-mostRetried {
		t.Errorf("%s | %s", names(c.judge), names(c.postponed))
	}
}

// releases has a release for each tag that is asked for, without files, and
// counts the questions.
type releases struct {
	Authors
	tags        []string
	one, lists  atomic.Int64
	publishedAt time.Time
}

func (r *releases) release(tag string) validation.Release {
	return validation.Release{Tag: tag, Published: r.publishedAt, Author: "ada", Assets: []validation.Asset{{Name: "x.zip"}}}
}

func (r *releases) Release(_ context.Context, _ registrydata.Repository, tag string) (validation.Release, bool, error) {
	r.one.Add(1)
	for _, t := range r.tags {
		if t == tag {
			return r.release(tag), true, nil
		}
	}
	return validation.Release{}, false, nil
}

func (r *releases) Releases(context.Context, registrydata.Repository) ([]validation.Release, error) {
	r.lists.Add(1)
	var out []validation.Release
	for _, t := range r.tags {
		out = append(out, r.release(t))
	}
	return out, nil
}

// TestJudgeTags: tags without a release are quiet and cost little; releases that
// may still be uploaded wait; too many failures end a run.
func TestJudgeTags(t *testing.T) {
	now := released
	h := New(Options{Now: func() time.Time { return now }})
	judge := func(r *releases, tags ...string) ([]judged, bool) {
		t.Helper()
		h.authors = r
		all, more, err := h.judgeTags(t.Context(), subject{}, tagsNamed(tags...))
		if err != nil {
			t.Fatal(err)
		}
		return all, more
	}
	few := &releases{tags: []string{"v1.0.0"}, publishedAt: released}
	all, _ := judge(few, "v1.1.0", "v1.0.0")
	if few.one.Load() != 2 || few.lists.Load() != 0 || all[0].released || !all[1].released || all[1].wait != 30*time.Second {
		t.Errorf("%d questions, %d lists, %+v", few.one.Load(), few.lists.Load(), all)
	}
	var tags []string
	for i := range 300 {
		tags = append(tags, fmt.Sprintf("v1.%d.0", i))
	}
	many := &releases{publishedAt: released}
	if all, more := judge(many, tags...); many.one.Load() != 0 || many.lists.Load() != 1 || len(all) != 300 || more {
		t.Errorf("%d questions, %d lists, %d verdicts, more %v", many.one.Load(), many.lists.Load(), len(all), more)
	}
	many.tags, now = tags, released.Add(time.Hour)
	if all, more := judge(many, tags...); !more || len(all) > mostFailed+parallelism || all[0].wait != 0 || all[0].Taken {
		t.Errorf("%d verdicts, more %v", len(all), more)
	}
}

// TestNoteAttempts: who merges decides whether attempts are noted alone.
func TestNoteAttempts(t *testing.T) {
	for _, c := range []struct {
		merge  templates.Merge
		adds   bool
		writes bool
	}{
		{templates.MergeAutomatic, false, true}, {templates.MergeManual, false, false}, {templates.MergeManual, true, true},
	} {
		h := New(Options{Policy: Policy{Releases: c.merge}, Now: func() time.Time { return released }})
		file, err := registrydata.ParseProvider([]byte(provider("1.0.0=aa")))
		must(t, err)
		var r release
		if c.adds {
			r.results = []validation.TagResult{{Version: "1.0.1", Taken: true}}
		}
		h.noteAttempts(&r, file, validation.Attempts{}.Fail("1.1.0", "no", released))
		if (r.content != nil) != c.writes || (r.again == 15*time.Minute) != c.writes {
			t.Errorf("%+v: content %s, again %s", c, r.content, r.again)
		}
		if c.writes && (!strings.Contains(string(r.content), `"versions_errors"`) || len(r.failed) != 1) {
			t.Errorf("%+v: %s, %v", c, r.content, r.failed)
		}
	}
}

// TestStillMissing: attempts at what is recorded, not tagged or not released any
// more are over.
func TestStillMissing(t *testing.T) {
	file, err := registrydata.ParseProvider([]byte(provider("1.0.0=aa")))
	must(t, err)
	missing := stillMissing(file, tagsNamed("v1.0.0", "v1.1.0", "1.2.0", "v1.3.0"), map[string]bool{"1.3.0": true})
	for version, want := range map[string]bool{"1.0.0": false, "1.1.0": true, "1.2.0": true, "1.3.0": false, "1.4.0": false} {
		if missing(version) != want {
			t.Errorf("%s: %v", version, !want)
		}
	}
}
