package backtest

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/examples/forecast/models"
)

var plan = Plan{Horizon: 14, Validation: 3, Test: 2}

// days are those of the first half of 2001.
func days(t *testing.T, n int) []string {
	t.Helper()
	all := []string{"2001-01-01"}
	for i := 1; i < n; i++ {
		day, err := After(all[i-1], 1)
		require.NoError(t, err)
		all = append(all, day)
	}
	return all
}

// airport is a series that is forecast by each model differently.
func airport(code string, n int) Series {
	s := Series{Airport: code, City: "Somewhere, XX", Departures: make([]int, n)}
	for t := range s.Departures {
		s.Departures[t] = 40 + 8*(t%7) + int(6*math.Sin(float64(t*t))) + t/9
	}
	return s
}

func run(t *testing.T, s Series) map[string][]Forecast {
	t.Helper()
	made := map[string][]Forecast{}
	for _, m := range models.All {
		forecasts, err := Run(m, plan, days(t, len(s.Departures)), s)
		require.NoError(t, err)
		made[m.Name] = forecasts
	}
	return made
}

func TestAForecastKnowsNothingOfTheDaysAfterItsOrigin(t *testing.T) {
	s := airport("AAA", 140)
	before := run(t, s)
	origins, err := plan.Origins(140)
	require.NoError(t, err)
	for i, known := range origins.All() {
		changed := s
		changed.Departures = slices.Clone(s.Departures)
		for day := known; day < len(changed.Departures); day++ {
			changed.Departures[day] = 999
		}
		for model, forecasts := range run(t, changed) {
			assert.Equal(t, before[model][:i+1], forecasts[:i+1], "%s, from the origins up to day %d", model, known)
		}
	}
}

func TestTheTestHasNoPartInTheChoice(t *testing.T) {
	s := airport("AAA", 140)
	origins, err := plan.Origins(140)
	require.NoError(t, err)
	choice := func(s Series) (string, []Score) {
		scores, _, err := Judge(plan, days(t, 140), s, run(t, s))
		require.NoError(t, err)
		return chosen(scores)["AAA"], scores
	}
	model, scores := choice(s)
	for _, noise := range []int{0, 1, 7, 500} {
		changed := s
		changed.Departures = slices.Clone(s.Departures)
		for day := origins.Test[0]; day < 140; day++ {
			changed.Departures[day] = noise * day % 501
		}
		other, otherScores := choice(changed)
		require.Equal(t, model, other)
		for i := range scores {
			assert.Equal(t, scores[i].Validation, otherScores[i].Validation)
			assert.NotEqual(t, scores[i].Test, otherScores[i].Test)
			assert.InDelta(t, scores[i].Scale, otherScores[i].Scale, 0)
		}
	}
}

func TestOfModelsThatAreEqualTheSimplestIsChosen(t *testing.T) {
	assert.Equal(t, "b", Choose([]Error{{"a", 3}, {"b", 2}, {"c", 2}}))
	scores, _, err := Judge(plan, days(t, 140), flat(140), run(t, flat(140)))
	require.NoError(t, err)
	assert.Equal(t, "naive", chosen(scores)["FLT"], "all of them are right")
	_, ok := scores[0].MASE()
	assert.False(t, ok, "a series that repeats exactly has no scale")
}

func TestErrorsAreMeansOverAllDaysOfAllOrigins(t *testing.T) {
	s := flat(140)
	s.Departures[139] = 9 // the last day of the test, seen from one of the two origins
	scores, forecasts, err := Judge(plan, days(t, 140), s, run(t, s))
	require.NoError(t, err)
	assert.Equal(t, Window{MAE: 4.0 / 28, Flights: (5*27 + 9) / 28.0}, scores[0].Test)
	assert.Equal(t, Window{MAE: 0, Flights: 5}, scores[0].Validation)
	assert.Len(t, forecasts, 5*6, "of five models, the median among them, from six origins")
}

func TestForecastsThatAreNotFromTheOriginsOfThePlanAreRefused(t *testing.T) {
	s := airport("AAA", 140)
	for what, spoil := range map[string]func(made map[string][]Forecast){
		"has 0 forecasts by theta; want 6":                      func(made map[string][]Forecast) { delete(made, "theta") },
		"has 7 forecasts by theta; want 6":                      func(made map[string][]Forecast) { made["theta"] = append(made["theta"], made["theta"][0]) },
		"forecast 1 of AAA by naive is of AAA by naive from 20": func(made map[string][]Forecast) { slices.Reverse(made["naive"]) },
		"forecast 2 of AAA by naive is of BBB":                  func(made map[string][]Forecast) { made["naive"][1].Airport = "BBB" },
		"for 13 days; want it from":                             func(made map[string][]Forecast) { made["naive"][1].Days = made["naive"][1].Days[1:] },
	} {
		made := run(t, s)
		spoil(made)
		_, _, err := Judge(plan, days(t, 140), s, made)
		var malformed *MalformedError
		require.ErrorAs(t, err, &malformed)
		assert.ErrorContains(t, err, what)
	}
}

// flat has five flights on every day.
func flat(n int) Series {
	return Series{Airport: "FLT", City: "Flat", Departures: slices.Repeat([]int{5}, n)}
}
