package steps

import (
	"context"
	"fmt"
	"io"

	"github.com/deedrun/deed/examples/forecast/backtest"
	"github.com/deedrun/deed/examples/forecast/models"
	"github.com/deedrun/deed/worker"
)

// fit makes the handler of a model: it reads an airport's `series`, and writes
// what the model forecasts from each origin to `forecast`.
func fit(m models.Model) worker.HandlerFunc {
	return func(_ context.Context, t *worker.Task) error {
		plan, err := plan(t)
		if err != nil {
			return err
		}
		in, err := t.Open("series")
		if err != nil {
			return err
		}
		defer in.Close()
		table, err := backtest.ReadTable(in)
		if err != nil {
			return err
		}
		var made []backtest.Forecast
		for _, s := range table.Series {
			forecasts, err := backtest.Run(m, plan, table.Days, s)
			if err != nil {
				return fmt.Errorf("%s: %w", s.Airport, err)
			}
			made = append(made, forecasts...)
		}
		return write(t, "forecast", func(w io.Writer) error { return backtest.WriteForecasts(w, plan.Horizon, made) })
	}
}
