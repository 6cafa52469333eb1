package sandbox

import (
	"html/template"
	"strconv"
)

// icons are drawn on a grid of 16 with lines of the text's colour.
var icons = map[string]string{
	"check":   `<path d="M3 8.5l3.2 3.2L13 5"/>`,
	"cross":   `<path d="M4 4l8 8M12 4l-8 8"/>`,
	"skip":    `<circle cx="8" cy="8" r="6"/><path d="M4 12l8-8"/>`,
	"dot":     `<circle cx="8" cy="8" r="6"/><circle cx="8" cy="8" r="1.6" fill="currentColor"/>`,
	"done":    `<circle cx="8" cy="8" r="6"/><path d="M5.4 8.2l1.8 1.8 3.4-3.6"/>`,
	"issue":   `<circle cx="8" cy="8" r="6"/><circle cx="8" cy="8" r="1.6" fill="currentColor"/>`,
	"pull":    `<circle cx="4" cy="3.5" r="1.7"/><circle cx="4" cy="12.5" r="1.7"/><circle cx="12" cy="12.5" r="1.7"/><path d="M4 5.2v5.6M12 10.8V6.5a2.5 2.5 0 0 0-2.5-2.5H8M9.7 2.2L7.9 4l1.8 1.8"/>`,
	"closed":  `<circle cx="4" cy="3.5" r="1.7"/><circle cx="4" cy="12.5" r="1.7"/><circle cx="12" cy="12.5" r="1.7"/><path d="M4 5.2v5.6M12 10.8V8M10 2.5l4 4M14 2.5l-4 4"/>`,
	"merge":   `<circle cx="4" cy="3.5" r="1.7"/><circle cx="4" cy="12.5" r="1.7"/><circle cx="12" cy="8" r="1.7"/><path d="M4 5.2v5.6M4.3 5.2c.6 1.9 2.6 2.8 5.9 2.8"/>`,
	"code":    `<path d="M5.5 4L1.8 8l3.7 4M10.5 4l3.7 4-3.7 4"/>`,
	"repo":    `<path d="M3.5 12.5v-9a1.5 1.5 0 0 1 1.5-1.5h8v12H5a1.5 1.5 0 0 1 0-3h8"/>`,
	"tag":     `<path d="M2 2.5h5.3l6.5 6.5-5 5L2.3 7.5z"/><circle cx="5" cy="5.3" r="0.8" fill="currentColor"/>`,
	"branch":  `<circle cx="4.5" cy="3.5" r="1.7"/><circle cx="4.5" cy="12.5" r="1.7"/><circle cx="11.5" cy="5" r="1.7"/><path d="M4.5 5.2v5.6M11.5 6.7c0 2.5-7 1.6-7 4"/>`,
	"folder":  `<path d="M1.8 12.8v-9.6h4.4l1.6 1.8h6.4v7.8z"/>`,
	"file":    `<path d="M3.5 14.2V1.8h6l3 3v9.4z"/><path d="M9.3 2v3h3"/>`,
	"comment": `<path d="M2 3h12v8H8l-3 2.7V11H2z"/>`,
	"commit":  `<circle cx="8" cy="8" r="3"/><path d="M1 8h4M11 8h4"/>`,
	"package": `<path d="M8 1.8l5.6 3v6.4L8 14.2l-5.6-3V4.8zM2.4 4.8L8 7.8l5.6-3M8 7.8v6.4"/>`,
	"lock":    `<rect x="3" y="7" width="10" height="7" rx="1"/><path d="M5 7V4.8a3 3 0 0 1 6 0V7"/>`,
	"eye":     `<path d="M1 8s2.5-4.5 7-4.5S15 8 15 8s-2.5 4.5-7 4.5S1 8 1 8z"/><circle cx="8" cy="8" r="2"/>`,
	"pencil":  `<path d="M2.5 13.5l.7-3L11 2.7l2.3 2.3-7.8 7.8z"/>`,
}

// icon draws an icon; class colours it, as in style.css.
func icon(name, class string) template.HTML {
	return template.HTML(`<svg class="icon ` + template.HTMLEscapeString(class) + //nolint:gosec // the drawing is ours, the class escaped
		`" viewBox="0 0 16 16" aria-hidden="true">` + icons[name] + `</svg>`)
}

// atoiOr reads a number that a visitor may have typed.
func atoiOr(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return otherwise
}
