package page

import (
	"fmt"
	"html/template"
	"math"
	"strconv"
)

// scatter has a dot for each airport: to the right the error of the baseline,
// upwards that of the chosen model, in units of the scale. Below the diagonal
// the choice is better.
func scatter(airports []airport) template.HTML {
	const width, height, left, bottom, pad = 520, 480, 46, 40, 12
	const least = 0.1 // a logarithm has no zero
	low, high := math.Inf(1), least
	value := func(mase float64) float64 { return max(mase, least) }
	for _, a := range airports {
		naive, ok := a.naive.MASE()
		chosen, _ := a.chosen.MASE()
		if ok {
			low, high = min(low, value(naive), value(chosen)), max(high, naive, chosen)
		}
	}
	low, high = min(low, high/2)*0.93, high*1.07
	along := func(mase float64) float64 { return math.Log(value(mase)/low) / math.Log(high/low) }
	x := func(mase float64) float64 { return left + along(mase)*(width-left-pad) }
	y := func(mase float64) float64 { return height - bottom - along(mase)*(height-bottom-pad) }

	d := draw(width, height, "the error of each airport by the naive forecast and by the chosen model")
	for _, tick := range []float64{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50} {
		if tick < low || tick > high {
			continue
		}
		label := strconv.FormatFloat(tick, 'g', -1, 64)
		d.line("grid", x(tick), pad, x(tick), height-bottom)
		d.line("grid", left, y(tick), width-pad, y(tick))
		d.text("tick", "middle", x(tick), height-bottom+16, label)
		d.text("tick", "end", left-7, y(tick)+4, label)
	}
	d.line("diagonal", x(low), y(low), x(high), y(high))
	d.text("note", "end", width-pad-6, height-bottom-10, "the chosen model is better")
	d.text("note", "start", left+8, pad+16, "naive is better")
	d.text("axis", "middle", (left+width-pad)/2, height-6, "error of the naive forecast (MASE)")
	fmt.Fprintf(d, `<text class="axis" text-anchor="middle" transform="translate(13 %d) rotate(-90)">error of the chosen model (MASE)</text>`, (height-bottom+pad)/2)
	for _, a := range airports {
		naive, ok := a.naive.MASE()
		chosen, _ := a.chosen.MASE()
		if ok {
			d.dot("dot "+class(a.chosen.Model), x(naive), y(chosen),
				fmt.Sprintf("%s %s: %.2f by %s instead of %.2f", a.Airport, a.City, chosen, a.chosen.Model, naive))
		}
	}
	return d.done()
}

// class is the style of a model. A name in a table may be anything.
func class(model string) string {
	for _, known := range []string{"naive", "profile", "winters", "theta", "median"} {
		if model == known {
			return known
		}
	}
	return "other"
}
