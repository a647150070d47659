package models

import "math"

// What winters tries: every combination of these, and takes the one that would
// have forecast each day of the past best from the day before it.
var (
	wintersLevel  = []float64{0.05, 0.1, 0.2, 0.4, 0.6}
	wintersTrend  = []float64{0, 0.02, 0.1}
	wintersSeason = []float64{0.02, 0.05, 0.1, 0.2, 0.4}
)

const wintersDamping = 0.9 // a trend of today is worth little in two weeks

// winters is the additive method of Holt and Winters with a damped trend, in
// its error correction form: ETS(A,Ad,A).
func winters(y []float64, horizon int) []float64 {
	y = Clean(y)
	best, least := smoothing{}, math.Inf(1)
	for _, alpha := range wintersLevel {
		for _, beta := range wintersTrend {
			for _, gamma := range wintersSeason {
				s := begin(y)
				if squares := s.run(y, alpha, beta, gamma); squares < least {
					best, least = s, squares
				}
			}
		}
	}
	forecast := make([]float64, horizon)
	damped, factor := 0.0, 1.0
	for h := range forecast {
		factor *= wintersDamping
		damped += factor
		forecast[h] = best.level + damped*best.trend + best.season[(len(y)+h)%Week]
	}
	return forecast
}

type smoothing struct {
	level, trend float64
	season       [Week]float64 // by the day's number, modulo a week
}

// begin takes the first state from the first two weeks.
func begin(y []float64) smoothing {
	var s smoothing
	s.level = mean(y[:2*Week])
	for d := range s.season {
		s.season[d] = (y[d]+y[d+Week])/2 - s.level
	}
	return s
}

// run smooths what follows the first two weeks, and returns the sum of the
// squares of its errors one day ahead.
func (s *smoothing) run(y []float64, alpha, beta, gamma float64) (squares float64) {
	for t := 2 * Week; t < len(y); t++ {
		trend := wintersDamping * s.trend
		err := y[t] - (s.level + trend + s.season[t%Week])
		squares += err * err
		s.level += trend + alpha*err
		s.trend = trend + beta*alpha*err
		s.season[t%Week] += gamma * err
	}
	return squares
}
