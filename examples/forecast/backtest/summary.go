package backtest

import (
	"fmt"
	"math"
	"slices"
)

// Rows of a summary that are no models.
const (
	Chosen    = "chosen"    // each airport with the model that was chosen for it
	Hindsight = "hindsight" // with the one that turned out best: nobody could have known
)

// Baseline is the model to beat.
const Baseline = "naive"

// Summary is what a back-test of many airports says.
type Summary struct {
	Airports    int
	First, Last string // day
	Plan        Plan
	Validated   []string // origins
	Tested      []string
	Totals      []Total // of each model, then Chosen and Hindsight
	Against     Paired  // the chosen models, compared with the baseline by their errors in units of the scale
	Weeks       []Week
}

// Total is how a model did over all airports. A weighted absolute percentage
// error, WAPE, is the sum of all errors over the sum of all flights.
type Total struct {
	Name             string
	Airports         int // for which it was chosen, or was best
	Validation, Test float64
	MASE             float64 // the mean, of the test
}

// Week is one origin of the test.
type Week struct {
	Origin           string
	Baseline, Chosen float64 // WAPE
	Better, Worse    int     // airports
}

// Improvement is by which share the error of the chosen models is smaller than
// that of the baseline, to four places.
func (s Summary) Improvement() float64 {
	naive, chosen := s.Total(Baseline), s.Total(Chosen)
	if naive.Test == 0 {
		return 0
	}
	return math.Floor(1e4*(1-chosen.Test/naive.Test)+0.5) / 1e4
}

// Total is the row of that name.
func (s Summary) Total(name string) Total {
	for _, t := range s.Totals {
		if t.Name == name {
			return t
		}
	}
	return Total{Name: name}
}

// Summarise adds up the scores of all airports.
func Summarise(plan Plan, table Table, forecasts []Forecast, scores []Score) (Summary, error) {
	origins, err := plan.Origins(len(table.Days))
	if err != nil {
		return Summary{}, err
	}
	s := Summary{Airports: len(table.Series), First: table.Days[0], Last: table.Days[len(table.Days)-1], Plan: plan}
	for _, known := range origins.Validation {
		s.Validated = append(s.Validated, table.Days[known-1])
	}
	for _, known := range origins.Test {
		s.Tested = append(s.Tested, table.Days[known-1])
	}
	judged, err := byAirport(table, scores)
	if err != nil {
		return s, err
	}
	sums := map[string]*sum{}
	for _, name := range append(Names(), Chosen, Hindsight) {
		sums[name] = &sum{}
	}
	var differences []float64
	for _, airport := range judged {
		naive, chosen, best := airport[0], airport[0], airport[0]
		for _, score := range airport {
			sums[score.Model].add(score)
			if score.Chosen {
				chosen = score
			}
			if score.Test.MAE < best.Test.MAE {
				best = score
			}
		}
		sums[chosen.Model].airports++
		sums[Chosen].add(chosen)
		sums[Hindsight].add(best)
		if chosen.Scale > 0 {
			differences = append(differences, (naive.Test.MAE-chosen.Test.MAE)/chosen.Scale)
		}
	}
	sums[Chosen].airports, sums[Hindsight].airports = len(judged), len(judged)
	for _, name := range append(Names(), Chosen, Hindsight) {
		s.Totals = append(s.Totals, sums[name].total(name))
	}
	s.Against = Compare(differences)
	s.Weeks, err = weeks(table, origins, forecasts, scores)
	return s, err
}

// byAirport is the scores of each airport of the table, in the order of
// [Names]: the baseline first.
func byAirport(table Table, scores []Score) ([][]Score, error) {
	found := map[string][]Score{}
	for _, s := range scores {
		found[s.Airport] = append(found[s.Airport], s)
	}
	var all [][]Score
	for _, series := range table.Series {
		of := found[series.Airport]
		chosen, names := 0, make([]string, 0, len(of))
		for _, s := range of {
			names = append(names, s.Model)
			if s.Chosen {
				chosen++
			}
		}
		if !slices.Equal(names, Names()) || chosen != 1 {
			return nil, malformed(fmt.Sprintf("%s has scores of %q, %d of them chosen; want %q and one", series.Airport, names, chosen, Names()))
		}
		all = append(all, of)
	}
	return all, nil
}

type sum struct {
	validation, test Window
	mase             float64
	scaled, airports int
}

func (s *sum) add(score Score) {
	s.validation.MAE += score.Validation.MAE
	s.validation.Flights += score.Validation.Flights
	s.test.MAE += score.Test.MAE
	s.test.Flights += score.Test.Flights
	if mase, ok := score.MASE(); ok {
		s.mase += mase
		s.scaled++
	}
}

func (s *sum) total(name string) Total {
	return Total{
		Name: name, Airports: s.airports,
		Validation: ratio(s.validation.MAE, s.validation.Flights), Test: ratio(s.test.MAE, s.test.Flights),
		MASE: ratio(s.mase, float64(s.scaled)),
	}
}

// ratio of nothing to nothing is nothing: airports without a flight.
func ratio(of, to float64) float64 {
	if to == 0 {
		return 0
	}
	return of / to
}
