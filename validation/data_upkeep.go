package validation

import "github.com/tofu-registrar/registrar/registrydata"

// upkeep judges what a data file says about how it is kept up to date:
//
//   - The minimum version MUST be a version.
//   - A remembered repository id SHOULD stay: another one lets the versions of
//     another repository in.
func (j *dataJudge) upkeep(was, is registrydata.Upkeep) {
	if v := is.MinimumVersion; v != was.MinimumVersion && v != "" {
		if _, ok := registrydata.VersionKey(v); !ok {
			j.in("minimum_version").fail("minimum-version", "minimum_version", "Write a version such as 1.2.0.", "The minimum version %s is no version.", quote(v))
		}
	}
	if was.RepositoryID != 0 && is.RepositoryID != was.RepositoryID {
		j.in("repository_id").warn("repository-id", "repository_id", "Merge it only if the repository that has the name now is the rightful one.",
			"The remembered id of the repository changes from %d to %d: versions are taken in from another repository of the same name from then on.", was.RepositoryID, is.RepositoryID)
	}
}
