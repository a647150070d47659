package definition

import (
	"fmt"
	"strings"
	"time"

	"github.com/deedrun/deed/task"
)

// The bounds of limits: with less a program does not even start, and more is none.
const (
	minLimitMemory = 1 << 20
	minLimitFiles  = 8
	maxLimitFiles  = 1 << 20
	maxLimitCPU    = 365 * 24 * time.Hour
)

// limitNames are what may be limited, in the order in which it is written.
var limitNames = []string{"memory", "cpu", "files"}

// parseLimits reads what each program may use as it is given in a setting,
// "memory=2GiB,cpu=10m,files=256": some of them, each once.
func parseLimits(text string) (l task.Limits, err error) {
	err = parseAmounts(text, "limited", "memory=2GiB,cpu=10m,files=256", limitNames, func(name, value string) (err error) {
		switch name {
		case "memory":
			l.Memory, err = ParseLimitMemory(value)
		case "cpu":
			l.CPUTime, err = ParseLimitCPU(value)
		case "files":
			l.OpenFiles, err = ParseLimitFiles(value)
		}
		return err
	})
	return l, err
}

// ParseLimitMemory reads how much memory a program may have, like [ParseMemory].
func ParseLimitMemory(text string) (int64, error) {
	bytes, err := ParseMemory(text)
	if err == nil && bytes < minLimitMemory {
		return 0, fmt.Errorf("%s is less than any program needs; write 1MiB or more", quote(text))
	}
	return bytes, err
}

// ParseLimitCPU reads how long a program may compute, "10m", to the second.
func ParseLimitCPU(text string) (task.Duration, error) {
	d, err := ParseDuration(text)
	if err != nil {
		return 0, err
	}
	if t := time.Duration(d); t < time.Second || t > maxLimitCPU || t%time.Second != 0 {
		return 0, fmt.Errorf("%s is no number of seconds from 1s to %s; leave it out for no limit", quote(text), task.Duration(maxLimitCPU))
	}
	return d, nil
}

// ParseLimitFiles reads how many files a program may have open.
func ParseLimitFiles(text string) (int, error) {
	n, ok := wholeNumber(text)
	switch {
	case !ok:
		return 0, fmt.Errorf("%s is no number of files: write it like 256", quote(text))
	case n < minLimitFiles || n > maxLimitFiles:
		return 0, fmt.Errorf("%s open files are not between %d and %d; leave it out for no limit", clip(text), minLimitFiles, maxLimitFiles)
	}
	return n, nil
}

// writeLimits writes limits as an author does.
func writeLimits(l task.Limits) string {
	var words []string
	if l.Memory != 0 {
		words = append(words, "memory: "+writeMemory(l.Memory))
	}
	if l.CPUTime != 0 {
		words = append(words, "cpu: "+l.CPUTime.String())
	}
	if l.OpenFiles != 0 {
		words = append(words, fmt.Sprintf("files: %d", l.OpenFiles))
	}
	return orNone(len(words) > 0, "{"+strings.Join(words, ", ")+"}")
}
