package backtest

import (
	"encoding/csv"
	"fmt"
	"io"
)

// Published is a forecast of the days that nobody knows yet. As CSV it has the
// form of the table that it continues: airport,city,model,2001-07-01,…
type Published struct {
	Days []string
	Rows []PublishedRow
}

// PublishedRow is that of an airport, by the model that was chosen for it.
type PublishedRow struct {
	Airport, City, Model string
	Departures           []int
}

// Publish takes for each airport of the table the forecast from its last day
// by the chosen model.
func Publish(plan Plan, table Table, forecasts []Forecast, scores []Score) (Published, error) {
	var p Published
	last := table.Days[len(table.Days)-1]
	for h := range plan.Horizon {
		day, err := After(last, h+1)
		if err != nil {
			return p, err
		}
		p.Days = append(p.Days, day)
	}
	type key struct{ airport, model string }
	now := map[key][]int{}
	for _, f := range forecasts {
		if f.Origin == last {
			now[key{f.Airport, f.Model}] = f.Days
		}
	}
	model := chosen(scores)
	for _, s := range table.Series {
		row := PublishedRow{s.Airport, s.City, model[s.Airport], now[key{s.Airport, model[s.Airport]}]}
		if len(row.Departures) != plan.Horizon {
			return p, malformed(fmt.Sprintf("%s has no forecast of %d days from %s by the model chosen, %q", s.Airport, plan.Horizon, last, row.Model))
		}
		p.Rows = append(p.Rows, row)
	}
	return p, nil
}

// Write writes the forecast as CSV.
func (p Published) Write(w io.Writer) error {
	lines := [][]string{append([]string{"airport", "city", "model"}, p.Days...)}
	for _, row := range p.Rows {
		lines = append(lines, append([]string{row.Airport, row.City, row.Model}, texts(row.Departures)...))
	}
	return csv.NewWriter(w).WriteAll(lines)
}
