package models

import (
	"math"
	"slices"
)

const (
	cleanWeeks = 3      // on either side
	cleanWidth = 3.0    // standard deviations
	cleanLeast = 0.5    // flights: in a series that never varies, the deviation is zero
	normalMAD  = 1.4826 // the standard deviation of normal errors is so many median absolute deviations
)

// Clean replaces days that are far from what is usual: further than three
// standard deviations, estimated robustly, from the median of the same weekday
// in the weeks around (a Hampel filter). It looks at nothing outside y.
func Clean(y []float64) []float64 {
	usual := make([]float64, len(y))
	distance := make([]float64, len(y))
	for t := range y {
		var around []float64
		for week := -cleanWeeks; week <= cleanWeeks; week++ {
			if near := t + week*Week; near >= 0 && near < len(y) {
				around = append(around, y[near])
			}
		}
		usual[t] = median(around)
		distance[t] = math.Abs(y[t] - usual[t])
	}
	limit := cleanWidth * max(normalMAD*median(distance), cleanLeast)
	cleaned := slices.Clone(y)
	for t := range cleaned {
		if distance[t] > limit {
			cleaned[t] = usual[t]
		}
	}
	return cleaned
}
