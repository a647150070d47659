package page

import (
	"fmt"
	"math"
	"slices"

	"github.com/deedrun/deed/examples/forecast/backtest"
)

// airport is a series with the scores of the two models that are compared.
type airport struct {
	backtest.Series
	naive, chosen backtest.Score
}

// airports are those of the study, the busiest first.
func (s Study) airports() ([]airport, error) {
	byCode := map[string]*airport{}
	var all []*airport
	for _, series := range s.Table.Series {
		a := &airport{Series: series}
		byCode[series.Airport] = a
		all = append(all, a)
	}
	for _, score := range s.Scores {
		a := byCode[score.Airport]
		if a == nil {
			return nil, fmt.Errorf("draw the page: there are scores of %q, which is not in the table", score.Airport)
		}
		if score.Model == backtest.Baseline {
			a.naive = score
		}
		if score.Chosen {
			a.chosen = score
		}
	}
	slices.SortStableFunc(all, func(a, b *airport) int {
		switch {
		case a.naive.Test.Flights > b.naive.Test.Flights:
			return -1
		case a.naive.Test.Flights < b.naive.Test.Flights:
			return 1
		}
		return 0
	})
	sorted := make([]airport, len(all))
	for i, a := range all {
		sorted[i] = *a
	}
	return sorted, nil
}

// pick takes at most n of them, by rank in even steps of a logarithm: the
// busiest, and some of each size down to the smallest.
func pick(airports []airport, n int) []airport {
	if len(airports) <= n {
		return airports
	}
	var picked []airport
	next := 0
	for i := range n {
		rank := int(math.Pow(float64(len(airports)), float64(i)/float64(n-1))) - 1
		next = max(next, rank) // the first steps are less than one
		picked = append(picked, airports[next])
		next++
	}
	return picked
}

// row is a line of the table at the end.
type row struct {
	Airport, City, Model   string
	Flights, Naive, Chosen float64
	Change                 string
	Better, Worse          bool
}

func (a airport) row() row {
	r := row{
		Airport: a.Airport, City: a.City, Model: a.chosen.Model,
		Flights: a.chosen.Test.Flights, Naive: a.naive.Test.MAE, Chosen: a.chosen.Test.MAE,
		Better: a.chosen.Test.MAE < a.naive.Test.MAE, Worse: a.chosen.Test.MAE > a.naive.Test.MAE,
	}
	if r.Naive > 0 {
		r.Change = fmt.Sprintf("%+.0f %%", 100*(r.Chosen/r.Naive-1))
	}
	if !r.Better && !r.Worse {
		r.Change = "="
	}
	return r
}
