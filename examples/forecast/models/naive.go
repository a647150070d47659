package models

// naive repeats the last week.
func naive(y []float64, horizon int) []float64 {
	forecast := make([]float64, horizon)
	for h := range forecast {
		forecast[h] = y[len(y)-Week+h%Week]
	}
	return forecast
}
