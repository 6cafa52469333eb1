// Command trim makes the two data files of package githubspec out of the npm
// packages that publish them. It runs by hand, when the description of
// GitHub's API is to be renewed; nothing imports it.
//
//	npm i --prefix DIR @octokit/openapi@23.0.2 @octokit/webhooks-examples@7.6.1
//	go run ./internal/githubspec/trim -from DIR/node_modules/@octokit -to internal/githubspec/testdata
//
// The same input gives the same bytes.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	from := flag.String("from", "node_modules/@octokit", "folder that holds openapi and webhooks-examples")
	to := flag.String("to", "internal/githubspec/testdata", "folder to write")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "trim:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	if err := writeSpec(filepath.Join(from, "openapi", "generated", "api.github.com.json"), filepath.Join(to, "api.github.com.json.gz")); err != nil {
		return err
	}
	return writeExamples(filepath.Join(from, "webhooks-examples", "api.github.com", "index.json"), filepath.Join(to, "webhooks-examples.json.gz"))
}

func writeSpec(from, to string) error {
	var spec map[string]any
	if err := readJSON(from, &spec); err != nil {
		return err
	}
	trimmed, err := trim(spec, keptPaths)
	if err != nil {
		return fmt.Errorf("trim %s: %w", from, err)
	}
	return writeGzip(to, trimmed)
}

// writeExamples keeps each event's name and payloads; the rest of the index
// (descriptions, lists of properties) is derived from them.
func writeExamples(from, to string) error {
	var events []struct {
		Name     string            `json:"name"`
		Examples []json.RawMessage `json:"examples"`
	}
	if err := readJSON(from, &events); err != nil {
		return err
	}
	return writeGzip(to, events)
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("parse %s: %w", path, err)
	}
	return nil
}

// writeGzip writes a value as compressed JSON. Go sorts the keys of maps and
// the gzip header carries no time, so the result depends on the value alone.
func writeGzip(path string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := zip.Write(data); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	if err := os.WriteFile(path, packed.Bytes(), 0o600); err != nil {
		return err
	}
	fmt.Printf("%s: %d bytes, %d unpacked\n", path, packed.Len(), len(data))
	return nil
}
