package validation

import (
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// module judges a module's file (spec §1.5, §4): each new version MUST stand
// once and in order and have the commit that its tag points to; a recorded one
// MUST keep its commit.
func (j *dataJudge) module(a registrydata.ModuleAddress) {
	file, err := registrydata.ParseModule(j.new)
	if err != nil {
		j.unreadable(err, fixSubmit)
		return
	}
	old := &registrydata.Module{}
	if was, err := registrydata.ParseModule(j.old); err == nil {
		old = was
	}
	recorded := map[string]registrydata.ModuleVersion{}
	for _, v := range old.Versions {
		recorded[v.Version] = v
	}
	var versions []string
	there := map[string]bool{}
	for i, v := range file.Versions {
		versions = append(versions, v.Version)
		there[v.Version] = true
		j.version = i
		j.moduleVersion(recorded, v)
		j.barred(v.Version, func() (string, bool) { return j.Blacklist.Module(a, v.Version) })
	}
	j.version = -1
	j.shortTags(versions)
	j.order(versions, func(v string) bool { _, ok := recorded[v]; return !ok })
	for _, v := range old.Versions {
		if !there[v.Version] {
			j.removed(a.Entity(), v.Version)
		}
	}
	j.upkeep(old.Upkeep, file.Upkeep)
}

func (j *dataJudge) moduleVersion(recorded map[string]registrydata.ModuleVersion, v registrydata.ModuleVersion) {
	was, ok := recorded[v.Version]
	switch {
	case ok && (!filledIn(was.Commit, v.Commit) || !filledIn(was.Discovered, v.Discovered)):
		j.fail("version-changed", v.Version, fixImmutable, "Version %s is recorded already, and the change alters it.", v.Version)
		return
	case j.recorded: // commits came late, and shortTags names all short tags at once
	case !ok && v.Commit == "":
		j.in("version").warn("commit-missing", v.Version, "Record the object that the tag points to, so that a moved tag can be noticed.", "Version %s has no commit.", v.Version)
	case !ok && isShort(v.Version):
		j.in("version").warn("tag-short-version", v.Version, "Tag the commit once more with three numbers.", "The tag %s has fewer than three numbers; clients ask for a version with three.", v.Version)
	}
	if was.Discovered == "" {
		j.discovered(v.Version, v.Discovered)
	}
}

// shortTags says once of a recorded file which of its tags have fewer than
// three numbers: some have hundreds, and none of them can be mended.
func (j *dataJudge) shortTags(tags []string) {
	if !j.recorded {
		return
	}
	var short []string
	first := 0
	for i, tag := range tags {
		if isShort(tag) {
			if short == nil {
				first = i
			}
			short = append(short, tag)
		}
	}
	if short == nil {
		return
	}
	j.version = first
	j.in("version").warn("tag-short-version", short[0], "Tag the commits once more with three numbers.",
		"%s: fewer than three numbers; clients ask for a version with three.", someOf(short, 5))
	j.version = -1
}

// someOf lists a few: "v1, v2 and 3 more".
func someOf(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}
