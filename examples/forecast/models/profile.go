package models

const profileWeeks = 8

// profile takes the pattern of the week from eight weeks and the level from the
// last one. A pattern changes seldom, so much past makes it sure; a level
// changes whenever a timetable does, so only what is recent says it. Medians on
// both sides: one day without flights moves neither.
func profile(y []float64, horizon int) []float64 {
	n := len(y)
	var pattern [Week]float64 // by days after the end of the history
	deviations := make([][]float64, Week)
	for week := 1; week <= profileWeeks; week++ {
		days := y[n-week*Week : n-(week-1)*Week]
		middle := median(days)
		for d, v := range days {
			deviations[d] = append(deviations[d], v-middle)
		}
	}
	level := make([]float64, Week)
	for d := range level {
		pattern[d] = median(deviations[d])
		level[d] = y[n-Week+d] - pattern[d]
	}
	now := median(level)
	forecast := make([]float64, horizon)
	for h := range forecast {
		forecast[h] = now + pattern[h%Week]
	}
	return forecast
}
