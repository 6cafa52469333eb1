// Package registry answers the registry API from memory: `serve` as a private
// registry in one program, without a bucket or another web server.
//
// It keeps the metadata repository's data files packed (about a tenth of their
// size), renders an answer with registrydata.Renderer when it is asked for, so
// that its bytes are always those of `generate`, and keeps the answers that are
// asked for often. The data comes from a Source: a folder with a checkout, or the
// metadata repository on GitHub. New data is read beside the old one and takes
// its place in one step; a file that cannot be read keeps what was served.
//
// It must never judge submissions, write anything, or let one broken file take
// another entity down.
package registry
