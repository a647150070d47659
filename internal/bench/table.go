package bench

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// column is one of the table; its cell is "" where nothing was measured. One
// without a title is the ratio of the one before.
type column struct {
	title string
	cell  func(Measure) string
}

// columns are those that any table may have.
var columns = []column{
	{"TASKS/S", func(m Measure) string { return Count(m.TasksPS) }},
	{"", func(m Measure) string { return times(m.Ratio) }},
	{"SECONDS", func(m Measure) string { return inUnit("_seconds", m.Seconds) }},
	{"", func(m Measure) string { return unlessRate(m, m.SecondsRatio) }},
	{"CPU", func(m Measure) string { return inUnit("_seconds", m.CPU) }},
	{"", func(m Measure) string { return unlessRate(m, m.CPURatio) }},
	{"CPU/TASK", func(m Measure) string { return inUnit("_us", m.CPUTask) }},
	{"P50", func(m Measure) string { return inUnit("_us", m.P50) }},
	{"", func(m Measure) string { return times(m.P50Ratio) }},
	{"P99", func(m Measure) string { return inUnit("_us", m.P99) }},
	{"MEMORY", func(m Measure) string { return inUnit("_bytes", float64(m.Memory)) }},
	{"DISK", func(m Measure) string { return inUnit("_bytes", float64(m.Disk)) }},
	{"DISK/TASK", func(m Measure) string { return inUnit("_bytes", m.DiskTask) }},
	{"INVOKED", func(m Measure) string { return Count(float64(m.Invoked)) }},
}

// String is the figure that counts.
func (m Measure) String() string {
	if m.Tasks == 0 {
		return inUnit("_seconds", m.Seconds)
	}
	return Count(m.TasksPS) + " tasks/s"
}

// unlessRate is a ratio that people are shown where there is none of a rate.
func unlessRate(m Measure, ratio float64) string {
	if m.Ratio != 0 {
		return ""
	}
	return times(ratio)
}

// Notes say in lines where the medians are from.
func (r *Result) Notes() []string {
	m := r.Machine
	lines := []string{
		fmt.Sprintf("%s of %s, medians of %d; ratios are to %s", r.Scenario, Count(float64(r.N)), r.Rounds, r.Subjects[0]),
		fmt.Sprintf("%d cores (GOMAXPROCS %d) %s, %s/%s, %s", m.CPUs, m.Threads, m.Model, m.OS, m.Arch, m.Go),
	}
	for _, name := range slices.Sorted(maps.Keys(r.Settings)) {
		lines = append(lines, name+": "+r.Settings[name])
	}
	for _, subject := range r.Subjects {
		course := r.Measures[subject].Course
		for _, name := range slices.Sorted(maps.Keys(course)) {
			title, unit := splitUnit(name)
			seen := make([]string, len(course[name]))
			for i, v := range course[name] {
				seen[i] = cmp.Or(inUnit(unit, v), "0")
			}
			lines = append(lines, fmt.Sprintf("%s, %s in the course of it: %s", subject, title, strings.Join(seen, ", ")))
		}
	}
	return lines
}

// Table is the medians in rows, the first of which is the heading.
func (r *Result) Table() [][]string {
	all := slices.Clone(columns)
	names := map[string]bool{}
	for _, m := range r.Measures {
		for name := range m.Also {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		title, unit := splitUnit(name)
		all = append(all, column{strings.ToUpper(title), func(m Measure) string {
			v, ok := m.Also[name]
			if !ok {
				return ""
			}
			return inUnit(unit, v)
		}})
	}
	rows := [][]string{{""}}
	for _, subject := range r.Subjects {
		rows = append(rows, []string{subject})
	}
	for _, c := range all {
		cells := make([]string, len(r.Subjects))
		for i, subject := range r.Subjects {
			cells[i] = c.cell(r.Measures[subject])
		}
		if !slices.ContainsFunc(cells, func(cell string) bool { return cell != "" }) {
			continue
		}
		rows[0] = append(rows[0], cmp.Or(c.title, "TO "+strings.ToUpper(r.Subjects[0])))
		for i, cell := range cells {
			rows[i+1] = append(rows[i+1], orDash(cell))
		}
	}
	return rows
}

// splitUnit divides the name of a figure into what it is, for people, and its unit.
func splitUnit(name string) (title, unit string) {
	title = name
	for _, u := range []string{"_seconds", "_us", "_bytes", "_percent"} {
		if t, ok := strings.CutSuffix(name, u); ok {
			title, unit = t, u
		}
	}
	return strings.ReplaceAll(title, "_", " "), unit
}

// inUnit is a figure for people, "" for none.
func inUnit(unit string, v float64) string {
	switch {
	case v == 0 && unit != "_percent":
		return ""
	case unit == "_seconds":
		return duration(time.Duration(v * float64(time.Second)))
	case unit == "_us":
		return duration(time.Duration(v * float64(time.Microsecond)))
	case unit == "_bytes":
		return size10(v)
	case unit == "_percent":
		return fmt.Sprintf("%.2f%%", v)
	}
	return Count(v)
}

// duration has three digits.
func duration(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= unit {
			step := unit / 100
			for d >= 1000*step {
				step *= 10
			}
			return d.Round(step).String()
		}
	}
	return d.String()
}

func size10(v float64) string {
	unit := "B"
	for _, larger := range []string{"kB", "MB", "GB"} {
		if v < 999.5 {
			break
		}
		v, unit = v/1000, larger
	}
	return digits(v) + " " + unit
}

// digits is a number with three of them, or all before its point.
func digits(v float64) string {
	switch {
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// times is a ratio for people; "" is none.
func times(ratio float64) string {
	if ratio == 0 {
		return ""
	}
	return digits(ratio) + "x"
}

// Count is a number with commas; "" is none.
func Count(v float64) string {
	if v == 0 {
		return ""
	}
	if v != math.Trunc(v) && v < 999.5 {
		return digits(v)
	}
	text := fmt.Sprintf("%.0f", v)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
