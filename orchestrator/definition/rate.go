package definition

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/deedrun/deed/task"
)

// maxRate is the most that a rate may let begin in a second.
const maxRate = 1_000_000

// Rate is so many in a time, written "5000/h".
type Rate struct {
	Count int           `json:"count"`
	Per   task.Duration `json:"per"`
}

// IsZero reports whether there is no limit.
func (r Rate) IsZero() bool { return r == Rate{} }

// Every is the time between two at this rate; 0: no limit.
func (r Rate) Every() time.Duration {
	if r.Count <= 0 {
		return 0
	}
	return time.Duration(r.Per) / time.Duration(r.Count)
}

const day = 24 * time.Hour

// String is how it is written: "5000/h", "10/30s".
func (r Rate) String() string {
	switch time.Duration(r.Per) {
	case time.Second:
		return fmt.Sprintf("%d/s", r.Count)
	case time.Minute:
		return fmt.Sprintf("%d/m", r.Count)
	case time.Hour:
		return fmt.Sprintf("%d/h", r.Count)
	case day:
		return fmt.Sprintf("%d/d", r.Count)
	}
	return fmt.Sprintf("%d/%s", r.Count, r.Per)
}

// ParseRate reads how many tasks may begin in which time: "5000/h", "10/30s".
func ParseRate(text string) (Rate, error) {
	count, per, isShare := strings.Cut(text, "/")
	n, isWhole := wholeNumber(strings.TrimSpace(count))
	if !isShare || !isWhole {
		return Rate{}, fmt.Errorf("%s is no rate: write it like 5000/h, or 10/30s", quote(text))
	}
	if n < 1 {
		return Rate{}, fmt.Errorf("%s lets no task begin: write 1 or more; to hold all of a process back, pause it", quote(text))
	}
	time, ok := parsePer(strings.TrimSpace(per))
	if !ok {
		return Rate{}, fmt.Errorf("%s is no rate: %s", quote(text), nearPer(n, strings.TrimSpace(per)))
	}
	if float64(n) > maxRate*time.Seconds() {
		return Rate{}, fmt.Errorf("%s is more than a million a second: leave it out for no limit", quote(text))
	}
	return Rate{Count: n, Per: task.Duration(time)}, nil
}

// parsePer reads s, m, h, d, or a time that may be counted in days.
func parsePer(text string) (time.Duration, bool) {
	if len(text) == 1 && strings.ContainsAny(text, "smhd") {
		text = "1" + text
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		const most = 36_500
		n, err := strconv.Atoi(days)
		return time.Duration(n) * day, err == nil && n >= 1 && n <= most
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0
}

// units are what people write for s, m, h and d, which they begin with.
var units = []string{
	"second", "seconds", "minute", "minutes", "hour", "hours", "day", "days", "s", "sec", "secs", "m", "min", "mins", "h", "hr", "hrs", "d",
}

// nearPer says how a time is written that somebody wrote out.
func nearPer(count int, per string) string {
	word := strings.TrimLeft(per, "0123456789. ")
	amount := strings.TrimSpace(per[:len(per)-len(word)])
	word = strings.ToLower(word)
	unit := word
	if !slices.Contains(units, word) {
		var spell Speller
		unit, _ = spell.Nearest(word, units[:8])
	}
	if unit != "" {
		near := amount + unit[:1]
		if _, ok := parsePer(near); ok && near != per {
			return fmt.Sprintf("did you mean %d/%s?", count, clip(near))
		}
	}
	return "after the / comes s, m, h, d or a time like 30s"
}
