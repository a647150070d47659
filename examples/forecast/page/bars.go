package page

import (
	"fmt"
	"html/template"

	"github.com/deedrun/deed/examples/forecast/backtest"
)

// bars shows the two errors of each origin of the test beside each other.
func bars(weeks []backtest.Week) template.HTML {
	const width, top, step, left = 520, 6, 46, 62
	high := 0.0
	for _, w := range weeks {
		high = max(high, w.Baseline, w.Chosen)
	}
	long := func(wape float64) float64 {
		if high == 0 {
			return 0
		}
		return wape / high * (width - left - 60)
	}
	d := draw(width, top+step*len(weeks), "the error from each origin of the test")
	for i, w := range weeks {
		y := float64(top + i*step)
		d.text("axis", "end", left-10, y+21, dayMonth(w.Origin))
		d.rect("bar naive", left, y, long(w.Baseline), 16)
		d.text("tick", "start", left+long(w.Baseline)+6, y+12.5, fmt.Sprintf("%.2f %%", 100*w.Baseline))
		d.rect("bar chosen", left, y+18, long(w.Chosen), 16)
		d.text("tick strong", "start", left+long(w.Chosen)+6, y+30.5, fmt.Sprintf("%.2f %%", 100*w.Chosen))
	}
	return d.done()
}
