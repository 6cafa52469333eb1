package forge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// FeedKind names one of the feeds that GitHub keeps of a repository.
type FeedKind string

// The feeds, as their addresses name them.
const (
	ReleasesFeed FeedKind = "releases" // of providers
	TagsFeed     FeedKind = "tags"     // of modules
)

// The bounds of a look at a feed. GitHub's have ten entries, and the notes of a
// release may be long.
const (
	maxFeed = 2 << 20
	// maxValidator bounds what is kept of an answer for the next request.
	maxValidator = 256
)

// FeedMark is what a look keeps for the next one: the validators of HTTP.
type FeedMark struct{ ETag, LastModified string }

// Feed is what a look at a feed saw.
type Feed struct {
	// Unchanged says that it is as it was at the mark; nothing else is set then.
	Unchanged bool
	// Gone says that there is no such repository that strangers can read.
	Gone bool
	Mark FeedMark
	// Entries are the releases or tags that GitHub lists, in its order: the
	// latest ten by the date of the commit or release, which is not the order of
	// the versions, and not all of them.
	Entries []FeedEntry
}

// FeedEntry is a release or a tag as a feed tells of it. Everything in it is a
// stranger's.
type FeedEntry struct {
	// Tag is "" where the entry does not say it in a known way.
	Tag string
	// Updated is the release's date, or that of the tag's commit, which whoever
	// made it could choose.
	Updated time.Time
	// RepositoryID is GitHub's number of the repository; 0 where it is not told.
	RepositoryID int64
}

// Feed looks at a feed of a repository, which costs no API quota: with the mark
// of the last look GitHub answers in a few bytes where nothing has changed. What
// is wrong with this one feed (HTML, malformed, too large, never ending, a
// redirect to somewhere else) is a *Fault; *RateLimitError says that the host
// wants no more requests. Any other error is passing trouble.
// (GET /{owner}/{repo}/releases.atom, GET /{owner}/{repo}/tags.atom)
func (a *Authors) Feed(ctx context.Context, repo registrydata.Repository, kind FeedKind, last FeedMark) (Feed, error) {
	if !validRepository(repo) {
		return Feed{Gone: true}, nil
	}
	bounded, cancel := context.WithTimeout(ctx, a.cfg.Limits.Look)
	defer cancel()
	feed, err := a.feed(bounded, repo, kind, last)
	if err == nil {
		return feed, nil
	}
	if bounded.Err() != nil && ctx.Err() == nil {
		err = &Fault{fmt.Sprintf("the feed does not end within %s", a.cfg.Limits.Look)}
	}
	return Feed{}, fmt.Errorf("feed of %s: %w", repo, err)
}

func (a *Authors) feed(ctx context.Context, repo registrydata.Repository, kind FeedKind, last FeedMark) (Feed, error) {
	address := a.cfg.WebURL + "/" + repo.Owner + "/" + repo.Name + "/" + string(kind) + ".atom"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return Feed{}, err
	}
	req.Header.Set("User-Agent", a.cfg.UserAgent)
	req.Header.Set("Accept", "application/atom+xml")
	if last.ETag != "" {
		req.Header.Set("If-None-Match", last.ETag)
	}
	if last.LastModified != "" {
		req.Header.Set("If-Modified-Since", last.LastModified)
	}
	resp, err := a.web.Do(req)
	if err != nil {
		return Feed{}, ownFault(err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		return readFeed(resp)
	case http.StatusNotModified:
		if last == (FeedMark{}) {
			return Feed{}, &Fault{"the feed is said not to have changed, and was never read"}
		}
		return Feed{Unchanged: true}, nil
	}
	return Feed{Gone: goneStatus(resp.StatusCode)}, statusFault(resp)
}

// goneStatus are GitHub's answers to strangers where there is nothing for them.
func goneStatus(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusGone, http.StatusUnauthorized, http.StatusUnavailableForLegalReasons:
		return true
	}
	return false
}

// statusFault is what an answer means that is neither an answer nor "gone".
func statusFault(resp *http.Response) error {
	if limited := rateLimited(resp); limited != nil {
		return limited
	}
	switch {
	case goneStatus(resp.StatusCode):
		return nil
	case resp.StatusCode >= http.StatusInternalServerError:
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return &Fault{fmt.Sprintf("the feed is answered with the status %d", resp.StatusCode)}
}

// readFeed reads the answer within bounds.
func readFeed(resp *http.Response) (Feed, error) {
	media, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if err != nil || (media != "application/atom+xml" && media != "application/xml" && media != "text/xml") {
		return Feed{}, &Fault{fmt.Sprintf("the feed is of the type %.60q, not application/atom+xml", media)}
	}
	tooLarge := &Fault{fmt.Sprintf("the feed is larger than %s", bytesText(maxFeed))}
	if resp.ContentLength > maxFeed {
		return Feed{}, tooLarge
	}
	raw, err := readAll(resp.Body, maxFeed)
	if errors.Is(err, errResponseTooLarge) {
		return Feed{}, tooLarge
	}
	if err != nil {
		return Feed{}, err
	}
	entries, err := parseFeed(raw)
	if err != nil {
		return Feed{}, err
	}
	return Feed{Mark: markOf(resp.Header), Entries: entries}, nil
}

// markOf keeps the validators that are of a sane length.
func markOf(h http.Header) FeedMark {
	m := FeedMark{ETag: h.Get("ETag"), LastModified: h.Get("Last-Modified")}
	if len(m.ETag) > maxValidator {
		m.ETag = ""
	}
	if len(m.LastModified) > maxValidator {
		m.LastModified = ""
	}
	return m
}

// ownFault finds the *Fault that the client hides in an error of its own: a
// redirect that is refused.
func ownFault(err error) error {
	var fault *Fault
	if errors.As(err, &fault) {
		return fault
	}
	var address *url.Error
	if errors.As(err, &address) {
		err = address.Err // the address is in the message already
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the answer ends early: %w", err)
	}
	return err
}
