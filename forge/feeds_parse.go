package forge

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/mmcdole/gofeed/atom"
)

const (
	// maxFeedDepth bounds how deep elements may be nested: the parser calls itself
	// for each level, and GitHub's feeds have four.
	maxFeedDepth = 32
	// maxFeedEntries bounds the entries; GitHub's feeds have ten.
	maxFeedEntries = 1000
	// maxFeedTag is the longest name of a ref that GitHub takes.
	maxFeedTag = 255
)

// parseFeed reads an Atom document. Every error is a *Fault.
func parseFeed(raw []byte) ([]FeedEntry, error) {
	if err := checkDepth(raw); err != nil {
		return nil, err
	}
	doc, err := (&atom.Parser{}).Parse(bytes.NewReader(raw))
	if err != nil {
		return nil, &Fault{fmt.Sprintf("the feed is no Atom document: %.200s", err)}
	}
	if len(doc.Entries) > maxFeedEntries {
		return nil, &Fault{fmt.Sprintf("the feed has more than %d entries", maxFeedEntries)}
	}
	entries := make([]FeedEntry, 0, len(doc.Entries))
	for _, e := range doc.Entries {
		entries = append(entries, feedEntry(e))
	}
	return entries, nil
}

// checkDepth refuses documents that are nested too deeply.
func checkDepth(raw []byte) error {
	decoder := xml.NewDecoder(bytes.NewReader(raw))
	decoder.Strict = false
	decoder.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for depth := 0; ; {
		token, err := decoder.RawToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &Fault{fmt.Sprintf("the feed is no XML: %.200s", err)}
		}
		switch token.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		}
		if depth > maxFeedDepth {
			return &Fault{"the feed's elements are nested too deeply"}
		}
	}
}

// feedEntry reads "tag:github.com,2008:Repository/123/v1.0.0", and the tag of the
// link where the id is another. The tag is the rest of the id, slashes included.
func feedEntry(e *atom.Entry) FeedEntry {
	var entry FeedEntry
	if e.UpdatedParsed != nil {
		entry.Updated = e.UpdatedParsed.UTC().Truncate(time.Second)
	}
	if _, rest, ok := strings.Cut(e.ID, ":Repository/"); ok {
		id, tag, _ := strings.Cut(rest, "/")
		if n, err := strconv.ParseInt(id, 10, 64); err == nil && n > 0 {
			entry.RepositoryID, entry.Tag = n, tag
		}
	}
	for _, link := range e.Links {
		if entry.Tag != "" {
			break
		}
		if _, tag, ok := strings.Cut(link.Href, "/releases/tag/"); ok {
			if plain, err := url.PathUnescape(tag); err == nil {
				entry.Tag = plain
			}
		}
	}
	if !validRef(entry.Tag) || len(entry.Tag) > maxFeedTag {
		entry.Tag = ""
	}
	return entry
}
