package page

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/examples/forecast/backtest"
	"github.com/deedrun/deed/examples/forecast/models"
)

// study forecasts so many airports, of which the first has no flights at all.
func study(t *testing.T, airports int, city string) Study {
	t.Helper()
	plan := backtest.Plan{Horizon: 14, Validation: 1, Test: 2}
	s := Study{Table: backtest.Table{Days: []string{"2001-01-01"}}}
	for len(s.Table.Days) < 120 {
		day, err := backtest.After(s.Table.Days[len(s.Table.Days)-1], 1)
		require.NoError(t, err)
		s.Table.Days = append(s.Table.Days, day)
	}
	for i := range airports {
		series := backtest.Series{Airport: "A" + strings.Repeat("B", i), City: city, Departures: make([]int, 120)}
		for day := range series.Departures {
			series.Departures[day] = i * (10 + day%7 + day*day%5)
		}
		made := map[string][]backtest.Forecast{}
		for _, m := range models.All {
			forecasts, err := backtest.Run(m, plan, s.Table.Days, series)
			require.NoError(t, err)
			made[m.Name] = forecasts
		}
		scores, forecasts, err := backtest.Judge(plan, s.Table.Days, series, made)
		require.NoError(t, err)
		s.Table.Series = append(s.Table.Series, series)
		s.Scores, s.Forecasts = append(s.Scores, scores...), append(s.Forecasts, forecasts...)
	}
	var err error
	s.Summary, err = backtest.Summarise(plan, s.Table, s.Forecasts, s.Scores)
	require.NoError(t, err)
	return s
}

func TestAPageShowsAtMostTwelveAirportsAndListsAll(t *testing.T) {
	for airports, panels := range map[int]int{1: 1, 2: 2, 12: 12, 13: 12, 30: 12} {
		var page bytes.Buffer
		require.NoError(t, Write(&page, study(t, airports, "Town, XX")))
		assert.Equal(t, panels, strings.Count(page.String(), `aria-label='departures of `))
		assert.Equal(t, airports, strings.Count(page.String(), `<td class="words">Town, XX`))
		assert.NotContains(t, page.String(), "NaN")
		assert.NotContains(t, page.String(), "Inf")
	}
}

func TestThePictureIsWellFormedWhateverTheAirportsAreCalled(t *testing.T) {
	s := study(t, 3, `<script>alert("& gone")</script>`)
	var picture, page bytes.Buffer
	require.NoError(t, WritePicture(&picture, s))
	for tokens := xml.NewDecoder(&picture); ; {
		token, err := tokens.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.NotContains(t, nameOf(token), "script")
	}
	require.NoError(t, Write(&page, s))
	assert.NotContains(t, page.String(), "<script")
	assert.Contains(t, page.String(), "&lt;script&gt;")
}

func TestTheBusiestAndTheSmallestAirportAreShown(t *testing.T) {
	airports, err := study(t, 40, "Town").airports()
	require.NoError(t, err)
	picked := pick(airports, 12)
	require.Len(t, picked, 12)
	assert.Equal(t, airports[0].Airport, picked[0].Airport)
	assert.Equal(t, airports[39].Airport, picked[11].Airport)
	seen := map[string]bool{}
	for _, a := range picked {
		assert.False(t, seen[a.Airport])
		seen[a.Airport] = true
	}
}

func TestScoresOfAnAirportThatIsNotThereAreRefused(t *testing.T) {
	s := study(t, 2, "Town")
	s.Scores = append(s.Scores, backtest.Score{Airport: "ZZZ"})
	require.ErrorContains(t, Write(io.Discard, s), `scores of "ZZZ"`)
}

func TestTicksAreRoundNumbersWithinTheRange(t *testing.T) {
	assert.Equal(t, []float64{550, 600, 650}, ticks(541, 688))
	assert.Equal(t, []float64{0, 1, 2}, ticks(0, 2))
	assert.Equal(t, []float64{7}, ticks(7, 7))
}

func nameOf(token xml.Token) string {
	if start, ok := token.(xml.StartElement); ok {
		return start.Name.Local
	}
	return ""
}
