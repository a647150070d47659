package models

import (
	"fmt"
	"math"
)

// Week is the season of all models, in days.
const Week = 7

// MinHistory is the shortest past that all models can work with, in days.
const MinHistory = 8 * Week

// Model forecasts the days after a history of at least [MinHistory] days, the
// last of which is its end.
type Model struct {
	Name     string
	forecast func(history []float64, horizon int) []float64
}

// All are the models, the simplest first.
var All = []Model{
	{"naive", naive},
	{"profile", profile},
	{"winters", winters},
	{"theta", theta},
}

// Forecast gives as many days as the horizon says. Departures are whole and
// not below zero, so is their forecast.
func (m Model) Forecast(history []int, horizon int) ([]int, error) {
	if len(history) < MinHistory {
		return nil, fmt.Errorf("forecast by %s: a history of %d days; at least %d are needed", m.Name, len(history), MinHistory)
	}
	past := make([]float64, len(history))
	for t, y := range history {
		past[t] = float64(y)
	}
	days := make([]int, horizon)
	for h, y := range m.forecast(past, horizon) {
		days[h] = whole(y)
	}
	return days, nil
}

// Combine is the median of several forecasts, day by day: it is seldom far
// from the best of them, and nobody has to know which that is.
func Combine(forecasts ...[]int) []int {
	combined := make([]int, len(forecasts[0]))
	for h := range combined {
		day := make([]float64, len(forecasts))
		for i, f := range forecasts {
			day[i] = float64(f[h])
		}
		combined[h] = whole(median(day))
	}
	return combined
}

// whole rounds halves up, as people do, not to the even neighbour.
func whole(y float64) int { return int(math.Floor(max(0, y) + 0.5)) }
