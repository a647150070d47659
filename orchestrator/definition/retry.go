package definition

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/deedrun/deed/task"
)

// defaultRetry is how tasks are tried when nobody says otherwise.
var defaultRetry = Retry{
	Attempts: 3,
	Backoff:  Backoff{Min: task.Duration(time.Second), Max: task.Duration(30 * time.Second)},
	Factor:   2,
	Jitter:   0.1,
}

// ParseBackoff reads a span of waiting times, "1s..30s", or one that does not grow, "5s".
func ParseBackoff(text string) (Backoff, error) {
	from, to, isSpan := strings.Cut(text, "..")
	if !isSpan {
		to = from
	}
	shortest, err := ParseDuration(strings.TrimSpace(from))
	if err != nil {
		return Backoff{}, fmt.Errorf("%s is no backoff: write it like 1s..30s, or 5s", quote(text))
	}
	longest, err := ParseDuration(strings.TrimSpace(to))
	if err != nil {
		return Backoff{}, fmt.Errorf("%s is no backoff: write it like 1s..30s, or 5s", quote(text))
	}
	return Backoff{Min: shortest, Max: longest}, nil
}

// String writes what ParseBackoff reads.
func (b Backoff) String() string {
	if b.Min == b.Max {
		return b.Min.String()
	}
	return b.Min.String() + ".." + b.Max.String()
}

// ParseFactor reads by how much a wait grows, "2" or "1.5".
func ParseFactor(text string) (float64, error) {
	factor, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is no factor: write a number like 2 or 1.5", quote(text))
	}
	return factor, nil
}

// ParseJitter reads a share of a wait, "10%" or "0.1".
func ParseJitter(text string) (float64, error) {
	hundredths, isPercent := strings.CutSuffix(text, "%")
	if isPercent {
		hundredths += "e-2" // exact, where a division may not be
	}
	jitter, err := strconv.ParseFloat(hundredths, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is no jitter: write a share like 10%% or 0.1", quote(text))
	}
	return jitter, nil
}

// percent writes a share as ParseJitter reads it back.
func percent(share float64) string {
	const most = 17 // digits that a number has
	for digits := 0; ; digits++ {
		text := strconv.FormatFloat(share*100, 'f', digits, 64) + "%"
		if back, err := ParseJitter(text); digits == most || err == nil && back == share {
			return text
		}
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
