package definition

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/deedrun/deed/task"
)

// The patterns of what an author may call things.
const (
	NamePattern    = `^` + oneName + `$`                               // data, params, steps and groups
	ProcessPattern = `^[a-z][a-z0-9-]{0,36}$`                          // a process: with a time-ordered suffix it makes an ID of at most 64 characters
	HandlerPattern = `^` + handlerName + `(@` + handlerVersion + `)?$` // at most MaxHandler characters before the @
	AddressPattern = `^` + oneName + `(/` + oneName + `)*$`            // a step or group: a/b/c
)

const (
	oneName        = `[a-z][a-z0-9_-]{0,62}`
	handlerName    = `[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*`
	handlerVersion = `[A-Za-z0-9][A-Za-z0-9._-]{0,31}`
)

// The bounds of a definition.
const (
	MaxSteps   = 10_000
	maxInto    = 100_000
	MaxDepth   = 16 // of groups in groups, and of children in children
	MaxRounds  = 1_000_000
	MaxHandler = 128 // characters of a handler's name
	MaxVersion = 32  // characters of the version it may be pinned to, see HandlerPattern
	MaxFactor  = 100 // by which a wait may grow
)

// reserved is the first word of the addresses and handlers that deed builds in.
const reserved = "deed"

var (
	namePattern    = regexp.MustCompile(NamePattern)
	processPattern = regexp.MustCompile(ProcessPattern)
	handlerPattern = regexp.MustCompile(`^` + handlerName + `$`)
	versionPattern = regexp.MustCompile(`^` + handlerVersion + `$`)
)

// isAddress is AddressPattern, word by word.
func isAddress(text string) bool {
	for word := range strings.SplitSeq(text, "/") {
		if !namePattern.MatchString(word) {
			return false
		}
	}
	return true
}

// ParseDuration reads "90s", "1m30s", "2h" or "0".
func ParseDuration(text string) (task.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s is no duration: write it like 30s, 5m or 1h30m", quote(text))
	}
	return task.Duration(d), nil
}

// ParseEach reads what a step fans out over: "corpus", "corpus by key", "corpus by
// key into 8", or, to join several by their keys, "orders, customers by key". Into is
// nil without `into`; a number that no int holds is the greatest or least int.
func ParseEach(text string) (data []string, byKey bool, into *int, err error) {
	names, by, found := strings.Cut(strings.Join(strings.Fields(text), " "), " by key")
	n := 0
	bucket, hasInto := strings.CutPrefix(by, " into ")
	wellFormed := by == ""
	if found && hasInto {
		n, wellFormed = wholeNumber(bucket)
		into = &n
	}
	if inside, ok := strings.CutPrefix(names, "["); ok {
		names, ok = strings.CutSuffix(inside, "]")
		wellFormed = wellFormed && ok
	}
	for name := range strings.SplitSeq(names, ",") {
		name = strings.TrimSpace(name)
		wellFormed = wellFormed && name != "" && !strings.Contains(name, " ")
		data = append(data, name)
	}
	switch {
	case !wellFormed:
		return nil, false, nil, fmt.Errorf("%s is no fan-out: write it like corpus, corpus by key, corpus by key into 8, or orders, customers by key", quote(text))
	case len(data) > 1 && !found:
		return nil, false, nil, fmt.Errorf("%s names several lists: they can be joined by their keys, like %s by key", quote(text), clip(strings.Join(data, ", ")))
	}
	return data, found, into, nil
}

// parseWhole reads a whole number; one that no int holds is the greatest or least int.
func parseWhole(text string) (int, error) {
	n, ok := wholeNumber(text)
	if !ok {
		return 0, fmt.Errorf("%s is no whole number", quote(text))
	}
	return n, nil
}

func wholeNumber(text string) (n int, ok bool) {
	n, err := strconv.Atoi(text)
	if err != nil {
		if !errors.Is(err, strconv.ErrRange) {
			return 0, false
		}
		n = math.MaxInt
		if strings.HasPrefix(text, "-") {
			n = math.MinInt
		}
	}
	return n, true
}

// String writes the fan-out as an author does: "photos by key into 8".
func (e Each) String() string {
	names := []string{e.Data}
	for _, b := range e.With {
		names = append(names, b.Data)
	}
	return strings.Join(names, ", ") + e.suffix()
}

func (e Each) suffix() string {
	switch {
	case e.Into > 0:
		return fmt.Sprintf(" by key into %d", e.Into)
	case e.ByKey:
		return " by key"
	}
	return ""
}

// quote shows a value of any length in a message.
func quote(s string) string { return strconv.Quote(clip(s)) }

// clip shortens a text to what fits into a line of a message.
func clip(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n++; n > most {
			return s[:i] + "…"
		}
	}
	return s
}
