package validation

import (
	"bytes"
	"html"
	"regexp"
	"strings"
)

// maxKey is the largest text that is searched for a key. The largest key of the
// public registry has 10 kB.
const maxKey = 256 << 10

// keyBlocks is what a text holds in the way of armored public keys.
type keyBlocks struct {
	// blocks are the whole blocks, each once: from the BEGIN to the END line,
	// bytes as they stand in the text unless repaired.
	blocks [][]byte
	// open tells that a block begins and never ends.
	open bool
	// repaired says in words what had to be mended to read a block.
	repaired []string
}

// keyMark is the BEGIN or END line of a public key block, in the shapes that
// word processors and chat programs give it.
var keyMark = regexp.MustCompile(`(?i)\p{Pd}{2,10}\s?(BEGIN|END) PGP PUBLIC KEY BLOCK\s?\p{Pd}{2,10}`)

// maxMarks bounds how many BEGIN and END lines of a text are looked at.
const maxMarks = 100

const (
	beginLine = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
	endLine   = "-----END PGP PUBLIC KEY BLOCK-----"
)

// findKeyBlocks cuts the public key blocks out of a text. What can be mended
// without guessing is mended: quotation marks and spaces before each line,
// typographic dashes, HTML entities, a missing empty line, other line lengths.
func findKeyBlocks(text []byte) keyBlocks {
	var out keyBlocks
	if bytes.Contains(text, []byte("&#")) || bytes.Contains(text, []byte("&gt;")) || bytes.Contains(text, []byte("&equals;")) {
		if plain := []byte(html.UnescapeString(string(text))); keyMark.Match(plain) {
			text = plain
			out.mended("HTML entities")
		}
	}
	seen := map[string]bool{}
	var begin []int // of the BEGIN line whose END line is looked for
	for _, m := range keyMark.FindAllSubmatchIndex(text, maxMarks) {
		if m[3]-m[2] == len("BEGIN") {
			out.open = out.open || begin != nil
			begin = m[:2]
			continue
		}
		if begin == nil {
			continue
		}
		block := out.cutBlock(text, begin, m[0], m[1])
		if id := strings.Join(strings.Fields(string(block)), "\n"); !seen[id] {
			seen[id] = true
			out.blocks = append(out.blocks, block)
		}
		begin = nil
	}
	out.open = out.open || begin != nil
	return out
}

func (k *keyBlocks) mended(what string) {
	for _, w := range k.repaired {
		if w == what {
			return
		}
	}
	k.repaired = append(k.repaired, what)
}

// cutBlock returns one block: the bytes from the BEGIN line to the line end
// after the END line, or a repaired copy of them.
func (k *keyBlocks) cutBlock(text []byte, begin []int, end, after int) []byte {
	inner := string(text[begin[1]:end])
	exact := string(text[begin[0]:begin[1]]) == beginLine && string(text[end:after]) == endLine
	wellFormed := wellFormedBody(inner)
	if exact && wellFormed {
		return text[begin[0]:lineEnd(text, after)]
	}
	if !exact {
		k.mended("the BEGIN and END lines")
	}
	if !wellFormed {
		k.mended("what stands before and between the lines")
		inner = mendBody(inner)
	}
	return []byte(beginLine + inner + endLine + "\n")
}

// lineEnd includes the line end after position i: LF, CR LF or none.
func lineEnd(text []byte, i int) int {
	if bytes.HasPrefix(text[i:], []byte("\r\n")) {
		return i + 2
	}
	if bytes.HasPrefix(text[i:], []byte("\n")) {
		return i + 1
	}
	return i
}

var (
	armorHeader = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9 -]{0,30}:( .*)?$`)
	armorData   = regexp.MustCompile(`^[A-Za-z0-9+/]{1,76}={0,2}$`)
	armorSum    = regexp.MustCompile(`^=[A-Za-z0-9+/]{4}$`)
	sumAtEnd    = regexp.MustCompile(`^([A-Za-z0-9+/]+={0,2})(=[A-Za-z0-9+/]{4})$`)
)

// wellFormedBody tells whether the lines between BEGIN and END are such as
// every OpenPGP reader takes: headers, an empty line, lines of base64 of at most
// 76 characters, perhaps a checksum.
func wellFormedBody(inner string) bool {
	lines := strings.Split(strings.ReplaceAll(inner, "\r\n", "\n"), "\n")
	if len(lines) < 4 || strings.TrimRight(lines[0], " \t") != "" || lines[len(lines)-1] != "" {
		return false
	}
	i := 1
	for i < len(lines) && armorHeader.MatchString(lines[i]) {
		i++
	}
	if i == len(lines) || strings.TrimSpace(lines[i]) != "" {
		return false
	}
	for _, line := range lines[i+1 : len(lines)-1] {
		line = strings.TrimRight(line, " \t")
		if line != "" && !armorData.MatchString(line) && !armorSum.MatchString(line) {
			return false
		}
	}
	return true
}

// mendBody brings the lines between BEGIN and END into form. What is no armor
// at all stays, so that the block is unreadable rather than another key.
func mendBody(inner string) string {
	var headers, data []string
	for _, line := range strings.Split(strings.Map(plainRune, strings.ToValidUTF8(inner, "?")), "\n") {
		line = strings.Trim(line, " >|`")
		switch {
		case line == "":
		case len(data) == 0 && armorHeader.MatchString(line):
			headers = append(headers, line+"\n")
		default:
			data = append(data, strings.Fields(line)...)
		}
	}
	all, sum := strings.Join(data, ""), ""
	if m := sumAtEnd.FindStringSubmatch(all); m != nil && len(m[1])%4 == 0 {
		all, sum = m[1], m[2]+"\n"
	}
	var b strings.Builder
	b.WriteString("\n" + strings.Join(headers, "") + "\n")
	for all != "" {
		n := min(64, len(all))
		b.WriteString(all[:n] + "\n")
		all = all[n:]
	}
	return b.String() + sum
}
