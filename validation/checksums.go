package validation

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxChecksums is the largest SHA256SUMS file that is read, in bytes, and
	// maxChecksumLines the longest. The largest real ones have some 5 kB and 40
	// lines.
	maxChecksums     = 1 << 20
	maxChecksumLines = 10000
	// maxLineLength is where the clients stop reading: a scanner's limit.
	maxLineLength = 64 << 10
	// maxToldLines bounds the findings of one kind about lines.
	maxToldLines = 5
)

// ChecksumLine is one line of a SHA256SUMS file.
type ChecksumLine struct {
	Sum  string // 64 lower-case hexadecimal digits
	File string
}

// Checksums is the content of a SHA256SUMS file.
type Checksums struct {
	Lines []ChecksumLine
}

// ParseChecksums reads a SHA256SUMS file as strictly as the clients need it
// (spec protocols §3). With a finding of severity error the release can't be
// published, since the file can't be changed without breaking its signature:
//
//   - Each line MUST be a SHA-256 in 64 hexadecimal digits, spaces, and a file
//     name. Upper-case digits are read as lower-case ones, as the clients do.
//   - There MUST be no blank line, at the end neither: both clients crash.
//   - A name MUST NOT begin with "*", the mark of `sha256sum -b`: the clients
//     take it for part of the name and find nothing.
//   - A name MUST NOT hold a path or spaces, and MUST stand once. (The same
//     line twice is a warning.)
//   - Lines may end with CR LF, with a warning.
func ParseChecksums(b []byte) (Checksums, []Finding) {
	r := &checksumReader{seen: map[string]string{}, told: map[string]int{}}
	switch {
	case len(b) > maxChecksums:
		r.tell("checksums-too-large", 0, fmt.Sprintf("has %d bytes; at most %d are read", len(b), maxChecksums))
		return r.sums, r.all()
	case len(bytes.TrimSpace(b)) == 0:
		r.tell("checksums-empty", 0, "is empty")
		return r.sums, r.all()
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		r.tell("checksums-line", 1, "begins with a byte order mark")
		return r.sums, r.all()
	}
	lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	if len(lines) > maxChecksumLines {
		r.tell("checksums-too-large", 0, fmt.Sprintf("has %d lines; at most %d are read", len(lines), maxChecksumLines))
		return r.sums, r.all()
	}
	for i, line := range lines {
		r.line(i+1, line)
	}
	return r.sums, r.all()
}

type checksumReader struct {
	sums     Checksums
	seen     map[string]string
	crlf     bool
	told     map[string]int
	findings []Finding
}

func (r *checksumReader) line(n int, line string) {
	if strings.HasSuffix(line, "\r") {
		r.crlf = true
		line = strings.TrimSuffix(line, "\r")
	}
	fields := strings.Fields(line)
	switch {
	case len(fields) == 0:
		r.tell("checksums-blank-line", n, "is blank; both clients crash on that")
	case len(line) >= maxLineLength || !utf8.ValidString(line) || strings.IndexFunc(line, unprintable) >= 0:
		r.tell("checksums-line", n, "is not text of a checksum and a file name")
	case len(fields) != 2 || !isSHA256(fields[0]):
		r.tell("checksums-line", n, fmt.Sprintf("is %s, not a SHA-256 in 64 hexadecimal digits and a file name", quote(line)))
	case strings.HasPrefix(fields[1], "*"):
		r.tell("checksums-binary-mark", n, fmt.Sprintf("names %s; clients take the * of `sha256sum --binary` for part of the name", quote(fields[1])))
	case strings.ContainsAny(fields[1], `/\`) || fields[1] == "." || fields[1] == "..":
		r.tell("checksums-path", n, fmt.Sprintf("names %s, which is a path and not a file name", quote(fields[1])))
	default:
		r.add(n, ChecksumLine{Sum: strings.ToLower(fields[0]), File: fields[1]})
	}
}

func (r *checksumReader) add(n int, line ChecksumLine) {
	sum, twice := r.seen[line.File]
	switch {
	case !twice:
		r.seen[line.File] = line.Sum
		r.sums.Lines = append(r.sums.Lines, line)
	case sum == line.Sum:
		r.tell("checksums-repeated", n, fmt.Sprintf("repeats the line of %s", quote(line.File)))
	default:
		r.tell("checksums-contradiction", n, fmt.Sprintf("gives %s another checksum than a line before", quote(line.File)))
	}
}

// tell notes what is wrong with a line (0: the file), at most five times for
// each code.
func (r *checksumReader) tell(code string, line int, what string) {
	r.told[code]++
	if r.told[code] > maxToldLines {
		return
	}
	f := Finding{
		Code: code, Severity: Error, Field: "SHA256SUMS", Message: "SHA256SUMS " + what + ".",
		Fix: "Write the file with `sha256sum *.zip *_manifest.json > …_SHA256SUMS` (GoReleaser does it so), sign it again and make a new release.",
	}
	if line > 0 {
		f.Message = fmt.Sprintf("Line %d of SHA256SUMS %s.", line, what)
	}
	if code == "checksums-repeated" {
		f.Severity, f.Fix = Warning, "Drop the repeated line in the next release."
	}
	r.findings = append(r.findings, f)
}

// all returns the findings, saying of how many lines nothing was told.
func (r *checksumReader) all() []Finding {
	for i := range r.findings {
		f := &r.findings[i]
		if more := r.told[f.Code] - maxToldLines; more > 0 {
			f.Message += fmt.Sprintf(" (The same is wrong with %d lines that are not listed.)", more)
			r.told[f.Code] = 0
		}
	}
	if r.crlf {
		r.findings = append(r.findings, Finding{
			Code: "checksums-crlf", Severity: Warning, Field: "SHA256SUMS",
			Message: "The lines of SHA256SUMS end with CR LF. The clients of today read that.",
			Fix:     "Write the file with plain line feeds in the next release.",
		})
	}
	return r.findings
}

func unprintable(r rune) bool {
	return r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r))
}

// isSHA256 accepts 64 hexadecimal digits of either case.
func isSHA256(s string) bool {
	if len(s) != 64 {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}
