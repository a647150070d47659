package backtest

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"

	"github.com/deedrun/deed/examples/forecast/models"
)

// Forecast is what a model said about an airport on the evening of a day. As
// CSV, its days are numbered from 1: airport,model,origin,1,2,…
type Forecast struct {
	Airport, Model string
	Origin         string // the last day that was known
	Days           []int  // those after it
}

// Run forecasts a series from every origin of the plan, each time with the
// days before it alone.
func Run(m models.Model, plan Plan, days []string, s Series) ([]Forecast, error) {
	origins, err := plan.Origins(len(days))
	if err != nil {
		return nil, err
	}
	var made []Forecast
	for _, known := range origins.All() {
		ahead, err := m.Forecast(slices.Clone(s.Departures[:known]), plan.Horizon)
		if err != nil {
			return nil, err
		}
		made = append(made, Forecast{s.Airport, m.Name, days[known-1], ahead})
	}
	return made, nil
}

// WriteForecasts writes forecasts that all reach as far as the horizon.
func WriteForecasts(w io.Writer, horizon int, forecasts []Forecast) error {
	header := []string{"airport", "model", "origin"}
	for h := range horizon {
		header = append(header, strconv.Itoa(h+1))
	}
	lines := [][]string{header}
	for _, f := range forecasts {
		lines = append(lines, append([]string{f.Airport, f.Model, f.Origin}, texts(f.Days)...))
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// ReadForecasts reads what [WriteForecasts] wrote. An error that is not of r is
// a *MalformedError, and names the line.
func ReadForecasts(r io.Reader) ([]Forecast, error) {
	lines := newReader(r)
	header, err := lines.next()
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(header) < 4 || !slices.Equal(header[:3], []string{"airport", "model", "origin"}) {
		return nil, lines.malformed("want airport,model,origin and the days ahead: 1,2,…")
	}
	var forecasts []Forecast
	for {
		line, err := lines.next()
		if err == io.EOF {
			return forecasts, nil
		}
		if err != nil {
			return nil, err
		}
		f := Forecast{Airport: line[0], Model: line[1], Origin: line[2], Days: make([]int, len(line)-3)}
		for h, text := range line[3:] {
			if f.Days[h], err = strconv.Atoi(text); err != nil {
				return nil, lines.malformed("%.40q is no whole number", text)
			}
		}
		forecasts = append(forecasts, f)
	}
}
