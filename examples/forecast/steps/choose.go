package steps

import (
	"context"
	"fmt"
	"io"

	"github.com/deedrun/deed/examples/forecast/backtest"
	"github.com/deedrun/deed/examples/forecast/models"
	"github.com/deedrun/deed/worker"
)

// choose reads the `series` of one airport or of many, and what each model
// forecast for them, under the name of the model. For each airport it writes a
// part of `scores`, which say what is chosen, and one of `forecasts`, with all
// of them.
func choose(_ context.Context, t *worker.Task) error {
	plan, err := plan(t)
	if err != nil {
		return err
	}
	made := map[string]map[string][]backtest.Forecast{} // by airport, by model
	for _, m := range models.All {
		err := each(t, m.Name, backtest.ReadForecasts, func(forecasts []backtest.Forecast) error {
			for _, f := range forecasts {
				if made[f.Airport] == nil {
					made[f.Airport] = map[string][]backtest.Forecast{}
				}
				made[f.Airport][m.Name] = append(made[f.Airport][m.Name], f)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return each(t, "series", backtest.ReadTable, func(table backtest.Table) error {
		for _, s := range table.Series {
			scores, all, err := backtest.Judge(plan, table.Days, s, made[s.Airport])
			if err != nil {
				return fmt.Errorf("judge the forecasts: %w", err)
			}
			name := s.Airport + ".csv"
			if err := writeNamed(t, "scores", s.Airport, name, func(w io.Writer) error { return backtest.WriteScores(w, scores) }); err != nil {
				return err
			}
			err = writeNamed(t, "forecasts", s.Airport, name, func(w io.Writer) error { return backtest.WriteForecasts(w, plan.Horizon, all) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}
