package backtest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// study judges some airports.
func study(t *testing.T, series ...Series) (Table, []Forecast, []Score) {
	t.Helper()
	table := Table{Days: days(t, 140), Series: series}
	var forecasts []Forecast
	var scores []Score
	for _, s := range series {
		of, all, err := Judge(plan, table.Days, s, run(t, s))
		require.NoError(t, err)
		scores, forecasts = append(scores, of...), append(forecasts, all...)
	}
	return table, forecasts, scores
}

func TestASummaryAddsUpErrorsAndFlights(t *testing.T) {
	table, forecasts, scores := study(t, airport("AAA", 140), flat(140))
	s, err := Summarise(plan, table, forecasts, scores)
	require.NoError(t, err)
	naive, chosen := s.Total("naive"), s.Total(Chosen)
	assert.InDelta(t, (scores[0].Test.MAE+scores[5].Test.MAE)/(scores[0].Test.Flights+5), naive.Test, 1e-12)
	mase, _ := scores[0].MASE()
	assert.InDelta(t, mase, naive.MASE, 1e-12, "the one that repeats exactly has none")
	assert.Less(t, chosen.Test, naive.Test)
	assert.InDelta(t, 1-chosen.Test/naive.Test, s.Improvement(), 1e-4)
	assert.LessOrEqual(t, s.Total(Hindsight).Test, chosen.Test)
	assert.Equal(t, 1, naive.Airports, "for the one that repeats")
	assert.Equal(t, 2, chosen.Airports)
	assert.Equal(t, 1, s.Against.Better)
	require.Len(t, s.Weeks, 2)
	assert.Equal(t, table.Days[140-14-1], s.Weeks[1].Origin)
	assert.InDelta(t, naive.Test, (s.Weeks[0].Baseline+s.Weeks[1].Baseline)/2, 0.01)

	text := s.String()
	assert.Contains(t, text, "2 airports, 2001-01-01 to 2001-05-20; forecasts of 14 days")
	assert.Contains(t, text, "% lower (WAPE)")
	assert.Contains(t, text, "better at 1 airports, equal at 0, worse at 0")
}

func TestWhatIsWorseIsCalledHigher(t *testing.T) {
	table, forecasts, scores := study(t, airport("AAA", 140))
	for i := range scores {
		scores[i].Chosen = scores[i].Model == "naive"
		if scores[i].Model == "naive" {
			scores[i].Test.MAE = 30
		}
	}
	scores[0].Chosen, scores[1].Chosen, scores[1].Test.MAE = false, true, 45
	s, err := Summarise(plan, table, forecasts, scores)
	require.NoError(t, err)
	assert.InDelta(t, -0.5, s.Improvement(), 1e-9)
	assert.Contains(t, s.String(), "error 50.0% higher (WAPE), 50.0% higher (MASE)")
	assert.Contains(t, s.String(), "better at 0 airports, equal at 0, worse at 1")
}

func TestScoresThatAreNotOfEveryModelAreRefused(t *testing.T) {
	table, forecasts, scores := study(t, airport("AAA", 140))
	_, err := Summarise(plan, table, forecasts, scores[1:])
	require.ErrorContains(t, err, `AAA has scores of ["profile"`)
	scores[1].Chosen, scores[2].Chosen = true, true
	_, err = Summarise(plan, table, forecasts, scores)
	require.ErrorContains(t, err, "chosen; want")
	table.Series = append(table.Series, flat(140))
	_, err = Summarise(plan, table, forecasts, scores)
	require.Error(t, err, "an airport without scores")
}

func TestWhatIsPublishedIsTheForecastFromTheLastDayByTheModelChosen(t *testing.T) {
	table, forecasts, scores := study(t, airport("AAA", 140), flat(140))
	published, err := Publish(plan, table, forecasts, scores)
	require.NoError(t, err)
	require.Len(t, published.Rows, 2)
	assert.Equal(t, "2001-05-21", published.Days[0])
	assert.Equal(t, "2001-06-03", published.Days[13])
	assert.Equal(t, flat(14).Departures, published.Rows[1].Departures)
	var csv bytes.Buffer
	require.NoError(t, published.Write(&csv))
	assert.True(t, strings.HasPrefix(csv.String(), "airport,city,model,2001-05-21,"))
	assert.Contains(t, csv.String(), "\nFLT,Flat,naive,5,5,5,5,5,5,5,5,5,5,5,5,5,5\n")

	_, err = Publish(plan, table, forecasts[:3], scores)
	require.ErrorContains(t, err, "AAA has no forecast of 14 days from 2001-05-20")
}
