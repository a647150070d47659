package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"

	"github.com/deedrun/deed/examples/forecast/backtest"
)

// Study is what a page shows.
type Study struct {
	Summary   backtest.Summary
	Table     backtest.Table
	Forecasts []backtest.Forecast
	Scores    []backtest.Score
}

//go:embed page.html
var source string

//go:embed picture.css
var style string

var layout = template.Must(template.New("page").Funcs(template.FuncMap{
	"percent": func(share float64) string { return fmt.Sprintf("%.2f", 100*share) },
	"mase":    func(v float64) string { return fmt.Sprintf("%.3f", v) },
	"number":  func(v float64) string { return fmt.Sprintf("%.2f", v) },
	"day":     dayMonth,
}).Parse(source))

// shown is how many airports are drawn one by one.
const shown = 12

// Write writes the page.
func Write(w io.Writer, s Study) error {
	airports, err := s.airports()
	if err != nil {
		return err
	}
	view := struct {
		backtest.Summary
		Less, LessMASE float64 // per cent
		Models         []backtest.Total
		Chosen, Naive  backtest.Total
		Hindsight      backtest.Total
		Scatter, Bars  template.HTML
		Panels         []template.HTML
		Rows           []row
		Style          template.CSS
	}{
		Summary: s.Summary, Less: 100 * s.Summary.Improvement(),
		Chosen: s.Summary.Total(backtest.Chosen), Naive: s.Summary.Total(backtest.Baseline), Hindsight: s.Summary.Total(backtest.Hindsight),
		Scatter: scatter(airports), Bars: bars(s.Summary.Weeks), Style: template.CSS(style),
	}
	if view.Naive.MASE > 0 {
		view.LessMASE = 100 * (1 - view.Chosen.MASE/view.Naive.MASE)
	}
	for _, total := range s.Summary.Totals {
		if slices.Contains(backtest.Names(), total.Name) {
			view.Models = append(view.Models, total)
		}
	}
	for _, a := range pick(airports, shown) {
		view.Panels = append(view.Panels, panel(s, a).done())
	}
	for _, a := range airports {
		view.Rows = append(view.Rows, a.row())
	}
	return layout.Execute(w, view)
}
