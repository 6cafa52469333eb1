package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// certificate is a pair of PEM files that someone else renews. The pair in use
// changes when a new one is there and whole.
type certificate struct {
	files   [2]string // certificate with its chain, key
	current atomic.Pointer[tls.Certificate]
	seen    [2]stamp
	log     *slog.Logger
	metrics *metrics
}

// check reads the pair if one of its files has changed. A pair that cannot be
// used leaves the old one in use, and is looked at again when it changes.
func (c *certificate) check(ctx context.Context) error {
	var now [2]stamp
	for i, name := range c.files {
		info, err := os.Stat(name)
		if err != nil {
			return fmt.Errorf("certificate: %w", err)
		}
		now[i] = stamp{info.Size(), info.ModTime()}
	}
	if now == c.seen {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.files[0], c.files[1])
	if err != nil {
		// Between the two writes of a renewal the pair does not match.
		return fmt.Errorf("certificate %s with key %s: %w", c.files[0], c.files[1], err)
	}
	c.seen = now
	c.current.Store(&pair)
	c.metrics.certificate.Set(float64(pair.Leaf.NotAfter.Unix()))
	level := slog.LevelInfo
	if time.Now().After(pair.Leaf.NotAfter) {
		level = slog.LevelError
	}
	c.log.Log(ctx, level, "certificate in use", "expires", pair.Leaf.NotAfter)
	return nil
}

var errNoCertificate = errors.New("there is no certificate")

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if pair := c.current.Load(); pair != nil {
		return pair, nil
	}
	return nil, errNoCertificate
}
