package registrydata

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	// maxPart is the longest module namespace, name or target system that the
	// clients accept. No provider in the registry is longer either.
	maxPart = 64
	// maxRepositoryName is GitHub's limit on the name of a repository.
	maxRepositoryName = 100
)

// Check tells whether a client can address the provider at all: letters, digits
// and single dashes between them; a name may not begin with "terraform-", which
// clients take for a repository's name typed by mistake. (The rules of
// hashicorp/terraform-registry-address.) The error says which rule is broken.
func (a ProviderAddress) Check() error {
	if err := checkProviderPart(a.Namespace); err != nil {
		return fmt.Errorf("provider namespace %s: %w", quoteShort(a.Namespace), err)
	}
	if err := checkProviderPart(a.Name); err != nil {
		return fmt.Errorf("provider name %s: %w", quoteShort(a.Name), err)
	}
	if strings.HasPrefix(a.Name, modulePrefix) {
		return fmt.Errorf("provider name %s: must not start with %q", quoteShort(a.Name), modulePrefix)
	}
	if len(providerPrefix+a.Name) > maxRepositoryName {
		return fmt.Errorf("provider name %s: longer than a GitHub repository name allows", quoteShort(a.Name))
	}
	return nil
}

// Check tells whether a client can address the module at all: namespace and
// name of 1 to 64 letters, digits, dashes and underscores that begin and end
// with a letter or digit; a target system of 1 to 64 letters and digits. The
// error says which rule is broken.
func (a ModuleAddress) Check() error {
	if err := checkModulePart(a.Namespace, "-_"); err != nil {
		return fmt.Errorf("module namespace %s: %w", quoteShort(a.Namespace), err)
	}
	if err := checkModulePart(a.Name, "-_"); err != nil {
		return fmt.Errorf("module name %s: %w", quoteShort(a.Name), err)
	}
	if err := checkModulePart(a.Target, ""); err != nil {
		return fmt.Errorf("module target system %s: %w", quoteShort(a.Target), err)
	}
	return nil
}

func checkProviderPart(s string) error {
	if err := checkModulePart(s, "-"); err != nil {
		return err
	}
	if strings.Contains(s, "--") {
		return fmt.Errorf("must not hold two dashes in a row")
	}
	return nil
}

// checkModulePart allows lower-case letters, digits and, inside, the characters
// of inner.
func checkModulePart(s, inner string) error {
	switch {
	case s == "":
		return fmt.Errorf("must not be empty")
	case len(s) > maxPart:
		return fmt.Errorf("has %d characters, at most %d are allowed", len(s), maxPart)
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; !isLowerAlnum(c) && strings.IndexByte(inner, c) < 0 {
			return fmt.Errorf("must consist of %s", allowedText(inner))
		}
	}
	if !isLowerAlnum(s[0]) || !isLowerAlnum(s[len(s)-1]) {
		return fmt.Errorf("must begin and end with a letter or a digit")
	}
	return nil
}

func allowedText(inner string) string {
	switch inner {
	case "":
		return "the letters a-z and digits"
	case "-":
		return "the letters a-z, digits and dashes"
	default:
		return "the letters a-z, digits, dashes and underscores"
	}
}

func isLowerAlnum(c byte) bool { return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' }

// lowerASCII folds A-Z only: folding all of Unicode would turn a KELVIN SIGN
// into the letter k and so let two spellings of an address look different.
func lowerASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// quoteShort quotes a stranger's text for an error message, cut to 80
// characters.
func quoteShort(s string) string {
	const limit = 80
	n := 0
	for i := range s {
		if n == limit {
			return strconv.Quote(s[:i]) + "..."
		}
		n++
	}
	return strconv.Quote(s)
}
