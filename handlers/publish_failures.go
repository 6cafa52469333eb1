package handlers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// failures are the entities of a run that could not be published.
type failures []failure

type failure struct {
	entity registrydata.Entity
	err    error
}

const (
	// mostFailures is how many entities may fail before a run ends: so many are
	// no trouble of one entity.
	mostFailures = 100
	// mostTold is how many of them an error names.
	mostTold = 5
)

// add notes a failure. It returns an error where going on makes no sense: the
// others would fail for the same reason.
func (f *failures) add(e registrydata.Entity, err error) error {
	err = fmt.Errorf("publish %s %s: %w", e.Kind, e, err)
	if stops(err) {
		return err
	}
	*f = append(*f, failure{e, err})
	if len(*f) < mostFailures {
		return nil
	}
	return f.join(nil)
}

// stops tells whether an error is none of one entity: of the place that is
// published to, of GitHub, or of a run that is told to end.
func stops(err error) bool {
	var trouble *publish.TroubleError
	var slow *publish.RateLimitError
	var limited *forge.RateLimitError
	return errors.As(err, &trouble) || errors.As(err, &slow) || errors.As(err, &limited) ||
		errors.Is(err, forge.ErrUnauthorized) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// join is one error of all failures and another one; nil where there is none.
func (f failures) join(other error) error {
	slices.SortFunc(f, func(a, b failure) int { return cmp.Compare(a.entity.Path(), b.entity.Path()) })
	var errs []error
	for _, x := range f[:min(len(f), mostTold)] {
		errs = append(errs, x.err)
	}
	if more := len(f) - mostTold; more > 0 {
		errs = append(errs, fmt.Errorf("and %d more entries failed", more))
	}
	return errors.Join(append(errs, other)...)
}
