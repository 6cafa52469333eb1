package main

import (
	"fmt"
	"time"
)

// LookConfig is the block look: how registered repositories are looked at that
// do not say themselves when they have a new version.
type LookConfig struct {
	// Off leaves new versions to webhooks and the command sync.
	Off bool
	// Least is the pause between two looks at a repository with a release or a
	// question of the last day, 5 minutes if 0. It grows with the square root of
	// the time since, up to Most, 4 hours if 0.
	Least, Most time.Duration
	// TagsMost is the longest pause between two listings of a repository's tags,
	// 12 hours if 0.
	TagsMost time.Duration
	// Limit is how old a look may become: 24 hours if 0. Nothing enforces it but
	// the order (the oldest goes first) and that Most is far below; a rate that
	// cannot keep it is logged, and registrar_oldest_look_seconds shows it.
	Limit time.Duration
	// FeedsPerSecond and TagsPerSecond bound the requests to the host of the
	// repositories, 10 and 3 if 0.
	FeedsPerSecond, TagsPerSecond float64
	// Parallel is how many looks are under way at a time, 16 if 0.
	Parallel int

	patience  time.Duration // of one look; the forge's if 0
	onlyAsked bool          // looks are made when someone asks, and not by themselves
}

// fileLook is the shape of the block.
type fileLook struct {
	Off            bool    `hcl:"off,optional"`
	Least          string  `hcl:"least,optional"`
	Most           string  `hcl:"most,optional"`
	TagsMost       string  `hcl:"tags_most,optional"`
	Limit          string  `hcl:"limit,optional"`
	FeedsPerSecond float64 `hcl:"feeds_per_second,optional"`
	TagsPerSecond  float64 `hcl:"tags_per_second,optional"`
	Parallel       int     `hcl:"parallel,optional"`
}

func (f *fileLook) config(faults *[]configFault) LookConfig {
	if f == nil {
		return LookConfig{}
	}
	return LookConfig{
		Off: f.Off, FeedsPerSecond: f.FeedsPerSecond, TagsPerSecond: f.TagsPerSecond, Parallel: f.Parallel,
		Least: duration("look.least", f.Least, faults), Most: duration("look.most", f.Most, faults),
		TagsMost: duration("look.tags_most", f.TagsMost, faults), Limit: duration("look.limit", f.Limit, faults),
	}
}

func (c LookConfig) withDefaults() LookConfig {
	c.Least = orElse(c.Least, 5*time.Minute)
	c.Most = orElse(c.Most, 4*time.Hour)
	c.TagsMost = orElse(c.TagsMost, 12*time.Hour)
	c.Limit = orElse(c.Limit, 24*time.Hour)
	c.FeedsPerSecond = orElse(c.FeedsPerSecond, 10)
	c.TagsPerSecond = orElse(c.TagsPerSecond, 3)
	c.Parallel = orElse(c.Parallel, 16)
	return c
}

func (c LookConfig) pace() lookPace {
	return lookPace{Least: c.Least, Most: c.Most, TagsMost: c.TagsMost}
}

// faults lists what is wrong.
func (c LookConfig) faults() (faults []configFault) {
	c = c.withDefaults()
	fault := func(field, summary, detail string) {
		faults = append(faults, configFault{"look." + field, summary, detail})
	}
	if c.Least < 30*time.Second {
		fault("least", fmt.Sprintf("every %s is too often", c.Least), `Leave at least "30s" between two looks at a repository, usually "5m".`)
	}
	if c.Most < c.Least {
		fault("most", "the longest pause is shorter than the shortest", "look.most is for silent repositories, look.least for busy ones.")
	}
	if c.TagsMost < tagsLeast {
		fault("tags_most", fmt.Sprintf("every %s is too often", c.TagsMost), `Tags are listed to see what feeds do not show: leave at least "30m", usually "12h".`)
	}
	if c.Limit < 2*c.Most {
		fault("limit", "the limit leaves no room", "It is at least twice look.most: a pause may be a tenth longer, and looks wait for their turn.")
	}
	if c.FeedsPerSecond < 0.01 || c.FeedsPerSecond > 1000 {
		fault("feeds_per_second", "no usable rate", "It is a number from 0.01 to 1000, usually 10.")
	}
	if c.TagsPerSecond < 0.01 || c.TagsPerSecond > 1000 {
		fault("tags_per_second", "no usable rate", "It is a number from 0.01 to 1000, usually 3.")
	}
	if c.Parallel < 1 || c.Parallel > 256 {
		fault("parallel", fmt.Sprintf("%d looks at a time", c.Parallel), "It is a number from 1 to 256.")
	}
	return faults
}
