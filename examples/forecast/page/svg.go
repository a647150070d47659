package page

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
	"time"
)

// drawing is an SVG image that grows. It escapes every text that it is given.
type drawing struct {
	strings.Builder
	width, height int
	label         string
}

func draw(width, height int, label string) *drawing {
	return &drawing{width: width, height: height, label: label}
}

// done is the image as part of a page.
func (d *drawing) done() template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %d %d" role="img" aria-label='%s'>%s</svg>`, d.width, d.height, html.EscapeString(d.label), d.String()))
}

// at is the image as part of another one.
func (d *drawing) at(x, y int) string {
	return fmt.Sprintf(`<svg x="%d" y="%d" width="%d" height="%d">%s</svg>`, x, y, d.width, d.height, d.String())
}

func (d *drawing) line(class string, x1, y1, x2, y2 float64) {
	fmt.Fprintf(d, `<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, x1, y1, x2, y2)
}

func (d *drawing) rect(class string, x, y, width, height float64) {
	fmt.Fprintf(d, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, class, x, y, max(0, width), max(0, height))
}

func (d *drawing) text(class, anchor string, x, y float64, text string) {
	fmt.Fprintf(d, `<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, class, anchor, x, y, html.EscapeString(text))
}

// dot is a point that says what it is when a mouse is over it.
func (d *drawing) dot(class string, x, y float64, says string) {
	fmt.Fprintf(d, `<circle class="%s" cx="%.1f" cy="%.1f" r="3.6"><title>%s</title></circle>`, class, x, y, html.EscapeString(says))
}

func (d *drawing) curve(class string, points [][2]float64) {
	fmt.Fprintf(d, `<polyline class="%s" points="`, class)
	for i, p := range points {
		if i > 0 {
			d.WriteByte(' ')
		}
		fmt.Fprintf(d, "%.1f,%.1f", p[0], p[1])
	}
	d.WriteString(`"/>`)
}

// ticks are round numbers of flights from low to high, four or so.
func ticks(low, high float64) []float64 {
	const about = 4
	if high <= low {
		return []float64{low}
	}
	step := max(1, math.Pow(10, math.Floor(math.Log10((high-low)/about))))
	for _, factor := range []float64{1, 2, 5, 10} {
		if (high-low)/(step*factor) <= about {
			step *= factor
			break
		}
	}
	var all []float64
	for i := math.Ceil(low / step); i*step <= high; i++ {
		all = append(all, i*step)
	}
	return all
}

// dayMonth is a day without its year: 7 May.
func dayMonth(day string) string {
	date, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return date.Format("2 Jan")
}
