package templates

import (
	"sort"
	"strings"
)

// redactedKey is what stands in a private key's place. It reads well in a
// sentence, in a quotation and in a code block.
const redactedKey = "[A private key stood here and was removed. Treat it as stolen and revoke it.]"

// RedactPrivateKey replaces every private key of the body by a notice and keeps
// the rest byte for byte; found tells whether there was any.
//
//   - A block MUST go whole, from its BEGIN to its END mark, if either of them
//     says that it is private (OpenPGP's or any other kind).
//   - A block without END ends at the last line that looks like key material
//     before the next heading, fence or mark; one without BEGIN begins so.
//   - Key material without any mark goes where it decodes as a secret key; between
//     marks that call it public, where its first line does.
//   - Marks may be damaged or escaped: see privateMark.
//
// Where it is in doubt it removes too much: what it leaves stays public.
func RedactPrivateKey(body string) (redacted string, found bool) {
	spans := privateKeys(body)
	if len(spans) == 0 {
		return body, false
	}
	var out strings.Builder
	kept := 0
	for _, s := range spans {
		out.WriteString(body[kept:s.start])
		out.WriteString(redactedKey)
		kept = s.end
	}
	out.WriteString(body[kept:])
	return out.String(), true
}

// span is a part of a body, in bytes: [start, end).
type span struct{ start, end int }

// privateKeys finds the private keys of a body, in order and apart.
func privateKeys(body string) []span {
	marks := keyMarks(body)
	lines := splitLines(body)
	var spans, public []span
	for i := 0; i < len(marks); i++ {
		m, after, before := marks[i], len(body), 0
		if i+1 < len(marks) {
			after = marks[i+1].start
		}
		if i > 0 {
			before = marks[i-1].end
		}
		switch {
		case m.begins && i+1 < len(marks) && !marks[i+1].begins:
			if i++; m.private || marks[i].private {
				spans = append(spans, span{m.start, marks[i].end})
			} else {
				public = append(public, span{m.end, marks[i].start})
			}
		case m.private && m.begins:
			spans = append(spans, span{m.start, materialEnd(lines, body, m.end, after)})
		case m.private:
			spans = append(spans, span{materialStart(lines, body, before, m.start), m.end})
		}
	}
	return withUnmarked(spans, public, lines, body)
}

// materialEnd is where the key material that begins at from ends: behind the
// last line that looks like it, before the next heading or fence.
func materialEnd(lines []line, body string, from, to int) int {
	end, follows := from, false
	for _, l := range lines[lineAt(lines, from):] {
		if l.start >= to {
			break
		}
		start := max(l.start, from)
		text := body[start:max(start, min(l.start+len(l.text), to))]
		if l.start >= from && blockBound(text) {
			break
		}
		if follows = looksLikeKey(text) || follows && endsKey(text); follows {
			end = start + len(strings.TrimRight(text, " \t"))
		}
	}
	return end
}

// lineAt is the index of the line that holds the offset.
func lineAt(lines []line, offset int) int {
	return sort.Search(len(lines), func(i int) bool { return lines[i].end > offset })
}

// materialStart is where the key material that ends at to begins: at the first
// line that looks like it behind the last heading or fence.
func materialStart(lines []line, body string, from, to int) int {
	start := to
	for i := lineAt(lines, to); i >= 0 && lines[i].start >= from && !blockBound(lines[i].text); i-- {
		if text := body[lines[i].start:min(lines[i].start+len(lines[i].text), to)]; looksLikeKey(text) {
			start = lines[i].start + margin(text)
		}
	}
	return start
}

// margin is how far a line is indented or quoted.
func margin(text string) int { return len(text) - len(strings.TrimLeft(text, "> \t")) }

// blockBound tells whether no key goes on beyond the line: a heading, a fence.
func blockBound(text string) bool {
	text = text[margin(text):]
	return strings.HasPrefix(text, "#") || fenceOf(text).length > 0
}

// withUnmarked adds the secret keys that stand outside of the spans, without
// any mark of their own. Within what is marked as public the lines that go on with
// a key are not asked: in one key of a hundred, one of them looks like a secret
// key's first.
func withUnmarked(spans, public []span, lines []line, body string) []span {
	var all []span
	at, goesOn := 0, false
	for _, l := range lines {
		limit := len(body)
		if len(spans) > 0 {
			limit = spans[0].start
		}
		for len(public) > 0 && public[0].end <= l.start {
			public = public[1:]
		}
		start := l.start + margin(l.text)
		known := goesOn && len(public) > 0 && l.start >= public[0].start
		if !known && l.start >= at && start < limit && isSecretKey(body[start:min(limit, l.start+len(l.text))]) {
			at = materialEnd(lines, body, start, limit)
			all = append(all, span{start, at})
		}
		if text := strings.TrimSpace(body[start:max(start, l.start+len(l.text))]); text != "" {
			goesOn = len(text) >= 40 && !strings.ContainsFunc(text, notBase64)
		}
		for len(spans) > 0 && spans[0].start < l.end {
			all, at, spans = append(all, spans[0]), spans[0].end, spans[1:]
		}
	}
	return append(all, spans...)
}
