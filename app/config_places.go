package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// configFunctions are env(NAME), an environment variable, and file(PATH), the
// text of a file. What is not there is a fault at that place.
func configFunctions(getenv func(string) string, read func(string) ([]byte, error)) *hcl.EvalContext {
	textOf := func(param string, get func(string) (string, error)) function.Function {
		return function.New(&function.Spec{
			Params: []function.Parameter{{Name: param, Type: cty.String}},
			Type:   function.StaticReturnType(cty.String),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				text, err := get(args[0].AsString())
				if err != nil {
					return cty.UnknownVal(cty.String), function.NewArgError(0, err)
				}
				return cty.StringVal(text), nil
			},
		})
	}
	return &hcl.EvalContext{Functions: map[string]function.Function{
		"env": textOf("name", func(name string) (string, error) {
			if v := getenv(name); v != "" {
				return v, nil
			}
			return "", fmt.Errorf("the environment variable %s is not set, or empty", name)
		}),
		"file": textOf("path", func(path string) (string, error) {
			b, err := read(path)
			var pathErr *fs.PathError
			if errors.As(err, &pathErr) {
				return "", fmt.Errorf("can't read %s: %w", path, pathErr.Err)
			}
			return string(b), err
		}),
	}}
}

// withoutEchoes drops what HCL says about a value whose function has failed: the
// failure itself is told too.
func withoutEchoes(diags hcl.Diagnostics) hcl.Diagnostics {
	return slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool {
		return d.Detail == "Unsuitable value: value must be known"
	})
}

// configPlaces knows where in the file each attribute and block stands, by path:
// "publish.r2.bucket", "publish.r2", "publish".
type configPlaces struct {
	attributes map[string]hcl.Range
	blocks     map[string]hcl.Range
	doubled    map[string]bool // blocks that stand twice: HCL says so
	end        hcl.Range
}

func findPlaces(body *hclsyntax.Body) configPlaces {
	p := configPlaces{
		attributes: map[string]hcl.Range{}, blocks: map[string]hcl.Range{}, doubled: map[string]bool{},
		end: body.MissingItemRange(),
	}
	p.add("", body)
	return p
}

func (p configPlaces) add(prefix string, body *hclsyntax.Body) {
	for name, attribute := range body.Attributes {
		p.attributes[prefix+name] = attribute.Expr.Range()
	}
	for _, block := range body.Blocks {
		_, p.doubled[prefix+block.Type] = p.blocks[prefix+block.Type]
		p.blocks[prefix+block.Type] = block.DefRange()
		p.add(prefix+block.Type+".", block.Body)
	}
}

// placeFaults gives each fault its place. Left out are those that follow from a
// fault that HCL itself has found at the same place; a block that is missing is
// one fault.
func placeFaults(faults []configFault, known hcl.Diagnostics, body *hclsyntax.Body) hcl.Diagnostics {
	places := findPlaces(body)
	var diags hcl.Diagnostics
	missing := map[string]bool{}
	for _, f := range faults {
		block, _, _ := strings.Cut(f.path, ".")
		if _, ok := places.blocks[block]; !ok {
			if missing[block] {
				continue
			}
			missing[block] = true
			f = configFault{summary: "no block " + block, detail: "A block " + block + " { … } is needed."}
		}
		if places.doubled[block] || places.doubled[f.path[:max(strings.LastIndexByte(f.path, '.'), 0)]] {
			continue
		}
		at, attribute := places.of(f.path)
		if attribute && slices.ContainsFunc(known, func(d *hcl.Diagnostic) bool {
			return d.Subject != nil && d.Subject.Overlaps(at)
		}) {
			continue
		}
		diags = append(diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: f.summary, Detail: f.detail, Subject: &at})
	}
	return diags
}

// of is the place of an attribute, or of the nearest block that would hold it.
func (p configPlaces) of(path string) (at hcl.Range, attribute bool) {
	if at, ok := p.attributes[path]; ok {
		return at, true
	}
	for path != "" {
		if at, ok := p.blocks[path]; ok {
			return at, false
		}
		cut := strings.LastIndexByte(path, '.')
		path = path[:max(cut, 0)]
	}
	return p.end, false
}

// ConfigError is every fault of a configuration file, each with its place.
type ConfigError struct {
	src   []byte
	diags hcl.Diagnostics
}

// Error has one line a fault: file:line:column: what is wrong. What is wanted.
func (e *ConfigError) Error() string {
	var b strings.Builder
	e.Write(&b, false)
	return strings.TrimSuffix(b.String(), "\n")
}

// Write prints the faults in the order of the file, with the lines of the file
// that they are in for a person. A program's log gets no lines of the file: they
// may hold secrets.
func (e *ConfigError) Write(w io.Writer, withSource bool) {
	slices.SortStableFunc(e.diags, func(a, b *hcl.Diagnostic) int {
		return cmp.Compare(startByte(a), startByte(b))
	})
	for _, d := range e.diags {
		summary, detail := strings.TrimSuffix(d.Summary, "."), strings.Join(strings.Fields(d.Detail), " ")
		if d.Subject != nil {
			fmt.Fprintf(w, "%s:%d:%d: ", d.Subject.Filename, d.Subject.Start.Line, d.Subject.Start.Column)
		}
		if !withSource {
			fmt.Fprintf(w, "%s. %s\n", summary, detail)
			continue
		}
		fmt.Fprintf(w, "%s\n", summary)
		if d.Subject != nil {
			e.writeSource(w, *d.Subject)
		}
		fmt.Fprintf(w, "    %s\n\n", detail)
	}
}

func startByte(d *hcl.Diagnostic) int {
	if d.Subject == nil {
		return -1
	}
	return d.Subject.Start.Byte
}

// writeSource shows the line of a place and marks the place.
func (e *ConfigError) writeSource(w io.Writer, at hcl.Range) {
	lines := bytes.Split(e.src, []byte("\n"))
	n := at.Start.Line
	if n < 1 || n > len(lines) {
		return
	}
	line := strings.ReplaceAll(strings.TrimRight(string(lines[n-1]), "\r"), "\t", " ")
	width := 1
	if at.End.Line == n {
		width = max(at.End.Column-at.Start.Column, 1)
	}
	fmt.Fprintf(w, "%5d | %s\n      | %s%s\n", n, line, strings.Repeat(" ", at.Start.Column-1), strings.Repeat("^", width))
}
