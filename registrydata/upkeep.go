package registrydata

// Upkeep is what a data file says about how its versions are kept up to date.
// The public registry's format does not have these keys; its programs ignore
// them.
type Upkeep struct {
	// RepositoryID is GitHub's number of the repository that the versions came
	// from, which a renamed or transferred repository keeps and another one of
	// the same name does not have. 0: not known yet.
	RepositoryID int64
	// MinimumVersion is the lowest version that is taken in; empty: any. It says
	// nothing about versions that are recorded.
	MinimumVersion string
	// Prereleases tells whether pre-releases are taken in; nil: yes.
	Prereleases *bool
}

// upkeepKeys follow the keys of the reference in a file's schema.
var upkeepKeys = []string{"repository_id", "minimum_version", "prereleases"}

// TakesPrereleases is Prereleases with its default.
func (u *Upkeep) TakesPrereleases() bool { return u.Prereleases == nil || *u.Prereleases }

func (u *Upkeep) readKey(r *reader, i int) (err error) {
	switch i {
	case 0:
		u.RepositoryID, err = r.count()
	case 1:
		u.MinimumVersion, err = r.str()
	case 2:
		var yes bool
		if yes, err = r.boolean(); err == nil {
			u.Prereleases = &yes
		}
	}
	return err
}

func (u *Upkeep) emptyKey(i int) bool {
	switch i {
	case 0:
		return u.RepositoryID == 0
	case 1:
		return u.MinimumVersion == ""
	}
	return u.Prereleases == nil
}

func (u *Upkeep) writeKey(w *writer, i int) {
	switch i {
	case 0:
		w.int(u.RepositoryID)
	case 1:
		w.str(u.MinimumVersion)
	case 2:
		w.bool(u.TakesPrereleases())
	}
}
