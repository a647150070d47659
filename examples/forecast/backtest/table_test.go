package backtest

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const small = "airport,city,2001-02-28,2001-03-01\nATL,\"Atlanta, GA\",554,651\nBQN,Aguadilla,0,1\n"

func TestATableIsReadAsItWasWritten(t *testing.T) {
	table, err := ReadTable(strings.NewReader(small))
	require.NoError(t, err)
	assert.Equal(t, Table{
		Days:   []string{"2001-02-28", "2001-03-01"},
		Series: []Series{{"ATL", "Atlanta, GA", []int{554, 651}}, {"BQN", "Aguadilla", []int{0, 1}}},
	}, table)
	var written bytes.Buffer
	require.NoError(t, table.Write(&written, table.Series...))
	assert.Equal(t, small, written.String())
}

func TestATableThatIsNotOneSaysWhereAndWhatIsWanted(t *testing.T) {
	for text, says := range map[string]string{
		"":                                     "the table is empty",
		"airport,2001-01-01\n":                 "line 1: want airport,city and the days",
		"airport,city,1 Jan\n":                 `line 1: "1 Jan" is no day`,
		"airport,city,2001-01-01,2001-01-03\n": "line 1: after 2001-01-01 comes 2001-01-03; want every day",
		"airport,city,2001-01-02,2001-01-01\n": "line 1: after 2001-01-02 comes 2001-01-01; want every day",
		"airport,city,2001-01-01\nATL,x,1\nBOS,x\n":        "line 3: wrong number of fields",
		"airport,city,2001-01-01\n,x,1\n":                  "line 2: the airport has no code",
		"airport,city,2001-01-01\nATL,x,-1\n":              `line 2: ATL on 2001-01-01 has "-1" departures`,
		"airport,city,2001-01-01\nATL,x,1.5\n":             `has "1.5" departures; want a whole number`,
		"airport,city,2001-01-01\nATL,x,1000001\n":         `has "1000001" departures`,
		"airport,city,2001-01-01\nATL,\"x,1\nBOS,x,1\n":    `line 2: extraneous or missing " in quoted-field`,
		"airport,city,2001-01-01\nATL,x,\x00\xff" + "\n":   "line 2: ATL on 2001-01-01",
		"airport,city," + strings.Repeat("9", 1000) + "\n": "is no day",
	} {
		_, err := ReadTable(strings.NewReader(text))
		var malformed *MalformedError
		require.ErrorAs(t, err, &malformed, "%.80q", text)
		assert.ErrorContains(t, err, says)
	}
}

func TestTheErrorOfAReaderIsNotTakenForOneOfTheTable(t *testing.T) {
	broken := errors.New("broken")
	var malformed *MalformedError
	_, err := ReadTable(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
	require.NotErrorAs(t, err, &malformed)
	_, err = ReadForecasts(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
	_, err = ReadScores(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
}

func TestForecastsAreReadAsTheyWereWritten(t *testing.T) {
	forecasts := []Forecast{{"ATL", "theta", "2001-01-31", []int{4, 5}}, {"ATL", "theta", "2001-02-07", []int{6, 0}}}
	var written bytes.Buffer
	require.NoError(t, WriteForecasts(&written, 2, forecasts))
	assert.Equal(t, "airport,model,origin,1,2\nATL,theta,2001-01-31,4,5\nATL,theta,2001-02-07,6,0\n", written.String())
	read, err := ReadForecasts(&written)
	require.NoError(t, err)
	assert.Equal(t, forecasts, read)

	_, err = ReadForecasts(strings.NewReader("airport,model,origin,1\nATL,theta,2001-01-31,many\n"))
	require.ErrorContains(t, err, `line 2: "many" is no whole number`)
	_, err = ReadForecasts(strings.NewReader("something,else\n"))
	require.ErrorContains(t, err, "line 1: want airport,model,origin")
}

func TestScoresAreReadAsTheyWereWritten(t *testing.T) {
	scores := []Score{{"ATL", "naive", false, Window{1.5, 600}, Window{2.25, 610}, 1.125}, {"ATL", "theta", true, Window{1, 600}, Window{2, 610}, 1.125}}
	var written bytes.Buffer
	require.NoError(t, WriteScores(&written, scores))
	assert.Contains(t, written.String(), "\nATL,theta,yes,1.000000,600.000000,2.000000,610.000000,1.125000\n")
	read, err := ReadScores(&written)
	require.NoError(t, err)
	assert.Equal(t, scores, read)
	mase, ok := read[0].MASE()
	assert.True(t, ok)
	assert.InDelta(t, 2, mase, 1e-12)

	for _, number := range []string{"-1", "NaN", "Inf", "x"} {
		_, err = ReadScores(strings.NewReader(scoreHeader + "\nATL,naive,no,1,1,1,1," + number + "\n"))
		require.ErrorContains(t, err, "line 2: ")
	}
}

func FuzzReadTable(f *testing.F) {
	f.Add(small)
	f.Add("airport,city,2001-01-01\n\"a\"\"\",\" b\",7\n")
	f.Fuzz(func(t *testing.T, text string) {
		table, err := ReadTable(strings.NewReader(text))
		if err != nil {
			return
		}
		var written bytes.Buffer
		require.NoError(t, table.Write(&written, table.Series...))
		again, err := ReadTable(&written)
		require.NoError(t, err)
		require.Equal(t, table, again)
	})
}
