package steps

import (
	"context"
	"io"

	"github.com/deedrun/deed/examples/forecast/backtest"
	"github.com/deedrun/deed/worker"
)

// study is what the last steps read: the table, and `scores` and `forecasts` of
// all its airports.
type study struct {
	plan      backtest.Plan
	table     backtest.Table
	scores    []backtest.Score
	forecasts []backtest.Forecast
}

func readStudy(t *worker.Task) (s study, err error) {
	if s.plan, err = plan(t); err != nil {
		return s, err
	}
	if s.table, err = departures(t); err != nil {
		return s, err
	}
	err = each(t, "scores", backtest.ReadScores, func(part []backtest.Score) error {
		s.scores = append(s.scores, part...)
		return nil
	})
	if err != nil {
		return s, err
	}
	err = each(t, "forecasts", backtest.ReadForecasts, func(part []backtest.Forecast) error {
		s.forecasts = append(s.forecasts, part...)
		return nil
	})
	return s, err
}

// report writes all scores as one table, `scored`, all forecasts as another,
// `backtest`, what they come to as text, `summary`, and as a number between 0
// and 1 by how much the choice beats the baseline, `improvement`.
func report(_ context.Context, t *worker.Task) error {
	s, err := readStudy(t)
	if err != nil {
		return err
	}
	summary, err := backtest.Summarise(s.plan, s.table, s.forecasts, s.scores)
	if err != nil {
		return err
	}
	err = writeNamed(t, "scored", "", "scores.csv", func(w io.Writer) error { return backtest.WriteScores(w, s.scores) })
	if err != nil {
		return err
	}
	err = writeNamed(t, "backtest", "", "backtest.csv", func(w io.Writer) error {
		return backtest.WriteForecasts(w, s.plan.Horizon, s.forecasts)
	})
	if err != nil {
		return err
	}
	err = writeNamed(t, "summary", "", "summary.txt", func(w io.Writer) error {
		_, err := io.WriteString(w, summary.String())
		return err
	})
	if err != nil {
		return err
	}
	return t.Emit("improvement", summary.Improvement())
}

// publish writes the forecast of the days after the table, by the model that
// was chosen for each airport, to `forecast`.
func publish(_ context.Context, t *worker.Task) error {
	s, err := readStudy(t)
	if err != nil {
		return err
	}
	rows, err := backtest.Publish(s.plan, s.table, s.forecasts, s.scores)
	if err != nil {
		return err
	}
	return writeNamed(t, "forecast", "", "forecast.csv", rows.Write)
}
