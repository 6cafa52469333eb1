// Package githubspec judges HTTP exchanges by GitHub's own description of its
// REST API, and holds GitHub's own examples of webhook payloads.
//
// It owns the trimmed OpenAPI description (testdata, made by the program in
// folder trim), the finding of the operation a request means, and the list of
// places where GitHub and its description are known to disagree. It serves
// tests only: production code must never import it.
package githubspec

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
)

//go:embed testdata/api.github.com.json.gz
var packedSpec []byte

// A Spec is GitHub's description of its API, ready to check exchanges. It is
// safe for use by several goroutines.
type Spec struct {
	doc    *openapi3.T
	routes []*route
}

// Load returns the embedded description. The work (some tens of milliseconds)
// is done once a process. An error means that the embedded file is broken.
func Load() (*Spec, error) { return loadOnce() }

var loadOnce = sync.OnceValues(func() (*Spec, error) {
	data, err := unpack(packedSpec)
	if err != nil {
		return nil, fmt.Errorf("unpack the description of GitHub's API: %w", err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil {
		return nil, fmt.Errorf("load the description of GitHub's API: %w", err)
	}
	correct(doc)
	routes, err := newRoutes(doc)
	if err != nil {
		return nil, err
	}
	return &Spec{doc: doc, routes: routes}, nil
})

func unpack(packed []byte) ([]byte, error) {
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(zip)
	if err != nil {
		return nil, err
	}
	return data, zip.Close()
}
