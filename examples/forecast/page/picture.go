package page

import (
	"fmt"
	"html"
	"io"
	"strings"
)

// WritePicture writes the airports that the page shows one by one as an SVG
// image, for where a page does not fit.
func WritePicture(w io.Writer, s Study) error {
	airports, err := s.airports()
	if err != nil {
		return err
	}
	const columns, gap, margin, head = 3, 24, 20, 34
	picked := pick(airports, shown)
	rows := (len(picked) + columns - 1) / columns
	width := 2*margin + columns*panelWidth + (columns-1)*gap
	height := 2*margin + head + rows*(panelHeight+gap) - gap

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d">`, width, height, width, height)
	fmt.Fprintf(&b, "\n<style>\n%s</style>\n", style)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`, width, height)
	fmt.Fprintf(&b, "\n"+`<text class="axis" x="%d" y="%d">%s</text>`, margin, margin+12, html.EscapeString(fmt.Sprintf(
		"Flights a day. Grey: the last %d days, as forecast before them by the chosen model (blue) and by naive (dashed), and as they came. Blue: the days after.", s.Summary.Plan.Horizon)))
	for i, a := range picked {
		b.WriteString("\n" + panel(s, a).at(margin+i%columns*(panelWidth+gap), margin+head+i/columns*(panelHeight+gap)))
	}
	b.WriteString("\n</svg>\n")
	_, err = io.WriteString(w, b.String())
	return err
}
