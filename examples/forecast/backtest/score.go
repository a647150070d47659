package backtest

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Score is how well a model did at an airport.
type Score struct {
	Airport, Model   string
	Chosen           bool
	Validation, Test Window
	Scale            float64 // what the naive model is off on average, a week ahead, before the test
}

// Window is an average over the days of all its origins.
type Window struct {
	MAE     float64 // of the absolute errors
	Flights float64 // that left
}

func over(off, flights, days int) Window {
	return Window{MAE: float64(off) / float64(days), Flights: float64(flights) / float64(days)}
}

// MASE is the error of the test in units of the scale. A series that repeats
// each week exactly has no scale, and no MASE.
func (s Score) MASE() (mase float64, ok bool) {
	if s.Scale == 0 {
		return 0, false
	}
	return s.Test.MAE / s.Scale, true
}

const scoreHeader = "airport,model,chosen,validation_mae,validation_flights,test_mae,test_flights,scale"

// chosen is the model of each airport.
func chosen(scores []Score) map[string]string {
	models := map[string]string{}
	for _, s := range scores {
		if s.Chosen {
			models[s.Airport] = s.Model
		}
	}
	return models
}

// WriteScores writes scores as CSV.
func WriteScores(w io.Writer, scores []Score) error {
	lines := [][]string{strings.Split(scoreHeader, ",")}
	for _, s := range scores {
		chosen := "no"
		if s.Chosen {
			chosen = "yes"
		}
		line := []string{s.Airport, s.Model, chosen}
		for _, number := range []float64{s.Validation.MAE, s.Validation.Flights, s.Test.MAE, s.Test.Flights, s.Scale} {
			line = append(line, strconv.FormatFloat(number, 'f', 6, 64))
		}
		lines = append(lines, line)
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// ReadScores reads what [WriteScores] wrote. An error that is not of r is a
// *MalformedError, and names the line.
func ReadScores(r io.Reader) ([]Score, error) {
	lines := newReader(r)
	header, err := lines.next()
	if err != nil && err != io.EOF {
		return nil, err
	}
	if !slices.Equal(header, strings.Split(scoreHeader, ",")) {
		return nil, lines.malformed("want %s", scoreHeader)
	}
	var scores []Score
	for {
		line, err := lines.next()
		if err == io.EOF {
			return scores, nil
		}
		if err != nil {
			return nil, err
		}
		s := Score{Airport: line[0], Model: line[1], Chosen: line[2] == "yes"}
		for i, into := range []*float64{&s.Validation.MAE, &s.Validation.Flights, &s.Test.MAE, &s.Test.Flights, &s.Scale} {
			*into, err = strconv.ParseFloat(line[3+i], 64)
			if err != nil || !(*into >= 0 && *into < 1e9) {
				return nil, lines.malformed("%.40q is no number of flights", line[3+i])
			}
		}
		scores = append(scores, s)
	}
}
