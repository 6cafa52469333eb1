package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/tofu-registrar/registrar/handlers"
)

// LogConfig is the block log.
type LogConfig struct {
	// Decisions is the file that every decision about a submission or a version is
	// appended to, one JSON object a line; "decisions.jsonl" beside the queue's
	// database, or beside the configuration, if empty.
	Decisions string
}

const decisionsFile = "decisions.jsonl"

// decisionsPath is where decisions are kept.
func (c Config) decisionsPath() string {
	switch {
	case c.Log.Decisions != "":
		return c.Log.Decisions
	case c.Queue.Database.Server():
		return decisionsFile
	}
	return filepath.Join(filepath.Dir(string(c.Queue.Database)), decisionsFile)
}

// mostDecisionLine bounds a line, in bytes. handlers bounds what goes into it far
// below.
const mostDecisionLine = 1 << 20

// decisions is the log that is open for appending. Several processes may append
// to one file.
type decisions struct {
	file appended

	mu      sync.Mutex // of what is written
	batch   *syncBatch // lines that are written and not yet synced
	syncing sync.Mutex // of what is synced
}

// appended is what the log needs of an *os.File.
type appended interface {
	io.Writer
	io.ReaderAt
	io.Closer
	Stat() (os.FileInfo, error)
	Sync() error
}

// syncBatch is the lines that one sync brings to the disk.
type syncBatch struct {
	done bool // by syncing
	err  error
}

// openDecisions opens the log, and makes it where there is none. Only the
// operator can read it.
func openDecisions(path string) (*decisions, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600) // #nosec G304 -- the operator names it
	if err != nil {
		return nil, fmt.Errorf("open the decision log: %w", err)
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("the decision log %s is no file", path), err, f.Close())
	}
	return &decisions{file: f}, nil
}

// Record appends a line and returns when it is on the disk. Lines that wait at
// the same time are synced together.
func (d *decisions) Record(_ context.Context, decision handlers.Decision) error {
	line, err := json.Marshal(decision)
	if err != nil {
		return err
	}
	if len(line) >= mostDecisionLine {
		return fmt.Errorf("a decision of %d bytes", len(line))
	}
	batch, err := d.write(append(line, '\n'))
	if err != nil {
		return err
	}
	return d.sync(batch)
}

// write appends a line by one call, so that lines of several processes do not
// mix. What a crash or a full disk left of an earlier line is ended first.
func (d *decisions) write(line []byte) (*syncBatch, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	open, err := d.unterminated()
	if err != nil {
		return nil, err
	}
	if open {
		line = append([]byte{'\n'}, line...)
	}
	if _, err := d.file.Write(line); err != nil {
		return nil, err
	}
	if d.batch == nil {
		d.batch = &syncBatch{}
	}
	return d.batch, nil
}

func (d *decisions) unterminated() (bool, error) {
	info, err := d.file.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	last := make([]byte, 1)
	if _, err := d.file.ReadAt(last, info.Size()-1); err != nil {
		return false, err
	}
	return !bytes.Equal(last, []byte{'\n'}), nil
}

// sync waits for the batch's turn. Whoever comes first syncs for all that have
// written until then.
func (d *decisions) sync(batch *syncBatch) error {
	d.syncing.Lock()
	defer d.syncing.Unlock()
	if batch.done {
		return batch.err
	}
	d.mu.Lock()
	d.batch = nil
	d.mu.Unlock()
	batch.done, batch.err = true, d.file.Sync()
	return batch.err
}

// Close closes the file; nil has none.
func (d *decisions) Close() error {
	if d == nil {
		return nil
	}
	return d.file.Close()
}
