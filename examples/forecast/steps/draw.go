package steps

import (
	"context"
	"io"

	"github.com/deedrun/deed/examples/forecast/backtest"
	"github.com/deedrun/deed/examples/forecast/page"
	"github.com/deedrun/deed/worker"
)

// draw writes two parts of `page`: the page that shows it all, and a picture of
// some airports.
func draw(_ context.Context, t *worker.Task) error {
	s, err := readStudy(t)
	if err != nil {
		return err
	}
	summary, err := backtest.Summarise(s.plan, s.table, s.forecasts, s.scores)
	if err != nil {
		return err
	}
	study := page.Study{Summary: summary, Table: s.table, Forecasts: s.forecasts, Scores: s.scores}
	if err := writeNamed(t, "page", "", "report.html", func(w io.Writer) error { return page.Write(w, study) }); err != nil {
		return err
	}
	return writeNamed(t, "page", "", "airports.svg", func(w io.Writer) error { return page.WritePicture(w, study) })
}
