package page

import (
	"fmt"
	"strconv"

	"github.com/deedrun/deed/examples/forecast/backtest"
)

const (
	past = 8 * 7 // days of it that a panel shows
	// fortnight is how far labels are apart: they stand on the weekday with which the table ends.
	fortnight = 2 * 7
)

// The size of a panel.
const panelWidth, panelHeight = 400, 190

// panel draws one airport: what left, what the two models said two weeks
// before the end, and what the chosen one says of the weeks after it.
func panel(s Study, a airport) *drawing {
	const width, height, left, right, top, bottom = panelWidth, panelHeight, 36, 8, 34, 22
	n, horizon := len(a.Departures), s.Summary.Plan.Horizon
	first := max(0, n-past)
	known := n - horizon
	naive := s.forecast(a.Airport, backtest.Baseline, s.Table.Days[known-1])
	chosen := s.forecast(a.Airport, a.chosen.Model, s.Table.Days[known-1])
	next := s.forecast(a.Airport, a.chosen.Model, s.Table.Days[n-1])

	low, high := a.Departures[first], a.Departures[first]
	for _, values := range [][]int{a.Departures[first:], naive, chosen, next} {
		for _, v := range values {
			low, high = min(low, v), max(high, v)
		}
	}
	margin := max(1, (high-low)/12)
	low, high = max(0, low-margin), high+margin
	x := func(day int) float64 {
		return left + float64(day-first)/float64(n+horizon-1-first)*(width-left-right)
	}
	y := func(flights float64) float64 {
		return height - bottom - (flights-float64(low))/float64(high-low)*(height-top-bottom)
	}
	points := func(from int, values []int) [][2]float64 {
		all := make([][2]float64, len(values))
		for i, v := range values {
			all[i] = [2]float64{x(from + i), y(float64(v))}
		}
		return all
	}

	d := draw(width, height, "departures of "+a.Airport)
	d.rect("tested", x(known)-2, top, x(n-1)-x(known)+4, height-top-bottom)
	d.rect("future", x(n)-2, top, x(n+horizon-1)-x(n)+4, height-top-bottom)
	for _, tick := range ticks(float64(low), float64(high)) {
		d.line("grid", left, y(tick), width-right, y(tick))
		d.text("tick", "end", left-5, y(tick)+3.5, strconv.FormatFloat(tick, 'f', -1, 64))
	}
	for day := n - 1; day >= first; day -= fortnight {
		d.text("tick", "middle", x(day), height-6, dayMonth(s.Table.Days[day]))
	}
	d.curve("actual", points(first, a.Departures[first:]))
	d.curve("said naive", points(known, naive))
	d.curve("said chosen", points(known, chosen))
	d.curve("said chosen", points(n, next))
	d.text("title", "start", left, 14, a.Airport+"  "+a.City)
	d.text("note", "start", left, 28, fmt.Sprintf("%s: off by %.1f a day, naive by %.1f", a.chosen.Model, a.chosen.Test.MAE, a.naive.Test.MAE))
	return d
}

// forecast is nothing if there is none.
func (s Study) forecast(airport, model, origin string) []int {
	for _, f := range s.Forecasts {
		if f.Airport == airport && f.Model == model && f.Origin == origin {
			return f.Days
		}
	}
	return nil
}
