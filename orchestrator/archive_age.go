package orchestrator

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/deedrun/deed/task"
)

const (
	aDay  = 24 * time.Hour
	aYear = 365 * aDay
)

// Age is a duration that reads "30d" or "1y" where it is whole days or years.
type Age time.Duration

func (a Age) String() string {
	d := time.Duration(a)
	switch {
	case d > 0 && d%aYear == 0:
		return strconv.FormatInt(int64(d/aYear), 10) + "y"
	case d > 0 && d%aDay == 0:
		return strconv.FormatInt(int64(d/aDay), 10) + "d"
	}
	return task.Duration(d).String()
}

// ParseAge reads "30d", "1y" (365 days), or what time.ParseDuration reads.
func ParseAge(text string) (time.Duration, error) {
	unit := map[string]time.Duration{"d": aDay, "y": aYear}
	for suffix, length := range unit {
		number, ok := strings.CutSuffix(text, suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || !(n >= 0 && n <= float64(math.MaxInt64/int64(length)-1)) {
			return 0, fmt.Errorf("%q is no time: write it like 30d, 1y or 12h", text)
		}
		return time.Duration(n * float64(length)), nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no time: write it like 30d, 1y or 12h", text)
	}
	return d, nil
}
