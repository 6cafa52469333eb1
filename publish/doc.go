// Package publish puts rendered files where registry clients read them, keeps a
// manifest of what is live, and tells the cache before it what has changed.
//
// One entity (a provider, a module) is published at a time. Its files are
// written in the order that leaves every listed file readable at any moment:
// downloads before the version list that names them, deletions the other way
// round, then a record of what to purge, the manifest, and last the purge. A run
// that was interrupted is mended by running it again; a run that finds everything
// in place writes nothing; two runs on one entity do so one after the other, on
// whatever machines they are (see claim).
//
// A Target is a folder or a bucket (R2, or any S3 that knows conditional
// writes); a Purger is Cloudflare's cache. A Guard holds back a run that would
// take away what clients rely on.
//
// The package never renders a file and never decides what may be published.
package publish
