package handlers

import (
	"context"

	"github.com/tofu-registrar/registrar/registrydata"
)

// render makes the live files of an entity from its data and its keys. An
// entity whose data file is gone has no live files; one whose file cannot be
// read keeps those that it has: the zero Update says so.
func (h *Handlers) render(ctx context.Context, commit string, e registrydata.Entity) (Update, error) {
	al, err := h.aliasesAt(ctx, commit)
	if err != nil {
		return Update{}, err
	}
	load := registrydata.Loader{Tree: commitTree{h.snapshots, commit}, Aliases: al, KeyID: keyID}
	c, err := load.Load(ctx, e)
	if err != nil {
		return Update{}, err
	}
	for _, fault := range c.Faults {
		h.log.Error("file of the registry's data cannot be read: it is left out, and what is live of a data file stays", "path", fault.Path, "error", fault.Err)
	}
	if c.Unreadable {
		return Update{}, nil
	}
	return Update{Entity: e, Objects: c.AllObjects(h.renderer()), Sources: c.Sources}, nil
}
