package definition

import (
	"fmt"
	"regexp"
)

// PoolPattern is what a pool of workers may be called.
const PoolPattern = `^[a-z0-9][a-z0-9-]{0,63}$`

// DefaultPool is how the workers without a pool are written; in a resolved
// definition they have no name.
const DefaultPool = "default"

var poolPattern = regexp.MustCompile(PoolPattern)

// ParsePool reads the name of a pool; [DefaultPool] is none.
func ParsePool(text string) (string, error) {
	switch {
	case text == DefaultPool:
		return "", nil
	case text == none:
		return "", fmt.Errorf("%s is no pool: write %s for the workers without one", quote(text), DefaultPool)
	case !poolPattern.MatchString(text):
		return "", fmt.Errorf("%s is no pool: write a letter a-z or a digit, then at most 63 of a-z, 0-9 and -", quote(text))
	}
	return text, nil
}
