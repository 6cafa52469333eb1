package publish

import (
	"context"
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Live lists the entities that have a manifest, so that those which the data
// does not have any more can go. It costs a listing of all manifests.
func (p *Publisher) Live(ctx context.Context) ([]registrydata.Entity, error) {
	names, err := p.target.List(ctx, manifestDir)
	if err != nil {
		return nil, fmt.Errorf("list what is live: %w", err)
	}
	entities := make([]registrydata.Entity, 0, len(names))
	for _, name := range names {
		if e, ok := registrydata.EntityFromPath(strings.TrimPrefix(name, manifestDir)); ok {
			entities = append(entities, e)
		}
	}
	return entities, nil
}
