package backtest

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"
)

// MaxTable is how much is read of a table, which is kept in memory.
const MaxTable = 64 << 20

// Table is a daily series for each of several airports, all of the same days.
// As CSV it has a line for each, below the days: airport,city,2001-01-01,…
type Table struct {
	Days   []string // without a gap
	Series []Series
}

// Series is how many flights left an airport, day by day.
type Series struct {
	Airport, City string
	Departures    []int
}

// ReadTable reads what [Table.Write] wrote. An error that is not of r is a
// *MalformedError, and names the line.
func ReadTable(r io.Reader) (Table, error) {
	var t Table
	lines := newReader(r)
	header, err := lines.next()
	if err == io.EOF {
		return t, malformed("the table is empty; want a line airport,city and the days")
	}
	if err != nil {
		return t, err
	}
	if len(header) < 3 || header[0] != "airport" || header[1] != "city" {
		return t, lines.malformed("want airport,city and the days, as in 2001-01-31")
	}
	t.Days = slices.Clone(header[2:])
	for i, day := range t.Days {
		date, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return t, lines.malformed("%q is no day; want them as in 2001-01-31", day)
		}
		if i > 0 && date.AddDate(0, 0, -1).Format(time.DateOnly) != t.Days[i-1] {
			return t, lines.malformed("after %s comes %s; want every day, in order", t.Days[i-1], day)
		}
	}
	for {
		line, err := lines.next()
		if err == io.EOF {
			return t, nil
		}
		if err != nil {
			return t, err
		}
		if line[0] == "" {
			return t, lines.malformed("the airport has no code")
		}
		s := Series{Airport: line[0], City: line[1], Departures: make([]int, len(t.Days))}
		for i, text := range line[2:] {
			s.Departures[i], err = strconv.Atoi(text)
			if err != nil || s.Departures[i] < 0 || s.Departures[i] > 1_000_000 {
				return t, lines.malformed("%s on %s has %.40q departures; want a whole number up to 1000000", s.Airport, t.Days[i], text)
			}
		}
		t.Series = append(t.Series, s)
	}
}

// Write writes the table of these series; they have the days of t.
func (t Table) Write(w io.Writer, series ...Series) error {
	lines := [][]string{append([]string{"airport", "city"}, t.Days...)}
	for _, s := range series {
		lines = append(lines, append([]string{s.Airport, s.City}, texts(s.Departures)...))
	}
	return csv.NewWriter(w).WriteAll(lines)
}

// After is the day so many days after the one given.
func After(day string, days int) (string, error) {
	date, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return "", malformed(fmt.Sprintf("%.40q is no day", day))
	}
	return date.AddDate(0, 0, days).Format(time.DateOnly), nil
}
