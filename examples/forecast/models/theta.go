package models

import "math"

// theta is the method of Assimakopoulos and Nikolopoulos (2000): the mean of
// two lines, the straight one through the series (theta 0), and one of twice
// its curvature (theta 2), which simple smoothing carries on. As Hyndman and
// Billah showed, that is simple smoothing with a drift of half the slope.
// Weekdays are taken off before and put back after.
func theta(y []float64, horizon int) []float64 {
	y = Clean(y)
	n := len(y)
	season := weekdays(y)
	z := make([]float64, n)
	for t, v := range y {
		z[t] = v - season[t%Week]
	}
	alpha, level := smooth(z)
	drift := slope(z) / 2
	// The drift starts where the smoothed line, which lags behind, is by now.
	lag := (1 - math.Pow(1-alpha, float64(n))) / alpha
	forecast := make([]float64, horizon)
	for h := range forecast {
		forecast[h] = level + drift*(float64(h)+lag) + season[(n+h)%Week]
	}
	return forecast
}

// smooth finds, in steps of 0.05, the simple smoothing that would have forecast
// each value best from those before it, and returns where it ends.
func smooth(z []float64) (alpha, level float64) {
	least := math.Inf(1)
	for i := 1; i < 20; i++ {
		a := float64(i) / 20
		l, squares := z[0], 0.0
		for _, v := range z[1:] {
			err := v - l
			squares += err * err
			l += a * err
		}
		if squares < least {
			alpha, level, least = a, l, squares
		}
	}
	return alpha, level
}

// slope is that of the straight line with the least squares.
func slope(z []float64) float64 {
	middle, average := float64(len(z)-1)/2, mean(z)
	var up, across float64
	for t, v := range z {
		x := float64(t) - middle
		up += x * (v - average)
		across += x * x
	}
	return up / across
}

// weekdays is the classical decomposition: how far each weekday is on average
// from the mean of the week around it; in sum nothing.
func weekdays(y []float64) [Week]float64 {
	const half = Week / 2
	var sum, count, season [Week]float64
	for t := half; t < len(y)-half; t++ {
		sum[t%Week] += y[t] - mean(y[t-half:t+half+1])
		count[t%Week]++
	}
	for d := range season {
		season[d] = sum[d] / count[d]
	}
	average := mean(season[:])
	for d := range season {
		season[d] -= average
	}
	return season
}
