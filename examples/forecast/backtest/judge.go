package backtest

import (
	"fmt"
	"slices"

	"github.com/deedrun/deed/examples/forecast/models"
)

// Combined is the model that is made of all others: their median.
const Combined = "median"

// Judge scores what each model of [models.All] made of a series, and what their
// median makes of it, and says which one is chosen. It returns all forecasts,
// those of the median among them.
func Judge(plan Plan, days []string, s Series, made map[string][]Forecast) ([]Score, []Forecast, error) {
	origins, err := plan.Origins(len(days))
	if err != nil {
		return nil, nil, err
	}
	made, err = complete(plan, days, s.Airport, origins.All(), made)
	if err != nil {
		return nil, nil, err
	}
	var validation []Error
	var scores []Score
	var all []Forecast
	first := origins.Test[0]
	for _, model := range Names() {
		forecasts := made[model]
		off, flights := errorOf(s, origins.Validation, forecasts)
		validation = append(validation, Error{model, off})
		score := Score{Airport: s.Airport, Model: model, Scale: scale(s.Departures[:first])}
		score.Validation = over(off, flights, plan.Validation*plan.Horizon)
		off, flights = errorOf(s, origins.Test, forecasts[len(origins.Validation):])
		score.Test = over(off, flights, plan.Test*plan.Horizon)
		scores, all = append(scores, score), append(all, forecasts...)
	}
	chosen := Choose(validation)
	for i := range scores {
		scores[i].Chosen = scores[i].Model == chosen
	}
	return scores, all, nil
}

// Names are those of all models, the combined one last.
func Names() []string {
	var names []string
	for _, m := range models.All {
		names = append(names, m.Name)
	}
	return append(names, Combined)
}

// complete adds the median to the forecasts of each model, which have to be
// from exactly these origins.
func complete(plan Plan, days []string, airport string, origins []int, made map[string][]Forecast) (map[string][]Forecast, error) {
	whole := map[string][]Forecast{}
	for _, m := range models.All {
		forecasts := slices.Clone(made[m.Name])
		if len(forecasts) != len(origins) {
			return nil, malformed(fmt.Sprintf("%s has %d forecasts by %s; want %d, one from each origin", airport, len(forecasts), m.Name, len(origins)))
		}
		for i, f := range forecasts {
			if f.Airport != airport || f.Model != m.Name || f.Origin != days[origins[i]-1] || len(f.Days) != plan.Horizon {
				return nil, malformed(fmt.Sprintf("forecast %d of %s by %s is of %s by %s from %s for %d days; want it from %s for %d",
					i+1, airport, m.Name, f.Airport, f.Model, f.Origin, len(f.Days), days[origins[i]-1], plan.Horizon))
			}
		}
		whole[m.Name] = forecasts
	}
	for i, known := range origins {
		var each [][]int
		for _, m := range models.All {
			each = append(each, whole[m.Name][i].Days)
		}
		whole[Combined] = append(whole[Combined], Forecast{airport, Combined, days[known-1], models.Combine(each...)})
	}
	return whole, nil
}

// errorOf sums up what forecasts from these origins were off, and what came.
func errorOf(s Series, origins []int, forecasts []Forecast) (off, flights int) {
	for i, known := range origins {
		for h, n := range forecasts[i].Days {
			came := s.Departures[known+h]
			off, flights = off+max(n-came, came-n), flights+came
		}
	}
	return off, flights
}

// scale is what a forecast of next week by this one is off on average: the
// measure of MASE.
func scale(y []int) float64 {
	sum := 0
	for t := models.Week; t < len(y); t++ {
		sum += max(y[t]-y[t-models.Week], y[t-models.Week]-y[t])
	}
	return float64(sum) / float64(len(y)-models.Week)
}
