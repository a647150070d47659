package backtest

import "fmt"

// weeks compares the chosen models with the baseline, one origin of the test
// after the other: an improvement that one week alone has made is none.
func weeks(table Table, origins Origins, forecasts []Forecast, scores []Score) ([]Week, error) {
	type key struct{ airport, model, origin string }
	made := map[key][]int{}
	for _, f := range forecasts {
		made[key{f.Airport, f.Model, f.Origin}] = f.Days
	}
	model := chosen(scores)
	var all []Week
	for _, known := range origins.Test {
		w := Week{Origin: table.Days[known-1]}
		var naiveOff, chosenOff, flights int
		for _, s := range table.Series {
			naive, ours := made[key{s.Airport, Baseline, w.Origin}], made[key{s.Airport, model[s.Airport], w.Origin}]
			if len(naive) == 0 || len(ours) == 0 || known+max(len(naive), len(ours)) > len(s.Departures) {
				return nil, malformed(fmt.Sprintf("%s has no forecast from %s by %s and by %s", s.Airport, w.Origin, Baseline, model[s.Airport]))
			}
			n, came := errorOf(s, []int{known}, []Forecast{{Days: naive}})
			c, _ := errorOf(s, []int{known}, []Forecast{{Days: ours}})
			naiveOff, chosenOff, flights = naiveOff+n, chosenOff+c, flights+came
			switch {
			case c < n:
				w.Better++
			case c > n:
				w.Worse++
			}
		}
		w.Baseline, w.Chosen = ratio(float64(naiveOff), float64(flights)), ratio(float64(chosenOff), float64(flights))
		all = append(all, w)
	}
	return all, nil
}
