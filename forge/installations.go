package forge

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/google/go-github/v57/github"

	"github.com/tofu-registrar/registrar/registrydata"
)

// InstalledRepository is a repository that the App is installed on.
type InstalledRepository struct {
	Repository              registrydata.Repository
	Private, Archived, Fork bool
}

// InstallationRepositories lists the repositories of one of the App's
// installations, at most limit of them. ErrNotFound: there is no such
// installation, or it is suspended.
// (GET /app/installations/{installation_id}, GET /installation/repositories)
func (f *Forge) InstallationRepositories(ctx context.Context, id int64, limit int) ([]InstalledRepository, error) {
	var known struct {
		SuspendedAt *string `json:"suspended_at"`
	}
	if err := f.app.get(ctx, route("app", "installations", id), &known); err != nil {
		return nil, fmt.Errorf("installation %d: %w", id, err)
	}
	if known.SuspendedAt != nil {
		return nil, fmt.Errorf("installation %d is suspended: %w", id, ErrNotFound)
	}
	client, err := f.creator.NewInstallationClient(id)
	if err != nil {
		return nil, fmt.Errorf("installation %d: %w", id, err)
	}
	as := &api{client: func(context.Context) (*github.Client, error) { return client, nil }}
	var all []InstalledRepository
	for page := 1; len(all) < limit; page++ {
		got, err := installedPage(ctx, as, page)
		if err != nil {
			return nil, fmt.Errorf("repositories of installation %d: %w", id, err)
		}
		all = append(all, got...)
		if len(got) < perPage {
			break
		}
	}
	return all[:min(len(all), limit)], nil
}

func installedPage(ctx context.Context, as *api, page int) ([]InstalledRepository, error) {
	query := url.Values{"per_page": {strconv.Itoa(perPage)}, "page": {strconv.Itoa(page)}}
	var answer struct {
		Repositories []struct {
			Name                    string
			Owner                   struct{ Login string }
			Private, Archived, Fork bool
		}
	}
	if err := as.get(ctx, "installation/repositories?"+query.Encode(), &answer); err != nil {
		return nil, err
	}
	var out []InstalledRepository
	for _, r := range answer.Repositories {
		out = append(out, InstalledRepository{
			Repository: registrydata.Repository{Owner: r.Owner.Login, Name: r.Name},
			Private:    r.Private, Archived: r.Archived, Fork: r.Fork,
		})
	}
	return out, nil
}
