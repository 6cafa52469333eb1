package handlers

import (
	"context"
	"fmt"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// mostFilledChecked is of how many recorded versions one pull request may fill
// something in, for each of them is downloaded.
const mostFilledChecked = 5

// filledTarget is a recorded archive of which a change says what was not known.
type filledTarget struct {
	version string
	target  registrydata.Target
}

// filledTargets are the archives of which a size or a hash is filled in, and of
// how many versions they are.
func filledTargets(old, file *registrydata.Provider) (out []filledTarget, versions int) {
	for _, v := range file.Versions {
		was, ok := old.Version(v.Version)
		if !ok || len(was.Targets) != len(v.Targets) {
			continue
		}
		before := len(out)
		for i, t := range v.Targets {
			if was.Targets[i].H1 != t.H1 || was.Targets[i].Size != t.Size {
				out = append(out, filledTarget{v.Version, t})
			}
		}
		if len(out) > before {
			versions++
		}
	}
	return out, versions
}

// compareFilled downloads the archives of which a pull request fills in sizes and
// hashes: what it says of them is not believed either.
func (h *Handlers) compareFilled(ctx context.Context, old, file *registrydata.Provider) ([]validation.Finding, error) {
	filled, versions := filledTargets(old, file)
	if versions > mostFilledChecked {
		return []validation.Finding{{
			Code: "filled-too-much", Severity: validation.Error,
			Message: fmt.Sprintf("Sizes or hashes of %d recorded versions are filled in; they are compared with the archives for %d at most.", versions, mostFilledChecked),
			Fix:     "Leave them out: the registry finds them by itself.",
		}}, nil
	}
	found, err := each(ctx, filled, func(ctx context.Context, f filledTarget) ([]validation.Finding, error) {
		zip, err := h.authors.Zip(ctx, validation.Asset{Name: f.target.Filename, URL: f.target.DownloadURL})
		if err != nil {
			return nil, err
		}
		if differs := validation.AuditArchives(f.version, []validation.ArchiveNow{{Target: f.target, Zip: zip}}); len(differs) > 0 {
			return differs, nil
		}
		if f.target.H1 != zip.H1 && f.target.H1 != "" || f.target.Size != zip.Size && f.target.Size != 0 {
			return []validation.Finding{notAsReleased(f.version, fmt.Sprintf("%s has %d bytes and the hash %s", f.target.Filename, zip.Size, zip.H1))}, nil
		}
		return nil, nil
	})
	var all []validation.Finding
	for _, f := range found {
		all = append(all, f...)
	}
	return all, err
}
