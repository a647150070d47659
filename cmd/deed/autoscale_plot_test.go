package main

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The figure of docs/scaling.md: three panels over one time, the load, the
// backlog that it leaves, and the workers that work it off.

const (
	plotWidth, panelHeight = 720.0, 110.0
	plotLeft, plotTop      = 56.0, 24.0
	panelGap               = 34.0
)

// panel is one quantity over time, drawn in steps.
type panel struct {
	title  string
	colour string
	value  func(sample) float64
}

func drawSamples(samples []sample) string {
	panels := []panel{
		{"tasks that arrive a second, half a second each", "#57606a", func(s sample) float64 { return float64(s.load) }},
		{"backlog, seconds of work of one slot", "#bf5700", func(s sample) float64 { return s.backlog.Seconds() }},
		{"workers of two slots", "#0969da", func(s sample) float64 { return float64(s.workers) }},
	}
	height := plotTop + float64(len(panels))*(panelHeight+panelGap) + 8
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="12" fill="#24292f">`+"\n", plotLeft+plotWidth+24, height)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#ffffff"/>`+"\n")
	for i, p := range panels {
		p.draw(&b, samples, plotTop+float64(i)*(panelHeight+panelGap), i == len(panels)-1)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (p panel) draw(b *strings.Builder, samples []sample, top float64, last bool) {
	most := 1.0
	for _, s := range samples {
		most = max(most, p.value(s))
	}
	most = roundUp(most)
	end := samples[len(samples)-1].at
	x := func(at time.Duration) float64 { return plotLeft + plotWidth*at.Seconds()/end.Seconds() }
	y := func(v float64) float64 { return top + panelHeight*(1-v/most) }
	fmt.Fprintf(b, `<text x="%.0f" y="%.0f" font-weight="bold">%s</text>`+"\n", plotLeft, top-7, p.title)
	for _, v := range []float64{0, most / 2, most} {
		fmt.Fprintf(b, `<path d="M%.0f %.1fH%.0f" stroke="#d0d7de"/><text x="%.0f" y="%.1f" text-anchor="end">%g</text>`+"\n",
			plotLeft, y(v), plotLeft+plotWidth, plotLeft-6, y(v)+4, v)
	}
	if last {
		for at := time.Duration(0); at <= end; at += 20 * time.Second {
			fmt.Fprintf(b, `<text x="%.1f" y="%.0f" text-anchor="middle">%.0fs</text>`+"\n", x(at), top+panelHeight+17, at.Seconds())
		}
	}
	fmt.Fprintf(b, `<path d="M%.1f %.1f`, x(0), y(p.value(samples[0])))
	for i, s := range samples {
		if i > 0 && p.value(s) != p.value(samples[i-1]) {
			fmt.Fprintf(b, "H%.1fV%.1f", x(s.at), y(p.value(s)))
		}
	}
	fmt.Fprintf(b, `H%.1f" fill="none" stroke="%s" stroke-width="1.8"/>`+"\n", x(end), p.colour)
}

// roundUp is the next number that reads well on an axis, and its half, too.
func roundUp(v float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 1.2, 1.6, 2, 3, 4, 5, 6, 8, 10} {
		if v <= n*unit {
			return n * unit
		}
	}
	return v
}

func TestTheFigureOfSamplesHasAPanelForEachOfThem(t *testing.T) {
	t.Parallel()
	svg := drawSamples([]sample{{at: time.Second, load: 4, backlog: time.Second, workers: 1}, {at: 40 * time.Second, load: 40, backlog: 13 * time.Second, workers: 7}})
	require.Equal(t, 3, strings.Count(svg, `fill="none"`))
	require.Contains(t, svg, ">40s<")
	require.Contains(t, svg, ">8<", "the axis of 7 workers")
	require.Contains(t, svg, ">16<", "that of 13 seconds")
	require.InDelta(t, 8, roundUp(7), 0)
	require.InDelta(t, 120, roundUp(113), 0)
}
