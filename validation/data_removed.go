package validation

import (
	"fmt"

	"github.com/tofu-registrar/registrar/registrydata"
)

// removed judges that a change takes a version out: it MUST put the version on
// the blacklist, or have found it there, as the request form does.
func (j *dataJudge) removed(e registrydata.Entity, version string) {
	reason, ok := j.listed(e, version)
	if !ok {
		j.fail("version-removed", version, "Restore the version. Removals are for the maintainers to decide, by the form for that.", "Version %s is taken out of the registry.", version)
		return
	}
	j.warn("version-removed", version, "A maintainer's approving review decides.",
		"Version %s is taken out of the registry, for good: %s. Builds that are pinned to it will fail.", version, quoteReason(reason))
}

// deleted judges that a change takes a data file away.
func (j *dataJudge) deleted(e registrydata.Entity) {
	const fix = "A maintainer decides. Who uses the entry needs it to stay."
	versions := recordedIn(e, j.old)
	for _, v := range versions {
		if _, ok := j.listed(e, v); !ok {
			versions = nil
		}
	}
	if len(versions) == 0 {
		j.warn("file-deleted", "", fix, "%s %s is taken out of the registry.", e.Kind, e)
		return
	}
	reason, _ := j.listed(e, versions[0])
	j.warn("file-deleted", "", fix, "%s %s is taken out of the registry with its last versions (%s), which the blacklist keeps out: %s.",
		e.Kind, e, someOf(versions, 5), quoteReason(reason))
}

func (j *dataJudge) listed(e registrydata.Entity, version string) (reason string, ok bool) {
	if e.Kind == registrydata.KindModule {
		return j.Blacklist.Module(e.Module(), version)
	}
	return j.Blacklist.Provider(e.Provider(), version)
}

// quoteReason repeats the whole of a reason, as the request gave it.
func quoteReason(reason string) string { return fmt.Sprintf("%q", cut(reason, maxReason+20)) }

// recordedIn are the versions of a data file; none where it cannot be read.
func recordedIn(e registrydata.Entity, content []byte) []string {
	file, err := registrydata.ParseDataFile(e.Kind, content)
	if err != nil {
		return nil
	}
	return file.Versions()
}

// freed says which versions a change takes off the blacklist.
func (j *dataJudge) freed() {
	was, err := registrydata.ParseBlacklistFile(j.old)
	if err != nil {
		return
	}
	is, err := registrydata.ParseBlacklist(j.new)
	if err != nil {
		return
	}
	for _, e := range was.Providers {
		a := registrydata.ProviderAddress{Namespace: e.Namespace, Name: e.Name}
		if _, ok := is.Provider(a, e.Version); !ok {
			j.free(a.Entity(), e.Version)
		}
	}
	for _, e := range was.Modules {
		a := registrydata.ModuleAddress{Namespace: e.Namespace, Name: e.Name, Target: e.TargetSystem}
		if _, ok := is.Module(a, e.Version); !ok {
			j.free(a.Entity(), e.Version)
		}
	}
}

func (j *dataJudge) free(e registrydata.Entity, version string) {
	j.warn("version-freed", version, "Merge it only if the reason for the entry is gone.",
		"Version %s of %s %s is taken off the blacklist: it may come in again.", quote(version), e.Kind, quote(e.String()))
}
