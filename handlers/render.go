package handlers

import (
	"context"

	"github.com/tofu-registrar/registrar/registrydata"
)

func (h *Handlers) renderer() registrydata.Renderer { return registrydata.Renderer{WebURL: h.webURL} }

// render makes the live files of an entity from its data and its keys, and calls
// use with them. An entity whose data file is gone has no live files; one whose
// file cannot be read keeps those that it has: use is not called.
func (p *publication) render(ctx context.Context, e registrydata.Entity, use func(Update) error) error {
	c, err := p.loader.Load(ctx, e)
	if err != nil {
		return err
	}
	p.report(c.Faults)
	if c.Unreadable {
		return nil
	}
	leave, err := p.room.Enter(ctx, c.Size)
	if err != nil {
		return err
	}
	defer leave()
	return use(Update{Entity: e, Objects: c.AllObjects(p.h.renderer()), Sources: c.Sources})
}

// report logs each faulty file once: a key covers many providers.
func (p *publication) report(faults []*registrydata.FileFault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, fault := range faults {
		if !p.reported[fault.Path] {
			p.reported[fault.Path] = true
			p.h.log.Error("file of the registry's data cannot be read: it is left out, and what is live of a data file stays", "path", fault.Path, "error", fault.Err)
		}
	}
}
