package definition

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Tolerance is how many tasks of a step may fail for good without failing the
// process: a number, a share of the step's tasks, or all. The zero Tolerance is
// none.
type Tolerance struct {
	Count   int     `json:"count,omitempty"`
	Percent float64 `json:"percent,omitempty"` // 0 to 100
	All     bool    `json:"all,omitempty"`
}

// ParseTolerance reads "0", "5", "1%", "0.5%" or "all".
func ParseTolerance(text string) (Tolerance, error) {
	if text == "all" {
		return Tolerance{All: true}, nil
	}
	if share, ok := strings.CutSuffix(text, "%"); ok {
		if percent, err := strconv.ParseFloat(share, 64); err == nil {
			return Tolerance{Percent: percent}, nil
		}
	} else if count, ok := wholeNumber(text); ok {
		return Tolerance{Count: count}, nil
	}
	return Tolerance{}, fmt.Errorf("%s is no tolerance: write a number of tasks, a share like 1%%, or all", quote(text))
}

// Of is how many of so many tasks may fail. A share is rounded down.
func (t Tolerance) Of(tasks int) int {
	switch {
	case t.All:
		return tasks
	case t.Percent > 0:
		// Counted in millionths of a percent: 0.57% of 10,000 are 57, and no
		// hair less.
		const fine = 1_000_000
		return int(int64(tasks) * int64(math.Round(min(t.Percent, 100)*fine)) / (100 * fine))
	}
	return min(t.Count, tasks)
}

// String is the tolerance as an author writes it: 0, 5, 1% or all.
func (t Tolerance) String() string {
	switch {
	case t.All:
		return "all"
	case t.Percent != 0:
		return strconv.FormatFloat(t.Percent, 'f', -1, 64) + "%"
	}
	return strconv.Itoa(t.Count)
}
