package steps

import (
	"context"
	"fmt"
	"io"
	"slices"

	"github.com/deedrun/deed/examples/forecast/backtest"
	"github.com/deedrun/deed/worker"
)

// split reads `departures`, and writes for each airport a part of `series`.
func split(_ context.Context, t *worker.Task) error {
	table, err := departures(t)
	if err != nil {
		return err
	}
	for _, s := range table.Series {
		err := writeNamed(t, "series", s.Airport, s.Airport+".csv", func(w io.Writer) error { return table.Write(w, s) })
		if err != nil {
			return err
		}
	}
	return nil
}

// departures is the whole table, which may come in several parts.
func departures(t *worker.Task) (backtest.Table, error) {
	var table backtest.Table
	seen := map[string]bool{}
	err := each(t, "departures", backtest.ReadTable, func(part backtest.Table) error {
		if table.Days != nil && !slices.Equal(table.Days, part.Days) {
			return worker.Permanent(fmt.Errorf("the parts of the table are of different days: %s to %s, and %s to %s",
				table.Days[0], table.Days[len(table.Days)-1], part.Days[0], part.Days[len(part.Days)-1]))
		}
		for _, s := range part.Series {
			if seen[s.Airport] {
				return worker.Permanent(fmt.Errorf("the airport %q is in the table twice", s.Airport))
			}
			seen[s.Airport] = true
		}
		table.Days, table.Series = part.Days, append(table.Series, part.Series...)
		return nil
	})
	if err == nil && len(table.Series) == 0 {
		return table, worker.Permanent(fmt.Errorf("the table has no airport"))
	}
	return table, err
}
