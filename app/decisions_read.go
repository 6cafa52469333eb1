package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
)

// decisionQuery says which decisions are wanted: those about an entry, an issue
// or a pull request, and those about the issues and pull requests that they name.
type decisionQuery struct {
	name   string // an address, or a key's namespace, in lower case
	issues map[int]bool
	pulls  map[int]bool
}

// parseDecisionQuery reads "acme/demo", "acme/net/demo", "key acme", "issue 12",
// "pull 15".
func parseDecisionQuery(words []string) (q decisionQuery, err error) {
	q = decisionQuery{issues: map[int]bool{}, pulls: map[int]bool{}}
	if len(words) == 2 {
		switch n, err := strconv.Atoi(strings.TrimPrefix(words[1], "#")); {
		case words[0] == "key":
			q.name = "provider-key " + strings.ToLower(words[1])
			return q, nil
		case err != nil || n <= 0:
		case words[0] == "issue":
			q.issues[n] = true
			return q, nil
		case words[0] == "pull":
			q.pulls[n] = true
			return q, nil
		}
	}
	if len(words) != 1 {
		return q, usageError("%.100q is none of: an address, key NAMESPACE, issue NUMBER, pull NUMBER", strings.Join(words, " "))
	}
	if strings.Count(words[0], "/") == 2 {
		a, err := registrydata.ParseModuleAddress(words[0])
		if err != nil {
			return q, usageError("%.200q: %w", words[0], err)
		}
		q.name = "module " + strings.ToLower(a.String())
		return q, nil
	}
	a, err := registrydata.ParseProviderAddress(words[0])
	if err != nil {
		return q, usageError("%.200q: %w", words[0], err)
	}
	q.name = "provider " + strings.ToLower(a.String())
	return q, nil
}

func (q decisionQuery) wants(d handlers.Decision) bool {
	return q.name != "" && slices.Contains(d.About, q.name) ||
		d.Issue > 0 && q.issues[d.Issue] || d.Pull > 0 && q.pulls[d.Pull]
}

// read goes through the log twice: once for the issues and pull requests that
// belong to what is asked for, once for the decisions. each gets them in order,
// without those that are there twice because a run was cut off. faulty is how
// many lines no decision could be read from.
func (q decisionQuery) read(log io.ReadSeeker, each func(handlers.Decision) error) (faulty int, err error) {
	_, err = readDecisions(log, func(d handlers.Decision) error {
		if q.wants(d) && d.Did != handlers.DidPublish {
			q.issues[d.Issue], q.pulls[d.Pull] = true, true
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if _, err := log.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	last := ""
	return readDecisions(log, func(d handlers.Decision) error {
		if !q.wants(d) {
			return nil
		}
		if d.ID == last {
			return nil
		}
		last = d.ID
		return each(d)
	})
}

// readDecisions reads a log line by line. A line that is cut off, as a crash or a
// full disk leaves it, is counted and passed over.
func readDecisions(log io.Reader, each func(handlers.Decision) error) (faulty int, err error) {
	r := bufio.NewReaderSize(log, mostDecisionLine)
	for {
		line, err := r.ReadSlice('\n')
		long := false
		for errors.Is(err, bufio.ErrBufferFull) { // no decision is that long
			long, line = true, nil
			_, err = r.ReadSlice('\n')
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return faulty, fmt.Errorf("read the decision log: %w", err)
		}
		var d handlers.Decision
		switch text := strings.TrimSpace(string(line)); {
		case text == "" && !long:
			// The end; or two processes wrote at once, and one saw the other's line half.
		case json.Unmarshal([]byte(text), &d) != nil || d.ID == "":
			faulty++
		default:
			if err := each(d); err != nil {
				return faulty, err
			}
		}
		if err != nil {
			return faulty, nil
		}
	}
}
